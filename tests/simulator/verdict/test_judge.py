import json
import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import InputError
from simulator.trace import Entry, RequestReceived, read, write_line
from simulator.verdict import INVARIANTS, Explored, Judge, RecoverySeconds
from simulator.verdict.model import percentiles
from tests.simulator.verdict.stories import STORIES, Story
from tests.simulator.verdict.stories.ready_in_time import takes_the_next_in_time
from tests.simulator.verdict.stories.scenes import main_job, recovers_from_write
from tests.simulator.verdict.tale import BOUNDS, NEXT, Tale, judge, merged

any_story = st.sampled_from(STORIES)


def by_source(entries: list[Entry]) -> dict[str, list[Entry]]:
    sources: dict[str, list[Entry]] = {}
    for entry in entries:
        sources.setdefault(entry.source, []).append(entry)
    return sources


@given(any_story, st.randoms(use_true_random=False))
def test_how_the_sources_interleave_changes_nothing(story: Story, rng: random.Random):
    entries = story.told().entries
    left = by_source(entries)
    shuffled = []
    while left:
        source = rng.choice(sorted(left))
        shuffled.append(left[source].pop(0))
        if not left[source]:
            del left[source]
    assert judge(shuffled) == judge(entries)


@given(any_story, st.data())
def test_the_time_that_a_clock_started_from_changes_nothing(story: Story, data: st.DataObject):
    entries = story.told().entries
    source = data.draw(st.sampled_from(sorted(by_source(entries))))
    shift = data.draw(st.integers(-(10**9), 10**9)) / 1_000_000
    shifted = [entry._replace(at=entry.at + shift) if entry.source == source else entry for entry in entries]
    assert judge(shifted) == judge(entries)


@given(any_story, st.floats(0, 4e-7))
def test_the_written_trace_says_what_the_live_one_said(story: Story, below_a_microsecond: float):
    entries = [entry._replace(at=entry.at + below_a_microsecond) for entry in story.told().entries]
    lines = [write_line(entry) for entry in entries]
    assert judge(list(read(lines))) == judge(entries)


@given(any_story, st.data())
def test_asking_for_the_verdict_in_between_changes_nothing(story: Story, data: st.DataObject):
    entries = story.told().entries
    asked_at = data.draw(st.integers(1, len(entries)))
    curious = Judge()
    for entry in entries[:asked_at]:
        curious.feed(entry)
    assert curious.verdict() == curious.verdict()
    for entry in entries[asked_at:]:
        curious.feed(entry)
    assert curious.verdict() == judge(entries)


@given(any_story, any_story)
def test_what_one_device_does_says_nothing_of_another(one: Story, other: Story):
    alone = Tale()
    one.tell(alone)
    neighbour = Tale(thing="neighbour")
    other.tell(neighbour)
    together = judge(merged(alone, neighbour))
    alone.now = max(alone.now, neighbour.now)
    alone.end()
    for before, after in zip(judge(alone.entries).invariants, together.invariants, strict=True):
        found = [violation.message for violation in after.violations if violation.thing == alone.thing]
        assert [violation.message for violation in before.violations] == found


# ── the whole ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_json_is_the_documented_one():
    tale = Tale()
    main_job(tale)
    tale.end()
    data = json.loads(judge(tale.entries).model_dump_json())
    assert list(data) == [
        "outcome",
        "why",
        "passed",
        "scenario",
        "engine",
        "seed",
        "version",
        "started_at",
        "seconds",
        "devices",
        "recovered",
        "invariants",
        "reached",
        "recovery_seconds",
        "requests_per_second_peak",
    ]
    assert list(data["invariants"][0]) == ["id", "outcome", "opportunities", "violations", "doubts"]
    assert list(data["recovery_seconds"]) == ["p50", "p90", "p99", "max"]


def test_an_exploration_says_how_far_it_got():
    tale = Tale()
    tale.connect()
    tale.end()
    verdict = judge(tale.entries)
    explored = verdict.model_copy(update={"explored": Explored(states=3, transitions=4, complete=True)})
    assert "explored" not in verdict.model_dump()
    data = explored.model_dump()["explored"]
    assert list(data) == [
        "states",
        "transitions",
        "complete",
        "depth",
        "stopped_by",
        "world",
        "bounds",
        "leaves_out",
        "cells",
        "findings",
        "places",
        "shown",
        "walks",
        "lost",
    ]
    assert {name: value for name, value in data.items() if value} == {"states": 3, "transitions": 4, "complete": True}


@pytest.mark.parametrize(
    ("why", "outcome"),
    [("finished", "passed"), ("timed-out", "inconclusive"), ("interrupted", "inconclusive")],
)
def test_only_a_finished_run_passes(why: str, outcome: str):
    tale = Tale()
    main_job(tale)
    tale.end(why)
    verdict = judge(tale.entries)
    assert (verdict.outcome, verdict.passed) == (outcome, outcome == "passed")


def test_a_run_that_has_not_ended_has_not_passed():
    tale = Tale()
    main_job(tale)
    assert not judge(tale.entries).passed


def test_a_trace_without_its_beginning_is_refused():
    tale = Tale()
    main_job(tale)
    with pytest.raises(InputError, match=r"no run\.started"):
        judge(tale.entries[1:])


def test_bounds_that_are_none_are_refused():
    tale = Tale()
    started = tale.entries[0]
    broken = started._replace(event=replace(started.event, bounds={"ready_seconds": "soon"}))
    with pytest.raises(InputError, match="ready_seconds"):
        judge([broken])


def test_bounds_of_a_newer_version_are_ignored():
    tale = Tale()
    started = tale.entries[0]
    newer = started._replace(event=replace(started.event, bounds={"ready_seconds": 3, "patience_seconds": 9}))
    assert judge([newer]).devices == 1


def test_switching_off_what_does_not_exist_is_refused():
    with pytest.raises(InputError, match="'no-ghosts'"):
        Judge(frozenset({"no-ghosts"}))


def test_a_switched_off_invariant_is_not_listed():
    left = Judge(frozenset({"alive"}))
    tale = Tale()
    for entry in tale.entries:
        left.feed(entry)
    listed = [each.id for each in left.verdict().invariants]
    assert listed == [invariant.id for invariant in INVARIANTS if invariant.id != "alive"]


def test_a_device_that_never_appeared_is_counted_and_judged_by_what_it_did():
    tale = Tale(things=("lamp", "missing"))
    tale.connect()
    tale.end()
    assert judge(tale.entries).devices == 2


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param([], None, id="none"),
        pytest.param([3.0], RecoverySeconds(p50=3, p90=3, p99=3, max=3), id="one"),
        pytest.param([4.0, 1.0, 2.0, 3.0], RecoverySeconds(p50=2, p90=4, p99=4, max=4), id="four, unsorted"),
        pytest.param(
            [float(n) for n in range(1, 201)], RecoverySeconds(p50=100, p90=180, p99=198, max=200), id="two hundred"
        ),
    ],
)
def test_percentiles_are_nearest_rank(seconds: list[float], expected: RecoverySeconds | None):
    assert percentiles(Counter(seconds)) == expected


def test_recovery_counts_from_the_removal_to_in_progress_on_the_next():
    tale = Tale()
    takes_the_next_in_time(tale)
    tale.end()
    verdict = judge(tale.entries)
    assert verdict.recovered == 1
    assert verdict.recovery_seconds is not None
    assert verdict.recovery_seconds.max == pytest.approx(4.04)  # hint, describe and back; 4 s; start-next


def test_a_device_that_has_not_taken_the_next_has_not_recovered():
    tale = Tale()
    recovers_from_write(tale)
    tale.queue(NEXT)
    tale.end()
    verdict = judge(tale.entries)
    assert verdict.recovered == 0
    assert verdict.recovery_seconds is None


def test_the_peak_of_requests_is_that_of_any_one_second():
    tale = Tale(bounds=BOUNDS)
    for gap in (0.0, 0.6, 0.3, 0.3, 0.9):  # at 0, 0.6, 0.9, 1.2 and 2.1: the middle three lie within a second
        tale.wait(gap)
        tale.cloud(RequestReceived("lamp", "describe"))
    tale.wait(5)
    tale.cloud(RequestReceived("lamp", "describe"))
    assert judge(tale.entries).requests_per_second_peak == 3


def test_two_requests_a_second_apart_are_not_within_one_second():
    tale = Tale()
    tale.cloud(RequestReceived("lamp", "describe"))
    tale.wait(1)
    tale.cloud(RequestReceived("lamp", "describe"))
    assert judge(tale.entries).requests_per_second_peak == 1


def test_entries_of_other_clients_are_not_judged():
    tale, stranger = Tale(), Tale(thing="stranger")
    tale.connect()
    stranger.connect()
    stranger.disconnect("MQTT_KEEP_ALIVE_TIMEOUT")
    assert judge(merged(tale, stranger, things=("lamp",))).passed
