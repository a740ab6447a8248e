"""What nobody can be blamed for: two incarnations that the wire does not tell apart, and a message that comes again."""

from dataclasses import replace

import pytest

from simulator.engines.explore.answer import Found, verdict_of
from simulator.engines.explore.entries import told_on_the_way
from simulator.engines.explore.exploration import Violation
from simulator.engines.explore.playing import held_to
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.undecidable import UNDECIDABLE, why_undecidable
from simulator.engines.explore.world import system_of
from simulator.verdict import INVARIANTS

BOUNDS = Bounds(delete=1, create_again=1, duplicate=1)
ONCE_MORE = (
    *("create fw", "deliver notify", "deliver notify-next", "timer retry"),
    "arrive twice start-next",
    *("delete fw", "records go fw", "job gone fw", "create again fw"),
)


def why(setup: Setup, way: tuple[str, ...], invariant: str) -> str:
    """The id of the row that says why nobody is to blame; empty if none does."""
    system = system_of(setup)
    path = [transition.choice for transition in held_to(system, way)]
    row = why_undecidable(invariant, path, told_on_the_way(system, path))
    return "" if row is None else row.id


@pytest.mark.parametrize(
    ("setup", "way", "invariant", "row"),
    [
        pytest.param(
            Setup(same_second=True, bounds=BOUNDS),
            ONCE_MORE,
            "no-double-apply",
            "incarnations-alike",
            id="made again in the same second, and a request arrives twice",
        ),
        pytest.param(
            Setup(bounds=BOUNDS), ONCE_MORE, "no-double-apply", "", id="a second later the wire tells them apart"
        ),
        pytest.param(
            Setup(same_second=True, bounds=BOUNDS),
            tuple(each.replace(" twice", "") for each in ONCE_MORE),
            "no-double-apply",
            "",
            id="nothing came twice or late",
        ),
        pytest.param(
            Setup(same_second=True, bounds=BOUNDS), ONCE_MORE[:5], "no-double-apply", "", id="it was made once"
        ),
        pytest.param(
            Setup(same_second=True, bounds=BOUNDS), ONCE_MORE, "bootable", "", id="what it boots is its own affair"
        ),
    ],
)
def test_nobody_is_to_blame_where_nothing_told_the_two_apart(
    setup: Setup, way: tuple[str, ...], invariant: str, row: str
):
    assert why(setup, way, invariant) == row


def test_who_is_to_blame_after_other_trouble_is_not_hidden_behind_what_is_nobodys_fault():
    setup = Setup(same_second=True, bounds=BOUNDS)
    system, invariant = system_of(setup), "no-double-apply"
    excused, blamed = ONCE_MORE, (*(each.replace(" twice", "") for each in ONCE_MORE), "deliver start-next accepted")
    both = tuple(
        Violation(invariant, "so it is told", tuple(each.choice for each in held_to(system, way)), 2)
        for way in (excused, blamed)
    )
    found = replace(
        explore(system_of(Setup(bounds=Bounds()))), broken=(both[0]._replace(times=4),), broken_by_trouble=both
    )
    verdict = verdict_of(system, Found(found), name="")
    assert verdict.explored is not None
    told = [(each.sort, each.way, each.times) for each in verdict.explored.findings if each.invariant == invariant]
    assert told == [("violated", blamed, 2), ("undecidable", excused, 2)]
    assert verdict.outcome == "failed"
    assert "what comes after an outcome that is undecidable was not followed" in verdict.explored.leaves_out


def test_each_row_has_an_argument_a_way_to_avoid_it_and_names_invariants():
    known = {invariant.id for invariant in INVARIANTS}
    for row in UNDECIDABLE:
        assert row.invariants <= known
        assert row.argument.endswith(".")
        assert row.avoid.endswith(".")
