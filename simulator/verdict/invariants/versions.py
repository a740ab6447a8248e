"""One probe's versions, held against what the cloud tells of the jobs that bring them.

A probe has words of its own for versions: only those that some job of the run brings, as `run.started` has them, are
compared. What it says may come late, and time in which the sampler's process did not run is added to every bound.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from agent.values import ExecutionKey
from simulator.verdict.clocks import SAME_CLOCK
from simulator.verdict.findings import Subject
from simulator.verdict.heard import job_of
from simulator.verdict.lives import Life
from simulator.verdict.samples import Reported, Samples, Stretch
from simulator.verdict.seen import Mark


class Account(NamedTuple):
    """One probe's versions, held against what the cloud tells; `brought` are the versions that any job of it brings."""

    samples: Samples
    subject: Subject
    probe: str
    stretches: tuple[Stretch, ...]
    brought: frozenset[str]

    def brings(self, key: ExecutionKey) -> tuple[str, ...]:
        """The versions that an execution may have brought."""
        return self.subject.limits.versions.get(key.job_id, ())

    def meant(self, key: ExecutionKey) -> tuple[str, ...]:
        """The same of an execution whose job's id was used again, where it is the last: what that alone brings."""
        brings = self.brings(key)
        lives = [life for life in self.subject.record.lives.values() if job_of(life.key) == job_of(key)]
        is_last = len(lives) == len(brings) and lives[-1].key == key and not self.subject.is_shared(key)
        return brings[-1:] if is_last else brings

    @property
    def successes(self) -> list[tuple[ExecutionKey, Reported, Mark]]:
        """Those that the service took, of jobs whose version is known, in their order."""
        reports = self.samples.reports.items()
        found = [(key, each, each.succeeded) for key, each in reports if each.succeeded is not None]
        return sorted((each for each in found if self.brings(each[0])), key=lambda each: each[2].n)

    @property
    def first(self) -> str | None:
        """What it ran when it was first seen alive."""
        return next((each.runs for each in self.stretches if each.runs is not None), None)

    @property
    def last(self) -> Stretch | None:
        """What it ran when it was last seen alive; None if it was dead since, or could not be sampled."""
        return self.stretches[-1] if self.stretches[-1].runs is not None else None

    def knows(self, version: str | None) -> bool:
        """Whether a job brings it, or it ran at first: of other words nobody knows what they stand for."""
        return version in self.brought or version == self.first

    def began(self, key: ExecutionKey, success: Mark) -> int:
        """When an execution that succeeded was taken; if the device did not say, when it succeeded."""
        lives = self.subject.record.lives.values()
        return max((life.began.at for life in lives if life.key == key and life.began is not None), default=success.at)

    def stands_until(self, key: ExecutionKey, success: Mark) -> float:
        """Until when what runs after a success must be what that brought.

        Another execution may bring something else from when it was taken, or could have been, if the device does not
        say when it takes one. One whose record is removed may be taken back: its report may not have been answered. And
        a report may have been under way when its job's id was used again.
        """
        ends = [float("inf")]
        for life in self.subject.record.lives.values():
            if life.key == key:
                if life.earlier:
                    ends.append(success.at)
                elif life.removed is not None and life.removed.n > success.n:
                    ends.append(life.removed.at)
            elif life.ended is None or life.ended.n > success.n:
                taken = life.began or life.queued or success
                ends.append(max(taken.at, success.at))
        return min(ends)

    def after(self, since: int, allowed: int, until: float) -> list[Stretch]:
        """What it was seen to run between `allowed` after an instant and `until`; only certain instants count."""
        found = []
        for each in self.stretches:
            is_first = each.at < until and self._is_past(since, each.began, allowed)
            is_last = each.over < until and self._is_past(since, each.until, allowed)
            if each.runs is not None and (is_first or is_last):
                found.append(each)
        return found

    def stays(self, stretch: Stretch, allowed: int) -> bool:
        """Whether it was seen to run for longer than that."""
        return self._is_past(stretch.at, stretch.until, allowed)

    def _is_past(self, since: int, at: int, allowed: int) -> bool:
        return at - since - lost(self.subject, since, at) > allowed

    def noted(self, version: str, key: ExecutionKey, after: Mark) -> bool:
        """Whether a later report of the service's, or the device's giving up that execution, names a version."""
        return any(
            report.names(version) and report.last.n > after.n and (other != key or report.gave_up is not None)
            for other, report in self.samples.reports.items()
        )


def accounts_of(samples: Samples, subject: Subject) -> list[Account]:
    """Of the probes that have told a version that some job brings: others may have words of their own."""
    brought = frozenset(version for versions in subject.limits.versions.values() for version in versions)
    told = samples.stretches.items()
    found = [Account(samples, subject, probe, each, brought) for probe, each in told]
    return [each for each in found if any(stretch.runs in brought for stretch in each.stretches)]


def lost(subject: Subject, since: float, until: float) -> float:
    """How many microseconds of a span the processes of the run, the sampler's first of all, did not run."""
    return subject.course.lag.between(SAME_CLOCK, since, until).whole


def turned_to(account: Account, life: Life) -> Iterator[tuple[Stretch, Stretch]]:
    """Each time that it came to run what a lost execution would have brought, with what it ran before.

    Nobody else may have brought it: no other execution of such a job was queued since, or is not over, and it was not
    there before.
    """
    brings, record = account.brings(life.key), account.subject.record
    others = [
        each for each in record.lives.values() if each is not life and set(account.brings(each.key)) & set(brings)
    ]
    is_alone = all(each.ended and life.queued and each.ended.n < life.queued.n for each in others)
    if not brings or not is_alone or record.next_life > len(record.lives) or life.began is None:
        return
    runs = [each for each in account.stretches if each.runs is not None]
    if any(each.runs in brings and each.began < life.began.at for each in runs):
        return  # it had run it before, and may have gone back to that
    for before, after in pairwise(runs):
        if before.runs not in brings and after.runs in brings:
            yield before, after
