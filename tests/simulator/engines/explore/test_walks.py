"""Random walks find what they stumble on, by their seeds alone; what they find is made short."""

import pytest

from simulator.engines.explore.exploration import DEAD_END
from simulator.engines.explore.plain import steps
from simulator.engines.explore.search import explore
from simulator.engines.explore.searchable import is_owed, is_violated
from simulator.engines.explore.shrink import NotReproducedError, Player, shrink
from simulator.engines.explore.walks import AT_ONCE, Stumbled, drawn_bounds, walks
from tests.simulator.engines.explore.toys import Clocks, Dice, Graphic, Lock

BOUNDS = {"lose": 3, "cut": 2}


def ends_as_told(system: Dice, stumbled: Stumbled) -> None:
    """Step by step, without a table."""
    state, broken = system.first()._replace(budgets=system.begun_with(stumbled.bounds)), ()
    for choice in stumbled.path:
        assert not is_violated(broken), "the last choice breaks it"
        step = next(each for each in steps(system, state) if each.choice == choice)
        state, broken = step.state, step.broken
    if stumbled.invariant == DEAD_END:
        assert not any(is_owed(step.kinds, step.actor) for step in steps(system, state))
    else:
        assert stumbled.invariant in {each.invariant for each in broken if each.outcome == "violated"}


def test_each_walk_that_stumbles_can_be_walked_again_without_any_table():
    system = Dice(1, minds=4)
    found = walks(system, 40, seed=100, bounds=BOUNDS, depth=60)
    assert found.walks == 40
    assert len(found.stumbled) > 5
    for stumbled in found.stumbled:
        ends_as_told(system.bounded(BOUNDS), stumbled)


def test_a_walk_is_its_seeds_whoever_walks_beside_it():
    system = Dice(1, minds=4)
    together = walks(system, 30, seed=7, bounds=BOUNDS, depth=60)
    alone = [walks(system, 1, seed=seed, bounds=BOUNDS, depth=60) for seed in range(7, 37)]
    assert together.stumbled == tuple(stumbled for each in alone for stumbled in each.stumbled)
    assert together.steps == sum(each.steps for each in alone)


def test_how_far_they_are_is_told_and_in_the_end_all():
    told: list[tuple[int, int, int]] = []
    found = walks(
        Dice(1, minds=4),
        AT_ONCE + 1,
        seed=7,
        bounds=BOUNDS,
        depth=5,
        on_walked=lambda walked, steps, _seconds, stumbled: told.append((walked, steps, stumbled)),
    )
    assert [walked for walked, _, _ in told] == [AT_ONCE, AT_ONCE + 1]
    assert told[-1] == (found.walks, found.steps, len(found.stumbled))


def test_walks_draw_which_troubles_there_are_and_how_many():
    drawn = [drawn_bounds(seed, BOUNDS | {"never": 0}) for seed in range(200)]
    assert {tuple(sorted(each)) for each in drawn} == {(), ("cut",), ("lose",), ("cut", "lose")}
    assert {each["lose"] for each in drawn if "lose" in each} == {1, 2, 3}


def test_a_walk_tells_that_nothing_can_happen_and_nobody_is_home():
    found = walks(Graphic({0: [("a", 1)]}, home={9}), 3, seed=0, bounds={}, depth=9)
    assert [(each.invariant, each.path) for each in found.stumbled] == [(DEAD_END, (("to 01", "a"),))] * 3


def test_what_an_operator_may_do_ends_no_dead_end():
    system = Graphic({0: [("a", 1)], 1: [("operator", 9)]}, home={9})
    found = walks(system, 3, seed=0, bounds={}, depth=9)
    assert [(each.invariant, each.path) for each in found.stumbled] == [(DEAD_END, (("to 01", "a"),))] * 3
    assert shrink(system, found.stumbled[0].path, DEAD_END).path == (("to 01", "a"),)


def test_walks_that_end_at_home_stumble_on_nothing():
    found = walks(Clocks(high=3), 5, seed=0, bounds={"reset": 2}, depth=100)
    assert found.stumbled == ()
    assert found.steps >= 5 * 6


@pytest.mark.parametrize(
    ("limits", "stopped_by"), [({"seconds": 0.0}, "time"), ({"mebibytes": 1.0}, "memory"), ({}, "")]
)
def test_no_walk_is_begun_beyond_a_limit_and_which_one_is_told(limits: dict[str, float], stopped_by: str):
    walked = walks(Clocks(high=3), 5, seed=0, bounds={"reset": 2}, **limits)
    assert (walked.walks, walked.stopped_by) == (0 if stopped_by else 5, stopped_by)


# ── shrinking ─────────────────────────────────────────────────────────────────────────────────────────────────────

NOISY = (
    *[("hum", str(at % 3)) for at in range(40)],
    ("pull",),
    ("hum", "1"),
    ("jolt",),
    *[("hum", "2")] * 9,
    ("jolt",),
)


def test_a_long_way_shrinks_to_the_shortest_that_its_troubles_allow():
    shrunk = shrink(Lock(jolts=3), NOISY, "locked")
    assert shrunk.path == (("jolt",), ("jolt",), ("pull",))
    assert shrunk.bounds == {"jolt": 2}
    assert shrunk.is_shortest


def test_where_a_search_takes_too_long_a_local_minimum_remains():
    shrunk = shrink(Lock(jolts=3), NOISY, "locked", seconds=0.0)
    assert shrunk.path == (("pull",), ("jolt",), ("jolt",))
    assert not shrunk.is_shortest


def test_what_is_left_out_makes_later_choices_impossible_and_these_are_passed_over():
    played = Player(Lock(jolts=3), "locked").play([("hum", "1"), ("nothing of the kind",), *NOISY])
    assert played is not None
    assert [step.choice for step in played] == [("hum", "1"), *NOISY]


def test_a_dead_end_is_made_short_as_well():
    system = Graphic({0: [("a", 0), ("a", 1)], 1: [("a", 0), ("b", 2)]}, home={9})
    path = ((("to 00", "a")), ("to 01", "a"), ("to 00", "a"), ("to 01", "a"), ("to 02", "b"))
    shrunk = shrink(system, path, DEAD_END)
    assert shrunk.path == (("to 01", "a"), ("to 02", "b"))
    assert shrunk.is_shortest


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_nearest_dead_end_is_searched_for_and_nothing_beyond_it(jobs: int):
    long_way = {at: [("a", at + 1)] for at in range(1, 9)}
    beyond = {at: [("b", at + 1)] for at in range(20, 90)}
    system = Graphic({0: [("a", 1), ("b", 20)], **long_way, **beyond, 22: [("b", 23), ("b", 50), ("c", 99)]}, home={9})
    path = (("to 20", "b"), *((f"to {at}", "b") for at in range(21, 91)))
    shrunk = shrink(system, path, DEAD_END, jobs=jobs)
    assert shrunk.path == (("to 20", "b"), ("to 21", "b"), ("to 22", "b"), ("to 99", "c"))
    assert shrunk.is_shortest
    assert explore(system, stop_at_first=DEAD_END).states < explore(system).states


def test_a_way_that_breaks_nothing_is_refused():
    with pytest.raises(NotReproducedError, match="does not break it"):
        shrink(Lock(jolts=1), (("pull",),), "locked")


def test_walks_and_shrinking_and_search_agree_on_the_shortest():
    system = Lock(jolts=2)
    found = walks(system, 50, seed=1, bounds={"jolt": 2}, depth=80)
    assert found.stumbled
    for stumbled in found.stumbled[:5]:
        shrunk = shrink(system, stumbled.path, stumbled.invariant)
        assert len(shrunk.path) == 3
