"""Deletions that are due once all of our own devices are at a place, to which some never get.

Others are held there for that, and would be until the time limit; and nobody would know whose doing it was.
"""

from collections.abc import Mapping

from simulator.engines.casting import Casting
from simulator.engines.cues import Cue
from simulator.engines.players import Foreign, OwnFleet
from simulator.engines.standing_still import named


class Stragglers:
    """`groups` has who is good or bad, if that is shown."""

    def __init__(self, casting: Casting, players: OwnFleet | Foreign, groups: Mapping[str, str]) -> None:
        self._casting = casting
        self._players = players
        self._groups = groups

    def are_certain(self, cue: Cue) -> bool:
        """Whether a device will certainly not get there any more."""
        return self._blamed(cue) is not None

    def waits_for(self, cue: Cue) -> bool:
        """Whether it may be waited for in vain, or was: it comes when all are at a place, and some are not."""
        when = cue.what.when
        is_of_all = when.devices == "all" and when.after_seconds is None and when.fault is None
        return cue.in_vain is not None or (is_of_all and not cue.is_done and bool(self._late(cue)))

    def why(self, cue: Cue) -> str:
        """Who did not come, of the good ones or of the bad, so that nobody waits for it any more."""
        thing, how = self._blamed(cue) or (next(iter(self._late(cue)), "nobody"), "let its job wait")
        part = self._groups.get(thing)
        who = thing if part is None else f"{thing}, one of the {part} ones,"
        held = f", while {named(cue.held)} was held there" if cue.held else ""
        return f"{who} {how}, and did not get there{held}"

    def _blamed(self, cue: Cue) -> tuple[str, str] | None:
        """The first thing that will not get there, and why."""
        return cue.trigger.blamed() or self._out_of_order(cue)

    def _out_of_order(self, cue: Cue) -> tuple[str, str] | None:
        if not isinstance(self._players, OwnFleet) or cue.trigger.when.devices == "any" or not self._players.are_begun:
            return None
        if not (out := self._players.out_of_order()):  # nearly always, and this is asked all the time
            return None
        return next(((thing, out[thing]) for thing in self._late(cue) if thing in out), None)

    def _late(self, cue: Cue) -> list[str]:
        """The things that are not there yet."""
        return [thing for thing in self._casting.targets_of(cue.what.job) if not cue.trigger.has(thing)]
