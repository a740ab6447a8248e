"""A client of a thing as it is judged: now, when it is asked, or once and for later."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from simulator.verdict.findings import Invariant, Ruling, Subject
from simulator.verdict.invariants.probing import PROBED
from simulator.verdict.model import PlaceToReach
from simulator.verdict.places import reached
from simulator.verdict.samples import Samples
from simulator.verdict.watch import WHEREABOUTS, Monitors, Watch


class Judged(NamedTuple):
    """A client of a thing, with what watches it."""

    watch: Watch
    monitors: Monitors
    subject: Subject
    samples: Samples | None = None
    """What probes showed of it, if it gave no account and they did."""

    def ruling(self, invariant: Invariant) -> Ruling:
        """What an invariant says of it; nothing if it is not watched for that."""
        index = self.monitors.indexes.get(invariant.id)
        ruling = Ruling() if index is None else invariant.rule(self.watch.states[index], self.subject)
        if self.samples is None or invariant.id not in PROBED:
            return ruling
        return PROBED[invariant.id](self.samples, self.subject, ruling)

    def is_at(self, place: PlaceToReach) -> bool:
        """Whether it was at a place."""
        return reached(place, self.watch.states[self.monitors.indexes[WHEREABOUTS.id]], self.subject)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found of one when it was looked at."""

    subject: Subject
    _rulings: dict[str, Ruling]
    _there: frozenset[str]

    @classmethod
    def of(cls, judged: Judged, invariants: Iterable[Invariant], places: Iterable[PlaceToReach]) -> "Kept":
        """By these invariants, and whether it was at these places."""
        rulings = {each.id: judged.ruling(each) for each in invariants}
        return cls(judged.subject, rulings, frozenset(place.id for place in places if judged.is_at(place)))

    def ruling(self, invariant: Invariant) -> Ruling:
        """What an invariant said of it."""
        return self._rulings[invariant.id]

    def is_at(self, place: PlaceToReach) -> bool:
        """Whether it had been at a place."""
        return place.id in self._there
