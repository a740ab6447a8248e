"""How a device asks, and what it may believe of the answers.

One question is open at a time. It is put again after a time-out or a passing refusal, later each time and with jitter;
only the first answer to its newest attempt counts. What differs between the designs is what they hear and which
question they put when (`Manners`); what an answer means is the same for all:

- A describe that names this very execution (namespace, job id, number, queue time), IN_PROGRESS, finds it alive.
- ResourceNotFound says that it is gone, and a younger execution of the same job id that it was replaced.
- Reads may lag behind. One that shows what was before our own writes, or an older execution, is no news: a write says
  how it stands, since `expectedVersion` is compared with what is there now.
- VersionMismatch says that we are out of step, and nothing else: a describe says whether it is still ours.
- A terminal state that we did not report ended it without us. If it is the one that we reported, our report was
  accepted and its answer lost.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.account import ENDED_BY_SERVICE, answer_received
from agent.core.events import (
    Answered,
    Booted,
    Connected,
    Disconnected,
    Effect,
    Event,
    Hinted,
    Publish,
    SetTimer,
    TimerFired,
)
from agent.core.record import Record, Work
from agent.documents import plan_of
from agent.plan import Plan, Unusable
from agent.values import (
    NEXT,
    Answer,
    Describe,
    ErrorCode,
    Execution,
    ExecutionKey,
    ExecutionState,
    ExecutionTold,
    Hint,
    Rejected,
    Request,
    StartNext,
    Status,
    StatusDetails,
    Update,
    UpdateAccepted,
)
from simulator.devices.models.designs import hands
from simulator.devices.models.designs.state import Asked, Device, Task, Turn


@dataclass(frozen=True, slots=True)
class Manners:
    """What makes a design: `hear` is what a notification changes, `proceed` which question comes next, or which step.

    `poll_seconds` is how often it looks for work by itself. `is_told_the_status`: whether a refused update says which
    status it met; if not, only a describe can tell, and what ended may have ended by our own report.
    """

    hear: Callable[[Turn, Hint], None]
    proceed: Callable[[Turn], None]
    poll_seconds: float
    is_told_the_status: bool = True


def live(manners: Manners, device: Device, event: Event) -> tuple[Device, tuple[Effect, ...]]:
    """One event in; the device afterwards, and what the shell is to do."""
    turn = Turn(device)
    known = device.record()
    match event:
        case Booted():
            known = event.record or Record()
            hands.wake(turn, event)
        case Connected():
            _connected(turn)
        case Disconnected():
            turn.set(connected=False, asked=None, claim=None)
            turn.no_timer("request", "retry")
        case Hinted(hint=hint) if hint.namespace_id == device.policy.namespace_id:
            manners.hear(turn, hint)
        case Answered(answer=answer):
            _answered(turn, manners, answer)
        case TimerFired(name="request"):
            _ask_later(turn)
        case TimerFired(name="retry"):
            _send(turn)
        case TimerFired(name="poll" | "ask-again"):
            turn.set(due=True)
        case _:
            hands.on_hardware(turn, event)
    hands.pursue(turn)
    if not turn.device.safe:
        manners.proceed(turn)
    return turn.result(known)


def _connected(turn: Turn) -> None:
    """What was asked may not have arrived, and much may have happened since."""
    working = turn.device.task is not None and turn.device.task.aim == "on"
    turn.set(connected=True, asked=None, claim=None, due=True, promised=True, misses=0, told=0, percent_told=0)
    turn.know("connected", fresh=False, suspect=working)
    turn.no_timer("request", "retry")


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────


def ask(turn: Turn, question: Request, about: ExecutionKey | None, after: float = 0.0, spread: float = 0.0) -> None:
    """Put a question, now or after a while; with `spread`, at a random moment within it."""
    turn.set(asked=Asked(question, about))
    if after or spread:
        turn.do(SetTimer("retry", after, spread or after * turn.policy.retry_spread))
    else:
        _send(turn)


def _send(turn: Turn) -> None:
    asked, device = turn.device.asked, turn.device
    if asked is None or not device.connected:
        return
    turn.set(asked=replace(asked, sent=True, outdated=False))
    turn.do(Publish(asked.question, asked.about, asked.attempt))
    turn.timer("request", device.policy.request_timeout)


def _ask_later(turn: Turn) -> None:
    """No usable answer came: again, after a longer wait than the last."""
    asked = turn.device.asked
    if asked is not None:
        turn.set(asked=replace(asked, attempt=asked.attempt + 1, sent=False))
        turn.no_timer("request")
        turn.timer("retry", _backoff(turn, asked.attempt), jitter=True)


def _backoff(turn: Turn, times: int) -> float:
    policy = turn.policy
    return min(policy.retry_first * policy.retry_growth ** (times - 1), policy.retry_ceiling) if times else 0.0


def outdate(turn: Turn) -> None:
    """Something happened: what is being asked now was asked too early to prove anything, and what waits need not."""
    asked = turn.device.asked
    if asked is not None and asked.sent:
        turn.set(asked=replace(asked, outdated=True))
    elif asked is not None:
        turn.set(asked=None, due=True, told=0, percent_told=0)
        turn.no_timer("retry")
    turn.know(fresh=False)


# ── the questions ─────────────────────────────────────────────────────────────────────────────────────────────


def ask_for_work(turn: Turn, *, by_start_next: bool = False) -> None:
    """Ask for the head of the queue, if it is time to; start-next takes it in the same breath."""
    device = turn.device
    if device.claim is not None:
        ask(turn, _touch(device.claim.key, device.claim.version_number), device.claim.key)
    elif device.due:
        turn.set(due=False)
        turn.no_timer("poll", "ask-again")
        ns = device.policy.namespace_id
        question: Request = Describe(NEXT, namespace_id=ns)
        if by_start_next:
            question = StartNext(status_details=_details(turn), namespace_id=ns)
        ask(turn, question, None, spread=device.policy.hint_spread)


def ask_about_it(turn: Turn) -> None:
    """Ask whether the execution in hand is still there, and still the one that we know."""
    key = turn.task.work.key
    question = Describe(key.job_id, namespace_id=key.namespace_id, include_document=not turn.task.work.begun)
    ask(turn, question, key, after=_backoff(turn, turn.device.known.doubts))


def probe(turn: Turn) -> None:
    """Ask by a write, which sees what is there now."""
    work = turn.task.work
    ask(turn, _touch(work.key, work.version_number), work.key)


def report_step(turn: Turn) -> None:
    """Report the last finished step."""
    work = turn.task.work
    turn.set(told=work.done)
    details = {"step": work.plan.steps[work.done - 1].name, "progress": "100"}
    ask(turn, _update(turn, work, Status.IN_PROGRESS, **details), work.key)


def report_progress(turn: Turn) -> None:
    """Report how far the running step is, if that is wanted and news."""
    device, work = turn.device, turn.task.work
    step = work.next_step
    if device.policy.reports != "progress" or device.percent == device.percent_told or step is None:
        return
    if device.known.refuted or device.known.probing:
        return  # not before we know where we stand
    turn.set(percent_told=device.percent)
    details = {"step": step.name, "progress": str(device.percent)}
    ask(turn, _update(turn, work, Status.IN_PROGRESS, **details), work.key)


def report_end(turn: Turn) -> None:
    """Report how it ended; who does not know the version, or that it is still ours, asks first."""
    task, known = turn.task, turn.device.known
    if (known.refuted or not task.work.version_number) and not known.probing:
        ask_about_it(turn)
        return
    why = "; ".join(part for part in (task.reason, task.broken) if part)
    details = {"reason": why[:1024]} if why else {"version": task.work.plan.version}
    ask(turn, _update(turn, task.work, task.status, **details), task.work.key)


def _touch(key: ExecutionKey, expected_version: int) -> Update:
    """To IN_PROGRESS, with nothing to say: what its statusDetails say stays as it is."""
    return Update(
        key.job_id,
        Status.IN_PROGRESS,
        namespace_id=key.namespace_id,
        expected_version=expected_version,
        execution_number=key.execution_number,
        include_state=True,
    )


def _update(turn: Turn, work: Work, status: Status, **details: str) -> Update:
    touched = _touch(work.key, work.version_number)
    return replace(touched, status=status, status_details=_details(turn, **details))


def _details(turn: Turn, **details: str) -> StatusDetails | None:
    """With the version that is still to be accounted for."""
    return tuple(sorted((key, text) for key, text in {**details, "kept": turn.device.kept}.items() if text)) or None


# ── the answers ───────────────────────────────────────────────────────────────────────────────────────────────


def _answered(turn: Turn, manners: Manners, answer: Answer) -> None:
    asked = turn.device.asked
    if asked is None or not asked.sent:
        return
    turn.tell_learned(answer_received(answer))
    if isinstance(answer, Rejected) and not answer.code.is_permanent:
        _ask_later(turn)
        return
    turn.set(asked=None)
    turn.no_timer("request", "retry")
    match asked.question:
        case Update() if turn.device.claim is not None:
            _read_claim(turn, manners, turn.device.claim, answer)
        case Update() if turn.device.task is not None:
            _read_update(turn, manners, asked, answer)
        case Describe(job_id=job_id) if turn.device.task is not None and job_id != NEXT:
            _read_description(turn, manners, asked, answer)
        case _ if turn.device.task is None:
            _read_head(turn, manners, asked, answer)
        case _:
            pass


def _read_head(turn: Turn, manners: Manners, asked: Asked, answer: Answer) -> None:
    """What there is to do."""
    head = answer.execution if isinstance(answer, ExecutionTold) else None
    if head is None:
        _nothing_to_do(turn, manners)
        return
    plan = plan_of(head.document, turn.policy.abilities)
    if isinstance(plan, Unusable):
        task = Task(_work(head, Plan("", ())), "over", status=Status.REJECTED, reason=plan.reason)
        hands.take(turn, task, "of no use to us")
    elif isinstance(asked.question, StartNext):
        hands.take(turn, _task(turn, head, plan, head.version_number), "started", fresh=not asked.outdated)
    else:
        turn.set("claiming", claim=head)


def _nothing_to_do(turn: Turn, manners: Manners) -> None:
    """Look again soon if there should be something: reads lag, and so do subscriptions. Otherwise from time to time."""
    device = turn.device
    if device.promised and device.misses + 1 < device.policy.confirmations:
        turn.set(misses=device.misses + 1)
        turn.timer("ask-again", _backoff(turn, turn.device.misses), jitter=True)
    else:
        turn.set(misses=0, promised=False)
        turn.timer("poll", manners.poll_seconds, jitter=True)


def _read_claim(turn: Turn, manners: Manners, claim: Execution, answer: Answer) -> None:
    """Whether the head is ours now; which incarnation said so, only a describe will tell."""
    if isinstance(answer, UpdateAccepted):
        plan = plan_of(claim.document, turn.policy.abilities)
        assert isinstance(plan, Plan), "nothing else is claimed"
        version = answer.state.version_number if answer.state is not None else claim.version_number + 1
        hands.take(turn, _task(turn, claim, plan, version), "claimed")
    else:
        turn.set("not to be had", claim=None, promised=True)
        _nothing_to_do(turn, manners)


def _task(turn: Turn, execution: Execution, plan: Plan, version_number: int) -> Task:
    """What is to be done: nothing, if we had begun this once and lost our memory of it after it was done."""
    is_done = execution.status is Status.IN_PROGRESS and plan.version and plan.version == turn.device.running
    work = replace(_work(execution, plan), version_number=version_number)
    return Task(work, "over" if is_done else "on")


def _work(execution: Execution, plan: Plan) -> Work:
    digest = execution.document.digest if execution.document is not None else ""
    return Work(execution.key, plan, digest, execution.version_number)


def _read_description(turn: Turn, manners: Manners, asked: Asked, answer: Answer) -> None:
    """Whether the execution in hand is still there."""
    match answer:
        case ExecutionTold(execution=told) if told is not None:
            _found(turn, asked, told)
        case Rejected(code=ErrorCode.RESOURCE_NOT_FOUND):
            hands.give_way(turn, "gone")
        case Rejected(code=ErrorCode.TERMINAL_STATE_REACHED) if manners.is_told_the_status:
            turn.know("it ended; how?", probing=True)
        case Rejected(code=ErrorCode.TERMINAL_STATE_REACHED) if turn.task.aim == "over":
            hands.reported(turn, surely=False)
        case Rejected(code=ErrorCode.TERMINAL_STATE_REACHED):
            hands.give_way(turn, "cancelled")
        case _:
            turn.know(doubts=turn.device.known.doubts + 1)


def _found(turn: Turn, asked: Asked, told: Execution) -> None:
    work, known = turn.task.work, turn.device.known
    is_ours = told.key == work.key
    has_other_document = told.document is not None and told.document.digest != work.digest
    least = work.version_number + 1 if known.refuted else work.version_number
    if is_ours and told.status is Status.IN_PROGRESS and not has_other_document and told.version_number >= least:
        turn.aim("", work=replace(work, version_number=told.version_number))
        turn.know("still there", fresh=not asked.outdated, suspect=False, refuted=False, probing=False, doubts=0)
    elif not is_ours and _age(told.key) > _age(work.key):
        hands.give_way(turn, "replaced")
    elif is_ours and known.refuted and told.status is Status.QUEUED:
        # The write did not find ours either, so this read does not lag: it was queued within the same second.
        hands.give_way(turn, "replaced")
    elif is_ours and has_other_document and known.doubts and not known.refuted:
        # The write was accepted, so this read does not lag either: what accepted it, and our claim, is another one.
        hands.give_way(turn, "replaced")
    else:
        turn.know("unclear", probing=not known.refuted, doubts=known.doubts + 1)


def _age(key: ExecutionKey) -> tuple[int, int]:
    return key.queued_at, key.execution_number


def _read_update(turn: Turn, manners: Manners, asked: Asked, answer: Answer) -> None:
    """Whether a write stands; if not, whether the execution does."""
    task = turn.task
    assert isinstance(asked.question, Update), "an update was answered"
    is_end = asked.question.status.is_terminal
    match answer:
        case UpdateAccepted() if is_end:
            hands.reported(turn)
        case UpdateAccepted(state=state):
            version = state.version_number if state is not None else task.work.version_number + 1
            turn.aim("", work=replace(task.work, version_number=version))
            turn.know("told", suspect=False, refuted=False, probing=False)
        case Rejected(code=ErrorCode.RESOURCE_NOT_FOUND):
            hands.give_way(turn, "gone")
        case Rejected(state=ExecutionState(status=status)) if is_end and status is asked.question.status:
            hands.reported(turn)
        case Rejected(state=ExecutionState(status=status)) if status.is_terminal:
            hands.give_way(turn, ENDED_BY_SERVICE.get(status, "replaced"))
        case Rejected(code=ErrorCode.VERSION_MISMATCH | ErrorCode.INVALID_STATE_TRANSITION):
            turn.know("out of step", refuted=True, probing=False)
        case _ if not manners.is_told_the_status:
            turn.know("refused", refuted=True, probing=False)
        case _ if is_end:
            turn.aim("the report is refused", broken="the service cannot read our report")
            hands.reported(turn)
        case _:
            turn.know("refused", probing=False)
