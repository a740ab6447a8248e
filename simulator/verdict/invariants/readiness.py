"""Whether the device takes what waits for it, judged on the cloud's clock alone."""

from typing import Final

from simulator.verdict.attendance import Recovery, Span, Spurned, Waits
from simulator.verdict.charging import Charge, Charged, charged
from simulator.verdict.findings import Finding, Ruling, Subject, undecided, violated
from simulator.verdict.heard import job_of


def rule(_state: None, subject: Subject) -> Ruling:
    """Not IN_PROGRESS on a next execution within the bound, after the record of one in progress was removed.

    Counted from the latest of: the removal, the connection, the moment when a next execution is queued (a device
    cannot be ready for a job that is not there), and the end of any other that is in progress. If no next one ever
    waited for the device, there was no opportunity; if the run ended before the bound, it is undecided. One that
    reports FAILED what it has not begun is not ready for it, either; REJECTED speaks of the document. Of a device that
    is not ours, each removal of what it had begun is an opportunity, if it began something else after that.

    The wire shows all of this. It needs no monitor but the queue's: see `simulator.verdict.attendance`.
    """
    present = subject.record.present
    doubts: list[Finding] = []
    if present.forgotten:
        why = "whether it was ready for the next is not remembered: too many were removed under it"
        doubts.append(undecided(None, why))
    if present.queue.is_overfull and (present.in_time or present.recoveries):
        doubts.append(undecided(None, "so much was pending that what it was to do next is not remembered"))
    found = [each for recovery in present.recoveries for each in _recovered(recovery, subject)]
    return subject.by_occasions(Ruling(present.in_time).but(*found, *doubts), subject.record.overcome)


def _recovered(recovery: Recovery, subject: Subject) -> tuple[Finding | None, ...]:
    """None of nothing to be said; one finding otherwise."""
    allowed, limits = subject.limits.bounds, subject.limits
    seconds = allowed.ready_seconds + allowed.uninterruptible_seconds
    removed, job = recovery.removed, recovery.job
    if recovery.spurned is not None and _is_meant(recovery.spurned, subject):
        message = "reported FAILED the next execution, on which it never was IN_PROGRESS"
        return (violated(job, message, removed, recovery.spurned.mark),)
    since, until, (charge, lost) = worst(recovery.waits, limits.ready, subject)
    waited, is_waiting = (until - since) / 1_000_000, recovery.waits.since is not None
    if charge == "too-long":
        return (_not_ready(recovery, waited, seconds),)
    if charge == "undecided":
        why = f"was not ready for {waited:.3f} s, allowed are {seconds:g} s, but {lost}"
        return (undecided(job, why, removed, recovery.next, recovery.resumed),)
    if is_waiting:
        why = f"the run ended {waited:.3f} s after it could begin the next, allowed are {seconds:g} s"
        return (undecided(job, why, removed, recovery.next),)
    return (None,) if recovery.resumed is not None else ()


CHARGES: Final[tuple[Charge, ...]] = ("within", "undecided", "too-long")
"""From what is no fault to what is one."""


def worst(waits: Waits, allowed: int, subject: Subject) -> tuple[float, float, Charged]:
    """The wait that speaks most against the device, those that last included."""
    spans: tuple[Span, ...] = waits.spans
    if waits.since is not None:
        spans = (*spans, (waits.since, subject.course.cloud_end))
    judged = [(since, until, charged(subject, since, until, allowed)) for since, until in spans]
    nothing = (0.0, 0.0, Charged("within"))
    return max(judged, key=lambda wait: (CHARGES.index(wait[2].charge), wait[1] - wait[0]), default=nothing)


def _is_meant(spurned: Spurned, subject: Subject) -> bool:
    """Whether the device's report was surely for this execution, and not for an earlier one of the same job."""
    key, lives = spurned.execution, subject.record.lives.values()
    if subject.is_wire and sum(job_of(life.key) == job_of(key) for life in lives) > 1:
        return False
    return not subject.is_shared(key) and subject.testimony.heard(key).failed


def _not_ready(recovery: Recovery, waited: float, allowed: float) -> Finding:
    fate = "was IN_PROGRESS" if recovery.resumed is not None else "was not IN_PROGRESS"
    when = f"only after {waited:.3f} s" if recovery.resumed is not None else f"after {allowed:g} s"
    message = f"{fate} on the next execution {when}, allowed are {allowed:g} s from when it could be"
    return violated(recovery.job, message, recovery.removed, recovery.next, recovery.resumed)
