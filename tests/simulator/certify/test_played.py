"""Cells are played, in virtual time: correct devices of several designs pass, and the models that a cell names do not.

The devices are ours, so that what they did is known; the verdict that counts is the one that a device which is not ours
gets, from the wire alone.
"""

from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

import pytest

from simulator.certify.cell import Cell
from simulator.certify.draft import undisturbed
from simulator.certify.learning import Learned, learn
from simulator.certify.matrix import CELLS, DEFAULT, Names, Need, not_applicable
from simulator.engines.judged import JudgedPlay
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Scenario, Timings
from simulator.trace import CLOUD, AnswerDelivered, Entry, RequestReceived, RunStarted
from simulator.verdict import Judge, Verdict

SECONDS = Timings(download=1, write=1, switch=0.3, reboot=0.1, boot=0.3, self_test=0.6, commit=0.3)
THING = "thing-0"
CAN: frozenset[Need] = frozenset({"power"})
FOREIGN: dict[str, Any] = {"one_clock": False, "are_foreign": True}
"""What `run.started` says of devices that are not ours."""


def played(scenario: Scenario, model: str, **group: object) -> tuple[Verdict, Verdict, list[Entry]]:
    """What came of it by the wire alone, by the device's own account too, and the trace."""
    groups = tuple(each.model_copy(update={"model": model, **group}) for each in scenario.devices)
    entries: list[Entry] = []
    scenario = scenario.model_copy(update={"devices": groups, "hardware": SECONDS})
    with JudgedPlay(scenario, VirtualVenue(scenario, 1), 1, seed=1, also=(entries.append,)) as run:
        verdict = run_virtually(run.result()).verdict
    return by_the_wire(entries), verdict, entries


def by_the_wire(entries: list[Entry]) -> Verdict:
    """As of a device that gives no account of itself, in a process of its own."""
    judge = Judge()
    for entry in entries:
        event = entry.event
        if entry.source.startswith("device/"):
            continue
        judge.feed(entry._replace(event=replace(event, **FOREIGN)) if isinstance(event, RunStarted) else entry)
    return judge.verdict()


def outcomes(verdict: Verdict) -> dict[str, str]:
    return {each.id: each.outcome for each in verdict.invariants}


def receipts_late(entries: list[Entry]) -> list[Entry]:
    """As of a device that acknowledges each answer only once it has asked for something else."""
    told: list[Entry] = []
    late: list[Entry] = []
    for entry in entries:
        if isinstance(entry.event, AnswerDelivered):
            late.append(entry)
            continue
        told.append(entry)
        if isinstance(entry.event, RequestReceived):
            told += [each._replace(at=entry.at) for each in late]
            late.clear()
    return numbered([*told, *late])


def receipts_untold(entries: list[Entry]) -> list[Entry]:
    """As of one of which nothing shows whether it reads any answer."""
    return numbered([entry for entry in entries if not isinstance(entry.event, AnswerDelivered)])


def numbered(entries: list[Entry]) -> list[Entry]:
    """The cloud's in the order in which they stand."""
    number = count(1)
    return [entry._replace(n=next(number)) if entry.source == CLOUD else entry for entry in entries]


@cache
def learned(model: str, namespace_id: str | None = None, reports: str = "progress") -> Learned:
    """By its first job; the virtual network tells of no subscription, and each of these hears of its jobs."""
    scenario = undisturbed(Names("first"), namespace_id, 60)
    _, _, entries = played(scenario, model, reports=reports)
    return replace(learn(entries, THING, scenario.jobs[0].id), listens=("notify", "notify-next"))


def cells_of(device: Learned, cells: tuple[Cell, ...]) -> list[Cell]:
    return [cell for cell in cells if not_applicable(cell, device, CAN) is None]


CORRECT = [
    pytest.param("reference", None, "progress", CELLS, id="reference, all cells"),
    pytest.param("reference", "lab", "progress", DEFAULT, id="reference, in a namespace"),
    pytest.param("reference", None, "steps", DEFAULT, id="reference, reports each step"),
    pytest.param("reference", None, "end", DEFAULT, id="reference, silent"),
    pytest.param("start-next", None, "steps", DEFAULT, id="start-next"),
    pytest.param("describe-update", None, "steps", DEFAULT, id="describe and update"),
    pytest.param("describe-update", "lab", "progress", DEFAULT, id="describe and update, in a namespace"),
    pytest.param("poller", None, "progress", DEFAULT, id="poller"),
]


@pytest.mark.parametrize(("model", "namespace_id", "reports", "cells"), CORRECT)
def test_a_correct_device_lives_through_every_cell(
    model: str, namespace_id: str | None, reports: str, cells: tuple[Cell, ...]
):
    device, names = learned(model, namespace_id, reports), Names("cell")
    chosen = cells_of(device, cells)
    assert len(chosen) > 15
    for cell in chosen:
        wire, own, entries = played(cell.scenario(device, names), model, reports=reports)
        assert wire.outcome == own.outcome == "passed", f"{cell.id}: {wire.why}; by its own account: {own.why}"
        # What comes first, its receipt of an answer or its next question, may differ with each play.
        assert outcomes(by_the_wire(receipts_late(entries))) == outcomes(wire), cell.id
        assert outcomes(by_the_wire(receipts_untold(entries))) == outcomes(wire), cell.id


def test_a_cell_takes_about_as_long_as_it_says():
    device, names = learned("reference"), Names("cell")
    for cell in cells_of(device, DEFAULT):
        wire, _, _ = played(cell.scenario(device, names), "reference")
        assert wire.seconds is not None
        assert 0.6 * wire.seconds - 1 < cell.seconds(device) < 1.6 * wire.seconds + 1, cell.id


UNDONE = [("step-middle/notification-late", "over-eager"), ("asking/announcement-overtaken", "over-eager")]


@pytest.mark.parametrize(("name", "model"), UNDONE)
def test_who_fails_a_job_that_nobody_took_from_him_does_not_pass(name: str, model: str):
    (cell,) = [cell for cell in CELLS if cell.id == name]
    wire, _, _ = played(cell.scenario(learned(model), Names("cell")), model)
    assert wire.outcome == "inconclusive"
    assert wire.why.startswith("'succeeded cell-0002-next' was reached by 0 of 1 device")


CAUGHT = [pytest.param(cell, model, id=f"{cell.id} {model}") for cell in CELLS for model in cell.catches]


@pytest.mark.parametrize(("cell", "model"), CAUGHT)
def test_a_cell_finds_the_mistake_that_it_names(cell: Cell, model: str):
    device = learned(model)
    assert not_applicable(cell, device, CAN) is None
    wire, _, _ = played(cell.scenario(device, Names("cell")), model)
    assert wire.outcome == "failed", wire.why
