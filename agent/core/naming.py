"""When an answer cannot be read: say so, and go on with what can be.

Whatever keeps the answer about the head of the queue from being read comes again with each question for the head, and
all later jobs wait behind it. So the device asks for each pending execution by its own name, as the newest notification
or GetPending lists them. One whose description cannot be read either has an identity all the same, that of the list:
it is rejected. One that can be read is claimed as in a namespace, since start-next would bring the head again.

Elsewhere a document is left out of the question where it can be; otherwise the question is put again, later each time.
"""

from dataclasses import replace

from agent.causes import Cause
from agent.core.events import Answered, Hinted, Unreadable
from agent.core.recovering import fail
from agent.core.state import ByName, Gated, Idle, Phase, Reporting, Starting
from agent.core.taking import consider, poll, reject, unreadable
from agent.core.turn import Turn
from agent.core.working import settle_report
from agent.device_events import AnswerUnreadable, ExecutionGone, ExecutionLeft
from agent.values import (
    Describe,
    ErrorCode,
    Execution,
    ExecutionTold,
    GetPending,
    PendingChanged,
    PendingListed,
    Rejected,
    Status,
)


def on_head_unreadable(turn: Turn, idle: Idle, event: Unreadable) -> None:
    """The head cannot be read: look for work by name."""
    turn.forget_question()
    begin(turn, event.listed)


def on_named_unreadable(turn: Turn, phase: ByName, event: Unreadable) -> None:
    """One that was asked about by name has no more than that; without the list, nothing has."""
    turn.forget_question()
    if phase.left:
        reject(turn, phase.left[0], unreadable(event.problem))
    else:
        _wait(turn, "neither the head nor the list of what is pending can be read")


def on_claim_unreadable(turn: Turn, starting: Starting, event: Unreadable) -> None:
    """What it was that was claimed, nobody can tell any more."""
    turn.forget_question()
    reject(turn, starting.execution, unreadable(event.problem))


def on_gate_unreadable(turn: Turn, gated: Gated, event: Unreadable) -> None:
    """A step that needs the document afresh cannot have it."""
    if gated.gate == "document":
        fail(turn, gated.work, unreadable(event.problem).reason, Cause.MALFORMED_DOCUMENT)
    else:
        ask_without_document(turn, gated, event)


def ask_without_document(turn: Turn, phase: Phase, event: Unreadable) -> None:
    """It settles the question no other way: later again, without what perhaps was spoilt."""
    asked = turn.machine.asked
    if asked is not None and isinstance(asked.question, Describe):
        question = replace(asked.question, include_document=False)
        turn.machine = replace(turn.machine, asked=replace(asked, question=question))
    turn.ask_later()


def on_hint(turn: Turn, phase: ByName, event: Hinted) -> None:
    """A notification names what the list, which cannot be had, would."""
    if not phase.left and isinstance(event.hint, PendingChanged) and event.hint.listed:
        begin(turn, event.hint.in_progress + event.hint.queued)


def begin(turn: Turn, noticed: tuple[Execution, ...]) -> None:
    """Ask for what a notification has named, or if there was none, for the list."""
    if noticed:
        _ask(turn, ByName(noticed), "the head of the queue cannot be read; asking by name")
    else:
        _ask_for_list(turn)


def on_report_answered(turn: Turn, told: Reporting, event: Answered) -> None:
    """Of one that was rejected unread, the identity may have been what was spoilt: then nobody knows it."""
    is_unread, answer = told.status is Status.REJECTED and not told.work.digest, event.answer
    if not is_unread or not isinstance(answer, Rejected) or answer.code is not ErrorCode.RESOURCE_NOT_FOUND:
        settle_report(turn, told, answer)
        return
    # It is gone, or never was; to ask for the head once more would bring the same.
    turn.tell_learned(ExecutionGone(told.work.key, "gone"))
    turn.tell(ExecutionLeft(told.work.key, "recovered"))
    _ask_for_list(turn)


def _ask_for_list(turn: Turn) -> None:
    turn.to(ByName(listed=True), "asking what is pending")
    turn.ask(GetPending(namespace_id=turn.policy.namespace_id), None)


def _ask(turn: Turn, phase: ByName, why: str) -> None:
    turn.to(phase, why)
    turn.ask_about(phase.left[0].key, with_document=True)


def on_answered(turn: Turn, phase: ByName, event: Answered) -> None:
    """The list, or what one of those in it is."""
    key = phase.left[0].key if phase.left else None
    match event.answer:
        case PendingListed(in_progress=in_progress, queued=queued) if in_progress or queued:
            _ask(turn, ByName(in_progress + queued, listed=True), "asking by name")
        case ExecutionTold(execution=told) if told is not None and told.fault and key is not None and told.key != key:
            turn.tell_learned(AnswerUnreadable("describe", told.fault, None, key.namespace_id, key.job_id))
            reject(turn, phase.left[0], unreadable(told.fault))
        case ExecutionTold(execution=told) if told is not None and not told.status.is_terminal:
            consider(turn, told, by_name=True)
        case Rejected() if not phase.left:
            _wait(turn, "the list of what is pending is refused")
        case _:
            _next(turn, phase)


def _next(turn: Turn, phase: ByName) -> None:
    """That one is none; a notification may be old, and the list is not."""
    left = phase.left[1:]
    if left:
        _ask(turn, replace(phase, left=left), "asking for the next by name")
    elif not phase.listed:
        _ask_for_list(turn)
    else:
        _wait(turn, "nothing that is pending can be taken")


def _wait(turn: Turn, why: str) -> None:
    """Until a notification, a connection or the poll: whoever asks at once will be told the same."""
    turn.to(Idle(), why)
    poll(turn)
