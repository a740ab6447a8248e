"""Times and the axis: what stands where, whoever's clock told it; and how long it took, as the verdict has it."""

from collections import Counter
from dataclasses import replace

import pytest

from simulator.page.axis import shift, uncertainty
from simulator.page.crowd import BINS, Rate, distribution
from simulator.page.data import Histogram, PageData
from simulator.page.picture import Picture
from simulator.trace import CLOUD, ExecutionChanged, ExecutionRemoved, JobDeletionBegan, RunStarted
from simulator.verdict import Judge
from simulator.verdict.clocks import Offset
from simulator.verdict.model import percentiles
from tests.simulator.page.samples import Run, run
from tests.simulator.page.shown import check
from tests.simulator.page.test_picture import few
from tests.simulator.verdict.tale import from_the_wire


def ahead(played: Run, seconds: float) -> Run:
    """With a clock of all but the cloud that is so much ahead."""
    moved = (each if each.source == CLOUD else each._replace(at=each.at + seconds) for each in played.entries)
    return played._replace(entries=tuple(moved))


def ghosts(page: PageData) -> dict[str, list[tuple[float, float | None]]]:
    return {
        thing: [(span.start, span.end) for span in lane.spans if span.track == "ghost"]
        for thing, lane in page.lanes.items()
    }


def test_a_device_does_not_know_from_the_removal_until_it_read_that_there_is_no_such_job():
    entries = [entry for entry in run().entries if "thing-0" in (entry.source[7:], getattr(entry.event, "thing", ""))]
    (removed,) = (entry for entry in entries if isinstance(entry.event, ExecutionRemoved))
    refused = next(entry for entry in entries if getattr(entry.event, "code", None) and entry.source != CLOUD)
    page = run().picture.whole()
    assert ghosts(page)["thing-0"] == [(removed.at, round(refused.at, 6))]
    (span,) = (span for span in page.lanes["thing-0"].spans if span.track == "ghost")
    assert span.events == (removed.id, refused.id)


@pytest.mark.parametrize("model", ["reference", "recovers-without-undoing", "rests-after-a-loss"])
def test_recoveries_are_those_of_the_verdict(model: str):
    played = few("main", model)
    times = played.picture.whole().times
    assert isinstance(times.recovery, tuple)
    assert percentiles(Counter(times.recovery)) == played.verdict.recovery_seconds
    assert times.bound == 2.0


@pytest.mark.parametrize("seconds", [-500.0, 0.004, 12_345.6])
def test_what_another_clock_tells_is_laid_where_it_belongs(seconds: float):
    straight, moved = few("main").picture.whole(), ahead(few("main"), seconds).picture.whole()
    check(moved)
    assert bool(moved.axis_note) is (abs(seconds) > 0.01)
    for thing, lane in straight.lanes.items():
        other = moved.lanes[thing]
        assert len(other.spans) == len(lane.spans)
        assert [span.start for span in other.spans] == pytest.approx([span.start for span in lane.spans], abs=0.011)
    assert moved.now == pytest.approx(straight.now, abs=0.011)
    assert [line.text for line in moved.lines] == [line.text for line in straight.lines]


@pytest.mark.parametrize(
    ("offset", "seconds", "off"),
    [
        pytest.param(Offset(), 0, 0, id="nothing known"),
        pytest.param(Offset(-5_000, 5_000), 0, 0, id="one clock, by what is known"),
        pytest.param(Offset(1_000_000, 1_010_000), 1.005, 0.005, id="a second behind"),
        pytest.param(Offset(highest=-2_000_000), -2, 0, id="at least two seconds ahead"),
        pytest.param(Offset(5_000, -5_000), 0, 0, id="bounds that contradict each other"),
    ],
)
def test_a_clock_is_moved_by_no_more_than_is_known(offset: Offset, seconds: float, off: float):
    assert shift(offset) == pytest.approx(seconds)
    assert uncertainty(offset) == pytest.approx(off)


def test_a_device_that_tells_nothing_knows_when_the_answer_is_with_it():
    judge, picture = Judge(), Picture("", "", "run")
    for entry in from_the_wire(list(run("delete-in-write", devices=1).entries)):
        judge.feed(entry)
        picture.feed(entry)
    own = ghosts(run("delete-in-write", devices=1).picture.whole())["thing-0"]
    (seen,) = ghosts(picture.whole())["thing-0"]
    assert seen[0] == own[0][0]
    assert seen[1] is not None
    assert own[0][1] is not None
    assert 0 <= seen[1] - own[0][1] < 0.02


def test_a_client_with_a_name_of_its_own_is_the_thing_that_it_asks_for():
    wire = [entry for entry in run("delete-in-write", devices=1).entries if entry.source == CLOUD]
    picture = Picture("", "", "certify")
    for entry in wire:
        event = entry.event
        if event.type in ("client.connected", "client.disconnected"):
            entry = entry._replace(event=type(event)("my-client", *([] if event.type[7] == "c" else [event.reason])))  # type: ignore[union-attr,arg-type]
        elif event.type == "request.received":
            members = {name: getattr(event, name) for name in event.__slots__}
            entry = entry._replace(event=type(event)(**members | {"client": "my-client"}))
        picture.feed(entry)
    page = picture.whole()
    assert list(page.lanes) == ["thing-0"]
    assert {span.kind for span in page.lanes["thing-0"].spans if span.track == "wire"} == {"offline"}


# ── many ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("last", [0.5, 3.0, 1_000.0])
def test_of_requests_none_gets_lost_as_bins_become_wider(last: float):
    rate = Rate()
    for n in range(1_000):
        rate.count(50.0 + n * last / 1_000)
    assert sum(rate.counts) == 1_000
    assert len(rate.counts) <= BINS
    assert rate.width * BINS >= last


def test_of_more_than_a_thousand_times_a_histogram_is_shown():
    assert distribution([0.3, 0.1, 0.2]) == (0.1, 0.2, 0.3)
    shown = distribution(n / 1_000 for n in range(1_500))
    assert isinstance(shown, Histogram)
    assert sum(shown.counts) == 1_500
    assert (shown.edges[0], shown.edges[-1]) == (0.0, 1.499)
    assert len(shown.edges) == len(shown.counts) + 1


def test_lines_are_where_the_cloud_has_them():
    began = [entry for entry in run().entries if isinstance(entry.event, JobDeletionBegan)]
    lines = [line for line in run().picture.whole().lines if line.kind == "deletion"]
    assert [(line.at, line.events) for line in lines] == [(entry.at, (entry.id,)) for entry in began]


def test_who_is_in_which_group_is_shown():
    picture = Picture("a run", "", "run")
    groups = {"thing-0": "good", "thing-1": "bad"}
    for entry in run().entries:
        began = isinstance(entry.event, RunStarted)
        picture.feed(entry._replace(event=replace(entry.event, groups=groups)) if began else entry)
    assert [thing.group for thing in picture.whole().things][:3] == ["good", "bad", ""]


def test_what_a_job_came_to_is_a_mark():
    ended = [e for e in run().entries if isinstance(e.event, ExecutionChanged) and e.event.status == "SUCCEEDED"]
    marks = [m for lane in run().picture.whole().lanes.values() for m in lane.marks if m.kind == "SUCCEEDED"]
    assert sorted(m.events[0] for m in marks) == sorted(e.id for e in ended)
