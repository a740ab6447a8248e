"""Who plays in which part, and who joins later, as the page shows them."""

from agent.device_events import DeviceBooted
from simulator.page.picture import Picture
from simulator.trace import (
    CLOUD,
    ENGINE,
    ClientConnected,
    ClientDisconnected,
    DeviceJoined,
    Entry,
    PaceChanged,
    RunStarted,
    device_source,
)


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


def test_in_a_crowd_who_has_not_come_by_yet_is_in_no_state_and_who_has_left_is_off_line():
    picture = Picture("x", "", "cloud")
    for number in range(120):
        picture.feed(Entry(CLOUD, number + 1, 1.0 + number / 10, ClientConnected(f"thing-{number:03}")))
    picture.feed(Entry(CLOUD, 121, 13.0, ClientDisconnected("thing-000", "CLIENT_INITIATED_DISCONNECT")))
    crowd = picture.whole().crowd
    assert crowd is not None
    there = [sum(numbers) for numbers in zip(*crowd.states.values(), strict=True)]
    assert there == sorted(there)
    assert (there[0] < 10, there[-1]) == (True, 120)
    assert [sum(crowd.states["offline"][:-1]), crowd.states["offline"][-1]] == [0, 1]
    nobody, last = len(crowd.states), dict(zip(crowd.heat.rows, crowd.heat.cells, strict=True))["thing-118 and 1 more"]
    assert (last[0], last[-1]) == (nobody, list(crowd.states).index("idle"))


def test_in_a_crowd_that_was_cast_whoever_has_yet_to_connect_is_off_line():
    picture = Picture("x", "", "run")
    cast = tuple(f"thing-{number:03}" for number in range(120))
    picture.feed(Entry(ENGINE, 1, 0.0, RunStarted("x", "live", cast, one_clock=True)))
    picture.feed(Entry(CLOUD, 1, 5.0, ClientConnected("thing-000")))
    crowd = picture.whole().crowd
    assert crowd is not None
    assert crowd.states["offline"][0] == 120
    assert crowd.states["offline"][-1] == 119
