"""All of it as one value: what can happen next, and what each of that leads to. Plain: nothing is remembered here.

    world = first(setup)
    for choice in choices(setup, world):
        print(choice, apply(setup, world, choice))

Replays, walks and the naive search go this way; the fast search composes the same moves of `system`.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from simulator.engines.explore.budgets import Costs
from simulator.engines.explore.choice import Actor, Choice
from simulator.engines.explore.device import DeviceMove, Told
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.net import Net, NetMove
from simulator.engines.explore.searchable import TAKEN
from simulator.engines.explore.service import ServiceMove
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import Side, System, World, all_heard
from simulator.engines.explore.tokens import Tokens
from simulator.trace import CloudEvent, RunEnded


class Transition(NamedTuple):
    """One move of the whole: what it costs, who makes it, the world after it, what was told and what broke with it.

    `side` is that of the device or the message, None if it is none's. What is told has tokens as they were called
    before; `tokens` are, side by side, what they are called from then on.
    """

    choice: Choice
    costs: Costs
    actor: Actor
    side: int | None
    world: World
    told_by_cloud: tuple[CloudEvent, ...] = ()
    told_by_device: tuple[Told, ...] = ()
    broken: tuple[Broken, ...] = ()
    tokens: tuple[Tokens, ...] = ()


def first(setup: Setup) -> World:
    """Where all begins: see `System.first`."""
    return system_of(setup).first()


def choices(setup: Setup, world: World) -> tuple[Choice, ...]:
    """What can happen next, in an order that is always the same."""
    return tuple(transition.choice for transition in transitions(system_of(setup), world))


def apply(setup: Setup, world: World, choice: Choice) -> World:
    """The world after that choice. Raises ValueError if it is none of those there are."""
    return taken(system_of(setup), world, choice).world


def taken(system: System, world: World, choice: Choice) -> Transition:
    """What comes of a choice. Raises ValueError if it is none of those there are."""
    found = next((each for each in transitions(system, world) if each.choice == choice), None)
    if found is None:
        raise ValueError(f"{choice}: that cannot happen here")
    return found


def played(system: System, path: Iterable[Choice]) -> Iterator[Transition]:
    """One choice after the other, from the beginning. Raises ValueError at the first that cannot happen."""
    world = system.first()
    for choice in path:
        transition = taken(system, world, choice)
        world = transition.world
        yield transition


def is_home(system: System, world: World) -> bool:
    """Whether nothing more is to be done by anybody."""
    return all(system.is_home(side.device, side.net, world.service) for side in world.sides)


def ending(system: System, world: World) -> RunEnded | None:
    """How a run ends that has come there: well, at home; by its limit of time, if nothing ever happens there by itself.

    None: it goes on. Nobody may be accused of what he has not done yet.
    """
    if is_home(system, world):
        return RunEnded("finished")
    goes_on = any(not each.costs for each in transitions(system, world))
    return None if goes_on else RunEnded("timed-out", "whatever could still happen by itself")


@lru_cache(maxsize=8)
def system_of(setup: Setup) -> System:
    """The moves of a setup."""
    return System(setup)


def transitions(system: System, world: World) -> Iterator[Transition]:
    """Every transition from a world: of each device, of its messages, of the service."""
    for number, side in enumerate(world.sides):
        waits = system.waits(side.net, system.awaited(side.device))
        for move in system.device_moves(side.device, waits):
            after = _by_device(system, world, number, side.net, move)
            yield from _paid(system, world, after, move.choice, _costs(move), move.actor)
        for sent in system.net_moves(side.net):
            yield from _by_net(system, world, number, sent)
    for done in system.service_moves(world.service):
        yield from _paid(system, world, _by_service(system, world, done), done.choice, _costs(done), done.actor)


def _by_net(system: System, world: World, number: int, sent: NetMove) -> Iterator[Transition]:
    costs, side = _costs(sent), world.sides[number]
    carried = _with_side(world, number, side._replace(net=sent.net))
    if sent.message is None:
        yield from _paid(system, world, _Effect(carried, number), sent.choice, costs, sent.actor)
    elif sent.to == "service":
        heard = system.service_hears(world.service, sent.message)
        after = _by_service(system, carried, heard)._replace(side=number)
        yield from _paid(system, world, after, sent.choice, costs, sent.actor)
    else:
        is_taken = system.waits(sent.net, system.awaited(side.device)) >= TAKEN
        for move in system.device_hears(side.device, sent.message, is_taken):
            choice, actor = system.joined(sent.choice, move.choice), sent.actor if move.cost is None else move.actor
            after = _by_device(system, world, number, sent.net, move)
            yield from _paid(system, world, after, choice, costs + _costs(move), actor)


class _Effect(NamedTuple):
    """What a transition leads to, not paid for yet."""

    world: World
    side: int | None
    by_cloud: tuple[CloudEvent, ...] = ()
    by_device: tuple[Told, ...] = ()
    broken: tuple[Broken, ...] = ()


def _by_device(system: System, world: World, number: int, net: Net, move: DeviceMove) -> _Effect:
    watched, broken = system.watch(world.sides[number].watched, all_heard(move))
    side = Side(move.device, system.net_after(net, move.out, (), move.link), watched)
    return _Effect(_with_side(world, number, side), number, move.told_by_cloud, move.told, broken)


def _by_service(system: System, world: World, move: ServiceMove) -> _Effect:
    """Everybody hears what the cloud tells."""
    sides, broken = list[Side](), list[Broken]()
    for number, side in enumerate(world.sides):
        down = tuple(message for message in move.out if system.side_of(message) == number)
        watched, broke = system.watch(side.watched, all_heard(move))
        net = system.net_after(side.net, (), down, "") if down else side.net
        sides.append(side._replace(net=net, watched=watched))
        broken.extend(broke)
    after = world._replace(sides=tuple(sides), service=move.service)
    return _Effect(after, None, move.told, (), tuple(broken))


def _paid(
    system: System, before: World, effect: _Effect, choice: Choice, costs: Costs, actor: Actor
) -> Iterator[Transition]:
    """The transition, if there is enough left for it."""
    budgets = system.paid(before.budgets, costs)
    if budgets is not None:
        after, side, by_cloud, by_device, broken = effect
        world, tokens = _named(system, after._replace(budgets=budgets))
        broken = (*broken, *_broken_at_rest(system, world))
        yield Transition(choice, costs, actor, side, world, by_cloud, by_device, broken, tokens)


def _named(system: System, world: World) -> tuple[World, tuple[Tokens, ...]]:
    """With what was minted called as from now on; and how each side's tokens are."""
    sides, service, called = list[Side](), world.service, list[Tokens]()
    for each in world.sides:
        side, service, tokens = system.named(each, service)
        sides.append(side)
        called.append(tokens)
    return world._replace(sides=tuple(sides), service=service), tuple(called)


def _broken_at_rest(system: System, world: World) -> Iterator[Broken]:
    if is_home(system, world):
        for side in world.sides:
            yield from system.at_rest(side.watched)


def _costs(move: DeviceMove | NetMove | ServiceMove) -> Costs:
    also = move.also if isinstance(move, DeviceMove) else None
    return tuple(kind for kind in (move.cost, also) if kind is not None)


def _with_side(world: World, number: int, side: Side) -> World:
    return world._replace(sides=(*world.sides[:number], side, *world.sides[number + 1 :]))
