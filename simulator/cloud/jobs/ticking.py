"""What is due, and what goes on: one turn after the other, so much at a time as the caller says.

A turn that fails is undone (see `turns`), and told with the outcome. It stops nobody: the turns of other jobs go on,
and its own is tried again after a pause, which doubles with every time that it fails.
"""

from typing import Final

from agent.values import Status
from simulator.cloud.jobs import deletion, rollout, scheduling, under_way
from simulator.cloud.jobs.changes import Outcome, TurnFailed
from simulator.cloud.jobs.doing import OF_THING, Doing, Work
from simulator.cloud.jobs.ledger import Due, ExecutionDue, JobDue, Ledger, WorkDue
from simulator.cloud.jobs.queue import changed
from simulator.cloud.jobs.records import JobStatus
from simulator.cloud.jobs.turns import Turn

PIECE: Final = 16
"""So many executions of one job before another job under way has its turn."""
PAUSE_SECONDS: Final = 1.0
"""How long a job waits after its first turn that failed: what is wrong may pass, and a spin costs everybody."""
LONGEST_PAUSE_SECONDS: Final = 300.0
"""The pause grows no longer, so that a job goes on minutes after what was wrong has passed."""


def tick(ledger: Ledger, now: float, at_most: int | None) -> Outcome:
    """Do what is due by `now`, and go on with what is under way: so many executions at most, None for all."""
    doing, left, failures = Doing(at_once=0), at_most, list[TurnFailed]()
    while left is None or left > 0:
        item, done = ledger.agenda.take_due(now), 1
        if item is None and not ledger.under_way:
            break
        turn = item or ledger.under_way[0]
        whose = turn.whose if isinstance(turn, Work | WorkDue) else turn.job_id  # calls nothing: it is in no turn yet
        try:
            with Turn(ledger, doing):
                if not isinstance(turn, Work):
                    _do(ledger, doing, turn, now)
                else:
                    done = 1 if whose in ledger.failed else PIECE if left is None else min(PIECE, left)
                    under_way.go_on(ledger, doing, now, done)
        except Exception as error:  # whatever it is: the turns of others go on
            failures.append(_put_off(ledger, whose, turn, now, error))
        else:
            if ledger.failed:
                ledger.failed.pop(whose, None)
        left = None if left is None else left - done
    return doing.outcome()._replace(failures=tuple(failures)) if failures else doing.outcome()


def _put_off(ledger: Ledger, whose: str, what: Due | Work, now: float, error: Exception) -> TurnFailed:
    """Have it tried again, later each time."""
    times = ledger.failed[whose] = ledger.failed.get(whose, 0) + 1
    pause = min(PAUSE_SECONDS * 2.0 ** min(times - 1, 30), LONGEST_PAUSE_SECONDS)
    if isinstance(what, Work):
        if times > 1:  # of what is under way, the first alone was tried
            what.put_last(ledger)
        under_way.hold(ledger, what, now + pause)
    else:
        ledger.agenda.set(what, now + pause)
    if whose.startswith(OF_THING):
        return TurnFailed(None, whose.removeprefix(OF_THING), error, pause)
    return TurnFailed(whose, what.thing if isinstance(what, ExecutionDue) else None, error, pause)


def next_due(ledger: Ledger) -> float | None:
    """When `tick` has something to do, 0 if at once; None if nothing waits."""
    return 0.0 if ledger.under_way else ledger.agenda.next_due()


def _do(ledger: Ledger, doing: Doing, item: Due, now: float) -> None:
    match item:
        case ExecutionDue():
            execution = ledger.queues[item.thing][item.job_id]
            if item.job_id not in ledger.deleting:
                ledger.change(doing, changed(execution, Status.TIMED_OUT, None, now), "service", now)
        case WorkDue():
            under_way.release(ledger, item.whose)
        case JobDue():
            _do_job(ledger, doing, item.job_id, now)


def _do_job(ledger: Ledger, doing: Doing, job_id: str, now: float) -> None:
    job = ledger.jobs[job_id]
    schedule = job.new.schedule
    if job.status is JobStatus.DELETION_IN_PROGRESS:
        if job.removal_due is not None:
            deletion.remove_records(ledger, doing, job, now)
        else:
            deletion.end(ledger, doing, job, now)
    elif schedule is not None and schedule.end_at is not None and schedule.end_at <= now:
        scheduling.end(ledger, doing, job, now)
    elif job.status is JobStatus.SCHEDULED:
        scheduling.start(ledger, doing, job, now)
    else:
        rollout.go_on(ledger, doing, job, now)
