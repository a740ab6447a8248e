"""A fleet that plays in shards comes to what it comes to in one piece, however many processes play it."""

import json
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from agent.errors import InputError
from simulator.engines.judged import JudgedPlay
from simulator.engines.meeting import YES, OthersDiedError, Report, Said, agreed
from simulator.engines.shards.hosted import Sharded
from simulator.engines.shards.hosts import Forked, Host, InProcesses
from simulator.engines.shards.played import shown
from simulator.engines.stand_ins import Crew, Shard
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Scenario, load, parse, shipped
from simulator.scenario.versus import side_by_side
from simulator.trace import (
    DeletionRequested,
    Entry,
    ExecutionQueued,
    ExecutionRemoved,
    JobDeleted,
    RunEnded,
    RunStarted,
    write_line,
)
from simulator.verdict import Judge, Verdict
from simulator.verdict.tally import in_all
from tests import no_room
from tests.elsewhere import said_elsewhere, said_here
from tests.simulator.engines.test_stand_ins import MIXED, ROLLOUT, Played, counted, first_times, played

DEVICES = 24
SEED = 7


def in_shards(
    scenario: Scenario,
    crew: Crew,
    most: int,
    processes: int = 1,
    number: int = 0,
    *,
    hosts: Callable[[Sharded, Sequence[int]], list[Host]] | None = None,
) -> tuple[Verdict, list[Entry]]:
    """A fleet in shards in which so many play at most."""
    return play(Sharded(scenario, SEED, crew.shards(most)), hosts or InProcesses(processes), number)


def play(
    fleet: Sharded, hosts: Callable[[Sharded, Sequence[int]], list[Host]], number: int
) -> tuple[Verdict, list[Entry]]:
    """The verdict, and the trace of the shard of that number."""
    entries: list[Entry] = []
    with (
        shown(fleet, hosts, number) as part,
        JudgedPlay(
            fleet.scenario,
            part.venue,
            part.crew,
            seed=fleet.seed,
            also=(entries.append,),
            judging=part.judging,
            meeting=part.meeting,
            shards=part.shards,
        ) as run,
    ):
        return run_virtually(run.result()).verdict, entries


@cache
def of_mixed(number: int | None) -> tuple[Verdict, list[Entry]]:
    """What comes of MIXED, and the trace of the shard of that number; of all in one piece, if it is None."""
    scenario = parse(MIXED, "mixed")
    crew = Crew.of(scenario, 200, SEED, 24)
    if number is not None:
        return in_shards(scenario, crew, 8, number=number)
    whole = played(scenario, crew, SEED)
    return whole.verdict, whole.entries


def shown_by(verdict: Verdict) -> dict[str, Any]:
    """What no instant of a moment of waiting changes: how often somebody was asked, it may."""
    said = counted(verdict)
    invariants = {
        each["id"]: (each["outcome"].replace("not-exercised", "held"), each["violations"], each["doubts"])
        for each in said["invariants"]
    }
    names = ("outcome", "why", "devices", "recovered", "reached")
    return {name: said[name] for name in names} | {"invariants": invariants}


# ── as in one piece ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", shipped())
def test_a_scenario_that_ships_comes_to_the_same(name: str):
    scenario = load(name)
    crew = Crew.of(scenario, DEVICES, SEED, 12)
    verdict, _ = in_shards(scenario, crew, 4)
    assert shown_by(verdict) == shown_by(played(scenario, crew, SEED).verdict)


def test_what_bad_devices_violate_is_counted_in_all_shards():
    scenario = load("main").cast("recovers-without-undoing")
    crew = Crew.of(scenario, 1_000_000, SEED, 24)
    verdict, _ = in_shards(scenario, crew, 8)
    whole = shown_by(played(scenario, crew, SEED).verdict)
    assert shown_by(verdict) == whole
    assert whole["invariants"]["bootable"] == ("violated", 1_000_000, 0)


def test_devices_that_differ_in_all_that_can_be_drawn_come_to_the_same():
    (verdict, _), (whole, _) = of_mixed(0), of_mixed(None)
    assert shown_by(verdict) == shown_by(whole)
    assert verdict.recovery_seconds is not None
    assert whole.recovery_seconds is not None
    assert verdict.recovery_seconds.p50 == pytest.approx(whole.recovery_seconds.p50, abs=1)


def test_what_bad_ones_keep_the_good_ones_waiting_for_is_given_up_in_all_shards():
    both = side_by_side(load("messages-lost"), "waits-for-ever")
    crew = Crew.of(both, 8, SEED)
    assert len(crew.shards(2)) == 2, "each has a good one and a bad one of each kind"
    verdict, entries = in_shards(both, crew, 2)
    (at, ended) = next((entry.at, entry.event) for entry in entries if isinstance(entry.event, RunEnded))
    assert "let its job wait, and did not get there" in ended.missed[0]
    assert at < both.time_limit_seconds / 2
    whole = played(both, crew, SEED).verdict
    assert (verdict.outcome, verdict.reached) == (whole.outcome, whole.reached)


NEVER_THERE = """
name: one-kind-never-gets-there
devices: [{group: slots}, {group: single, layout: single}]
jobs: [{id: fw, to: [slots, single], version: "2.0"}]
deletions: [{job: fw, when: {step: switch}, hold: true}]
"""


@pytest.mark.parametrize("number", [0, 1])
def test_who_is_held_for_one_of_another_shard_that_never_gets_there_is_let_go(number: int):
    scenario = parse(NEVER_THERE, "never")
    crew = Crew.of(scenario, 4, SEED)
    kinds = [Crew(crew.things[kind::2], crew.lots) for kind in (0, 1)]
    shards = tuple(Shard(kind, each, dict.fromkeys(crew.lots, 2)) for kind, each in enumerate(kinds))
    verdict, entries = play(Sharded(scenario, SEED, shards), InProcesses(1), number)
    whole = played(scenario, crew, SEED).verdict
    told = "delete-job of job fw (at switch) never came: thing-1 ended SUCCEEDED, and did not get there"
    assert verdict.outcome == whole.outcome == "inconclusive"
    assert verdict.why == told
    assert whole.why.startswith(told)
    assert entries[-1].at < 2


# ── what is shared ────────────────────────────────────────────────────────────────────────────────────────────


def test_one_operator_deletes_in_all_shards_at_one_instant_as_soon_as_any_device_is_there():
    def asked(entries: list[Entry]) -> list[tuple[str, float]]:
        return [(each.event.job_id, each.at) for each in entries if isinstance(each.event, DeletionRequested)]

    instants = [asked(of_mixed(number)[1]) for number in range(3)]
    assert instants[0] == instants[1] == instants[2]
    whole = asked(of_mixed(None)[1])
    assert [job for job, _ in instants[0]] == [job for job, _ in whole]
    for (_, at), (_, true) in zip(instants[0], whole, strict=True):
        assert true <= at <= true + 2


def test_a_rollout_and_a_deletion_go_on_as_fast_as_in_one_piece():
    scenario = parse(ROLLOUT, "rollout")
    crew = Crew.of(scenario, 64, SEED)
    whole = played(scenario, crew, SEED)
    traces = [in_shards(scenario, crew, 16, number=number) for number in range(4)]
    assert {verdict.outcome for verdict, _ in traces} == {whole.verdict.outcome} == {"passed"}
    for kind, window in ((ExecutionQueued, 4.0), (ExecutionRemoved, 1.0)):
        true, there = first_times(whole, kind, "fw"), dict[str, float]()
        for verdict, entries in traces:
            there |= first_times(Played(verdict, {}, entries), kind, "fw")
        assert len(there) == len(true) == 48, "three minutes' worth had their turn"
        assert there == pytest.approx(true, abs=window)
    gone = [next(each.at for each in entries if isinstance(each.event, JobDeleted)) for _, entries in traces]
    (in_truth, *_) = [each.at for each in whole.entries if isinstance(each.event, JobDeleted)]
    assert gone == pytest.approx([in_truth] * 4, abs=2), "so many seconds for each execution of the whole fleet"


@pytest.mark.parametrize("devices", [40, 41, 1000, 1_000_000])
def test_every_device_is_in_one_shard_and_each_group_in_each(devices: int):
    scenario = load("main")
    crew = Crew.of(scenario, devices, SEED, 40)
    shards = crew.shards(10)
    assert len(shards) == 4
    assert sorted(each for shard in shards for each in shard.crew.things) == sorted(crew.things)
    assert sum(shard.crew.devices for shard in shards) == devices
    for shard in shards:
        assert sum(shard.counts_for.values()) == devices
        groups = Counter(group.group for _, group in shard.crew.things)
        assert len(shard.crew.things) <= 11
        assert max(groups.values()) - min(groups.values()) <= 1
        assert len(groups) == len(scenario.devices)


def test_a_small_fleet_is_one_shard_and_played_as_ever():
    scenario = load("main")
    crew = Crew.of(scenario, 1_000_000, SEED, 24)
    (shard,) = crew.shards()
    assert (shard.crew, shard.counts_for) == (crew, crew.stands_for)
    verdict, entries = in_shards(scenario, crew, 1000)
    alone = played(scenario, crew, SEED)
    assert (verdict, entries) == (alone.verdict, alone.entries)


# ── what is agreed ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "for_all", "if_one_will_do"),
    [
        pytest.param((YES, YES), YES, YES, id="all are there"),
        pytest.param((YES, ""), "", YES, id="one is there"),
        pytest.param(("", ""), "", "", id="nobody is there"),
        pytest.param(("never", ""), "never", "", id="one will never be, the other may"),
        pytest.param((YES, "never"), "never", YES, id="one is there, the other will never be"),
        pytest.param(("never", "nor I"), "never", "never", id="nobody ever will be"),
    ],
)
def test_what_shards_say_at_an_edge_comes_to_what_holds_for_all(
    words: tuple[str, ...], for_all: str, if_one_will_do: str
):
    for one_will_do, word in ((False, for_all), (True, if_one_will_do)):
        reports = [Report(1.0, {"it": Said(each, one_will_do)}) for each in words]
        assert agreed(reports) == ({"it": word} if word else {})


def test_what_never_will_be_is_waited_for_as_long_as_it_presses_nobody():
    never, patient, held = Said("never", presses=False), Said(YES, presses=False), Said(YES, presses=True)
    assert agreed([Report(1.0, {"it": never}), Report(1.0, {"it": patient})]) == {}
    assert agreed([Report(1.0, {"it": never}), Report(1.0, {"it": held})]) == {"it": "never"}


def test_nothing_is_agreed_on_before_all_wait_for_it():
    assert agreed([Report(1.0, {"it": Said(YES, False)}), Report(1.0, {})]) == {}


# ── what several judges saw ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("model", ["reference", "recovers-without-undoing", "hammering"])
def test_what_judges_saw_of_parts_of_a_fleet_adds_up_to_what_one_sees_of_it_all(model: str):
    scenario = parse(MIXED, "mixed").cast(model)
    run = played(scenario, Crew.of(scenario, 200, SEED, 12), SEED)
    (started,) = [entry.event for entry in run.entries if isinstance(entry.event, RunStarted)]
    judges = [Judge(of_many=True) for _ in range(3)]
    for number, judge in enumerate(judges):
        mine = frozenset(started.things[number::3])
        for entry in run.entries:
            match entry.event:
                case RunStarted():
                    judge.feed(entry._replace(event=replace(started, things=started.things[number::3])))
                case _ if getattr(entry.event, "thing", None) is None or entry.event.thing in mine:
                    judge.feed(entry)
    told = in_all([judge.tally() for judge in judges]).verdict
    assert counted(told) | {"why": "", "reached": []} == counted(run.verdict) | {"why": "", "reached": []}


# ── however many processes ────────────────────────────────────────────────────────────────────────────────────

SAY_WHAT_CAME = """
import hashlib, sys
from tests.simulator.engines.test_shards import in_shards
from tests.simulator.engines.test_stand_ins import MIXED
from simulator.engines.stand_ins import Crew
from simulator.scenario import parse
from simulator.trace import write_line
scenario = parse(MIXED, "mixed")
for processes in {processes}:
    verdict, entries = in_shards(scenario, Crew.of(scenario, 1_000_000, 7, 8), 2, processes)
    told = "".join(map(write_line, entries)) + verdict.model_dump_json()
    print(hashlib.sha256(told.encode()).hexdigest())
"""


def test_the_same_seed_makes_the_same_trace_and_verdict_in_1_2_and_4_processes_and_under_any_hash_seed():
    here = said_here(SAY_WHAT_CAME.format(processes=(1, 2))).split()
    elsewhere = said_elsewhere(SAY_WHAT_CAME.format(processes=(2, 4))).split()
    assert len(here) == len(elsewhere) == 2
    assert len({*here, *elsewhere}) == 1


def test_whichever_shard_is_shown_the_verdict_is_the_same():
    scenario = load("main").cast("recovers-without-undoing")
    crew = Crew.of(scenario, 1_000_000, SEED, 24)
    (first, of_first), (last, of_last) = (in_shards(scenario, crew, 8, 2, number) for number in (0, 2))
    assert first == last
    for number, entries in ((0, of_first), (2, of_last)):
        told = {entry.event.things for entry in entries if isinstance(entry.event, RunStarted)}
        assert told == {tuple(name for name, _ in crew.shards(8)[number].crew.things)}
    ids = [{entry.id for entry in entries} for entries in (of_first, of_last)]
    shown_in = {event for each in first.invariants[0].violations for event in each.events}
    assert shown_in & ids[0]
    assert shown_in & ids[1]
    assert not shown_in & ids[0] & ids[1]


@contextmanager
def forked() -> Iterator[Forked]:
    scenario = load("main")
    host = Forked(Sharded(scenario, SEED, Crew.of(scenario, 16, SEED).shards(4)), [1, 2])
    try:
        yield host
    finally:
        host.end()


def test_a_process_that_dies_is_told_and_ends_the_play():
    with forked() as host:
        host.go_on({})
        assert set(host.reports()) == {1, 2}
        os.kill(host.process, signal.SIGKILL)
        host.go_on({})
        with pytest.raises(OthersDiedError, match=r"\(killed by signal 9\) before its time, so nothing is said of the"):
            host.reports()


def test_a_system_without_room_for_so_many_processes_is_told_and_none_is_left(monkeypatch: pytest.MonkeyPatch):
    no_room.for_more_processes_than(1, monkeypatch)
    with pytest.raises(InputError, match=r"--processes: the system lets no more processes begin .*temporarily"):
        in_shards(load("main"), Crew.of(load("main"), 16, SEED), 4, 3)
    assert multiprocessing.active_children() == []


def test_nothing_is_said_of_a_fleet_of_which_a_part_is_lost(monkeypatch: pytest.MonkeyPatch):
    scenario = load("main")
    reports, asked = Forked.reports, []

    def dies(host: Forked) -> Any:
        asked.append(host)
        if len(asked) == 10:
            os.kill(host.process, signal.SIGKILL)
        return reports(host)

    monkeypatch.setattr(Forked, "reports", dies)
    with pytest.raises(OthersDiedError):
        in_shards(scenario, Crew.of(scenario, 16, SEED), 4, 2)


def test_it_is_json_of_which_small_fleets_have_no_more_than_before():
    crew = Crew.of(load("main"), 16, SEED)
    for most, shards in ((4, 4), (16, None)):
        _, entries = in_shards(load("main"), crew, most)
        (line,) = [json.loads(write_line(entry)) for entry in entries if isinstance(entry.event, RunStarted)]
        assert line.get("shards") == shards
