"""The fast search finds what a simple one finds: as much of it, and the same first way to each."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator.engines.explore.exploration import Exploration, Progress
from simulator.engines.explore.search import explore
from tests.simulator.engines.explore.simple_search import Known, fair_components, is_home, searched, stuck
from tests.simulator.engines.explore.toys import Clocks, Dice, Edges, Graphic, Graphs, Moved, Toy


def test_two_clocks_have_as_many_states_as_pairs_of_times():
    found = explore(Clocks(high=9))
    assert (found.states, found.transitions, found.depth) == (100, 180, 18)
    assert found.complete
    assert found.holds
    assert found.stopped_by == ""


def test_a_bound_multiplies_states_and_says_how_much_of_it_was_used():
    found = explore(Clocks(high=9, resets=2))
    assert found.states == 300
    assert found.spent["reset"] == (2, 2, (100, 100, 100))


def test_each_cell_of_phase_and_kind_has_its_shortest_way_and_the_way_home():
    found = explore(Clocks(high=3, resets=1))
    reached = found.cells["at 2", "reset"]
    assert reached.path == (("count",), ("count",), ("reset",))
    assert reached.times == 4
    assert reached.home == (("count",),) * 3 + (("tick",),) * 3
    assert set(found.cells) == {(f"at {time}", "reset") for time in range(4)}
    assert found.places["at 3"].path == (("count",),) * 3


def test_progress_is_told_after_each_depth():
    told: list[Progress] = []
    explore(Clocks(high=4), on_level=told.append)
    assert [each.states for each in told] == [3, 6, 10, 15, 19, 22, 24, 25, 25]
    assert told[-1].waiting == 0
    assert told[-1].transitions == 40


def agrees(system: Toy, found: Exploration, known: Known) -> None:
    """Of all that both tell."""
    assert (found.states, found.transitions) == (len(known.paths), known.transitions)
    assert found.depth == max(map(len, known.paths.values()))
    told = [("violated", each) for each in found.broken] + [("undecided", each) for each in found.undecided]
    first = {name: known.broken[name] for name in known.broken if len(name) == 2}
    assert {(each.invariant, outcome): (each.path, each.times) for outcome, each in told} == first
    after = sorted(known.broken[name] for name in known.broken if name[1:3] == ("violated", "after"))
    assert sorted((each.path, each.times) for each in found.broken_by_trouble) == after
    assert {cell: (reached.path, reached.times) for cell, reached in found.cells.items()} == {
        cell: (path, times) for cell, (times, path) in _swapped(known).items()
    }
    met = {}
    for state, path in known.paths.items():
        met.setdefault(system.phase(state.sides[0].device), path)
    assert {phase: reached.path for phase, reached in found.places.items()} == met


def _swapped(known: Known) -> dict[tuple[str, str], tuple[int, Any]]:
    return {cell: (times, path) for cell, (path, times) in known.cells.items()}


SEED = st.integers(0, 10**6)
# A simple search takes its time over two devices: one kind of trouble is enough for these.
WORLDS = st.builds(Dice, SEED) | st.builds(Dice, SEED, st.just(2), st.just(2), st.just({"cut": 1}))


@settings(max_examples=15, deadline=None)
@given(WORLDS)
@example(Dice(200))  # what costs something breaks something and does not in one round
def test_a_simple_search_finds_the_same(system: Dice):
    known = searched(system)
    agrees(system, explore(system), known)


@settings(max_examples=15, deadline=None)
@given(st.builds(Dice, SEED, minds=st.just(3), bounds=st.just({"cut": 1})))
@example(Dice(5, 2, 2, {}))
@example(Dice(13, 2, 2, {}))
@example(Dice(21, 2, 2, {}))
def test_a_simple_search_finds_the_same_stuck_states_and_loops(system: Dice):
    known = searched(system)
    found = explore(system)
    assert found.stuck_count == len(stuck(system, known))
    components = [fair_components(system, known, device) for device in range(system.sides)]
    assert found.loop_count == sum(map(len, components))
    paths = {path: state for state, path in known.paths.items()}
    for path in found.stuck:
        assert paths[path] in stuck(system, known)
    for cycle in found.cycles:
        follows_a_fair_loop(known, paths[cycle.path], cycle.loop)
        assert not any(
            is_home(system, state, cycle.device) for state in on_the_way(known, paths[cycle.path], cycle.loop)
        )


def on_the_way(known: Known, state: Any, way: tuple[Any, ...]) -> Iterator[Any]:
    """Where it leads through."""
    for choice in way:
        yield state
        state = next(each.state for each in known.owed[state] if each.choice == choice)


def follows_a_fair_loop(known: Known, start: Any, loop: tuple[Any, ...]) -> None:
    """It can be walked, ends where it began, and leaves nobody waiting who could always move."""
    state, able, moved = start, [], set()
    for choice in loop:
        step = next(each for each in known.owed[state] if each.choice == choice)
        able.append({each.treated_fairly for each in known.owed[state]} - {"operator", "fault"})
        moved.add(step.treated_fairly)
        state = step.state
    assert state == start
    assert loop
    assert set.intersection(*able) <= moved


@pytest.mark.parametrize(
    ("edges", "stuck_count", "loops"),
    [
        pytest.param({0: [("a", 1)], 1: [("a", 9)]}, 0, 0, id="a way that leads home"),
        pytest.param({0: [("a", 1), ("b", 9)], 1: []}, 1, 0, id="one move away from it, and no other"),
        pytest.param({0: [("a", 1)], 1: [("a", 0), ("b", 9)]}, 0, 1, id="b is not always able to lead home"),
        pytest.param({0: [("a", 1), ("b", 9)], 1: [("a", 0), ("b", 9)]}, 0, 0, id="b is, and some day does"),
        pytest.param({0: [("a", 0), ("a", 9)]}, 0, 1, id="a moves, and need not move home"),
        pytest.param({0: [("a", 0), ("operator", 9)]}, 1, 1, id="an operator owes nobody a move"),
        pytest.param({0: [("operator", 9)]}, 1, 0, id="nor is it a way home that one may make a move"),
        pytest.param({0: [("a", 1)], 1: [("a", 2)], 2: [("a", 1)]}, 3, 1, id="nothing leads home, without end"),
        pytest.param({0: [("a", 9)], 9: [("a", 8)], 8: [("a", 9)]}, 0, 0, id="a loop by way of home"),
        pytest.param(
            {0: [("a", 1), ("b", 2)], 1: [("a", 0), ("b", 9)], 2: [("a", 0), ("c", 9)]},
            0,
            1,
            id="b and c are pleased by turns",
        ),
    ],
)
def test_a_run_may_stay_away_from_home_only_where_nobody_is_owed_a_move(edges: Edges, stuck_count: int, loops: int):
    found = explore(Graphic(edges, home={9}))
    assert (found.stuck_count, found.loop_count) == (stuck_count, loops)


POLLS: Edges = {0: [("b", 9)], 9: [("b", 0)]}
"""By turns away and home."""


@pytest.mark.parametrize(
    ("edges", "loops"),
    [
        pytest.param(POLLS, [], id="both poll, and need not be home at once"),
        pytest.param({0: [("a", 9)]}, [], id="it can always go home, and some day does"),
        pytest.param({0: [("a", 1), ("b", 9)], 1: [("a", 0), ("b", 9)]}, [], id="b of this one is owed a move"),
        pytest.param({0: [("a", 1)], 1: [("a", 0), ("b", 9)]}, [1], id="its b is not, and b of the other is no help"),
        pytest.param({0: [("a", 0), ("a", 9)]}, [1], id="it moves, and need not move home"),
    ],
)
def test_a_device_may_stay_away_whatever_the_other_does_only_where_nobody_is_owed_a_move(
    edges: Edges, loops: list[int]
):
    found = explore(Graphs((POLLS, edges), home={9}))
    assert [cycle.device for cycle in found.cycles] == loops
    assert found.loop_count == len(loops)
    assert found.stuck_count == 0


def test_a_loop_is_told_with_the_shortest_way_to_it_and_pleases_everybody():
    found = explore(Graphic({0: [("a", 1)], 1: [("a", 2), ("b", 3)], 2: [("a", 1)], 3: [("b", 1), ("a", 9)]}, home={9}))
    (cycle,) = found.cycles
    assert cycle.path == (("to 01", "a"),)
    assert cycle.loop == (("to 02", "a"), ("to 01", "a"))


@pytest.mark.parametrize(
    ("edges", "lost"),
    [
        pytest.param({0: [("a", 8), ("a", 9)]}, [("to 08",)], id="it may yet be done"),
        pytest.param({0: [("a", 1), ("a", 9)], 1: [("a", 8)]}, [("to 01",)], id="told once, where it is lost first"),
        pytest.param({0: [("a", 8)], 8: [("a", 9)]}, [], id="what has failed is made good"),
        pytest.param({0: [("a", 1), ("a", 9)], 1: [("a", 1)]}, [], id="where it is stuck, it is not lost besides"),
    ],
)
def test_what_can_only_end_with_a_failure_is_lost(edges: Edges, lost: list[tuple[str, ...]]):
    found = explore(Graphic(edges, home={8, 9}, failed=frozenset({8})))
    assert [tuple(choice for choice, _ in path) for path in found.lost] == lost


def test_two_hundred_states_in_one_loop_are_one_component():
    edges = {at: [("a", (at + 1) % 200)] for at in range(200)} | {100: [("a", 101), ("b", 201)]}
    found = explore(Graphic(edges, home={201}))
    assert (found.stuck_count, found.loop_count) == (0, 1)
    assert len(found.cycles[0].loop) == 200


@pytest.mark.parametrize(
    ("limits", "stopped_by"),
    [
        pytest.param({"seconds": 0.0}, "time", id="time"),
        pytest.param({"mebibytes": 1.0}, "memory", id="memory"),
    ],
)
def test_a_limit_ends_a_search_and_is_told_with_how_far_it_came(limits: dict[str, float], stopped_by: str):
    found = explore(Clocks(high=60), **limits)
    assert not found.complete
    assert found.stopped_by == stopped_by
    assert 0 < found.expanded < found.states < 61 * 61


class Clocked(Graphic):
    """A device in the midst of so many places; a tenth of a millisecond passes whenever it is asked for its moves."""

    def __init__(self, places: int) -> None:
        super().__init__({0: [("a", to) for to in range(1, places)]}, home=set())
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def device_moves(self, device: Any, waits: int) -> tuple[Moved, ...]:
        self.now += 0.0001
        return super().device_moves(device, waits)


def test_no_round_is_begun_that_takes_longer_than_there_is_time(monkeypatch: pytest.MonkeyPatch):
    system = Clocked(30_000)
    for module in ("search", "limits"):
        monkeypatch.setattr(f"simulator.engines.explore.{module}.time", system)
    found = explore(system, seconds=1.0)
    assert found.stopped_by == "time"
    assert 0.9 < system.now < 1.05


def test_of_states_that_were_never_expanded_nothing_is_said():
    found = explore(Clocks(high=60), seconds=0.0)
    assert found.holds


def test_a_search_for_the_first_violation_ends_with_the_depth_of_it():
    system = Dice(2, minds=4)
    whole, first = explore(system), explore(system, stop_at_first=True)
    assert first.broken[0] == whole.broken[0]._replace(times=first.broken[0].times)
    assert first.states < whole.states
    assert first.stopped_by == "the first violation"
