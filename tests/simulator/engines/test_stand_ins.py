"""Devices that are alike are played once: the same verdict comes of it as if each of them had played."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from agent.values import GetPending, StartNext
from simulator.cloud.jobs.quotas import Rate
from simulator.engines.judged import JudgedPlay
from simulator.engines.stand_ins import Crew, Lot
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Scenario, load, parse, shipped, thing_names
from simulator.trace import Entry, ExecutionQueued, ExecutionRemoved, JobDeleted, RunStarted
from simulator.verdict import Judge, Verdict
from tests.elsewhere import said_elsewhere, said_here

DEVICES = 200
STAND_INS = 24
OWN_CHANCE = frozenset({"messages-reordered"})
"""Scenarios in which chance decides on each message: for who plays, by its own name."""
MIXED = """
name: mixed
devices:
  - {group: fast}
  - {group: slow, namespace: lab, layout: single}
jobs:
  - {id: fw, to: [fast], version: "2.0"}
  - {id: fw-lab, to: [slow], namespace: lab, version: "2.0"}
  - {id: fw-next, to: [fast], version: "2.1", after: {deletion_of: fw}}
  - {id: fw-lab, to: [slow], namespace: lab, version: "2.1", after: {deletion_of: fw-lab, until: gone}}
deletions:
  - {job: fw, when: {step: write, devices: any, later_seconds: 40}}
  - {job: fw-lab, when: {status: IN_PROGRESS, devices: any, later_seconds: 60}}
differences:
  megabits_per_second: {median: 8, p95: 60}
  image_megabytes: 20
  hardware: {write: {least: 10, most: 30}, boot: {any_of: [2, 2, 8]}}
  connection: {up_seconds: {median: 60, p95: 600}, away_seconds: {median: 2, p95: 20}}
  duty_cycle: {every_seconds: {least: 60, most: 90}, awake_seconds: {least: 30, most: 50}}
  reboots: {every_seconds: {median: 100, p95: 1000}, off_seconds: {least: 1, most: 5}}
bounds: {detection_seconds: 200, ready_seconds: 900, lost_job_seconds: 900, silence_seconds: 200}
time_limit_seconds: 20000
"""


class Played(NamedTuple):
    """What came of a play, and what each device told: number, time and event of each entry."""

    verdict: Verdict
    accounts: Mapping[str, list[tuple[int, float, Any]]]
    entries: list[Entry]


def played(scenario: Scenario, crew: Crew, seed: int = 7) -> Played:
    entries: list[Entry] = []
    with JudgedPlay(
        scenario, VirtualVenue(scenario, seed, crew.stands_for), crew, seed=seed, also=(entries.append,)
    ) as run:
        verdict = run_virtually(run.result()).verdict
    accounts: dict[str, list[tuple[int, float, Any]]] = {}
    for entry in entries:
        if entry.source.startswith("device/"):
            accounts.setdefault(entry.source.removeprefix("device/"), []).append((entry.n, entry.at, entry.event))
    return Played(verdict, accounts, entries)


def stand_in_of_each(scenario: Scenario, crew: Crew, devices: int) -> Iterator[tuple[str, str]]:
    """Each device with the one that plays for it: the last before it of its group."""
    last: dict[str, str] = {}
    for name, group in zip(thing_names(devices), scenario.deal(devices), strict=True):
        if name in crew.lots:
            last[group.group] = name
        yield name, last[group.group]


def everyone(scenario: Scenario, crew: Crew, devices: int) -> Crew:
    """All of them play, each with the lot of the one that would have played for it."""
    lots: dict[str, Lot] = {name: crew.lots[like] for name, like in stand_in_of_each(scenario, crew, devices)}
    return Crew(tuple(zip(lots, scenario.deal(devices), strict=True)), lots)


def counted(verdict: Verdict) -> dict[str, Any]:
    """As JSON has it, but of findings only how many there are: each device has its own, or one has them for all.

    Entries have other numbers where more devices play.
    """
    said = verdict.model_dump(mode="json")
    said["why"] = said["why"].partition("; see ")[0]
    for invariant in said["invariants"]:
        for found in ("violations", "doubts"):
            invariant[found] = sum(each.get("stands_for", 1) for each in invariant[found])
    return said


@pytest.mark.parametrize("model", ["reference", "recovers-without-undoing"])
def test_what_all_of_them_come_to_their_stand_ins_come_to(model: str):
    scenario = load("main").cast(model)
    crew = Crew.of(scenario, DEVICES, 7, STAND_INS)
    few, all_of_them = played(scenario, crew), played(scenario, everyone(scenario, crew, DEVICES))
    assert counted(few.verdict) == counted(all_of_them.verdict)
    assert few.verdict.devices == DEVICES


@pytest.mark.parametrize("name", [name for name in shipped() if name not in OWN_CHANCE])
def test_so_it_is_in_every_scenario_that_ships(name: str):
    scenario = load(name)
    crew = Crew.of(scenario, 12, 7, 4)
    few, all_of_them = played(scenario, crew), played(scenario, everyone(scenario, crew, 12))
    assert counted(few.verdict) == counted(all_of_them.verdict)


def test_devices_that_differ_in_all_that_can_be_drawn_have_the_fate_of_their_stand_ins():
    scenario = parse(MIXED, "mixed")
    crew = Crew.of(scenario, DEVICES, 7, STAND_INS)
    few, all_of_them = played(scenario, crew), played(scenario, everyone(scenario, crew, DEVICES))
    assert counted(few.verdict) == counted(all_of_them.verdict)
    assert few.verdict.outcome == "passed", few.verdict.why
    for name, like in stand_in_of_each(scenario, crew, DEVICES):
        assert all_of_them.accounts[name] == few.accounts[like]
    fates = {json.dumps([(at, event.type) for _, at, event in account]) for account in few.accounts.values()}
    assert len(fates) == STAND_INS, "no two of those who play are alike"


def test_a_stand_in_is_named_by_whom_it_is_of_the_whole_fleet_and_stands_for_its_neighbours():
    scenario = load("main")
    crew = Crew.of(scenario, 1_000_000, 7, 8)
    assert [name for name, _ in crew.things] == [
        *(f"thing-00000{number}" for number in range(4)),
        *(f"thing-50000{number}" for number in range(4)),
    ]
    assert set(crew.stands_for.values()) == {125_000}
    assert [group for _, group in crew.things] == list(scenario.devices) * 2


@pytest.mark.parametrize("devices", [1, 3, 4, 7, 50, 1000, 1001, 12_345])
@pytest.mark.parametrize("most", [1, 4, 7, 50, None])
def test_every_device_is_counted_once(devices: int, most: int | None):
    scenario = load("main")
    crew = Crew.of(scenario, devices, 7, most)
    assert sum(crew.stands_for.get(name, 1) for name, _ in crew.things) == devices
    dealt = dict(zip(thing_names(devices), scenario.deal(devices), strict=True))
    assert all(dealt[name] is group for name, group in crew.things)
    assert len(crew.things) == devices if most is None else len(crew.things) <= max(most, len(scenario.devices))


def test_who_plays_alone_is_played_as_without_stand_ins():
    scenario = load("main")
    assert Crew.of(scenario, 40, 7, 1000) == Crew.of(scenario, 40, 7)


def test_the_trace_says_for_whom_each_plays_and_a_judge_counts_by_that():
    scenario = load("main")
    run = played(scenario, Crew.of(scenario, 1_000_000, 7, 8))
    (started,) = (entry.event for entry in run.entries if isinstance(entry.event, RunStarted))
    assert (len(started.things), started.devices) == (8, 1_000_000)
    judge, alone = Judge(), Judge()
    for entry in run.entries:
        judge.feed(entry)
        is_first = isinstance(entry.event, RunStarted)
        alone.feed(entry._replace(event=replace(entry.event, stands_for={})) if is_first else entry)
    assert judge.verdict() == run.verdict
    assert judge.verdict().devices == judge.verdict().recovered == 1_000_000
    assert judge.verdict().requests_per_second_peak == 125_000 * alone.verdict().requests_per_second_peak


SAY_WHAT_CAME = """
import hashlib, sys
from tests.simulator.engines.test_stand_ins import MIXED, played
from simulator.engines.stand_ins import Crew
from simulator.scenario import parse
from simulator.trace import write_line
run = played(scenario := parse(MIXED, "mixed"), Crew.of(scenario, 1_000_000, 7, 8))
told = "".join(map(write_line, run.entries)) + run.verdict.model_dump_json()
print(hashlib.sha256(told.encode()).hexdigest())
"""


def test_the_same_seed_makes_the_same_trace_and_verdict_whatever_the_hash_seed():
    assert said_here(SAY_WHAT_CAME) == said_elsewhere(SAY_WHAT_CAME) != ""


# ── what devices share ────────────────────────────────────────────────────────────────────────────────────────

ROLLOUT = """
name: rollout
devices:
  - {group: all, reports: end}
jobs:
  - {id: fw, to: [all], version: "2.0", rollout_per_minute: 16}
  - {id: fw-next, to: [all], version: "2.1", after: {deletion_of: fw}}
cloud: {removals_per_second: 20, deletion_seconds_per_execution: 2}
deletions:
  - {job: fw, when: {step: download, devices: any, later_seconds: 150}}
hardware: {download: 200, write: 20}
bounds: {ready_seconds: 300, lost_job_seconds: 300, silence_seconds: 600}
time_limit_seconds: 2000
"""


def first_times(run: Played, kind: type[Any], job: str) -> dict[str, float]:
    """When that first befell each thing's execution of that job."""
    times: dict[str, float] = {}
    for entry in run.entries:
        if type(entry.event) is kind and entry.event.execution.job_id == job:
            times.setdefault(entry.event.thing, entry.at)
    return times


def test_a_rollout_and_a_deletion_go_on_as_fast_as_if_all_of_them_played():
    scenario = parse(ROLLOUT, "rollout")
    few, all_of_them = (played(scenario, Crew.of(scenario, 64, 7, most)) for most in (16, None))
    for kind, window in ((ExecutionQueued, 15.0), (ExecutionRemoved, 1.0)):
        shown, true = first_times(few, kind, "fw"), first_times(all_of_them, kind, "fw")
        assert len(true) == 48, "three minutes' worth had their turn"
        assert len(shown) == 12, "and so had those who play for them"
        assert {name: true[name] for name in shown} == pytest.approx(shown, abs=window)
    gone = [first.at for run in (few, all_of_them) for first in run.entries if isinstance(first.event, JobDeleted)]
    assert gone[0] == pytest.approx(gone[1], abs=0.5), "so many seconds for each execution"
    assert counted(few.verdict)["reached"] == counted(all_of_them.verdict)["reached"]
    assert few.verdict.outcome == all_of_them.verdict.outcome == "passed", few.verdict.why


def test_the_quota_of_requests_counts_all_for_whom_one_asks():
    rate, request = Rate(), GetPending()
    allowed = [second for second in range(100, 130) if rate.allows(request, second, 200, 1000)]
    assert allowed == [100, 101, 102, 103, 104, 106, 111, 116, 121, 126], "a few find room, then one in five seconds"
    assert [rate.allows(StartNext(), 120.5, 2) for _ in range(3)] == [True, True, False], "writes have their own"
