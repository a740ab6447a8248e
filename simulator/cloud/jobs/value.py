"""The whole service as a value: frozen, hashable, comparable, and it can be pickled. Nothing that is done to a live one
made of it, or to the one that it was taken from, touches it.

It holds what is needed to go on, and that once: what can be counted or looked up is not in it. What lags, what is under
way, what is held after a failure, what is due, and how much of the account's quota is spent, is.

A ledger is made of it with each step, so that there is one way of deciding. That is for services of a few records.
"""

from typing import NamedTuple

from simulator.cloud.jobs.agenda import Agenda
from simulator.cloud.jobs.backlog import NOTHING_TO_DO, Backlog, Works
from simulator.cloud.jobs.events import EventKind
from simulator.cloud.jobs.ledger import Due, Ledger, OfJob
from simulator.cloud.jobs.queue import in_order_of_service
from simulator.cloud.jobs.quotas import Rate
from simulator.cloud.jobs.records import Job, JobExecution, News
from simulator.cloud.jobs.settings import JobsSettings
from simulator.cloud.jobs.stale_reads import StaleRead


class JobAndThings(NamedTuple):
    """A job; every thing that has or had an execution of it, in the order in which they got it; and for each that has
    more than one, the earlier ones.
    """

    job: Job
    things: tuple[str, ...] = ()
    earlier: tuple[tuple[JobExecution, ...], ...] = ()


class Service(NamedTuple):
    """Everything that a service knows; see `Ledger` for what each of it is. What it was made with comes first.

    Jobs are in the order of their creation, and so are each thing's latest executions; things are in that of names.
    """

    settings: JobsSettings = JobsSettings()
    event_kinds: frozenset[EventKind] = frozenset()
    jobs: tuple[JobAndThings, ...] = ()
    queues: tuple[tuple[JobExecution, ...], ...] = ()
    news: tuple[tuple[str, tuple[News, ...]], ...] = ()
    agenda: tuple[tuple[float, Due], ...] = ()
    backlog: Backlog = NOTHING_TO_DO
    stale_reads: tuple[tuple[str, StaleRead], ...] = ()
    rate: tuple[int, tuple[int, int]] = (0, (0, 0))
    last_serial: int = 0


def value_of(ledger: Ledger) -> Service:
    """What a ledger knows."""
    of_job, queues = ledger.of_job, ledger.queues
    return Service(
        ledger.settings,
        ledger.event_kinds,
        tuple(_job_and_things(job, of_job[job_id]) for job_id, job in ledger.jobs.items()),
        tuple(tuple(queues[thing].values()) for thing in sorted(queues)),
        tuple(ledger.news.items()),
        ledger.agenda.value(),
        ledger.works.value(),
        tuple(sorted(ledger.stale_reads.items())),
        ledger.rate.value(),
        ledger.last_serial,
    )


def _job_and_things(job: Job, found: OfJob) -> JobAndThings:
    earlier = found.earlier
    return JobAndThings(job, tuple(found.things), tuple(earlier[thing] for thing in sorted(earlier)) if earlier else ())


def ledger_of(service: Service) -> Ledger:
    """A ledger that goes on from there."""
    ledger = Ledger(service.settings)
    ledger.event_kinds = service.event_kinds
    for known in service.jobs:
        _add_job(ledger, known)
    of_job = ledger.of_job
    for queue in service.queues:
        ledger.queues[queue[0].thing] = by_job = {}
        for execution in queue:
            by_job[job_id := execution.key.job_id] = execution
            of_job[job_id].counts[execution.status] += 1
        if pending := in_order_of_service(queue):
            ledger.pending[queue[0].thing] = pending
    ledger.news = dict(service.news)
    ledger.agenda = Agenda(service.agenda)
    if service.backlog is not NOTHING_TO_DO:
        ledger.works = Works(service.backlog)
    ledger.stale_reads = dict(service.stale_reads)
    ledger.rate = Rate(*service.rate)
    ledger.last_serial = service.last_serial
    return ledger


def _add_job(ledger: Ledger, known: JobAndThings) -> None:
    of_job = ledger.of_job[ledger.put_job(None, known.job)]
    of_job.things += known.things
    of_job.gone = dict.fromkeys(known.things)
    for executions in known.earlier:
        of_job.earlier[executions[0].thing] = executions
        for execution in executions:
            of_job.counts[execution.status] += 1
