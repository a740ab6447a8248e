"""The picture: of any trace it is whole and true to it, and who follows its news has what who comes later gets."""

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engines.virtual import judged
from simulator.page.data import PageData
from simulator.page.picture import Picture
from simulator.scenario import shipped
from simulator.trace import Entry, read, write_line
from simulator.verdict import Judge
from tests.simulator.devices.models.playing import parsed, with_few
from tests.simulator.page.samples import Run, bricked, run
from tests.simulator.page.shown import applied, check, dumped, followed, news, same
from tests.simulator.verdict.tale import from_the_wire
from tests.simulator.verdict.test_fed_in_other_ways import shuffled

BAD = ("undoes-in-the-wrong-order", "works-on-although-told", "device-client-old", "deaf", "greengrass-nucleus")


@cache
def few(scenario: str, model: str = "reference") -> Run:
    """A shipped scenario with one device a group."""
    entries: list[Entry] = []
    verdict = judged(*with_few(parsed(scenario).cast(model)), 1, sink=entries.append)
    return Run(tuple(entries), verdict)


def crowded() -> Run:
    """As many as do not each have a lane, all of which break something."""
    return run("delete-in-write", "recovers-without-undoing", 100)


@pytest.mark.parametrize("scenario", shipped())
def test_of_every_shipped_scenario_there_is_a_picture(scenario: str):
    played = few(scenario)
    page = played.picture.whole()
    check(page)
    assert page.state == "passed"
    assert {thing.thing for thing in page.things} == set(page.lanes)
    assert all(not thing.bricked for thing in page.things)


@pytest.mark.parametrize("model", BAD)
def test_of_bad_devices_there_is_a_picture_too(model: str):
    played = few("delete-in-self-test", model)
    page = played.picture.whole()
    check(page)
    assert {each.id: each.outcome for each in page.invariants} == {
        each.id: each.outcome for each in played.verdict.invariants
    }
    assert all(found.diagram.arrows for each in page.invariants for found in each.violations)


@pytest.mark.parametrize("scenario", ["main", "delete-while-powerless", "greengrass-beside-delete"])
def test_accounts_may_interleave_otherwise_and_clocks_differ(scenario: str):
    played, rng = few(scenario), random.Random(3)
    shifts = {entry.source: rng.uniform(-1e3, 1e3) for entry in played.entries}
    entries = [entry._replace(at=entry.at + shifts[entry.source]) for entry in shuffled(list(played.entries), rng)]
    picture = Picture("", "", "run")
    for entry in entries:
        picture.feed(entry)
    picture.judged(played.verdict, final=True)
    check(picture.whole())


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["main", "delete-while-powerless", "greengrass-beside-delete", "recreated-at-once"]),
    st.integers(0, 10_000),
    st.floats(0.0, 0.9),
)
def test_of_a_trace_with_holes_there_is_a_picture(scenario: str, seed: int, lost: float):
    played, rng = few(scenario), random.Random(seed)
    kept = [entry for entry in shuffled(list(played.entries), rng) if rng.random() >= lost]
    picture = Picture("", "", "run")
    for entry in kept[: len(kept) // 2]:
        picture.feed(entry)
    check(picture.whole())
    for entry in kept[len(kept) // 2 :]:
        picture.feed(entry)
    picture.judged(played.verdict, final=True)
    check(picture.whole())


@pytest.mark.parametrize("every", [3, 150])
def test_who_follows_the_news_has_what_there_is(every: int):
    entries = few("main").entries
    picture = Picture("main", "", "run")
    known = followed(picture, entries[: len(entries) // 2], every)
    same(known, dumped(picture))
    followed(picture, entries[len(entries) // 2 :], every, known)
    picture.judged(few("main").verdict, final=True)
    same(followed(picture, (), every, known), dumped(picture))
    assert picture.news() == {}


def test_who_follows_a_crowd_has_what_there_is():
    whole = crowded()
    picture, judge = Picture("", "", "run"), Judge()
    known = dumped(picture)
    for at in range(0, len(whole.entries), 4_000):
        part = whole.entries[at : at + 4_000]
        followed(picture, part, 1_500, known)
        for entry in part:
            judge.feed(entry)
        picture.judged(judge.verdict(), final=False)
    picture.judged(whole.verdict, final=True)
    same(followed(picture, (), 1, known), dumped(picture))
    page = picture.whole()
    check(page)
    assert len(page.lanes) == 20
    assert page.counts == {"idle": 100}
    assert page.crowd is not None
    assert [sum(bins) for bins in zip(*page.crowd.states.values(), strict=True)] == [100] * len(page.crowd.bins)
    assert sum(page.crowd.requests) == sum(entry.event.type == "request.received" for entry in whole.entries)
    assert len(page.crowd.heat.rows) <= 100


@pytest.mark.parametrize("devices", [10, 100])
def test_between_the_parts_of_what_is_drawn_anything_may_come(devices: int):
    whole = crowded() if devices > 10 else run()
    picture, judge, left = Picture("", "", "run"), Judge(), list(reversed(whole.entries))
    known = dumped(picture)
    while left:
        for number, _ in enumerate(picture.drawing()):
            for entry in (left.pop() for _ in range(min(len(left), devices * 4))):
                picture.feed(entry)
                judge.feed(entry)
            if number == 5:
                picture.judged(judge.verdict(), final=False)
        applied(known, news(picture))
    picture.judged(whole.verdict, final=True)
    same(followed(picture, (), 1, known), dumped(picture))


@pytest.mark.parametrize("devices", [4, 100])
def test_what_came_before_the_run_began_belongs_to_it(devices: int):
    entries, first = list((crowded() if devices > 10 else few("main")).entries), 0
    while entries[first].event.type != "run.started":
        first += 1
    late = [*entries[:first], *entries[first + 1 : 400], entries[first], *entries[400:]]
    pictures = [Picture("", "", "run"), Picture("", "", "run")]
    for picture, told in zip(pictures, (entries, late), strict=True):
        for entry in told:
            picture.feed(entry)
    assert pictures[1].whole().lanes == pictures[0].whole().lanes
    assert pictures[1].whole().counts == pictures[0].whole().counts


def test_a_picture_of_the_file_is_that_of_the_run():
    played = few("main")
    kept = tuple(read(write_line(entry) for entry in played.entries))
    assert Run(kept, played.verdict).picture.whole() == played.picture.whole()


def test_of_a_device_that_tells_nothing_the_lane_is_what_the_wire_shows():
    judge, picture = Judge(), Picture("", "", "run")
    for entry in from_the_wire(list(few("delete-in-write").entries)):
        judge.feed(entry)
        picture.feed(entry)
    picture.judged(judge.verdict(), final=True)
    page = picture.whole()
    check(page)
    (name, lane), *_ = page.lanes.items()
    assert {span.track for span in lane.spans} == {"cloud", "wire", "ghost"}
    assert {mark.track for mark in lane.marks} == {"cloud", "wire"}
    assert all(span.end is not None for span in lane.spans if span.track == "ghost")
    assert name not in page.flash


def test_a_bricked_device_is_bricked_until_the_end():
    page = bricked(run()).picture.whole()
    check(page)
    assert page.state == "failed"
    assert [thing.thing for thing in page.things if thing.bricked] == ["thing-0", "thing-3", "thing-4"]
    assert page.counts["bricked"] == 3
    (span,) = (span for span in page.lanes["thing-3"].spans if span.kind == "bricked")
    assert span.end is None
    assert page.flash["thing-3"][-1].bootable is False
    assert "thing-0, thing-3 and thing-4 are bricked and have nothing left to boot from." in page.story


def test_a_long_lane_forgets_its_beginning_and_says_so():
    entries = [entry for entry in few("main").entries if entry.source in ("cloud", "engine", "device/thing-0")]
    picture = Picture("", "", "cloud")
    for times in range(40):
        for entry in entries:
            if entry.source != "engine":
                picture.feed(entry._replace(n=entry.n + times * 100_000, at=entry.at + times * 10.0))
    page = picture.whole()
    check(page)
    lane = page.lanes["thing-0"]
    assert lane.dropped > 0
    assert max(len(lane.spans), len(lane.marks)) <= 2_000


def test_of_flash_that_stays_as_it_is_no_entry_is_named_that_is_forgotten():
    own = [entry for entry in few("main").entries if entry.source == "device/thing-0"]
    picture = Picture("", "", "cloud")
    for entry in own:
        picture.feed(entry)
    assert picture.whole().flash["thing-0"][0].events
    (hint, *_) = (entry for entry in own if entry.event.type == "hint.received")
    for number in range(3_000):
        picture.feed(hint._replace(n=10_000 + number, at=own[-1].at + number))
    page = picture.whole()
    check(page)
    assert page.flash["thing-0"][0].events == ()


def test_before_anything_has_happened_it_waits():
    page = Picture("main", "force delete in mid-write", "run").whole()
    check(page)
    assert page == PageData(
        kind="run",
        title="main",
        about="force delete in mid-write",
        state="waiting",
        sentence="No device has come by yet.",
        facts=page.facts,
    )
