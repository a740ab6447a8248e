"""Edits of a list: whoever has it as it was gets it as it is."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from simulator.page.edits import edit
from tests.simulator.page.shown import edited


class Each(NamedTuple):
    """A member: a thing, and how it is."""

    key: int
    shows: int


def unique(members: list[Each]) -> list[Each]:
    return sorted({each.key: each for each in members}.values())


lists = st.lists(st.builds(Each, st.integers(0, 30), st.integers(0, 2)), max_size=30).map(unique)


@given(lists, lists)
def test_an_edit_makes_one_list_of_the_other(before: list[Each], after: list[Each]):
    found = edit(before, after, lambda each: each.key)
    if found is not None:
        told = {**found, "put": {str(number): each for number, each in found["put"].items()}}
        assert edited(before, told) == after


@given(lists, st.integers(0, 10), st.integers(0, 10))
def test_what_goes_at_the_beginning_and_comes_at_the_end_is_all_that_is_told(members: list[Each], old: int, new: int):
    came = [Each(100 + number, 0) for number in range(new)]
    found = edit(members, members[old:] + came, lambda each: each.key)
    assert found == {"gone": list(range(min(old, len(members)))), "put": {}, "more": came}


def test_what_went_from_the_midst_leaves_the_others_as_they_are():
    members = [Each(number, 0) for number in range(9)]
    found = edit(members, [*members[:4], *members[5:]], lambda each: each.key)
    assert found == {"gone": [4], "put": {}, "more": []}


def test_of_what_is_another_for_the_most_part_the_whole_is_told():
    members = [Each(number, 0) for number in range(9)]
    assert edit(members, [each._replace(shows=1) for each in members], lambda each: each.key) is None
