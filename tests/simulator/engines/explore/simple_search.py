"""The same search without a table, an array or a thought for speed: breadth first over whole states, one by one."""

from typing import NamedTuple

from simulator.engines.explore import plain
from simulator.engines.explore.plain import Hear, Step, steps
from simulator.engines.explore.searchable import UNFAIR, Path, Searchable, State, is_owed, is_violated


class Known(NamedTuple):
    """States in the order in which they were met, the first way to each, and what is `owed` in each (`is_owed`)."""

    paths: dict[State, Path]
    transitions: int
    broken: dict[tuple[str, ...], tuple[Path, int]]
    """By invariant and outcome; and by these and the kinds of trouble that had come by then."""
    cells: dict[tuple[str, str], tuple[int, Path]]
    owed: dict[State, list[Step]]


def searched(system: Searchable, hear: Hear | None = None) -> Known:
    """All of it; `hear` is what watchers are told of a move, if not what the search takes to matter."""
    known = Known({system.first(): ()}, 0, {}, {}, {})
    waiting, transitions = [system.first()], 0
    for state in waiting:
        found = steps(system, state, hear)
        transitions += len(found)
        known.owed[state] = [step for step in found if is_owed(step.kinds, step.actor)]
        for step in found:
            path = (*known.paths[state], step.choice)
            _note(system, known, state, step, path)
            if not is_violated(step.broken) and step.state not in known.paths:
                known.paths[step.state] = path
                waiting.append(step.state)
    return known._replace(transitions=transitions)


def _note(system: Searchable, known: Known, state: State, step: Step, path: Path) -> None:
    most, left = system.left(system.first().budgets), system.left(step.state.budgets)
    spent = sorted(kind for kind in most if left[kind] < most[kind])
    for broken in step.broken:
        for name in ((broken.invariant, broken.outcome), (broken.invariant, broken.outcome, "after", *spent)):
            first, count = known.broken.get(name, (path, 0))
            known.broken[name] = first, count + 1
    side = step.side or 0
    phase = system.phase(state.sides[side].device)
    for kind in dict.fromkeys(step.kinds):
        first, count = known.cells.get((phase, kind), (path, 0))
        known.cells[phase, kind] = first, count + 1


def stuck(system: Searchable, known: Known) -> set[State]:
    """From where nothing leads home by itself, nor to anything broken."""
    leads = {state for state in known.paths if plain.is_home(system, state) or _is_excused(known.owed[state])}
    while True:
        more = {
            state
            for state, found in known.owed.items()
            if state not in leads and any(step.state in leads for step in found)
        }
        if not more:
            return set(known.paths) - leads
        leads |= more


def fair_components(system: Searchable, known: Known, device: int) -> set[frozenset[State]]:
    """Where a device may stay away for ever, by the definition: for each state, what it reaches that reaches it."""
    away = {
        state: found
        for state, found in known.owed.items()
        if not is_home(system, state, device) and not _is_excused(found)
    }
    after = {state: {step.state for step in found} & away.keys() for state, found in away.items()}
    reach = {state: _reach(after, state) for state in away}
    components = {frozenset(other for other in reach[state] if state in reach[other]) for state in away}
    return {component for component in components if component and _is_fair(away, component)}


def is_home(system: Searchable, state: State, device: int) -> bool:
    """Whether one device is."""
    side = state.sides[device]
    return system.is_home(side.device, side.net, state.service)


def _is_excused(found: list[Step]) -> bool:
    return any(is_violated(step.broken) for step in found)


def _reach(after: dict[State, set[State]], state: State) -> set[State]:
    found, waiting = set(after[state]), list(after[state])
    while waiting:
        more = after[waiting.pop()] - found
        found |= more
        waiting += more
    return found


def _is_fair(away: dict[State, list[Step]], component: frozenset[State]) -> bool:
    able = [{step.treated_fairly for step in away[state]} - UNFAIR for state in component]
    stay = {step.treated_fairly for state in component for step in away[state] if step.state in component}
    return not set.intersection(*able) - stay
