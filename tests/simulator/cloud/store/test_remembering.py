"""Whatever happens to jobs and registry: what comes out of the file goes on as what lived on."""

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.values import GetPending, StartNext, Status, Update
from simulator.cloud.jobs import Jobs, Outcome
from simulator.cloud.registry import Registry, RegistryError
from simulator.cloud.store import Store
from simulator.cloud.store.kinds import key_of, owner_of
from tests.simulator.cloud.jobs.account import Account
from tests.simulator.cloud.jobs.test_restoring import SETTINGS, THINGS, act, state

COMMANDS, AT_ONCE = 80, 8


async def kept_in(path: Path, store: Store) -> Store:
    """Close, and open again."""
    await store.close()
    return Store(path)


def keep(store: Store, account: Account) -> None:
    for outcome in account.outcomes:
        store.keep(outcome.changes)
    account.outcomes.clear()


@pytest.mark.parametrize("seed", range(6))
async def test_jobs_go_on_from_the_file_wherever_they_were(tmp_path: Path, seed: int):
    path, account, chance = tmp_path / "state.db", Account(SETTINGS), Random(seed)
    store = Store(path)
    for _ in range(COMMANDS // AT_ONCE):
        for _ in range(AT_ONCE):
            act(account, chance)
            keep(store, account)
            if chance.random() < 0.5:
                await asyncio.sleep(0)  # a batch ends here
        store = await kept_in(path, store)
        found = store.remembered()
        restored = Jobs.restored(SETTINGS, found.jobs, found.executions, account.now)
        assert state(restored) == state(account.jobs)
        account.jobs = restored
    await store.close()


@pytest.mark.parametrize("seed", range(6))
async def test_jobs_from_the_file_answer_every_further_command_as_those_that_lived_on(tmp_path: Path, seed: int):
    path, one, chance = tmp_path / "state.db", Account(SETTINGS), Random(seed)
    store = Store(path)
    for _ in range(COMMANDS // 2):
        act(one, chance)
        keep(store, one)
    while (due := one.jobs.next_due()) is not None and due <= one.now:
        one.did(one.jobs.tick(one.now))  # what is under way goes on in an order of its own after a restart
    keep(store, one)
    store = await kept_in(path, store)
    found = store.remembered()
    other = replace(one, outcomes=[])
    other.jobs = Jobs.restored(SETTINGS, found.jobs, found.executions, one.now)
    for _ in range(COMMANDS):
        request = chance.choice(
            (GetPending(), StartNext(), *(Update(f"j{n}", chance.choice(list(Status))) for n in range(4)))
        )
        thing = chance.choice(THINGS)
        answers = [account.ask(thing, request) for account in (one, other)]
        assert answers[0] == answers[1]
        assert _shown(one.outcomes.pop()) == _shown(other.outcomes.pop())
        step, later = chance.randrange(1 << 30), chance.choice((0, 0, 0, 50))
        for account in (one, other):
            account.outcomes.clear()
            act(account, Random(step))
            account.later(later)
        assert [_shown(outcome) for outcome in one.outcomes] == [_shown(outcome) for outcome in other.outcomes]
    await store.close()


def _shown(outcome: Outcome) -> Any:
    """What anybody hears of it: the order in which records came is told by nothing but their order."""
    return outcome.answer, outcome.hints, len(outcome.changes)


def tinker(registry: Registry, chance: Random, now: float) -> None:
    """One change of any kind; what is refused is refused."""
    thing, group = f"thing-{chance.randrange(6)}", f"group-{chance.randrange(3)}"
    commands = (
        lambda: registry.things.create(thing, attributes=(("floor", str(chance.randrange(3))),)),
        lambda: registry.things.check_deletion(thing, None) and registry.things.delete(thing),
        lambda: registry.groups.create(group, now, parent=None, description=None, attributes=()),
        lambda: registry.groups.add(thing, group),
        lambda: registry.groups.remove(thing, group),
    )
    with contextlib.suppress(RegistryError):
        chance.choice(commands)()


@pytest.mark.parametrize("seed", range(3))
async def test_the_registry_comes_back_from_the_file_as_it_was(tmp_path: Path, seed: int):
    path, chance, ids = tmp_path / "state.db", Random(seed), iter(range(10_000))
    store, registry = Store(path), Registry(lambda: str(next(ids)))
    for _ in range(4):
        registry.watch(store.keep_registry)
        for number in range(20):
            tinker(registry, chance, float(number))
        store = await kept_in(path, store)
        again = Registry(lambda: str(next(ids)))
        for kind, record in store.remembered().registry:
            again.restore(kind, record)
        assert _records(again) == _records(registry)
        registry = again
    await store.close()


def _records(registry: Registry) -> Any:
    members = registry.groups.members
    things = list(registry.things.all())
    return things, list(registry.groups.all()), {thing.name: members.rights(thing.name) for thing in things}


# ── whose records they are ────────────────────────────────────────────────────────────────────────────────────

OWNERS = st.sampled_from(["", "000000000000/eu-west-1", "111111111111/us-east-1"])
KEYS = st.text("ab/\x1f", max_size=6) | st.text(max_size=30)


@given(OWNERS, KEYS, OWNERS, KEYS)
def test_a_key_in_the_file_says_whose_it_is_whatever_it_looks_like(whose: str, key: str, others: str, other: str):
    assert owner_of(key_of(whose, key)) == (whose, key)
    assert (key_of(whose, key) == key_of(others, other)) is ((whose, key) == (others, other))


async def test_what_two_keep_under_one_name_is_two_things(tmp_path: Path):
    path, own = tmp_path / "state.db", Account(SETTINGS).create("fw", "a")
    store = Store(path)
    theirs = Account(SETTINGS).create("fw", "a", "b")
    shelf = store.shelf("000000000000/eu-west-1")
    keep(store, own)
    for outcome in theirs.outcomes:
        shelf.keep(outcome.changes)
    assert shelf.shown_to("b") == store.shown_to("a") == store.newest
    assert store.shown_to("b") == 0
    store = await kept_in(path, store)
    assert store.owners() == ("", "000000000000/eu-west-1")
    found = [each.remembered() for each in (store, store.shelf("000000000000/eu-west-1"))]
    assert [len(each.executions) for each in found] == [1, 2]
    assert store.owners() == ()
    await store.close()
