"""Who plays in which part, and who joins later, as the page shows them."""

from agent.device_events import DeviceBooted
from simulator.page.picture import Picture
from simulator.trace import ENGINE, DeviceJoined, Entry, PaceChanged, RunStarted, device_source


def test_the_part_of_each_device_is_shown_and_who_joins_has_that_of_whom_it_is_like():
    picture = Picture("x", "", "run")
    started = RunStarted("x", "live", ("a", "b"), one_clock=True, groups={"a": "good", "b": "bad"})
    for entry in (
        Entry(ENGINE, 1, 1.0, started),
        Entry(ENGINE, 2, 2.0, DeviceJoined("c", "b", "asked for on the page")),
        Entry(device_source("c"), 1, 2.5, DeviceBooted("1.0")),
    ):
        picture.feed(entry)
    whole = picture.whole()
    assert [(thing.thing, thing.group) for thing in whole.things] == [("a", "good"), ("b", "bad"), ("c", "bad")]
    assert "c joins" in [line.text for line in whole.lines]
    assert set(whole.lanes) == {"a", "b", "c"}


def test_where_a_play_stood_still_is_a_line_through_all_lanes():
    picture = Picture("x", "", "run")
    picture.feed(Entry(ENGINE, 1, 1.0, RunStarted("x", "live", ("a",), one_clock=True)))
    picture.feed(Entry(ENGINE, 2, 2.0, PaceChanged(1.0, "a is in write", "here it is dangerous")))
    picture.feed(Entry(ENGINE, 3, 2.0, PaceChanged(1.0, why="asked for on the page")))
    assert [line.text for line in picture.whole().lines] == ["the play stands still: here it is dangerous"]
