"""All of it as one value: what can happen next, and what each of that leads to. Plain: nothing is remembered here.

    world = first(setup)
    for choice in choices(setup, world):
        print(choice, apply(setup, world, choice))

Replays and the naive search go this way: by the steps of `plain.py`, with what was told. The fast search composes the
same moves of `system` by tables.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from simulator.engines.explore.budgets import Costs
from simulator.engines.explore.choice import Actor, Choice
from simulator.engines.explore.device import DeviceMove, Told
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.plain import Step, unsorted_steps
from simulator.engines.explore.searchable import is_owed
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System, World, all_heard
from simulator.engines.explore.tokens import Tokens
from simulator.trace import CloudEvent, RunEnded

if TYPE_CHECKING:
    from simulator.engines.explore.searchable import Searchable, State


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
    goes_on = any(is_owed(each.costs, each.actor) for each in transitions(system, world))
    return None if goes_on else RunEnded("timed-out", "whatever could still happen by itself")


@lru_cache(maxsize=8)
def system_of(setup: Setup) -> System:
    """The moves of a setup."""
    return System(setup)


def transitions(system: System, world: World) -> Iterator[Transition]:
    """Every transition from a world: of each device, of its messages, of the service.

    Monitors hear all that is told here, and not only what the search takes to matter (`System.heard_of`).
    """
    for step in unsorted_steps(cast("Searchable", system), cast("State", world), all_heard):
        yield _told(step)


def _told(step: Step) -> Transition:
    """A step, with what was told of it."""
    of_a_world: Any = step
    choice, actor, costs, world, broken, side, move, tokens = of_a_world
    by_cloud = () if move is None else move.told_by_cloud if isinstance(move, DeviceMove) else move.told
    by_device = move.told if isinstance(move, DeviceMove) else ()
    return Transition(choice, costs, actor, side, world, by_cloud, by_device, tuple(broken), tokens)
