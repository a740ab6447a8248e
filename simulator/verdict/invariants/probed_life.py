"""Whether a device that gives no account is dead, or does not boot, by what its probes say.

A correct device may be dead while it boots, boots an image on trial, and is sent back by a watchdog. So only one counts
that is dead for longer than it may be silent, with its power on, and is not seen again, by the probe or by the cloud.
Time in which the sampler's process did not run is added to the bound.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from simulator.verdict.clocks import SAME_CLOCK
from simulator.verdict.findings import Ruling, Subject, undecided, violated
from simulator.verdict.samples import Samples, Stretch
from simulator.verdict.seen import Mark


class Death(NamedTuple):
    """A device that was dead when it was last sampled, since when, and whether that is too long."""

    probe: str
    stretch: Stretch
    since: float
    is_too_long: bool
    restored: Mark | None
    """When its power came back, of which it has not."""

    @property
    def in_words(self) -> str:
        """With what the probe said last."""
        why = f" ({self.stretch.why})" if self.stretch.why else ""
        return f"dead to {self.probe}{why}, for {(self.stretch.until - self.since) / 1_000_000:.1f} s at the end"


def _deaths(samples: Samples, subject: Subject) -> Iterator[Death]:
    allowed = max(subject.limits.silence, subject.limits.ready)
    power = samples.has_power_since()
    if power is None:
        return
    for probe, stretches in samples.stretches.items():
        last = stretches[-1]
        if last.alive is not False or not any(each.alive for each in stretches):
            continue  # or a probe that does not work: it has never seen it alive
        on = power.at if isinstance(power, Mark) else power
        since = max(last.at, on, subject.record.heard_at or float("-inf"))
        lost = subject.course.lag.between(SAME_CLOCK, since, last.until).whole
        restored = power if isinstance(power, Mark) else None
        yield Death(probe, last, since, last.until - since - lost > allowed, restored)


def _comebacks(samples: Samples) -> int:
    """How often the device was dead, and seen alive afterwards."""
    times = 0
    for stretches in samples.stretches.values():
        said = [each.alive for each in stretches if each.alive is not None]
        times += sum(1 for before, after in pairwise(said) if not before and after)
    return times


def rule_alive(samples: Samples, subject: Subject, ruling: Ruling) -> Ruling:
    """Dead, by the word of a probe, for longer than it may be silent, with its power on, and never seen again.

    What the cloud still heard of it counts as a sign of life. A process of ours that ended by itself, and not in good
    order, needs no probe.
    """
    is_known = any(each.outcome == "violated" for each in ruling.findings)
    if samples.crashes and not is_known:
        job = _last_job(subject, samples.crashes[0].at)
        return ruling.but(violated(job, f"crashed: {samples.why}", *samples.crashes))
    for death in _deaths(samples, subject):
        if death.is_too_long and not is_known:
            message = f"is {death.in_words}, and has not come back"
            return ruling.but(violated(None, message, death.stretch.first, death.stretch.last))
    return ruling


def rule_bootable(samples: Samples, subject: Subject, ruling: Ruling) -> Ruling:
    """The same, although its power was cut and came back: nothing whole is there to boot from.

    Without a power cycle a device that stays dead may have crashed, or be unable to boot: undecided. An opportunity is
    each time that it was dead, and came back or should have.
    """
    ruling = Ruling(ruling.held + _comebacks(samples), ruling.findings)
    for death in _deaths(samples, subject):
        marks = (death.stretch.first, death.stretch.last)
        if not death.is_too_long:
            continue
        if death.restored is not None:
            message = f"is {death.in_words}, although its power is on: it does not boot"
            return ruling.but(violated(_last_job(subject), message, death.restored, *marks))
        why = "whether it has anything to boot from, only cutting its power and restoring it would show"
        return ruling.but(undecided(_last_job(subject), f"is {death.in_words}: {why}", *marks))
    return ruling


def _last_job(subject: Subject, until: float = float("inf")) -> str | None:
    """The job that it had begun last by then, in microseconds."""
    begun = [life for life in subject.record.lives.values() if life.began is not None and life.began.at <= until]
    return begun[-1].key.job_id if begun else None
