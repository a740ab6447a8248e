"""What comes of a mutation in each world: the same as without it, or something that breaks, or neither.

Of each world all that our agent ever met is kept (see `meetings`). Where a mutation makes the same of all these, up to
words and waits, all that can happen with it is what can happen without it, and no search is needed to know that. Where
there is one, what the service, the nets and the monitors do is known already, and what the device does as well, but
where it meets what the mutation makes something else of: only there it is asked again. First it is looked whether
anything can break from all states at once (see `everywhere`), and only then for the shortest way.

What breaks is an invariant, or what `begun_once` counts; or, in a world in which our agent always does, the graph shows
that it does not get home, or that it cannot get done what it is asked for.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Final, NamedTuple, TypeAlias
from unittest.mock import patch

import numpy as np

from simulator.engines.explore import moves, shard
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.expansion import Expansion
from simulator.engines.explore.exploration import Exploration, Progress
from simulator.engines.explore.index import Words
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.tables import Entry, Table
from tests.explore.mutations.begun_once import system_of
from tests.explore.mutations.everywhere import from_everywhere
from tests.explore.mutations.meetings import Meeting, Meetings, cast, differing
from tests.explore.mutations.switched import Mutation, switched
from tests.explore.mutations.words import Difference, worse
from tests.explore.mutations.worlds import called

TIMES: Final = 3
"""With a mutation so many times as many states as without it are looked at, and some thousands more."""

MOST_STOPPED: Final = 3
"""So many searches of a mutation are ended early before the others are let be."""
NOTHING: Final[Difference] = ""
SAFE: Final = "safe"
"""The phase of a device that has given up."""

Key: TypeAlias = tuple[int, ...]


class Row(NamedTuple):
    """Of a device's table: what was answered, and what our agent met for it."""

    entries: tuple[Entry, ...]
    met: frozenset[Meeting]


class Known(NamedTuple):
    """One world as our agent lives in it: how many states, what it met, `new` to it, and all moves.

    `everywhere` are its states; `moves` and `heard` the rows of the device's tables, by their keys. `comes_home`: from
    everywhere, sooner or later; who has lost all of its journal may not. `can_do`: from everywhere there is a way on
    which it does all that is asked of it; `can_be_safe`: it may give up.
    """

    setup: Setup
    states: int
    met: frozenset[Meeting]
    new: frozenset[Meeting]
    everywhere: tuple[Words, ...]
    expansion: Expansion
    moves: Mapping[Key, Row]
    heard: Mapping[Key, Row]
    comes_home: bool
    can_do: bool
    can_be_safe: bool


class Caught(NamedTuple):
    """By what, in which world, after how many choices at least, and how many states had been seen by then.

    In a scenario nothing is counted.
    """

    invariant: str
    why: str
    world: str
    path: tuple[Choice, ...]
    states: int


class Tried(NamedTuple):
    """`worlds`: where it does something else, and nothing breaks; `differs`: what is the most that it changes."""

    caught: Caught | None
    worlds: tuple[str, ...]
    stopped: str = ""
    differs: Difference = ""


def known(setups: Sequence[Setup]) -> Iterator[Known]:
    """Our agent in each of these worlds, where it holds."""
    meetings = Meetings()
    before = frozenset[Meeting]()
    for setup in setups:
        # Unremembered, so that each row of a table tells all that was met for it; the meetings remember.
        with cast(meetings.step), patch.object(moves, "_remembered", lambda step: step):
            system = system_of(setup)
        expansion, met = Expansion(system), meetings.taken()
        by_itself, by_message = _noted(expansion, meetings)
        found = from_everywhere(system, expansion, expansion.words(system.first()))
        assert found is not None
        assert found.comes_home or setup.bounds.journal_lost, f"{called(setup)}: it does not come home"
        assert not found.broken, f"{called(setup)}: {found.broken}"
        met = met.union(*(row.met for rows in (by_itself, by_message) for row in rows.values()))
        yield Known(
            setup,
            len(found.states[0]),
            met,
            met - before,
            found.states,
            expansion,
            by_itself,
            by_message,
            found.comes_home,
            found.can_do,
            SAFE in found.phases,
        )
        before |= met


def _noted(expansion: Expansion, meetings: Meetings) -> tuple[Mapping[Key, Row], Mapping[Key, Row]]:
    """The rows of the device's tables from now on: what it does by itself, and what it does about messages."""
    local, rows = expansion.known, (dict[Key, Row](), dict[Key, Row]())

    def noted(ask: Callable[..., Iterable[Entry]], rows: dict[Key, Row]) -> Callable[..., Iterable[Entry]]:
        def asked(*key: int) -> Iterable[Entry]:
            meetings.taken()
            entries = tuple(ask(*key))
            rows[key] = Row(entries, meetings.taken())
            return entries

        return asked

    _ask_device_by(expansion, noted(local._ask_device, rows[0]), noted(local._ask_hearing, rows[1]))
    return rows


def _ask_device_by(
    expansion: Expansion, by_itself: Callable[..., Iterable[Entry]], by_message: Callable[..., Iterable[Entry]]
) -> None:
    """With nothing known of what its device does, but by these."""
    local = expansion.known
    local.device_moves = Table(local.device_moves.bits, len(local.device_moves._fields), by_itself)
    local.heard = Table(local.heard.bits, len(local.heard._fields), by_message)


class TooManyStatesError(Exception):
    """So many that it is not worth the time."""


def _may_break(system: System, world: Known, most: int) -> bool:
    """Whether anything may, as far as can be told without a search for the way there."""
    begun = zip(world.expansion.words(system.first()), world.everywhere, strict=True)
    found = from_everywhere(system, world.expansion, tuple(map(np.concatenate, begun)), most)
    return (
        found is None
        or bool(found.broken)
        or (world.comes_home and not found.comes_home)
        or (SAFE in found.phases and not world.can_be_safe)
        or (world.can_do and not found.can_do)
    )


def _explored(system: System, expansion: Expansion, most: int) -> Exploration:
    """All that can happen, by what is known of its moves: so many states, or until something breaks."""

    def look(progress: Progress) -> None:
        if progress.states > most and not progress.violations:
            raise TooManyStatesError(f"more than {most} states")

    with patch.object(shard, "Expansion", lambda _: expansion):
        return explore(system, on_level=look, stop_at_first=True)


def _device_anew(world: Known, others: Collection[Meeting]) -> System:
    """The world with nothing known of what its device does where it meets one of those."""
    system, local = system_of(world.setup), world.expansion.known
    local.system = system

    def known(rows: Mapping[Key, Row], ask: Callable[..., Iterable[Entry]]) -> Callable[..., Iterable[Entry]]:
        def asked(*key: int) -> Iterable[Entry]:
            row = rows.get(key)
            return row.entries if row is not None and row.met.isdisjoint(others) else ask(*key)

        return asked

    _ask_device_by(world.expansion, known(world.moves, local._ask_device), known(world.heard, local._ask_hearing))
    return system


def tried(mutation: Mutation, worlds: Sequence[Known]) -> Tried:
    """In one world after the other, until it is caught."""
    told: list[str] = []
    stopped: list[str] = []
    worst = NOTHING
    others: dict[Meeting, Difference] = {}
    for world in worlds:
        others |= differing([mutation], world.new)
        here = {each: others[each] for each in world.met & others.keys()}
        differs = reduce(worse, here.values(), NOTHING)
        worst = worse(worst, differs)
        if differs != "deeds":
            continue
        told.append(called(world.setup))
        found = _searched([mutation], world, here)
        if isinstance(found, Caught):
            return Tried(found, tuple(told))
        stopped += [found] if found else []
        if len(stopped) == MOST_STOPPED:
            break
    return Tried(None, tuple(told), stopped[0] if stopped else "", worst)


def tried_with(mutation: Mutation, other: Mutation, world: Known) -> Caught | None:
    """How the two are caught, if nothing catches either alone in this world."""
    alone = (_searched([each], world, differing([each], world.met)) for each in (mutation, other))
    if any(isinstance(each, Caught) for each in alone):
        return None
    both = [mutation, other]
    found = _searched(both, world, differing(both, world.met))
    return found if isinstance(found, Caught) else None


def _searched(mutations: Sequence[Mutation], world: Known, others: Collection[Meeting]) -> Caught | str:
    """What breaks; or why the search ended early, empty if it did not. `others`: of which they make something else."""
    setup, most = world.setup, TIMES * world.states + 3000
    with switched(*mutations):
        try:
            system = _device_anew(world, others)
            if not _may_break(system, world, most):
                return ""
            found = _explored(system, world.expansion, most)
        except StopIteration:
            return Caught("alive", "it never comes up", called(setup), (), 0)
        except TooManyStatesError as error:
            return str(error)
    if found.broken:
        first = found.broken[0]
        return Caught(first.invariant, first.why, called(setup), _choices(first.path), found.states)
    if found.stuck and world.comes_home:
        return Caught("gets home", "nothing leads on", called(setup), _choices(found.stuck[0]), found.states)
    if found.cycles and world.comes_home:
        cycle = found.cycles[0]
        path = (*cycle.path, *cycle.loop)
        return Caught("gets home", "it may go on so for ever", called(setup), _choices(path), found.states)
    if SAFE in found.places and not world.can_be_safe:
        why, path = "gives up, SAFE, where it need not", found.places[SAFE].path
        return Caught("gets it done", why, called(setup), _choices(path), found.states)
    if found.lost and world.can_do:
        why = "from here the job can only fail"
        return Caught("gets it done", why, called(setup), _choices(found.lost[0]), found.states)
    return ""


def _choices(path: Sequence[tuple[str, ...]]) -> tuple[Choice, ...]:
    return tuple(Choice(*each) for each in path)
