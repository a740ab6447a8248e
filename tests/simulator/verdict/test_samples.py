"""What probes show of a device that gives no account: what is wrong is found, and nobody who is right is accused."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

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
    ProbeSampled,
    read_line,
    write_line,
)
from simulator.verdict import INVARIANTS, SEEN_FROM_THE_WIRE, SEEN_WITH_A_PROBE, InvariantVerdict, Verdict
from simulator.verdict.samples import NOTES, PROBES, REPORTS, SPANS, STRETCHES, Samples
from simulator.verdict.seen import seen_in
from tests.simulator.verdict.sampled import RIGHT, STORIES, Bench, Story
from tests.simulator.verdict.sampled.bench import LAST, LATE, NEW, OLD
from tests.simulator.verdict.sampled.wrong import (
    crashes_when_its_job_is_gone,
    dies_with_nothing_to_do,
    switches_long_after_it_was_told,
)
from tests.simulator.verdict.tale import BOUNDS, FW, NEXT, THING, judge


def found(verdict: Verdict, invariant: str) -> InvariantVerdict:
    return next(each for each in verdict.invariants if each.id == invariant)


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
