"""Whether a run passed, failed, or could not show what it was to show; and why, in one sentence.

A run fails by what a device did, and by nothing else. A place that was not reached, an invariant that is undecided, a
run that was cut short say nothing against any device: they are inconclusive, and worth another try.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from simulator.trace import RunEnded
from simulator.verdict.model import Doubt, InvariantVerdict, PlaceToReach, Reached, RunOutcome, Violation
from simulator.verdict.seen import Seen
from simulator.verdict.stalls import Lag

WORTH_TELLING_SECONDS: Final = 0.1
"""So long a stall may make a device miss a moment that a scenario wants."""


class Arrivals(NamedTuple):
    """Who got to a place; `missing` is the first that did not, with the entry that shows where it was instead."""

    place: PlaceToReach
    reached: Reached
    missing: str | None
    shown_by: str | None

    @property
    def are_enough(self) -> bool:
        """Whether as many got there as had to."""
        return self.reached.devices == self.reached.of if self.place.devices == "all" else self.reached.devices > 0


class Recovered(NamedTuple):
    """How many devices had to recover, and how many of them did, each time."""

    had_to: int
    did: int


def concluded(
    invariants: Sequence[InvariantVerdict],
    arrivals: Sequence[Arrivals],
    ended: Seen[RunEnded] | None,
    devices: int,
    recovery: Recovered,
    lag: Lag,
) -> tuple[RunOutcome, str]:
    """The outcome of a run of so many `devices`, and why."""
    if (why := _violated(invariants)) is not None:
        return "failed", why
    why = _cut_short(ended) or _missed(ended) or _not_reached(arrivals, lag) or _undecided(invariants)
    if why is not None:
        return "inconclusive", why
    what = "no invariant was violated" + (" and every place was reached" if arrivals else "")
    return "passed", f"{what}; {_recovered(devices, *recovery)}"


def _recovered(devices: int, had_to: int, did: int) -> str:
    """How many did, of those that had to: who lost nothing, or had no next job to be ready for, did not fail to."""
    if not had_to:
        return "no device had to recover"
    if did < had_to:
        who = f"{did} of {_count(had_to, 'device')} that had to recover did"
    else:
        who = "the device that had to recover did" if did == 1 else f"all {did} devices that had to recover did"
    return f"{who}; {devices - had_to} did not have to" if had_to < devices else who


def _violated(invariants: Sequence[InvariantVerdict]) -> str | None:
    violations = [(invariant.id, violation) for invariant in invariants for violation in invariant.violations]
    if not violations:
        return None
    name, first = violations[0]
    return (
        f"{name} was violated by {_of(first.thing, first.job)}: {first.message}"
        f"{_see(first.events)}{_more_devices(violations)}"
    )


def _cut_short(ended: Seen[RunEnded] | None) -> str | None:
    if ended is None:
        return "the run has not ended, or its trace is cut off"
    if ended.event.why == "finished":
        return None
    if ended.event.why == "interrupted":
        return f"the run was interrupted{_see((ended.mark.id,))}"
    waited_for = f"while it waited for {ended.event.waited_for}" if ended.event.waited_for else "before it was over"
    return f"the run met its time limit {waited_for}{_see((ended.mark.id,))}"


def _missed(ended: Seen[RunEnded] | None) -> str | None:
    """What the run never came to do."""
    if ended is None or not ended.event.missed:
        return None
    first, *others = ended.event.missed
    return first + (f"; and {len(others)} more" if others else "")


def _not_reached(arrivals: Sequence[Arrivals], lag: Lag) -> str | None:
    short = [each for each in arrivals if not each.are_enough]
    if not short:
        return None
    first = short[0]
    reached, of = first.reached.devices, first.reached.of
    who = "the first that did not is" if reached else "the first of them is"
    missing = f"; {who} {_of(first.missing, first.place.job)}{_see((first.shown_by,))}" if first.missing else ""
    return f"'{first.reached.id}' was reached by {reached} of {_count(of, 'device')}{missing}{_more(short)}{_busy(lag)}"


def _busy(lag: Lag) -> str:
    """What may have been too much for the moment that a place needs."""
    cloud, devices = lag.cloud.longest / 1_000_000, lag.devices.longest / 1_000_000
    if max(cloud, devices) < WORTH_TELLING_SECONDS:
        return ""
    return (
        f"; the cloud's process did not run for up to {cloud:.3f} s at a time, the devices' for up to {devices:.3f} s"
    )


def _undecided(invariants: Sequence[InvariantVerdict]) -> str | None:
    doubts = [(invariant.id, doubt) for invariant in invariants for doubt in invariant.doubts]
    if doubts:
        name, first = doubts[0]
        return (
            f"{name} is undecided of {_of(first.thing, first.job)}: {first.message}"
            f"{_see(first.events)}{_more_devices(doubts)}"
        )
    return None


def _of(thing: str | None, job: str | None) -> str:
    return f"{thing} on job {job}" if job else f"{thing}"


def _see(events: Sequence[str | None]) -> str:
    """The first entry that shows it."""
    first = next((event for event in events if event), None)
    return f"; see {first}" if first else ""


def _more(found: Sequence[object]) -> str:
    return f"; and {len(found) - 1} more" if len(found) > 1 else ""


def _more_devices(found: Sequence[tuple[str, Violation | Doubt]]) -> str:
    """With those that they stand for."""
    count = sum(each.stands_for for _, each in found)
    return f"; and {count - 1} more" if count > 1 else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
