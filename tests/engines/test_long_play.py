"""A play that goes on for a day must not fill the memory: what follows it is as large after many jobs as after some."""

import asyncio
import gc
from importlib.resources import files
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from simulator.engines.judged import JudgedPlay
from simulator.engines.play_time import PlayTime
from simulator.engines.steering import Steering
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.report.live_table import LiveTable
from simulator.report.recent import Recent
from simulator.scenario import parse
from simulator.trace import Entry, JobCreated

JOBS: Final = 140, 200
"""After so many whatever is remembered of a device is full: 128 executions, 500 entries."""
APART: Final = 1.02
"""Which job it is at makes a little difference."""
LEFT_OUT: Final = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType)


class Means:
    """Virtual time can be steered."""

    def __init__(self) -> None:
        self.time = PlayTime(clock=lambda: asyncio.get_running_loop().time())

    def cut_off(self, thing: str, seconds: float, name: str) -> None:
        raise NotImplementedError


def kept(*roots: object) -> int:
    """How many objects hang on those."""
    seen: dict[int, Any] = {}
    following: list[Any] = [*roots]
    while following:
        each = following.pop()
        if id(each) not in seen and not isinstance(each, LEFT_OUT):
            seen[id(each)] = each
            following += gc.get_referents(each)
    return len(seen)


def test_what_judges_a_lab_and_shows_it_does_not_grow_from_job_to_job():
    text = (files("simulator.cli") / "lab.yaml").read_text("utf-8")
    lab = parse(text, "lab")
    steering = Steering(Means(), is_open=True)
    table, recent = LiveTable("lab", {"thing-0": None}), Recent()
    counted: dict[str, list[int]] = {}
    created = 0

    def count(entry: Entry) -> None:
        nonlocal created
        if not isinstance(entry.event, JobCreated):
            return
        created += 1
        if created in JOBS:
            for name, part in (("judge", run.judge), ("table", table), ("recent", recent), ("jobs", steering.jobs)):
                counted.setdefault(name, []).append(kept(part))
        if created == JOBS[-1]:
            steering.end()

    with JudgedPlay(lab, VirtualVenue(lab, 1), 1, also=(table.feed, recent.feed, count), steering=steering) as run:
        result = run_virtually(run.result())
    assert result.verdict.outcome == "passed"
    assert sorted(counted) == ["jobs", "judge", "recent", "table"]
    for name, (some, many) in counted.items():
        assert many <= some * APART, f"{name}: {some} objects, and then {many}"
