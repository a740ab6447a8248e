"""Cells that were played, in virtual time, and judged from the wire alone; and a certificate of whatever kind."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from simulator.certify.cell import Cell
from simulator.certify.certificate import CellResult, Certificate, certificate_of
from simulator.certify.result import cell_result
from simulator.engines.judged import JudgedPlay
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import load
from simulator.trace import Entry
from simulator.verdict import Judge, Verdict


def named(cell_id: str = "step/calm") -> Cell:
    """A cell of that name, of which only what it says of itself counts."""
    return Cell(cell_id, "full", (), "asks in good time, and stops", "it does not")


CELL: Final = named()


class Played(NamedTuple):
    """What is known of one device from outside."""

    verdict: Verdict
    entries: tuple[Entry, ...]


@cache
def played(model: str, scenario: str = "delete-in-write", time_limit_seconds: float | None = None) -> Played:
    """One device of that model, of which neither hardware nor agent tells anything."""
    cast = load(scenario).cast(model)
    if time_limit_seconds is not None:
        cast = cast.model_copy(update={"time_limit_seconds": time_limit_seconds})
    entries: list[Entry] = []
    run = JudgedPlay(cast, VirtualVenue(cast, 0), 1, also=(entries.append,))
    with run:
        run_virtually(run.result())
    return seen(tuple(entry for entry in entries if not entry.source.startswith("device/")))


def seen(entries: Sequence[Entry]) -> Played:
    """What a trace comes to."""
    judge = Judge()
    for entry in entries:
        judge.feed(entry)
    return Played(judge.verdict(), tuple(entries))


def result(model: str = "hammering", cell: Cell = CELL, **more: Any) -> CellResult:
    """Of one cell."""
    found = played(model)
    return cell_result(cell, found.verdict, found.entries, **({"seconds": 3.0, "device_seconds": 2.5} | more))


def certificate(*cells: CellResult, **more: Any) -> Certificate:
    """Of a session with these cells."""
    members = {
        "thing": "pump-7",
        "namespace_id": None,
        "started_at": "2026-01-02T03:04:05+00:00",
        "seconds": 10.0,
        "learned": {"carrier": "mqtt"},
        "not_seen": {},
    }
    return certificate_of(cells=cells, **(members | more))
