"""What takes longer than one turn: begun by a command, gone on with by `tick`, held for a while after it failed.

It stands in the ledger. Whatever a turn does to it notes down how it is taken back, as its changes do not tell that.
"""

from collections import deque
from functools import partial

from simulator.cloud.jobs.doing import Doing, Work
from simulator.cloud.jobs.ledger import Ledger, WorkDue


def begin(ledger: Ledger, doing: Doing, work: Work, now: float) -> None:
    """Do what can be done at once, and leave the rest to `tick`."""
    if (left := work.go_on(ledger, doing, now, doing.at_once)) is not None:
        put(ledger, left)


def go_on(ledger: Ledger, doing: Doing, now: float, count: int) -> None:
    """Go on with what is under way: so many executions of one job, which then waits for the others."""
    work = ledger.under_way.popleft()
    ledger.undo.append(partial(ledger.under_way.appendleft, work))
    if (left := work.go_on(ledger, doing, now, count)) is not None:
        put(ledger, left)


def put(ledger: Ledger, work: Work) -> None:
    """Leave something to `tick`."""
    ledger.under_way.append(work)
    ledger.undo.append(ledger.under_way.pop)


def drop(ledger: Ledger, job_id: str) -> None:
    """What was under way for a job is not to be done any more."""
    ledger.undo.append(partial(setattr, ledger, "under_way", ledger.under_way))
    ledger.under_way = deque(work for work in ledger.under_way if not work.is_of(job_id))
    if (held := ledger.held.pop(job_id, None)) is not None:
        ledger.undo.append(partial(_hold_again, ledger, job_id, held))
        ledger.agenda.set(WorkDue(job_id), None)


def _hold_again(ledger: Ledger, whose: str, held: tuple[float, tuple[Work, ...]]) -> None:
    ledger.held[whose] = held
    ledger.agenda.set(WorkDue(whose), held[0])


def hold(ledger: Ledger, work: Work, until: float) -> None:
    """Have something that is under way wait until then, and with it what of the same waits already."""
    _, others = ledger.held.get(work.whose, (until, ()))
    ledger.held[work.whose] = (until, (*others, work))
    ledger.agenda.set(WorkDue(work.whose), until)
    ledger.under_way = deque(each for each in ledger.under_way if each is not work)


def release(ledger: Ledger, whose: str) -> None:
    """What waited is under way again."""
    held = ledger.held.pop(whose)
    ledger.undo.append(partial(_hold_again, ledger, whose, held))
    for work in held[1]:
        put(ledger, work)
