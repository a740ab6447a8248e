"""When an answer cannot be read: say so, and go on with what can be.

Whatever keeps the answer about the head of the queue from being read comes again with each question for the head, and
all later jobs wait behind it. So the device asks for each pending execution by its own name, as the newest notification
or GetPending lists them. One whose description cannot be read either has an identity all the same, that of the list:
it is rejected. One that can be read is claimed as in a namespace, since start-next would bring the head again.

Elsewhere a document is left out of the question where it can be; otherwise the question is put again, later each time.
"""

from dataclasses import replace

from agent.account import AnswerUnreadable, ExecutionGone, ExecutionLeft
from agent.causes import Cause
from agent.core.events import Unreadable
from agent.core.recovering import fail
from agent.core.state import ByName, Gated, Idle, Reporting, Starting
from agent.core.taking import consider, poll, reject, unreadable
from agent.core.turn import Turn
from agent.values import (
    Answer,
    Describe,
    ErrorCode,
    Execution,
    ExecutionTold,
    GetPending,
    PendingListed,
    Rejected,
    Status,
)


def on_unreadable(turn: Turn, event: Unreadable) -> None:
    """Whatever the answer said, it settles the question no other way."""
    asked = turn.machine.asked
    if asked is None or not asked.sent:
        return
    turn.answered = True
    turn.tell_learned(AnswerUnreadable(event.request, event.problem, None, event.namespace_id, event.job_id))
    unusable = unreadable(event.problem)
    match turn.machine.phase:
        case Idle():
            turn.forget_question()
            begin(turn, event.listed)
        case ByName(left=left) if left:
            turn.forget_question()
            reject(turn, left[0], unusable)
        case ByName():
            turn.forget_question()
            _wait(turn, "neither the head nor the list of what is pending can be read")
        case Starting(execution=execution):
            turn.forget_question()
            reject(turn, execution, unusable)
        case Gated(work=work, gate="document"):
            fail(turn, work, unusable.reason, Cause.MALFORMED_DOCUMENT)
        case _:
            if isinstance(asked.question, Describe):
                question = replace(asked.question, include_document=False)
                turn.machine = replace(turn.machine, asked=replace(asked, question=question))
            turn.ask_later()


def begin(turn: Turn, noticed: tuple[Execution, ...]) -> None:
    """Ask for what a notification has named, or if there was none, for the list."""
    if noticed:
        _ask(turn, ByName(noticed), "the head of the queue cannot be read; asking by name")
    else:
        _ask_for_list(turn)


def was_misread(told: Reporting, answer: Answer) -> bool:
    """Whether nobody knows the execution that was rejected unread: its identity may have been what was spoilt."""
    is_unread = told.status is Status.REJECTED and not told.work.digest
    return is_unread and isinstance(answer, Rejected) and answer.code is ErrorCode.RESOURCE_NOT_FOUND


def begin_anew(turn: Turn, told: Reporting) -> None:
    """It is gone, or never was; to ask for the head once more would bring the same."""
    turn.tell_learned(ExecutionGone(told.work.key, "gone"))
    turn.tell(ExecutionLeft(told.work.key, "recovered"))
    _ask_for_list(turn)


def _ask_for_list(turn: Turn) -> None:
    turn.to(ByName(listed=True), "asking what is pending")
    turn.ask(GetPending(namespace_id=turn.policy.namespace_id), None)


def _ask(turn: Turn, phase: ByName, why: str) -> None:
    turn.to(phase, why)
    turn.ask_about(phase.left[0].key, with_document=True)


def on_answered(turn: Turn, phase: ByName, answer: Answer) -> None:
    """The list, or what one of those in it is."""
    key = phase.left[0].key if phase.left else None
    match answer:
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
