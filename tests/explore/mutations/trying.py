"""What comes of a mutation in each world: the same as without it, or something that breaks, or neither.

Of each world all that our agent ever met is kept: its states, with the events that they met. Where a mutation makes the
same of all these, all that can happen with it is what can happen without it, and no search is needed to know that.
Where there is one, what the service, the nets and the monitors do is known already: only the device is asked again.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from unittest.mock import patch

from agent.core import step
from agent.core.events import Effect, Event
from simulator.devices.models import MODELS
from simulator.devices.models.model import Model
from simulator.engines.explore import shard
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.expansion import Expansion
from simulator.engines.explore.exploration import Exploration, Progress
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.tables import Table
from tests.explore.mutations.switched import Mutation, switched
from tests.explore.mutations.worlds import called

TIMES: Final = 3
"""With a mutation so many times as many states as without it are looked at, and some thousands more."""

Met: TypeAlias = dict[tuple[Any, Event], tuple[Any, tuple[Effect, ...]]]
"""A state and what happened there: what came of it."""


class Known(NamedTuple):
    """One world as our agent lives in it: how many states, what it met, `new` to it, and all moves."""

    setup: Setup
    states: int
    met: frozenset[tuple[Any, Event]]
    new: Met
    expansion: Expansion


class Caught(NamedTuple):
    """By what, in which world, after how many choices at least, and how many states had been seen by then."""

    invariant: str
    why: str
    world: str
    path: tuple[Choice, ...]
    states: int


class Tried(NamedTuple):
    """`worlds`: where it makes a difference. Without any it is the same everywhere."""

    caught: Caught | None
    worlds: tuple[str, ...]
    stopped: str = ""


def known(setups: Sequence[Setup]) -> Iterator[Known]:
    """Our agent in each of these worlds, where it holds."""
    before: set[tuple[Any, Event]] = set()
    for setup in setups:
        met: Met = {}
        system = _recorded(setup, met)
        expansion = Expansion(system)
        found = _explored(system, expansion)
        assert found.complete, f"{called(setup)}: {found.stopped_by}"
        assert found.holds, f"{called(setup)}: {found.broken or found.stuck or found.cycles}"
        new = {each: met[each] for each in met if each not in before}
        yield Known(setup, found.states, frozenset(met), new, expansion)
        before |= met.keys()


class TooManyStatesError(Exception):
    """So many that it is not worth the time."""


def _explored(system: System, expansion: Expansion, most: int | None = None) -> Exploration:
    """All that can happen, by what is known of its moves; with `most` states, or until something breaks."""

    def look(progress: Progress) -> None:
        if most is not None and progress.states > most and not progress.violations:
            raise TooManyStatesError(f"more than {most} states")

    with patch.object(shard, "Expansion", lambda _: expansion):
        return explore(system, on_level=look, stop_at_first=most is not None)


def _device_anew(world: Known) -> System:
    """The world with nothing known of what its device does."""
    system, local = System(world.setup), world.expansion.known
    local.system = system
    local.device_moves = Table(2, len(local.device_moves._fields), local._ask_device)
    local.heard = Table(3, len(local.heard._fields), local._ask_hearing)
    return system


def _recorded(setup: Setup, met: Met) -> System:
    """The world of our agent, in which it is kept what that meets."""

    def kept(state: Any, event: Event) -> tuple[Any, tuple[Effect, ...]]:
        met[state, event] = outcome = step(state, event)
        return outcome

    ours = MODELS["reference"]
    MODELS["reference"] = Model(kept)
    try:
        return System(setup)
    finally:
        MODELS["reference"] = ours


def tried(mutation: Mutation, worlds: Sequence[Known]) -> Tried:
    """In one world after the other, until it is caught."""
    differs: set[tuple[Any, Event]] = set()
    told: list[str] = []
    stopped = ""
    for world in worlds:
        with switched(mutation):
            differs.update(each for each, outcome in world.new.items() if _outcome(*each) != outcome)
            if differs.isdisjoint(world.met):
                continue
            told.append(called(world.setup))
            found = _searched(world)
        if isinstance(found, Caught):
            return Tried(found, tuple(told))
        stopped = found or stopped
    return Tried(None, tuple(told), stopped)


def _outcome(state: Any, event: Event) -> object:
    try:
        return step(state, event)
    except Exception as error:  # whatever a mutation makes of it
        return error


def _searched(world: Known) -> Caught | str:
    """What breaks; or why the search ended early, empty if it did not."""
    setup = world.setup
    try:
        system = _device_anew(world)
        system.first()
        found = _explored(system, world.expansion, most=TIMES * world.states + 3000)
    except StopIteration:
        return Caught("alive", "it never comes up", called(setup), (), 0)
    except TooManyStatesError as error:
        return str(error)
    if found.broken:
        first = found.broken[0]
        return Caught(first.invariant, first.why, called(setup), _choices(first.path), found.states)
    if found.stuck:
        return Caught("gets home", "nothing leads on", called(setup), _choices(found.stuck[0]), found.states)
    if found.cycles:
        cycle = found.cycles[0]
        path = (*cycle.path, *cycle.loop)
        return Caught("gets home", "it may go on so for ever", called(setup), _choices(path), found.states)
    return ""


def _choices(path: Sequence[tuple[str, ...]]) -> tuple[Choice, ...]:
    return tuple(Choice(*each) for each in path)
