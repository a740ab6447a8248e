"""Whether a device is to be charged with a span that is longer than its bound allows.

    the span, less what the devices' process lost   within the bound: so long it cannot have taken the device, whose
                                                    agent's timers stand still while that process does not run
    less what the cloud's process lost, too         still too long: its own fault, however busy the machine was
    otherwise                                       its own account decides: had it used up its bound by itself?

By itself a device spends what is neither waiting for an answer nor for the first word of what has happened. If that is
within the bound, it has done its part, and whatever took so long was not its doing. If not, or if it gives no account,
then nobody knows how it would have done if the cloud had run: undecided.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from simulator.verdict.findings import Subject
from simulator.verdict.stalls import Lost

Charge: TypeAlias = Literal["within", "too-long", "undecided"]


class Charged(NamedTuple):
    """What to think of a span, and what the processes lost of it."""

    charge: Charge
    lost: Lost | None = None


def charged(subject: Subject, since: float, until: float, allowed: int) -> Charged:
    """What to think of a span on the cloud's clock, in microseconds, that may be as long as `allowed`."""
    span = until - since
    if span <= allowed:
        return Charged("within")
    lost = subject.course.lag.between(subject.offset, since, until)
    if not subject.is_wire and span - lost.devices <= allowed:
        return Charged("within", lost)
    if span - lost.whole > allowed:
        return Charged("too-long", lost)
    own = _own_time(subject, since, until)
    return Charged("within" if own is not None and own <= allowed else "undecided", lost)


def _own_time(subject: Subject, since: float, until: float) -> float | None:
    """What a device spent by itself of a span on the cloud's clock; None if its account does not tell (any more)."""
    testimony, devices = subject.testimony, subject.course.lag.devices
    start, end = since - subject.offset.highest, until - subject.offset.lowest
    heard = next((at for _, at in testimony.times if at >= start), None)
    if heard is None or heard > end or testimony.times_since >= start:
        return None
    own, at = 0.0, float(heard)
    for sent, to in (*_waits_for_answers(subject), (end, end)):
        until = min(sent, end)
        own += max(until - at - devices.lost(at, until), 0)
        at = max(at, min(to, end))
    return own


def _waits_for_answers(subject: Subject) -> Iterator[tuple[float, float]]:
    """From when to when the device waited for answers that came, one span after the other."""
    since = until = float("-inf")
    waits = sorted((sent, at) for sent, at in subject.testimony.times if sent is not None)
    for sent, answered in waits:
        if sent > until:
            yield since, until
            since = sent
        until = max(until, answered)
    yield since, until
