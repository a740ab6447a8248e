"""Things that become a job's targets after its creation, and things that are targets no more.

A continuous job queues an execution for each thing that joins one of its groups, and again when it left them all and
comes back; when it leaves them all, what is pending becomes REMOVED (Developer Guide; observed:
aws-greengrass-lite#1127). The executions of a deleted thing become REMOVED too, whatever the job.

A thing may have a thousand jobs, and what is told of a change of its queue takes the longer the longer that is. So a
command tells the first few jobs, and `tick` the others; news that come meanwhile wait behind them.
"""

from dataclasses import replace
from itertools import chain
from typing import Final, Literal

from agent.values import Status
from simulator.cloud.jobs import endings, rollout
from simulator.cloud.jobs.backlog import TellJobs, WorkOwner, owner_of
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.ledger import BY_SERIAL, Ledger
from simulator.cloud.jobs.queue import changed
from simulator.cloud.jobs.quotas import check_targets
from simulator.cloud.jobs.records import Job, JobStatus, News, ThingNews
from simulator.cloud.jobs.rollout import place_ahead
from simulator.cloud.jobs.rollout_order import is_set, with_skip
from simulator.cloud.jobs.transaction import Transaction

AT_ONCE: Final = 5
"""So many jobs of one thing are told at once: a millisecond or so, if it has a thousand."""
MOST_NEWS: Final = 100
"""Changes of one thing of which its jobs are still to be told: what waits takes memory, and grows stale."""


def associate(
    tx: Transaction, job: Job, targets: tuple[str, ...], things: tuple[str, ...], comment: str | None
) -> None:
    """AssociateTargetsWithJob. Raises JobsError."""
    if not job.is_continuous or job.is_stopped or job.status is not JobStatus.IN_PROGRESS:
        raise JobsError("InvalidRequest", f"Job {job.job_id} is not a continuous job IN_PROGRESS.")
    new_targets = tuple(dict.fromkeys(target for target in targets if target not in job.targets))
    check_targets(len(job.targets) + len(new_targets), tx.ledger.settings)
    known = {*job.new.things, *job.more_things, *tx.ledger.of_job[job.job_id].things}
    new_things = tuple(dict.fromkeys(thing for thing in things if thing not in known))
    was_rolled_out = job.is_rolled_out
    more = replace(
        job,
        more_targets=job.more_targets + new_targets,
        more_things=job.more_things + new_things,
        comment=job.comment if comment is None else comment,
        last_updated_at=tx.now,
    )
    tx.put_job(more)
    if was_rolled_out and not more.is_rolled_out:
        rollout.advance(tx, more)


def moved(
    tx: Transaction, thing: str, what: Literal["joined", "left"], targets: tuple[str, ...], others: tuple[str, ...]
) -> None:
    """A thing joined `targets` or left them; it belongs to `others` besides, as it did before."""
    followers = tx.ledger.followers(targets)
    _tell(tx, thing, what, tuple(job.job_id for job in followers if not {*others} & {*job.targets}))


def _take(tx: Transaction, job: Job, thing: str) -> None:
    place = place_ahead(tx.ledger, job, thing)
    if place is not None and is_set(job.skipped_turns, place):
        tx.put_job(replace(job, skipped_turns=with_skip(job.skipped_turns, place, to=False)))
    elif job.status is JobStatus.SCHEDULED:
        if place is None:
            tx.put_job(replace(job, more_things=(*job.more_things, thing)))
    else:
        latest = tx.ledger.queues.get(thing, {}).get(job.job_id)
        if latest is None or latest.status.is_terminal:
            number = 1 if latest is None else latest.key.execution_number + 1
            tx.queue_execution(job, thing, number)


def deleted(tx: Transaction, thing: str) -> None:
    """A thing is deleted."""
    if tx.ledger.settings.deleted_thing == "removed":
        pending = sorted(tx.ledger.pending.get(thing, ()), key=BY_SERIAL)  # what has ended stays as it is
        # Those that are still to learn that it came would queue an execution then, which nobody would ever remove.
        to_learn = chain.from_iterable(each.job_ids for each in tx.ledger.news.get(thing, ()))
        job_ids = tuple(
            dict.fromkeys(
                (*(each.key.job_id for each in pending), *(job.job_id for job in tx.ledger.rolling_out()), *to_learn)
            )
        )
        _tell(tx, thing, "left", job_ids)


def check_news(ledger: Ledger, thing: str) -> None:
    """Before something changes of which a thing's jobs are to be told. Raises JobsError."""
    if len(ledger.news.get(thing, ())) >= MOST_NEWS:
        message = f"The jobs of thing {thing} are still to learn of its last {MOST_NEWS} changes; try again."
        raise JobsError("Throttling", message)


def _tell(tx: Transaction, thing: str, what: Literal["joined", "left"], job_ids: tuple[str, ...]) -> None:
    if not job_ids:
        return
    before = tx.ledger.news.get(thing, ())
    if before:
        tx.put_news(thing, (*before, News(what, job_ids)))
        return
    for job_id in job_ids[:AT_ONCE]:
        _tell_one(tx, job_id, thing, what)
    if later := job_ids[AT_ONCE:]:
        tx.put_news(thing, (News(what, later),))
        if owner_of(TellJobs()) not in tx.ledger.works.under_way:
            tx.put(TellJobs())


def _tell_one(tx: Transaction, job_id: str, thing: str, what: Literal["joined", "left"]) -> None:
    job = tx.ledger.jobs.get(job_id)
    if job is None:
        return  # its record was lost, and the file went on without it: what goes by a command goes with its news
    if what == "left":
        _drop(tx, job, thing)
    elif job.is_followed:
        _take(tx, job, thing)


def next_told(ledger: Ledger) -> str | None:
    """The thing whose jobs are the next to learn of it; None if there is none, or all are held."""
    held = ledger.works.held
    if not held:
        return next(iter(ledger.news), None)
    return next((thing for thing in ledger.news if WorkOwner(None, thing) not in held), None)


def tell_next(tx: Transaction, work: TellJobs, count: int) -> TellJobs | None:
    """Tell so many more jobs of the next thing, which then waits for the others. What is left; None: nothing."""
    ledger, thing = tx.ledger, next_told(tx.ledger)
    while thing is not None and count > 0 and (news := ledger.news.get(thing)):
        first = news[0]
        for job_id in first.job_ids[:count]:
            _tell_one(tx, job_id, thing, first.what)
        left = first.job_ids[count:]
        count -= len(first.job_ids)
        tx.put_news(thing, ((replace(first, job_ids=left),) if left else ()) + news[1:])
    if thing in ledger.news:
        ledger.news[thing] = ledger.news.pop(thing)
    is_left = len(ledger.news) > len(ledger.works.held) or next_told(ledger) is not None
    return work if is_left else None


def put_last(ledger: Ledger, thing: str) -> None:
    """A job that cannot be told waits behind those that can; what it is told, it is told in order."""
    news = ledger.news.get(thing)
    if news is None:
        return
    job_id = news[0].job_ids[0]
    others = (replace(each, job_ids=tuple(i for i in each.job_ids if i != job_id)) for each in news)
    own = (replace(each, job_ids=(job_id,)) for each in news if job_id in each.job_ids)
    ledger.set_news(ThingNews(thing, (*(each for each in others if each.job_ids), *own)))


def _drop(tx: Transaction, job: Job, thing: str) -> None:
    latest = tx.ledger.queues.get(thing, {}).get(job.job_id)
    if latest is not None:
        if not latest.status.is_terminal and job.job_id not in tx.ledger.deleting:
            endings.change(tx, changed(latest, Status.REMOVED, None, tx.now), "service")
    elif (place := place_ahead(tx.ledger, job, thing)) is not None and not is_set(job.skipped_turns, place):
        tx.put_job(replace(job, skipped_turns=with_skip(job.skipped_turns, place, to=True)))
