"""Names are in order whatever comes while somebody pages, and each is there once."""

from random import Random

import pytest

from simulator.cloud.api import names_in_order
from simulator.cloud.api.names_in_order import NamesInOrder


def all_of(names: NamesInOrder, at_once: int) -> list[str]:
    found = some = names.some(None, at_once, inclusive=True)
    while some := names.some(some[-1], at_once) if some else []:
        found = found + some
    return found


@pytest.mark.parametrize("seed", range(20))
def test_names_that_come_in_any_order_are_found_in_order(seed: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(names_in_order, "BLOCK", 3)
    monkeypatch.setattr(names_in_order, "LOOKS", 4)
    chance, things = Random(seed), list[str]()
    names = NamesInOrder(things)
    for _ in range(6):
        things += (f"t{chance.randrange(60)}" for _ in range(chance.randrange(20)))
        list(names.caught_up())
        assert all_of(names, chance.choice((1, 2, 5, 100))) == sorted(set(things))


def test_two_who_look_at_once_leave_nobody_out():
    things = [f"t{number:03}" for number in range(200)]
    names = NamesInOrder(things)
    one, other = names.caught_up(), names.caught_up()
    next(one)
    next(other)
    things.append("t000a")
    list(one)
    assert all_of(names, 7) == sorted(things)


def test_a_page_goes_on_behind_a_name_that_came_since():
    things = ["a", "c"]
    names = NamesInOrder(things)
    list(names.caught_up())
    assert names.some("b", 5) == ["c"]
    things.append("b")
    list(names.caught_up())
    assert (names.some("b", 5), names.some("b", 5, inclusive=True)) == (["c"], ["b", "c"])
