"""Things that become a job's targets after its creation, and things that are targets no more.

A continuous job queues an execution for each thing that joins one of its groups, and again when it left them all and
comes back; when it leaves them all, what is pending becomes REMOVED (Developer Guide; observed:
aws-greengrass-lite#1127). The executions of a deleted thing become REMOVED too, whatever the job.

A thing may have a thousand jobs, and what is told of a change of its queue takes the longer the longer that is. So a
command tells the first few jobs, and `tick` the others; news that come meanwhile wait behind them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, Literal, Self

from agent.values import Status
from simulator.cloud.jobs import places, rollout, under_way
from simulator.cloud.jobs.doing import OF_THING, Doing, Work
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.places import is_set
from simulator.cloud.jobs.queue import changed
from simulator.cloud.jobs.quotas import check_targets
from simulator.cloud.jobs.records import Job, JobStatus, News
from simulator.cloud.jobs.rollout import place_ahead

AT_ONCE: Final = 5
"""So many jobs of one thing are told at once: a millisecond or so, if it has a thousand."""
MOST_NEWS: Final = 100
"""Changes of one thing of which its jobs are still to be told: what waits takes memory, and grows stale."""


def associate(
    ledger: Ledger,
    doing: Doing,
    job: Job,
    targets: tuple[str, ...],
    things: tuple[str, ...],
    comment: str | None,
    now: float,
) -> None:
    """AssociateTargetsWithJob. Raises JobsError."""
    if not job.is_continuous or job.is_stopped or job.status is not JobStatus.IN_PROGRESS:
        raise JobsError("InvalidRequest", f"Job {job.job_id} is not a continuous job IN_PROGRESS.")
    new_targets = tuple(dict.fromkeys(target for target in targets if target not in job.targets))
    check_targets(len(job.targets) + len(new_targets), ledger.settings)
    known = {*job.new.things, *job.more_things, *ledger.things_of[job.job_id]}
    new_things = tuple(dict.fromkeys(thing for thing in things if thing not in known))
    was_rolled_out = job.is_rolled_out
    more = replace(
        job,
        more_targets=job.more_targets + new_targets,
        more_things=job.more_things + new_things,
        comment=job.comment if comment is None else comment,
        last_updated_at=now,
    )
    ledger.put_job(doing, more)
    if was_rolled_out and not more.is_rolled_out:
        rollout.go_on(ledger, doing, more, now)


def joined(ledger: Ledger, doing: Doing, thing: str, targets: Iterable[str], others: Iterable[str], now: float) -> None:
    """A thing now belongs to `targets`; it belongs to `others` besides, as it did before."""
    _tell(ledger, doing, thing, "joined", _concerned(ledger, targets, others), now)


def _take(ledger: Ledger, doing: Doing, job: Job, thing: str, now: float) -> None:
    place = place_ahead(ledger, job, thing)
    if place is not None and is_set(job.skipped_turns, place):
        ledger.put_job(doing, replace(job, skipped_turns=places.changed(job.skipped_turns, place, to=False)))
    elif job.status is JobStatus.SCHEDULED:
        if place is None:
            ledger.put_job(doing, replace(job, more_things=(*job.more_things, thing)))
    else:
        latest = ledger.queues.get(thing, {}).get(job.job_id)
        if latest is None or latest.status.is_terminal:
            number = 1 if latest is None else latest.key.execution_number + 1
            ledger.queue_execution(doing, job, thing, number, now)


def left(ledger: Ledger, doing: Doing, thing: str, targets: Iterable[str], others: Iterable[str], now: float) -> None:
    """A thing no longer belongs to `targets`; it still belongs to `others`."""
    _tell(ledger, doing, thing, "left", _concerned(ledger, targets, others), now)


def _concerned(ledger: Ledger, targets: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """The jobs that follow one of `targets` and are for none of `others`."""
    others = frozenset(others)
    return tuple(job.job_id for job in ledger.followers(targets) if others.isdisjoint(job.targets))


def deleted(ledger: Ledger, doing: Doing, thing: str, now: float) -> None:
    """A thing is deleted."""
    if ledger.settings.deleted_thing == "removed":
        waiting = [job for job in ledger.jobs.values() if rollout.is_rolling_out(job)]
        of_thing: Sequence[str] = tuple(ledger.queues.get(thing, ()))
        # Those that are still to learn that it came would queue an execution then, which nobody would ever remove.
        to_learn = chain.from_iterable(each.job_ids for each in ledger.news.get(thing, ()))
        job_ids = tuple(dict.fromkeys((*of_thing, *(job.job_id for job in waiting), *to_learn)))
        _tell(ledger, doing, thing, "left", job_ids, now)


def check_news(ledger: Ledger, thing: str) -> None:
    """Before something changes of which a thing's jobs are to be told. Raises JobsError."""
    if len(ledger.news.get(thing, ())) >= MOST_NEWS:
        message = f"The jobs of thing {thing} are still to learn of its last {MOST_NEWS} changes; try again."
        raise JobsError("Throttling", message)


def _tell(
    ledger: Ledger, doing: Doing, thing: str, what: Literal["joined", "left"], job_ids: tuple[str, ...], now: float
) -> None:
    if not job_ids:
        return
    before = ledger.news.get(thing, ())
    if before:
        ledger.put_news(doing, thing, (*before, News(what, job_ids)))
        return
    for job_id in job_ids[:AT_ONCE]:
        _tell_one(ledger, doing, job_id, thing, what, now)
    if later := job_ids[AT_ONCE:]:
        ledger.put_news(doing, thing, (News(what, later),))
        under_way.put(ledger, TellJobs.of(thing))


def _tell_one(
    ledger: Ledger, doing: Doing, job_id: str, thing: str, what: Literal["joined", "left"], now: float
) -> None:
    job = ledger.jobs.get(job_id)
    if job is None:
        return  # its record was lost, and the file went on without it: what goes by a command goes with its news
    if what == "left":
        _drop(ledger, doing, job, thing, now)
    elif job.is_followed:
        _take(ledger, doing, job, thing, now)


@dataclass(frozen=True, slots=True)
class TellJobs(Work):
    """A thing's jobs learn the news, one after the other."""

    @classmethod
    def of(cls, thing: str) -> Self:
        """Whose news it is."""
        return cls(f"{OF_THING}{thing}")

    @property
    def thing(self) -> str:
        """Its name."""
        return self.whose.removeprefix(OF_THING)

    def put_last(self, ledger: Ledger) -> None:
        """A job that cannot be told waits behind those that can; what it is told, it is told in order."""
        news = ledger.news.get(self.thing)
        if news is None:
            return
        job_id = news[0].job_ids[0]
        others = (replace(each, job_ids=tuple(i for i in each.job_ids if i != job_id)) for each in news)
        own = (replace(each, job_ids=(job_id,)) for each in news if job_id in each.job_ids)
        ledger.set_news(self.thing, (*(each for each in others if each.job_ids), *own))

    def go_on(self, ledger: Ledger, doing: Doing, now: float, count: int) -> Self | None:
        """Tell so many more jobs."""
        while count > 0 and (news := ledger.news.get(self.thing)):
            first = news[0]
            for job_id in first.job_ids[:count]:
                _tell_one(ledger, doing, job_id, self.thing, first.what, now)
            left = first.job_ids[count:]
            count -= len(first.job_ids)
            ledger.put_news(doing, self.thing, ((replace(first, job_ids=left),) if left else ()) + news[1:])
        return self if self.thing in ledger.news else None


def _drop(ledger: Ledger, doing: Doing, job: Job, thing: str, now: float) -> None:
    latest = ledger.queues.get(thing, {}).get(job.job_id)
    if latest is not None:
        if not latest.status.is_terminal and job.job_id not in ledger.deleting:
            ledger.change(doing, changed(latest, Status.REMOVED, None, now), "service", now)
    elif (place := place_ahead(ledger, job, thing)) is not None and not is_set(job.skipped_turns, place):
        ledger.put_job(doing, replace(job, skipped_turns=places.changed(job.skipped_turns, place, to=True)))
