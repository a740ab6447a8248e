"""A way to a violation, made short: first by leaving out what it does not need, then by searching for the shortest.

Leaving out is delta debugging (A. Zeller and R. Hildebrandt, 2002) over choices: halves, quarters, … and single ones
are tried, and what can no longer be played without them is passed over. What remains is a local minimum: without any
one of its choices, and with any of its troubles a little earlier, nothing breaks any more on fewer choices. It shows
which troubles are needed at all; with just these, a search tells the shortest way of all, if it can be done in time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from simulator.engines.explore.exploration import DEAD_END
from simulator.engines.explore.plain import Step, is_home, steps
from simulator.engines.explore.search import explore
from simulator.engines.explore.searchable import Choice, Kind, Path, Searchable, State, is_owed, is_violated

REMEMBERED: Final = 20_000
"""States of which the steps are remembered from one try to the next."""


class Shrunk(NamedTuple):
    """`path` still breaks the invariant with its last choice, at a cost of `bounds`.

    `is_shortest`: no other way at this cost has fewer choices, as a search has shown. `tries`: so many ways were tried.
    """

    path: Path
    bounds: Mapping[Kind, int]
    is_shortest: bool
    tries: int


class NotReproducedError(Exception):
    """The path breaks nothing of the kind."""


def shrink(
    system: Searchable,
    path: Path,
    invariant: str,
    *,
    seconds: float = 60.0,
    mebibytes: float = 2048.0,
    jobs: int = 1,
) -> Shrunk:
    """Make a path of `system` short. `seconds`, `mebibytes` and `jobs` are for the search at its end.

    `invariant` may be DEAD_END. Raises NotReproducedError if the path does not break it.
    """
    player = Player(system, invariant)
    played = player.play(path)
    if played is None:
        raise NotReproducedError(f"{invariant}: that path of {len(path)} choices does not break it")
    played = _without(player, played)
    while (shorter := _with_trouble_earlier(player, played)) is not None:
        played = _without(player, shorter)
    local, bounds = tuple(step.choice for step in played), _cost(played)
    shortest = _searched(system.bounded(bounds), invariant, seconds, mebibytes, jobs)
    if shortest is None or len(shortest) > len(local):
        return Shrunk(local, bounds, False, player.tries)
    return Shrunk(shortest, _cost(player.play(shortest) or played), True, player.tries)


class Player:
    """Plays choices from the first state on, and looks for one thing to break."""

    def __init__(self, system: Searchable, invariant: str) -> None:
        self._system, self._invariant = system, invariant
        self._known: dict[State, dict[Choice, Step]] = {}
        self.tries = 0

    def play(self, choices: Sequence[Choice]) -> list[Step] | None:
        """The steps that could be taken, up to that which breaks it; None if none does."""
        self.tries += 1
        state, taken = self._system.first(), list[Step]()
        for choice in choices:
            step = self._steps(state).get(choice)
            if step is None or (is_violated(step.broken) and not self._breaks(step)):
                continue
            taken.append(step)
            if self._breaks(step):
                return taken
            state = step.state
        return None

    def _breaks(self, step: Step) -> bool:
        if self._invariant != DEAD_END:
            return any(each.invariant == self._invariant and each.outcome == "violated" for each in step.broken)
        if is_violated(step.broken) or is_home(self._system, step.state):
            return False
        return not any(is_owed(after.kinds, after.actor) for after in self._steps(step.state).values())

    def _steps(self, state: State) -> dict[Choice, Step]:
        known = self._known.get(state)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[state] = {step.choice: step for step in steps(self._system, state)}
        return known


def _without(player: Player, played: list[Step]) -> list[Step]:
    """Without pieces of it, as long as any is not needed; in the end without single choices."""
    size = len(played) // 2
    while size:
        at, shorter = 0, False
        while at < len(played) - 1:
            tried = player.play([step.choice for step in (*played[:at], *played[at + size :])])
            if tried is not None and len(tried) < len(played):
                played, shorter = tried, True
            else:
                at += size
        size = min(size, len(played) // 2) if shorter and size == 1 else size // 2
    return played


def _with_trouble_earlier(player: Player, played: list[Step]) -> list[Step] | None:
    """Shorter, because a trouble came sooner; None if that helps nowhere."""
    for at, step in enumerate(played):
        for before in range(at - 1, -1, -1) if step.kinds else ():
            others = [each.choice for each in played[before:] if each is not step]
            tried = player.play([*(each.choice for each in played[:before]), step.choice, *others])
            if tried is not None and len(tried) < len(played):
                return tried
    return None


def _cost(played: list[Step]) -> dict[Kind, int]:
    return dict(sorted(Counter(kind for step in played for kind in step.kinds).items()))


def _searched(system: Searchable, invariant: str, seconds: float, mebibytes: float, jobs: int) -> Path | None:
    """The shortest way to break it; None if it was not found in time."""
    found = explore(system, seconds=seconds, mebibytes=mebibytes, jobs=jobs, stop_at_first=invariant)
    if invariant == DEAD_END:
        return found.dead_end
    return next((each.path for each in found.broken if each.invariant == invariant), None)
