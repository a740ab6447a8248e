"""A copy of the service shares nothing with it that can change, whatever is under way: worlds are made by copying."""

from copy import deepcopy
from random import Random

import pytest

from simulator.cloud.jobs import Rollout
from simulator.cloud.jobs.backlog import AT_ONCE

from .account import Account, names
from .test_restoring import SETTINGS, act, state

MANY = names(3 * AT_ONCE)


def busy(what: str) -> Account:
    """An account with something under way that takes longer than one command may."""
    account = Account(SETTINGS).create("fw", *MANY, rollout=Rollout(maximum_per_minute=2 * AT_ONCE))
    if what != "rolling out":
        account.later(90)
    match what:
        case "cancelling":
            account.cancel("fw", force=True)
        case "deleting":
            account.delete("fw")
    return account


@pytest.mark.parametrize("what", ["rolling out", "cancelling", "deleting"])
def test_what_is_under_way_goes_on_in_a_copy_alone(what: str):
    account = busy(what)
    before, copy = state(account.jobs), deepcopy(account)
    assert copy.jobs.next_due() == 0
    copy.left_to_tick(1)
    assert state(account.jobs) == before
    assert account.jobs.next_due() == 0
    assert state(copy.jobs) != before
    account.left_to_tick(1)
    assert state(account.jobs) == state(copy.jobs)
    assert account.outcomes == copy.outcomes


@pytest.mark.parametrize("seed", range(12))
def test_a_copy_lives_on_as_the_service_would_and_leaves_it_alone(seed: int):
    account, chance = Account(SETTINGS), Random(seed)
    for _ in range(4):
        for _ in range(15):
            act(account, chance)
        account.outcomes.clear()
        before, due, copy = state(account.jobs), account.jobs.next_due(), deepcopy(account)
        future = chance.randrange(1 << 30)
        lived: list[list[object]] = []
        for each in (copy, account):
            ways = Random(future)
            for _ in range(15):
                act(each, ways)
            each.later(200)
            lived.append(list(each.outcomes))
            if each is copy:
                assert (state(account.jobs), account.jobs.next_due()) == (before, due)
        assert lived[0] == lived[1]
        assert state(account.jobs) == state(copy.jobs)
