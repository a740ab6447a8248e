"""Services that differ in nothing but names are one: what only counts up is renamed in its order.

All that counts up in a service, and what may be renamed of it:

    serial            orders executions as they were queued, and is told to nobody: 1, 2, 3 …
    times past        queuedAt, startedAt, lastUpdatedAt, createdAt, completedAt: only their order counts. They are told
                      in whole seconds, and queuedAt is part of what a device knows an execution by: whoever was told
                      renames them too. Those of this second stay, as what is queued now has the same; and so do those
                      within the time for which reads are stale, as it is looked at how old they are.
    execution number  an attempt's, from 1 on with each job: on the wire, and asked for by it. It stays.
    version           an execution's, from 1 on: on the wire, and compared (expectedVersion). It stays.
    failures          of work that fails again and again: counted up to ten.
    requests          of the account's quota: counted within a second, and not at all where there is none.

Times to come are no names: they say when. What orders jobs and what is due is not in the value at all. Stale reads and
requests whose time is over are left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from simulator.cloud.jobs.records import Job, JobExecution
from simulator.cloud.jobs.value import Service


def canonical(service: Service, now: float, seconds: Mapping[int, int] | None = None) -> Service:
    """The service with the names that it has in common with all that differ in them only.

    `seconds`: new names of seconds past, where others were told some; see `second_names`, which is without them.
    """
    service = _still_shown(service, now)
    names = second_names(service, now) if seconds is None else seconds
    instants = _instants(service, names)
    serials = {serial: number for number, serial in enumerate(sorted({e.serial for e in _executions(service)}), 1)}

    def named(at: float) -> float:
        return instants.get(at, at)

    def execution(was: JobExecution) -> JobExecution:
        return replace(
            was,
            key=replace(was.key, queued_at=names.get(was.key.queued_at, was.key.queued_at)),
            serial=serials[was.serial],
            last_updated_at=named(was.last_updated_at),
            queued_at=named(was.queued_at),
            started_at=None if was.started_at is None else named(was.started_at),
        )

    def job(was: Job) -> Job:
        return replace(
            was,
            created_at=named(was.created_at),
            last_updated_at=named(was.last_updated_at),
            completed_at=None if was.completed_at is None else named(was.completed_at),
        )

    def all_of(executions: tuple[JobExecution, ...]) -> tuple[JobExecution, ...]:
        return tuple(map(execution, executions))

    return service._replace(
        jobs=tuple(each._replace(job=job(each.job), earlier=tuple(map(all_of, each.earlier))) for each in service.jobs),
        queues=tuple(map(all_of, service.queues)),
        stale_reads=tuple((at, was._replace(executions=all_of(was.executions))) for at, was in service.stale_reads),
        rate=service.rate if service.rate[0] == int(now) else Service().rate,
        last_serial=len(serials),
    )


def second_names(service: Service, now: float, others: Iterable[int] = ()) -> dict[int, int]:
    """New names for the seconds past that a service knows, and those that `others` know: as late as they can be."""
    until = int(now - service.settings.stale_reads_seconds)
    past = sorted({*map(int, _times(_still_shown(service, now))), *others})
    past = past[: sum(second < until for second in past)]
    return {second: until - len(past) + number for number, second in enumerate(past)}


def _still_shown(service: Service, now: float) -> Service:
    """Without the stale reads whose time is over, whose names nobody knows any more."""
    return service._replace(stale_reads=tuple(each for each in service.stale_reads if now < each[1].until))


def _instants(service: Service, names: Mapping[int, int]) -> dict[float, float]:
    """New names of the instants within seconds that have new names: evenly, in their order."""
    within: dict[int, set[float]] = {}
    for at in _times(service):
        if int(at) in names:
            within.setdefault(int(at), set()).add(at)
    return {
        at: names[second] + number / len(instants)
        for second, instants in within.items()
        for number, at in enumerate(sorted(instants))
    }


def _executions(service: Service) -> Iterator[JobExecution]:
    for queue in service.queues:
        yield from queue
    for each in service.jobs:
        for executions in each.earlier:
            yield from executions
    for _, stale in service.stale_reads:
        yield from stale.executions


def _times(service: Service) -> Iterator[float]:
    """All that are past."""
    for job, _, _ in service.jobs:
        yield from (at for at in (job.created_at, job.last_updated_at, job.completed_at) if at is not None)
    for each in _executions(service):
        yield from (at for at in (each.queued_at, each.last_updated_at, each.started_at) if at is not None)
