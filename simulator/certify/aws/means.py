"""By what means cells are played on an account, and what is judged there: by records, one scenario after the other.

Two invariants are judged, by the service's records and the device's connection: `ready-in-time` and `no-lost-job`, both
of which ask whether it takes what waits for it. All others need its requests, its own account, or an order of events
that two looks do not tell apart: a device whose job is gone may have reported its end just before.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from simulator.certify.aws.afar import LearnedFromAfar, learn_from_afar
from simulator.certify.aws.desk import AccountDesk
from simulator.certify.aws.reach import out_of_reach, reached, seconds_there
from simulator.certify.cell import ESTIMATE, Cell, Need
from simulator.certify.held_to_schedule import HeldToSchedule
from simulator.certify.learning import Learned
from simulator.certify.matrix import not_applicable
from simulator.certify.names import Names
from simulator.certify.probes import Sampling
from simulator.certify.turns import Turns
from simulator.certify.venue import DeskVenue
from simulator.certify.wiretap import Wiretap
from simulator.engines.venue import Venue
from simulator.scenario import Scenario
from simulator.trace import Entry
from simulator.verdict import INVARIANTS

JUDGED: Final = ("ready-in-time", "no-lost-job")
UNJUDGED: Final = "needs the device's requests, which only the local cloud shows"
UNSEEN: Final = (
    "the beginning of the device's connection was not seen, so it may have been off line; start it once the session "
    "has begun, and see that who runs this may connect and subscribe to $aws/events/presence/"
)


class OnAnAccount:
    """See `simulator.certify.means.Means`."""

    skip: Final = frozenset(each.id for each in INVARIANTS if each.id not in JUDGED)
    sees_requests: Final = False

    def __init__(self, desk: AccountDesk, wiretap: Wiretap, sampling: Sampling | None) -> None:
        self.desk = desk
        self.wiretap = wiretap
        self.sampling = sampling
        self._look_seconds = desk.look_seconds

    def venue(self, scenario: Scenario, conducting: HeldToSchedule | None) -> Venue:
        """See Means."""
        return DeskVenue(self.desk, self.wiretap, self.sampling)

    def conducting(self, turns: Turns, scenario: Scenario, usual_seconds: float) -> HeldToSchedule:
        """See Means."""
        raise AssertionError("packets cannot be held there, as `why_not` says")

    def learn(self, entries: Iterable[Entry], thing: str, job_id: str) -> LearnedFromAfar:
        """See Means."""
        return learn_from_afar(entries, thing, job_id, self._look_seconds)

    def why_not(self, cell: Cell, learned: Learned, abilities: frozenset[Need]) -> str | None:
        """See Means. What a cell needs of the wire is beside the point for one that is played without."""
        beyond = out_of_reach(cell, learned, Names(ESTIMATE))
        return beyond or not_applicable(cell, learned, abilities)

    def scenario(self, cell: Cell, learned: Learned, names: Names) -> Scenario:
        """See Means."""
        return reached(cell.scenario(learned, names), learned, self.seconds(cell, learned))

    def seconds(self, cell: Cell, learned: Learned) -> float:
        """See Means."""
        return seconds_there(cell, learned, self._look_seconds)

    def not_seen(self, learned: Learned | None, seen: Mapping[str, str]) -> dict[str, str]:
        """See Means."""
        why = dict.fromkeys(self.skip, UNJUDGED)
        if not self.desk.presence.was_seen:
            why |= dict.fromkeys(JUDGED, UNSEEN)
        return {each.id: why[each.id] for each in INVARIANTS if each.id in why}
