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

from agent.core.events import Answered, Booted, Connected, Disconnected, Effect, Event, Hinted, SetTimer, TimerFired
from agent.core.record import Record, Work
from agent.device_events import ENDED_BY_SERVICE
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
from simulator.devices.models.asker import Question, is_passing, work_of
from simulator.devices.models.designs import working
from simulator.devices.models.designs.state import DesignTurn, Facts, Undertaking


@dataclass(frozen=True, slots=True)
class Manners:
    """What makes a design: `hear` is what a notification changes, `proceed` which question comes next, or which step.

    `poll_seconds` is how often it looks for work by itself. `is_told_the_status`: whether a refused update says which
    status it met; if not, only a describe can tell, and what ended may have ended by our own report.
    """

    hear: Callable[[DesignTurn, Hint], None]
    proceed: Callable[[DesignTurn], None]
    poll_seconds: float
    is_told_the_status: bool = True


def live(manners: Manners, device: Facts, event: Event) -> tuple[Facts, tuple[Effect, ...]]:
    """One event in; the device afterwards, and what the shell is to do."""
    now, known = DesignTurn(device), device.record()
    match event:
        case Booted():
            known = event.record or Record()
            working.wake(now, event)
        case Connected():
            _connected(now)
        case Disconnected():
            now.set(connected=False, asked=None, claim=None)
            now.no_timer("request", "retry")
        case Hinted(hint=hint) if hint.namespace_id == device.policy.namespace_id:
            manners.hear(now, hint)
        case Answered(answer=answer):
            _answered(now, manners, answer)
        case TimerFired(name="request") if now.state.asked is not None:
            now.put_off(now.state.asked)
        case TimerFired(name="retry"):
            now.send()
        case TimerFired(name="poll" | "ask-again"):
            now.set(due=True)
        case _:
            working.on_hardware(now, event)
    working.pursue(now)
    if not now.state.safe:
        manners.proceed(now)
    return now.result(now.state.record(), known)


def _connected(now: DesignTurn) -> None:
    """What was asked may not have arrived, and much may have happened since."""
    working = now.state.task is not None and now.state.task.aim == "on"
    now.set(connected=True, asked=None, claim=None, due=True, promised=True, misses=0, told=0, percent_told=0)
    now.know("connected", fresh=False, suspect=working)
    now.no_timer("request", "retry")


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────


def ask(
    now: DesignTurn, question: Request, about: ExecutionKey | None, after: float = 0.0, spread: float = 0.0
) -> None:
    """Put a question, now or after a while; with `spread`, at a random moment within it."""
    now.set(asked=Question(question, about))
    if after or spread:
        now.do(SetTimer("retry", after, spread or after * now.policy.retry_spread))
    else:
        now.send()


def outdate(now: DesignTurn) -> None:
    """Something happened: what is being asked now was asked too early to prove anything, and what waits need not."""
    asked = now.state.asked
    if asked is not None and asked.sent:
        now.set(asked=replace(asked, outdated=True))
    elif asked is not None:
        now.set(asked=None, due=True, told=0, percent_told=0)
        now.no_timer("retry")
    now.know(fresh=False)


# ── the questions ─────────────────────────────────────────────────────────────────────────────────────────────


def ask_for_work(now: DesignTurn, *, by_start_next: bool = False) -> None:
    """Ask for the head of the queue, if it is time to; start-next takes it in the same breath."""
    device = now.state
    if device.claim is not None:
        # Its first word about this execution may be its last: so it says already what is still to be accounted for.
        claim = _touch(device.claim.key, device.claim.version_number)
        ask(now, replace(claim, status_details=_details(now)), device.claim.key)
    elif device.due:
        now.set(due=False)
        now.no_timer("poll", "ask-again")
        ns = device.policy.namespace_id
        question: Request = Describe(NEXT, namespace_id=ns)
        if by_start_next:
            question = StartNext(status_details=_details(now), namespace_id=ns)
        ask(now, question, None, spread=device.policy.hint_spread)


def ask_about_it(now: DesignTurn) -> None:
    """Ask whether the execution in hand is still there, and still the one that we know."""
    key = now.task.work.key
    question = Describe(key.job_id, namespace_id=key.namespace_id, include_document=not now.task.work.begun)
    ask(now, question, key, after=now.backoff(now.state.known.doubts))


def probe(now: DesignTurn) -> None:
    """Ask by a write, which sees what is there now."""
    work = now.task.work
    ask(now, _touch(work.key, work.version_number), work.key)


def report_step(now: DesignTurn) -> None:
    """Report the last finished step."""
    work = now.task.work
    now.set(told=work.done)
    details = {"step": work.plan.steps[work.done - 1].name, "progress": "100"}
    ask(now, _update(now, work, Status.IN_PROGRESS, **details), work.key)


def report_progress(now: DesignTurn) -> None:
    """Report how far the running step is, if that is wanted and news."""
    device, work = now.state, now.task.work
    step = work.next_step
    if device.policy.reports != "progress" or device.percent == device.percent_told or step is None:
        return
    if device.known.refuted or device.known.probing:
        return  # not before we know where we stand
    now.set(percent_told=device.percent)
    details = {"step": step.name, "progress": str(device.percent)}
    ask(now, _update(now, work, Status.IN_PROGRESS, **details), work.key)


def report_end(now: DesignTurn) -> None:
    """Report how it ended; who does not know the version, or that it is still ours, asks first."""
    task, known = now.task, now.state.known
    if (known.refuted or not task.work.version_number) and not known.probing:
        ask_about_it(now)
        return
    why = "; ".join(part for part in (task.reason, task.broken) if part)
    details = {"reason": why[:1024]} if why else {"version": task.work.plan.version}
    ask(now, _update(now, task.work, task.status, **details), task.work.key)


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


def _update(now: DesignTurn, work: Work, status: Status, **details: str) -> Update:
    touched = _touch(work.key, work.version_number)
    return replace(touched, status=status, status_details=_details(now, **details))


def _details(now: DesignTurn, **details: str) -> StatusDetails | None:
    """With the version that is still to be accounted for."""
    return tuple(sorted((key, text) for key, text in {**details, "kept": now.state.kept}.items() if text)) or None


# ── the answers ───────────────────────────────────────────────────────────────────────────────────────────────


def _answered(now: DesignTurn, manners: Manners, answer: Answer) -> None:
    asked = now.receive(answer)
    if asked is None:
        return
    if is_passing(answer):
        now.put_off(asked)
        return
    now.drop_question()
    match asked.question:
        case Update() if now.state.claim is not None:
            _read_claim(now, manners, now.state.claim, answer)
        case Update() if now.state.task is not None:
            _read_update(now, manners, asked, answer)
        case Describe(job_id=job_id) if now.state.task is not None and job_id != NEXT:
            _read_description(now, manners, asked, answer)
        case _ if now.state.task is None:
            _read_head(now, manners, asked, answer)
        case _:
            pass


def _read_head(now: DesignTurn, manners: Manners, asked: Question, answer: Answer) -> None:
    """What there is to do."""
    head = answer.execution if isinstance(answer, ExecutionTold) else None
    if head is None:
        _nothing_to_do(now, manners)
        return
    plan = plan_of(head.document, now.policy.abilities)
    if isinstance(plan, Unusable):
        task = Undertaking(work_of(head, Plan("", ())), "over", status=Status.REJECTED, reason=plan.reason)
        working.take(now, task, "of no use to us")
    elif isinstance(asked.question, StartNext):
        working.take(now, _task(now, head, plan, head.version_number), "started", fresh=not asked.outdated)
    else:
        now.set("claiming", claim=head)


def _nothing_to_do(now: DesignTurn, manners: Manners) -> None:
    """Look again soon if there should be something: reads lag, and so do subscriptions. Otherwise from time to time."""
    device = now.state
    if device.promised and device.misses + 1 < device.policy.confirmations:
        now.set(misses=device.misses + 1)
        now.timer("ask-again", now.backoff(now.state.misses), jitter=True)
    else:
        now.set(misses=0, promised=False)
        now.timer("poll", manners.poll_seconds, jitter=True)


def _read_claim(now: DesignTurn, manners: Manners, claim: Execution, answer: Answer) -> None:
    """Whether the head is ours now; which incarnation said so, only a describe will tell."""
    if isinstance(answer, UpdateAccepted):
        plan = plan_of(claim.document, now.policy.abilities)
        assert isinstance(plan, Plan), "nothing else is claimed"
        version = answer.state.version_number if answer.state is not None else claim.version_number + 1
        working.take(now, _task(now, claim, plan, version), "claimed")
    else:
        now.set("not to be had", claim=None, promised=True)
        _nothing_to_do(now, manners)


def _task(now: DesignTurn, execution: Execution, plan: Plan, version_number: int) -> Undertaking:
    """What is to be done: nothing, if we had begun this once and lost our memory of it after it was done."""
    is_done = execution.status is Status.IN_PROGRESS and plan.version and plan.version == now.state.running
    work = replace(work_of(execution, plan), version_number=version_number)
    return Undertaking(work, "over" if is_done else "on")


def _read_description(now: DesignTurn, manners: Manners, asked: Question, answer: Answer) -> None:
    """Whether the execution in hand is still there."""
    match answer:
        case ExecutionTold(execution=told) if told is not None:
            _found(now, asked, told)
        case Rejected(code=ErrorCode.RESOURCE_NOT_FOUND):
            working.give_way(now, "gone")
        case Rejected(code=ErrorCode.TERMINAL_STATE_REACHED) if manners.is_told_the_status:
            now.know("it ended; how?", probing=True)
        case Rejected(code=ErrorCode.TERMINAL_STATE_REACHED) if now.task.aim == "over":
            working.reported(now, surely=False)
        case Rejected(code=ErrorCode.TERMINAL_STATE_REACHED):
            working.give_way(now, "cancelled")
        case _:
            now.know(doubts=now.state.known.doubts + 1)


def _found(now: DesignTurn, asked: Question, told: Execution) -> None:
    work, known = now.task.work, now.state.known
    is_ours = told.key == work.key
    has_other_document = told.document is not None and told.document.digest != work.digest
    least = work.version_number + 1 if known.refuted else work.version_number
    if is_ours and told.status is Status.IN_PROGRESS and not has_other_document and told.version_number >= least:
        now.aim("", work=replace(work, version_number=told.version_number))
        now.know("still there", fresh=not asked.outdated, suspect=False, refuted=False, probing=False, doubts=0)
    elif not is_ours and _age(told.key) > _age(work.key):
        working.give_way(now, "replaced")
    elif is_ours and known.refuted and told.status is Status.QUEUED:
        # The write did not find ours either, so this read does not lag: it was queued within the same second.
        working.give_way(now, "replaced")
    elif is_ours and has_other_document and known.doubts and not known.refuted:
        # The write was accepted, so this read does not lag either: what accepted it, and our claim, is another one.
        working.give_way(now, "replaced")
    else:
        now.know("unclear", probing=not known.refuted, doubts=known.doubts + 1)


def _age(key: ExecutionKey) -> tuple[int, int]:
    return key.queued_at, key.execution_number


def _read_update(now: DesignTurn, manners: Manners, asked: Question, answer: Answer) -> None:
    """Whether a write stands; if not, whether the execution does."""
    task = now.task
    assert isinstance(asked.question, Update), "an update was answered"
    is_end = asked.question.status.is_terminal
    match answer:
        case UpdateAccepted() if is_end:
            working.reported(now)
        case UpdateAccepted(state=state):
            version = state.version_number if state is not None else task.work.version_number + 1
            now.aim("", work=replace(task.work, version_number=version))
            now.know("told", suspect=False, refuted=False, probing=False)
        case Rejected(code=ErrorCode.RESOURCE_NOT_FOUND):
            working.give_way(now, "gone")
        case Rejected(state=ExecutionState(status=status)) if is_end and status is asked.question.status:
            working.reported(now)
        case Rejected(state=ExecutionState(status=status)) if status.is_terminal:
            working.give_way(now, ENDED_BY_SERVICE.get(status, "replaced"))
        case Rejected(code=ErrorCode.VERSION_MISMATCH | ErrorCode.INVALID_STATE_TRANSITION):
            now.know("out of step", refuted=True, probing=False)
        case _ if not manners.is_told_the_status:
            now.know("refused", refuted=True, probing=False)
        case _ if is_end:
            now.aim("the report is refused", broken="the service cannot read our report")
            working.reported(now)
        case _:
            now.know("refused", probing=False)
