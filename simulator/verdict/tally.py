"""What a verdict is made of, of the devices that one judge saw: what several saw of a fleet adds up to one verdict.

Counts add, and how often it took how many seconds adds, so percentiles are those of all. The most requests of any one
second are looked for in the times of all of them. What ended the run, if it was not its end, is what ended any part.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from simulator.trace import RunEnded, RunStarted
from simulator.verdict.model import InvariantVerdict, Reached, Verdict, percentiles
from simulator.verdict.outcome import Arrivals, Recovered, concluded
from simulator.verdict.peak import Peak, TimedPeak, together
from simulator.verdict.seen import Seen
from simulator.verdict.stalls import Lag

SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one judge. `took` is how often a device needed so many seconds to be ready again."""

    started: Seen[RunStarted]
    ended: Seen[RunEnded] | None
    lag: Lag
    devices: int
    invariants: tuple[InvariantVerdict, ...]
    arrivals: tuple[Arrivals, ...]
    recovered: Recovered
    took: dict[float, int]
    rate: Peak

    @property
    def verdict(self) -> Verdict:
        """What it comes to."""
        started, ended = self.started.event, self.ended
        outcome, why = concluded(self.invariants, self.arrivals, ended, self.devices, self.recovered, self.lag)
        return Verdict(
            outcome=outcome,
            why=why,
            passed=outcome == "passed",
            scenario=started.scenario,
            engine=started.engine,
            seed=started.seed,
            version=started.version,
            started_at=started.started_at,
            seconds=None if ended is None else (ended.mark.at - self.started.mark.at) / SECOND,
            devices=self.devices,
            recovered=self.recovered.did,
            invariants=self.invariants,
            reached=tuple(arrived.reached for arrived in self.arrivals),
            recovery_seconds=percentiles(self.took),
            requests_per_second_peak=self.rate.peak,
        )


def in_all(tallies: Sequence[Tally]) -> Tally:
    """Of all parts of one fleet, of which the first tells when it began."""
    first, *others = tallies
    if not others:
        return first
    return replace(
        first,
        ended=_ended([tally.ended for tally in tallies]),
        devices=sum(tally.devices for tally in tallies),
        invariants=tuple(map(_invariant, zip(*(tally.invariants for tally in tallies), strict=True))),
        arrivals=tuple(map(_arrivals, zip(*(tally.arrivals for tally in tallies), strict=True))),
        recovered=Recovered(
            sum(tally.recovered.had_to for tally in tallies), sum(tally.recovered.did for tally in tallies)
        ),
        took=_took(tallies),
        rate=together(tally.rate for tally in tallies if isinstance(tally.rate, TimedPeak)),
    )


def _ended(ends: Sequence[Seen[RunEnded] | None]) -> Seen[RunEnded] | None:
    """As the first did, unless another ended before it was over."""
    told = [ended for ended in ends if ended is not None]
    if len(told) < len(ends):
        return None
    early = next((ended.event for ended in told if ended.event.why != "finished"), told[0].event)
    missed = tuple(dict.fromkeys(chain.from_iterable(ended.event.missed for ended in told)))
    return told[0]._replace(event=replace(early, missed=missed))


def _invariant(parts: Sequence[InvariantVerdict]) -> InvariantVerdict:
    opportunities = sum(part.opportunities for part in parts)
    violations = tuple(chain.from_iterable(part.violations for part in parts))
    doubts = tuple(chain.from_iterable(part.doubts for part in parts))
    return InvariantVerdict.of(parts[0].id, opportunities, violations, doubts)


def _arrivals(parts: Sequence[Arrivals]) -> Arrivals:
    devices, of = sum(part.reached.devices for part in parts), sum(part.reached.of for part in parts)
    away = next((part for part in parts if part.missing is not None), parts[0])
    return away._replace(reached=Reached(id=away.reached.id, devices=devices, of=of))


def _took(tallies: Iterable[Tally]) -> dict[float, int]:
    took: dict[float, int] = {}
    for tally in tallies:
        for seconds, often in tally.took.items():
            took[seconds] = took.get(seconds, 0) + often
    return took
