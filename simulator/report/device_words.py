"""What a device of ours tells of itself, in words."""

from typing import assert_never

from agent.device_events import (
    AnswerReceived,
    AnswerUnreadable,
    DeviceBooted,
    DeviceConnected,
    DeviceCrashed,
    DeviceDisconnected,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    HardwareChanged,
    HintReceived,
    JournalSpoiled,
    JournalUnwritable,
    JournalWritten,
    PhaseChanged,
    PowerLost,
    RequestSent,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from simulator.report.flash_words import of_the_flash
from simulator.report.phrases import answered, asked, because, by_hint, execution_words, in_brackets
from simulator.trace import DeviceAccount, FlashChanged


def of_a_device(event: DeviceAccount) -> str:
    """What happened; its subject is the device."""
    match event:
        case RequestSent() | AnswerReceived() | AnswerUnreadable() | HintReceived():
            return _of_talk(event)
        case StepStarted() | StepProgressed() | StepFinished() | StepUndone():
            return _of_steps(event)
        case PhaseChanged() | ExecutionTaken() | ExecutionGone() | ExecutionLeft():
            return _of_executions(event)
        case FlashChanged():
            return of_the_flash(event)
        case _:
            return _of_itself(event)


def _of_itself(
    event: DeviceConnected
    | DeviceDisconnected
    | DeviceBooted
    | PowerLost
    | JournalSpoiled
    | JournalUnwritable
    | JournalWritten
    | DeviceCrashed
    | HardwareChanged
    | VersionCommitted
    | VersionReverted,
) -> str:
    """Its power, its connection, what it holds."""
    match event:
        case DeviceConnected(session_present=present):
            return "connected and subscribed" + (", and goes on with its last session" if present else "")
        case DeviceDisconnected(reason=reason, planned=planned):
            return ("ended its connection" if planned else "lost its connection") + because(reason)
        case DeviceBooted(version=version, why=why, on_trial=on_trial):
            return f"booted {version} ({why})" + (", on trial" if on_trial else "")
        case PowerLost(instant=instant):
            return "lost its power" + (f" at {instant}" if instant else "")
        case JournalSpoiled(holds=holds):
            return f"cannot read its journal any more, which holds {holds}"
        case JournalUnwritable(reason=reason):
            return f"could not write its journal{because(reason)}"
        case JournalWritten(doing=doing, begun=begun, done=done):
            return f"has on record: {doing}, steps begun {begun}, done {done}" if doing else "has on record: no work"
        case DeviceCrashed(reason=reason):
            return f"crashed{because(reason)}"
        case HardwareChanged(bootable=bootable, version=version, pending=pending):
            staged = f", with {', '.join(pending)} pending" if pending else ""
            return f"holds {version or 'nothing that runs'}" + ("" if bootable else ", and cannot boot") + staged
        case VersionCommitted(execution=key, version=version):
            return f"committed {version}, for {execution_words(key)}"
        case VersionReverted(execution=key, version=version):
            return f"took {version} back, of {execution_words(key)}"
        case _:
            assert_never(event)


def _of_talk(event: RequestSent | AnswerReceived | AnswerUnreadable | HintReceived) -> str:
    """What it sends, and what it reads."""
    match event:
        case RequestSent(request=request, client_token=token, execution=key, job_id=job_id, attempt=attempt):
            about = execution_words(key) if key is not None else job_id
            again = f", attempt {attempt}" if attempt > 1 else ""
            what = asked(request, token, about, event.status, event.expected_version)
            return f"sent {what}{in_brackets(event.details)}{again}"
        case AnswerReceived(client_token=token, accepted=accepted, code=code, status=status, execution=key):
            return f"read the answer to {token}: {answered(accepted, code, key, status)}"
        case AnswerUnreadable(request=request, problem=problem, client_token=token):
            return f"could not read the answer to {token or f'a {request}'}: {problem}"
        case HintReceived(hint=hint, namespace_id=namespace, listed=listed):
            return f"was told by {by_hint(hint, namespace, listed)}"
        case _:
            assert_never(event)


def _of_executions(event: PhaseChanged | ExecutionTaken | ExecutionGone | ExecutionLeft) -> str:
    """What it makes of its jobs."""
    match event:
        case PhaseChanged(phase=phase, was=was, why=why, execution=key):
            about = f" on {execution_words(key)}" if key is not None else ""
            return f"is {phase}{about}, was {was}{because(why)}"
        case ExecutionTaken(execution=key):
            return f"took {execution_words(key)} as its own"
        case ExecutionGone(execution=key, end=end, learned_from=token):
            return f"believes that {execution_words(key)} is {end}, by the answer to {token}"
        case ExecutionLeft(execution=key, outcome=outcome):
            return f"is done with {execution_words(key)}: {outcome}"
        case _:
            assert_never(event)


def _of_steps(event: StepStarted | StepProgressed | StepFinished | StepUndone) -> str:
    """What it does."""
    of = f"step {event.step} of {execution_words(event.execution)}"
    match event:
        case StepStarted(reversible=reversible):
            return f"began {of}" + ("" if reversible else ", which cannot be undone")
        case StepProgressed(percent=percent):
            return f"is {percent}% through {of}"
        case StepFinished(outcome=outcome):
            return f"ended {of}: {outcome}"
        case StepUndone(ok=ok):
            return f"took {of} back" if ok else f"could not take {of} back"
        case _:
            assert_never(event)
