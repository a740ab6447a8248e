"""What probes show of a device that gives no account: what is wrong is found, and nobody who is right is accused."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.values import ExecutionKey
from simulator.trace import (
    CLOUD,
    ENGINE,
    PROBE,
    Entry,
    ExecutionChanged,
    PowerCutOff,
    PowerRestored,
    ProbeSampled,
    ProcessEnded,
    read_line,
    write_line,
)
from simulator.verdict import INVARIANTS, SEEN_FROM_THE_WIRE, SEEN_WITH_A_PROBE, InvariantVerdict, Verdict
from simulator.verdict.samples import NOTES, PROBES, REPORTS, SPANS, STRETCHES, Samples
from simulator.verdict.seen import seen_in
from tests.simulator.verdict.stories.scenes import RNF
from tests.simulator.verdict.tale import BOUNDS, FW, FW_AGAIN, NEXT, THING, Tale, from_the_wire, judge

OLD, NEW = "1.0", "2.0"
LAST = ExecutionKey(None, "last", 1, 300)
VERSIONS = {"fw": (NEW,), "next": (OLD,), "last": (NEW,)}
READY = BOUNDS.ready_seconds + 1
LATE = BOUNDS.ready_seconds + BOUNDS.detection_seconds + 1
DEAD = BOUNDS.silence_seconds + 1


class Bench(Tale):
    """A device on the desk, that is sampled: cloud, engine and probe have one clock."""

    def __init__(self) -> None:
        super().__init__()
        self._clocks[PROBE] = self._clocks[ENGINE] = self._clocks[CLOUD]
        self.entries[0] = self.entries[0]._replace(at=self._clocks[ENGINE])
        self.told_at_the_start(versions=VERSIONS)
        self.sees(OLD)
        self.connect()

    def probe(self, alive: bool | None, version: str | None = None, took: float = 0.05, **more: Any) -> None:
        self.wait(took)
        self._write(PROBE, ProbeSampled(THING, "cmd:it", alive, version, seconds=took, **more))

    def sees(self, version: str, seconds: float = 0.0) -> None:
        """It runs a version, and after some time still does."""
        self.probe(True, version)
        if seconds:
            self.wait(seconds)
            self.probe(True, version)

    def is_dead(self, seconds: float) -> None:
        self.probe(False)
        self.wait(seconds)
        self.probe(False)

    def cuts_power(self) -> None:
        self._write(ENGINE, PowerCutOff(THING, "reported download"))

    def restores_power(self) -> None:
        self._write(ENGINE, PowerRestored(THING))

    def crash(self, why: str) -> None:
        self._write(ENGINE, ProcessEnded(THING, why, crashed=True))

    def starts(self, key: ExecutionKey = FW) -> None:
        self.queue(key)
        self.take(key)
        self.say(key, "download")

    def succeeds(self, key: ExecutionKey, **details: str) -> None:
        token = self.send("update", key, status="SUCCEEDED", expected_version=2)
        self.arrive(token)
        self.cloud(ExecutionChanged(THING, key, "SUCCEEDED", 3, "device", details or None))
        self.answer(token)

    def fails(self, key: ExecutionKey, **details: str) -> None:
        token = self.send("update", key, status="FAILED", expected_version=2)
        self.arrive(token)
        self.cloud(ExecutionChanged(THING, key, "FAILED", 3, "device", details or None))
        self.answer(token)

    def works_through(self, key: ExecutionKey, version: str) -> None:
        """As a careful device does: try the version, report, keep it."""
        self.starts(key)
        self.disconnect()
        self.probe(False)
        self.wait(0.3)
        self.connect()
        self.sees(version, 0.2)
        self.succeeds(key)
        self.sees(version)

    def is_deleted(self, key: ExecutionKey = FW) -> None:
        """In progress; by its next report it is told."""
        self.remove(key)
        self.say(key, "write", code=RNF)


@dataclass(frozen=True)
class Story:
    invariant: str
    outcome: str
    tell: Callable[[Bench], None]

    def told(self) -> list[Entry]:
        bench = Bench()
        self.tell(bench)
        bench.end()
        return from_the_wire(bench.entries)


STORIES: list[Story] = []
RIGHT: list[Callable[[Bench], None]] = []


def story(invariant: str, outcome: str) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    def add(tell: Callable[[Bench], None]) -> Callable[[Bench], None]:
        STORIES.append(Story(invariant, outcome, tell))
        return tell

    return add


def right(tell: Callable[[Bench], None]) -> Callable[[Bench], None]:
    RIGHT.append(tell)
    return tell


def found(verdict: Verdict, invariant: str) -> InvariantVerdict:
    return next(each for each in verdict.invariants if each.id == invariant)


# ── devices that do right ─────────────────────────────────────────────────────────────────────────────────────


@story("accounted-for", "held")
@story("tests-before-commit", "held")
@story("no-double-apply", "held")
@story("bootable", "held")
@right
def works_through_its_jobs(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.works_through(NEXT, OLD)
    bench.wait(LATE)
    bench.sees(OLD)


@right
def boots_slowly(bench: Bench) -> None:
    bench.starts()
    bench.disconnect()
    bench.is_dead(BOUNDS.silence_seconds - 2)
    bench.connect()
    bench.sees(NEW)
    bench.succeeds(FW)
    bench.sees(NEW, LATE)


@right
def tries_an_image_and_falls_back(bench: Bench) -> None:
    bench.starts()
    bench.is_dead(0.3)
    bench.sees(NEW, 2)
    bench.is_dead(0.3)
    bench.sees(OLD)
    bench.fails(FW, reason="self-test")
    bench.works_through(NEXT, OLD)
    bench.sees(OLD, LATE)


@story("accounted-for", "not-exercised")
@right
def is_deleted_on_trial_and_falls_back(bench: Bench) -> None:
    bench.starts()
    bench.is_dead(0.3)
    bench.sees(NEW)
    bench.is_deleted()
    bench.is_dead(0.3)
    bench.sees(OLD, LATE)


@right
def boots_what_it_had_switched_to_just_before_it_was_told(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.is_dead(0.3)
    bench.sees(NEW, 1)
    bench.is_dead(0.3)
    bench.sees(OLD, LATE)


@right
def tells_its_version_late(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.starts(NEXT)
    bench.succeeds(NEXT)
    bench.sees(NEW, BOUNDS.ready_seconds - 1)
    bench.sees(OLD, LATE)


@right
def restarts_after_its_success(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.is_dead(0.5)
    bench.sees(NEW, LATE)


@right
def could_not_be_sampled(bench: Bench) -> None:
    bench.starts()
    bench.probe(None, took=5)
    bench.wait(2 * DEAD)
    bench.probe(None, took=5)
    bench.succeeds(FW)


@right
def is_dead_to_a_probe_that_hangs_in_between(bench: Bench) -> None:
    for _ in range(8):
        bench.is_dead(DEAD / 4)
        bench.probe(None, took=5)


@story("alive", "held")
@right
def talks_although_its_probe_is_wrong(bench: Bench) -> None:
    bench.queue(FW)
    bench.take(FW)
    for _ in range(6):
        bench.is_dead(DEAD / 4)
        bench.say(FW, "download")


@right
def has_no_power(bench: Bench) -> None:
    bench.cuts_power()
    bench.disconnect()
    bench.is_dead(2 * DEAD)


@right
def boots_slowly_after_its_power_came_back(bench: Bench) -> None:
    bench.cuts_power()
    bench.is_dead(2 * DEAD)
    bench.restores_power()
    bench.is_dead(DEAD / 2)


@right
def is_dead_while_the_sampler_does_not_run(bench: Bench) -> None:
    bench.probe(False)
    bench.wait(2 * DEAD)
    bench.stall("cloud", 2 * DEAD - 1)
    bench.probe(False)


@right
def is_sampled_late_by_a_process_that_did_not_run(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.starts(NEXT)
    bench.succeeds(NEXT)
    bench.wait(LATE)
    bench.stall("cloud", LATE)
    bench.sees(NEW)
    bench.sees(OLD)


@right
def was_asked_before_it_changed_and_answered_after(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.starts(NEXT)
    bench.succeeds(NEXT)
    bench.probe(True, NEW, took=LATE)
    bench.sees(OLD, LATE)


@right
def takes_back_a_success_that_was_never_answered_when_its_record_is_gone(bench: Bench) -> None:
    bench.starts()
    bench.sees(NEW)
    bench.succeeds(FW)
    bench.remove(FW, "SUCCEEDED")
    bench.is_dead(0.2)
    bench.sees(OLD, LATE)
    bench.works_through(NEXT, OLD)


@right
def goes_forward_and_owns_up_to_it(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.sees(NEW)
    bench.starts(NEXT)
    bench.fails(NEXT, firmware=f"kept {NEW}")
    bench.sees(NEW, LATE)


@right
def never_says_that_it_takes_a_job(bench: Bench) -> None:
    bench.queue(FW)
    bench.sees(NEW)
    bench.succeeds(FW)
    bench.queue(NEXT)
    bench.wait(LATE)
    bench.sees(OLD, LATE)


@right
def gets_the_same_id_again_with_another_version(bench: Bench) -> None:
    bench.told_at_the_start(versions={"fw": (NEW, "3.0")})
    bench.starts()
    bench.is_deleted()
    bench.wait(1.2)
    bench.works_through(FW_AGAIN, "3.0")
    bench.sees("3.0", LATE)


@right
def hears_of_nothing_tries_it_and_asks_before_it_keeps_it(bench: Bench) -> None:
    bench.starts()
    bench.remove(FW)
    bench.sees(OLD, 2 * LATE)
    bench.sees(NEW, 1)
    bench.say(FW, "self-test", code=RNF)
    bench.is_dead(0.3)
    bench.sees(OLD, LATE)


@right
def had_a_success_under_way_when_its_id_was_used_again(bench: Bench) -> None:
    bench.told_at_the_start(versions={"fw": (NEW, "3.0")})
    bench.starts()
    bench.remove(FW)
    bench.queue(FW_AGAIN)
    bench.succeeds(FW_AGAIN)
    bench.sees(OLD, LATE)


@story("accounted-for", "undecided")
def may_have_meant_the_first_with_a_success_that_the_second_took(bench: Bench) -> None:
    bench.told_at_the_start(versions={"fw": (NEW, "3.0")})
    bench.starts()
    bench.remove(FW)
    bench.wait(1.2)
    bench.works_through(FW_AGAIN, NEW)
    bench.sees(NEW, LATE)


@right
def gets_the_deleted_version_by_a_later_job(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.sees(OLD, LATE)
    bench.works_through(LAST, NEW)
    bench.sees(NEW, LATE)


# ── devices that do wrong ─────────────────────────────────────────────────────────────────────────────────────


@story("alive", "violated")
@story("bootable", "undecided")
def dies_with_nothing_to_do(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.is_dead(DEAD)


def crashes_when_its_job_is_gone(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.crash("ended by itself, with exit code 1")
    bench.disconnect()
    bench.connect()
    bench.starts(NEXT)
    bench.succeeds(NEXT)


@story("bootable", "violated")
@story("alive", "violated")
def does_not_boot_when_its_power_comes_back(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.cuts_power()
    bench.disconnect()
    bench.probe(False)
    bench.restores_power()
    bench.is_dead(DEAD)


@story("accounted-for", "violated")
def reports_a_success_and_runs_what_ran_before(bench: Bench) -> None:
    bench.starts()
    bench.succeeds(FW)
    bench.sees(OLD, READY)


@story("accounted-for", "violated")
def reports_a_success_and_runs_what_ran_at_first_and_no_job_brings(bench: Bench) -> None:
    bench.told_at_the_start(versions={"next": ("3.0",)})
    bench.works_through(FW, NEW)
    bench.starts(NEXT)
    bench.succeeds(NEXT)
    bench.sees(OLD, READY)


@story("accounted-for", "violated")
def takes_a_reported_version_back_in_silence(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.is_dead(0.3)
    bench.sees(OLD, READY)


@story("accounted-for", "violated")
def keeps_a_deleted_version_and_says_nothing(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.sees(NEW)
    bench.starts(NEXT)
    bench.fails(NEXT, reason="no room")
    bench.sees(NEW, READY)


@story("accounted-for", "undecided")
def keeps_a_deleted_version_and_had_no_job_to_tell_it_with(bench: Bench) -> None:
    bench.starts()
    bench.is_deleted()
    bench.sees(NEW, READY)


@story("accounted-for", "undecided")
def runs_what_no_job_brings(bench: Bench) -> None:
    bench.starts()
    bench.succeeds(FW)
    bench.sees("2.0-rc1 (build 7)", READY)


@story("stops-in-time", "violated")
def switches_long_after_its_record_was_removed(bench: Bench) -> None:
    bench.starts()
    bench.remove(FW)
    bench.sees(OLD, LATE)
    bench.sees(NEW, LATE)


@story("no-ghost-work", "violated")
def switches_long_after_it_was_told(bench: Bench) -> None:
    bench.starts()
    bench.say(FW, "write")
    bench.is_deleted()
    bench.sees(OLD, LATE)
    bench.sees(NEW)


@story("tests-before-commit", "violated")
def vouches_for_what_it_boots_only_then(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.starts(NEXT)
    bench.succeeds(NEXT)
    bench.sees(NEW, BOUNDS.detection_seconds + 1)
    bench.is_dead(0.5)
    bench.sees(OLD)


@story("tests-before-commit", "held")
def runs_it_by_the_first_sample_after_its_report(bench: Bench) -> None:
    bench.starts()
    bench.sees(OLD)
    bench.succeeds(FW)
    bench.sees(NEW)


@story("tests-before-commit", "not-exercised")
def runs_it_by_a_later_sample_alone(bench: Bench) -> None:
    bench.starts()
    bench.succeeds(FW)
    bench.sees(OLD, 0.3)
    bench.is_dead(0.2)
    bench.sees(NEW)


@story("no-double-apply", "undecided")
def runs_it_leaves_it_and_runs_it_again(bench: Bench) -> None:
    bench.works_through(FW, NEW)
    bench.sees(OLD)
    bench.sees(NEW)


def _id(each: Story) -> str:
    return f"{each.invariant}: {each.tell.__name__.replace('_', ' ')}"


@pytest.mark.parametrize("story", [pytest.param(each, id=_id(each)) for each in STORIES])
def test_a_story_that_samples_tell(story: Story):
    entries = story.told()
    judged = found(judge(entries), story.invariant)
    assert judged.outcome == story.outcome, judged
    there = {entry.id for entry in entries}
    for violation in judged.violations:
        assert set(violation.events) <= there
        assert any(event.startswith(PROBE) for event in violation.events)


def test_a_crash_is_told_of_the_job_that_it_had_begun_by_then():
    entries = Story("alive", "violated", crashes_when_its_job_is_gone).told()
    for shown in (entries, _unsampled(entries)):
        (violation,) = found(judge(shown), "alive").violations
        assert (violation.job, violation.message) == ("fw", "crashed: ended by itself, with exit code 1")


@pytest.mark.parametrize("tell", [pytest.param(each, id=each.__name__.replace("_", " ")) for each in RIGHT])
def test_a_device_that_does_right_is_not_accused(tell: Callable[[Bench], None]):
    entries = Story("", "", tell).told()
    with_samples = {each.id: each.violations for each in judge(entries).invariants}
    without = {each.id: each.violations for each in judge(_unsampled(entries)).invariants}
    assert with_samples == without


@pytest.mark.parametrize("story", [pytest.param(each, id=_id(each)) for each in STORIES if each.outcome == "violated"])
def test_it_is_the_samples_that_show_it(story: Story):
    assert found(judge(_unsampled(story.told())), story.invariant).outcome != "violated"


def _unsampled(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.source != PROBE]


def test_the_table_of_what_a_probe_shows_is_that_of_the_stories():
    violated = {each.invariant for each in STORIES if each.outcome == "violated"}
    changed = {name for name, how in SEEN_WITH_A_PROBE.items() if how != SEEN_FROM_THE_WIRE[name]}
    assert list(SEEN_WITH_A_PROBE) == [invariant.id for invariant in INVARIANTS]
    assert {name for name in changed if SEEN_WITH_A_PROBE[name].startswith("yes")} == violated - {"alive"}
    assert changed == {each.invariant for each in STORIES if each.outcome != "not-exercised"} - {"alive"}


# ── whatever the order, whatever the sampler ──────────────────────────────────────────────────────────────────


def interleaved(entries: list[Entry], rng: Random) -> list[Entry]:
    """The same entries, each source in its own order."""
    queues = [[each for each in entries if each.source == source] for source in (CLOUD, ENGINE, PROBE)]
    told = []
    while queues := [queue for queue in queues if queue]:
        told.append(rng.choice(queues).pop(0))
    return told


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(STORIES), st.randoms(use_true_random=False))
def test_how_the_sources_interleave_changes_nothing(story: Story, rng: Random):
    entries = story.told()
    assert judge(interleaved(entries, rng)) == judge(entries)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(RIGHT), st.randoms(use_true_random=False))
def test_a_sampler_that_misses_and_fails_accuses_nobody(tell: Callable[[Bench], None], rng: Random):
    entries = Story("", "", tell).told()
    seen = [_worse(entry, rng) for entry in entries if entry.source != PROBE or rng.random() < 0.7]
    allowed = {each.id for each in judge(_unsampled(entries)).invariants if each.violations}
    judged = judge(interleaved(seen, rng)).invariants
    assert {each.id for each in judged if each.violations} == allowed


def _worse(entry: Entry, rng: Random) -> Entry:
    if not isinstance(entry.event, ProbeSampled) or rng.random() < 0.7:
        return entry
    return entry._replace(event=replace(entry.event, alive=None, version=None, why="slow"))


def lives_rightly(bench: Bench, rng: Random) -> None:
    """Three jobs, each to its success, its failure or its deletion, with trials, restarts and waits of any length."""
    running = OLD
    for key, version in ((FW, NEW), (NEXT, OLD), (LAST, NEW)):
        bench.starts(key)
        if tries := rng.random() < 0.8:
            _restarts(bench, rng)
            _is_looked_at(bench, rng, version)
        match rng.choice(("succeeds", "fails", "is deleted", "is deleted unheard")):
            case "succeeds":
                bench.succeeds(key)
                running = version
            case "fails":
                _falls_back(bench, rng, running, tries)
                bench.fails(key)
            case "is deleted":
                bench.is_deleted(key)
                _falls_back(bench, rng, running, tries)
            case _:
                bench.remove(key)
                _is_looked_at(bench, rng, version if tries else running)
                _falls_back(bench, rng, running, tries)
        for _ in range(rng.randrange(4)):
            _is_looked_at(bench, rng, running)


def _falls_back(bench: Bench, rng: Random, running: str, tried: bool) -> None:
    if tried:
        _restarts(bench, rng)
        _is_looked_at(bench, rng, running)


def _restarts(bench: Bench, rng: Random) -> None:
    bench.disconnect()
    bench.wait(rng.uniform(0, 2))
    if rng.random() < 0.6:
        bench.is_dead(rng.uniform(0, BOUNDS.silence_seconds / 2))
    bench.connect()


def _is_looked_at(bench: Bench, rng: Random, version: str) -> None:
    """Or not, or in vain, or for as long as anything may last."""
    match rng.randrange(5):
        case 0:
            bench.wait(rng.uniform(0, 3))
        case 1:
            bench.probe(None, took=rng.uniform(0, 5))
        case 2:
            bench.sees(version)
        case _:
            bench.sees(version, rng.uniform(0, 2 * LATE))


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_device_that_does_right_is_accused_however_it_lives_and_is_sampled(rng: Random):
    entries = Story("", "", lambda bench: lives_rightly(bench, rng)).told()
    allowed = {each.id for each in judge(_unsampled(entries)).invariants if each.violations}
    judged = judge(interleaved(entries, rng)).invariants
    assert {each.id for each in judged if each.violations} == allowed


def test_a_trace_file_says_the_same():
    entries = Story("", "", switches_long_after_it_was_told).told()
    again = [entry for line in map(write_line, entries) if (entry := read_line(line)) is not None]
    assert judge(again) == judge(entries)


def test_a_device_that_gives_an_account_is_judged_by_that():
    bench = Bench()
    dies_with_nothing_to_do(bench)
    bench.end()
    assert found(judge(bench.entries), "bootable").outcome == "not-exercised"


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_remembered_of_samples_is_bounded():
    samples = Samples()
    for number in range(1_000):
        event = ProbeSampled(THING, f"cmd:{number % 20}", True, str(number))
        samples.sampled(seen_in(Entry(PROBE, number + 1, float(number), event)))
        key = ExecutionKey(None, f"job-{number}", 1, number)
        details = {f"key-{each}": "x" * 9_000 + str(each) for each in range(number % 50)}
        changed = ExecutionChanged(THING, key, "SUCCEEDED", 2, "device", details)
        samples.reported(seen_in(Entry(CLOUD, number + 1, float(number), changed)))
        samples.connected(float(number) if number % 2 else None, number)
    assert len(samples.stretches) == PROBES
    assert max(len(each) for each in samples.stretches.values()) <= STRETCHES
    assert len(samples.reports) == REPORTS
    assert max(len(each.notes) for each in samples.reports.values()) <= NOTES
    assert len(samples.spans) == SPANS
    assert samples.twin() == samples
    assert hash(samples.twin()) == hash(samples)


def test_of_a_version_that_flips_without_end_the_first_and_the_last_are_remembered():
    samples = Samples()
    for number in range(500):
        samples.sampled(seen_in(Entry(PROBE, number + 1, float(number), ProbeSampled(THING, "it", True, str(number)))))
    stretches = samples.stretches["it"]
    assert (len(stretches), stretches[0].version, stretches[-1].version) == (STRETCHES, "0", "499")


def test_samples_that_show_the_same_are_one_stretch_until_the_last_that_is_known():
    samples = Samples()
    for number, (at, version, not_before) in enumerate(((1.0, OLD, None), (6.0, OLD, None), (9.0, NEW, 8.5)), 1):
        event = ProbeSampled(THING, "it", True, version, seconds=0.5, not_before=not_before)
        samples.sampled(seen_in(Entry(PROBE, number, at, event)))
    old, new = samples.stretches["it"]
    assert (old.began, old.at, old.until, old.over) == (500_000, 1_000_000, 8_500_000, 8_500_000)
    assert (new.began, new.at, new.until, new.over) == (8_500_000, 9_000_000, 8_500_000, 9_000_000)
