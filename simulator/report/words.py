"""A trace entry in words, in one line: when, who, what.

`at` is on the clock of who says it, which no other source shares: times of one source compare, others do not.
"""

from collections.abc import Mapping
from typing import Final, assert_never

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
from agent.values import ExecutionKey, StatusDetails
from simulator.trace import (
    AccountEnded,
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    ClientRefused,
    ClientSubscribed,
    CloudListening,
    ControllerEvent,
    DeletionAccepted,
    DeletionRefused,
    DeletionRequested,
    EngineEvent,
    Entry,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    FaultOver,
    FaultStruck,
    HintPublished,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
    MessageDropped,
    PowerCutOff,
    PowerRestored,
    ProbeSampled,
    ProcessEnded,
    ProcessStalled,
    RequestAnswered,
    RequestReceived,
    RunEnded,
    RunStarted,
    device_source,
)


def told(entry: Entry) -> str:
    """When, who, what; and the id, by which `ghostjob trace` finds its surroundings."""
    return f"{entry.at:.3f} s  {who(entry)} {words(entry.event)}  [{entry.id}]"


def who(entry: Entry) -> str:
    """Who says it: a thing, or one of its agents, by name, or the cloud, the controller, the engine, the probe."""
    prefix = device_source("")
    return entry.source.removeprefix(prefix) if entry.source.startswith(prefix) else f"the {entry.source}"


def words(event: Event) -> str:
    """What happened; its subject is who says it."""
    match event:
        case (
            DeletionRequested()
            | DeletionAccepted()
            | DeletionRefused()
            | RunStarted()
            | RunEnded()
            | ProcessStalled()
            | PowerCutOff()
            | PowerRestored()
            | ProcessEnded()
        ):
            return _of_the_run(event)
        case RequestSent() | AnswerReceived() | AnswerUnreadable() | HintReceived():
            return _of_talk(event)
        case StepStarted() | StepProgressed() | StepFinished() | StepUndone():
            return _of_steps(event)
        case PhaseChanged() | ExecutionTaken() | ExecutionGone() | ExecutionLeft():
            return _of_executions(event)
        case (
            DeviceConnected()
            | DeviceDisconnected()
            | DeviceBooted()
            | PowerLost()
            | JournalUnwritable()
            | JournalWritten()
            | DeviceCrashed()
            | HardwareChanged()
            | VersionCommitted()
            | VersionReverted()
        ):
            return _of_the_device(event)
        case RequestReceived() | RequestAnswered() | AnswerDelivered() | HintPublished():
            return _of_the_service(event)
        case FaultStruck() | FaultOver():
            return _of_faults(event)
        case ProbeSampled():
            return _of_a_probe(event)
        case _:
            return _of_records(event)


def execution_words(key: ExecutionKey) -> str:
    """An incarnation, as the log has it: execution number and queue time tell it from others of its job id."""
    namespace = f"{key.namespace_id}/" if key.namespace_id else ""
    return f"{namespace}{key.job_id} ({key.execution_number}@{key.queued_at})"


def _of_the_device(
    event: DeviceConnected
    | DeviceDisconnected
    | DeviceBooted
    | PowerLost
    | JournalUnwritable
    | JournalWritten
    | DeviceCrashed
    | HardwareChanged
    | VersionCommitted
    | VersionReverted,
) -> str:
    match event:
        case DeviceConnected(session_present=present):
            return "connected and subscribed" + (", and goes on with its last session" if present else "")
        case DeviceDisconnected(reason=reason, planned=planned):
            return ("ended its connection" if planned else "lost its connection") + _because(reason)
        case DeviceBooted(version=version, why=why, on_trial=on_trial):
            return f"booted {version} ({why})" + (", on trial" if on_trial else "")
        case PowerLost(instant=instant):
            return "lost its power" + (f" at {instant}" if instant else "")
        case JournalUnwritable(reason=reason):
            return f"could not write its journal{_because(reason)}"
        case JournalWritten(doing=doing, begun=begun, done=done):
            return f"has on record: {doing}, steps begun {begun}, done {done}" if doing else "has on record: no work"
        case DeviceCrashed(reason=reason):
            return f"crashed{_because(reason)}"
        case HardwareChanged(bootable=bootable, version=version, pending=pending):
            staged = f", with {', '.join(pending)} pending" if pending else ""
            return f"holds {version}" + ("" if bootable else ", and cannot boot") + staged
        case VersionCommitted(execution=key, version=version):
            return f"committed {version}, for {execution_words(key)}"
        case VersionReverted(execution=key, version=version):
            return f"took {version} back, of {execution_words(key)}"
        case _:
            assert_never(event)


def _of_talk(event: RequestSent | AnswerReceived | AnswerUnreadable | HintReceived) -> str:
    match event:
        case RequestSent(request=request, client_token=token, execution=key, job_id=job_id, attempt=attempt):
            about = execution_words(key) if key is not None else job_id
            again = f", attempt {attempt}" if attempt > 1 else ""
            asked = _request(request, token, about, event.status, event.expected_version)
            return f"sent {asked}{_details(event.details)}{again}"
        case AnswerReceived(client_token=token, accepted=accepted, code=code, status=status, execution=key):
            return f"read the answer to {token}: {_answer(accepted, code, key, status)}"
        case AnswerUnreadable(request=request, problem=problem, client_token=token):
            return f"could not read the answer to {token or f'a {request}'}: {problem}"
        case HintReceived(hint=hint, namespace_id=namespace, listed=listed):
            return f"was told by {_hint(hint, namespace, listed)}"
        case _:
            assert_never(event)


def _of_executions(event: PhaseChanged | ExecutionTaken | ExecutionGone | ExecutionLeft) -> str:
    match event:
        case PhaseChanged(phase=phase, was=was, why=why, execution=key):
            about = f" on {execution_words(key)}" if key is not None else ""
            return f"is {phase}{about}, was {was}{_because(why)}"
        case ExecutionTaken(execution=key):
            return f"took {execution_words(key)} as its own"
        case ExecutionGone(execution=key, end=end, learned_from=token):
            return f"believes that {execution_words(key)} is {end}, by the answer to {token}"
        case ExecutionLeft(execution=key, outcome=outcome):
            return f"is done with {execution_words(key)}: {outcome}"
        case _:
            assert_never(event)


def _of_steps(event: StepStarted | StepProgressed | StepFinished | StepUndone) -> str:
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


def _of_the_service(event: RequestReceived | RequestAnswered | AnswerDelivered | HintPublished) -> str:
    match event:
        case RequestReceived(thing=thing, request=request, client_token=token, job_id=job_id, client=client):
            by = f"{thing} through {client}" if client is not None else thing
            copy = ", a copy" if event.dup else ""
            late = f", {event.late_seconds:g} s late" if event.late_seconds else ""
            asked = _request(request, token, job_id, event.status, event.expected_version)
            return f"received from {by} {asked}{_details(event.details)}{copy}{late}"
        case RequestAnswered(thing=thing, request=request, client_token=token, accepted=accepted, execution=key):
            answer = _answer(accepted, event.code, key, event.status)
            return f"answered {thing}'s {_request(request, token, None, None, None)}: {answer}"
        case AnswerDelivered(thing=thing, number=number, acknowledged=acknowledged):
            return f"delivered its answer {number} to {thing}" + ("" if acknowledged else ", for all it knows")
        case HintPublished(thing=thing, hint=hint, namespace_id=namespace, listed=listed):
            return f"told {thing} by {_hint(hint, namespace, listed)}"
        case _:
            assert_never(event)


STRUCK: Final = {
    "lose": "lost",
    "duplicate": "doubled",
    "delay": "delayed",
    "throttle": "throttled",
    "fail": "failed",
    "hold": "held",
    "cut": "cut the network at",
}
OVER: Final = {
    "done": "what it was to wait for has come",
    "limit": "it was to last no longer",
    "full": "too much was held",
    "replaced": "other faults count from now on",
}


def _of_faults(event: FaultStruck | FaultOver) -> str:
    match event:
        case FaultStruck(thing=thing, fault=fault, do="seen"):
            return f"saw {thing} at moment {fault}"
        case FaultStruck(thing=thing, fault=fault, do=do, message=message, job_id=job_id):
            told = " ".join(each for each in (event.status, event.step and f"({event.step})") if each)
            about = (f" of {job_id}" if job_id is not None else "") + (f" to {told}" if told else "")
            return f"{STRUCK.get(do, do)} the {message} of {thing}{about}, by fault {fault}"
        case FaultOver(thing=thing, fault=fault, why=why):
            return f"lets {thing} have what fault {fault} kept from it: {OVER[why]}"
        case _:
            assert_never(event)


def _of_records(
    event: CloudListening
    | ClientConnected
    | ClientDisconnected
    | ClientSubscribed
    | ClientRefused
    | MessageDropped
    | ExecutionQueued
    | ExecutionChanged
    | ExecutionRemoved
    | JobCreated
    | JobDeletionBegan
    | JobDeleted
    | AccountEnded,
) -> str:
    match event:
        case CloudListening(endpoints=endpoints):
            bound = ", ".join(f"{name} {where}" for name, where in endpoints.items() if where)
            return f"listens{_because(bound)}"
        case ClientConnected(thing=thing, session_present=present):
            return f"saw {thing} connect" + (", to go on with its last session" if present else "")
        case ClientDisconnected(thing=thing, reason=reason):
            return f"saw {thing} disconnect{_because(reason)}"
        case ClientSubscribed(thing=thing, filters=filters, refused=refused):
            denied = f", and refused it {', '.join(refused)}" if refused else ""
            return f"subscribed {thing} to {', '.join(filters) or 'nothing'}{denied}"
        case ClientRefused() | MessageDropped():
            return _of_what_was_not_given(event)
        case ExecutionQueued(thing=thing, execution=key):
            return f"queued {execution_words(key)} for {thing}"
        case ExecutionChanged(thing=thing, execution=key, status=status, version=version, by=by):
            return f"has {execution_words(key)} of {thing} as {status}, version {version}, by the {by}"
        case ExecutionRemoved(thing=thing, execution=key, status=status):
            return f"removed the record of {execution_words(key)} of {thing}, which was {status}"
        case JobCreated(job_id=job_id, namespace_id=namespace):
            return f"created job {job_id}" + (f" in namespace {namespace}" if namespace else "")
        case JobDeletionBegan(job_id=job_id, forced=forced):
            return f"began to delete job {job_id}" + (", by force" if forced else "")
        case JobDeleted(job_id=job_id):
            return f"has deleted job {job_id}"
        case AccountEnded():
            return "watched until here"
        case _:
            assert_never(event)


def _of_a_probe(event: ProbeSampled) -> str:
    by = f"{event.thing} by {event.probe}"
    why = _because(event.why)
    version = f"at version {event.version}" if event.version is not None else "at no version"
    if event.alive is None:
        return f"could not sample {by}{why}"
    return f"found {by} alive, {version}{why}" if event.alive else f"found {by} dead{why}"


def _of_what_was_not_given(event: ClientRefused | MessageDropped) -> str:
    did = "refused" if isinstance(event, ClientRefused) else "dropped a message of"
    client = event.client_id or event.principal or event.address or "somebody"
    statement = f", by statement {event.statement}" if event.statement else ""
    often = f", {event.times} times" if event.times > 1 else ""
    return f"{did} {client}: {event.action} {event.resource}{often}: {event.why}{statement}"


def _of_the_run(event: ControllerEvent | EngineEvent | ProcessStalled) -> str:
    match event:
        case DeletionRequested(job_id=job_id, forced=forced, why=why, do=do):
            return f"asked for {do} of {job_id}" + (", by force" if forced else "") + _because(why)
        case DeletionAccepted(job_id=job_id, do=do):
            return f"was told that {do} of {job_id} is taken on"
        case DeletionRefused(job_id=job_id, code=code, retry=retry):
            return f"was refused the deletion of {job_id}: {code}" + (", and will ask again" if retry else "")
        case RunStarted(scenario=scenario, engine=engine, things=things):
            return f"began to play {scenario} ({engine}) with {len(things)} devices"
        case ProcessStalled(process=process, seconds=seconds, worked_seconds=worked):
            whose = {"cloud": "cloud's", "devices": "devices'"}[process]
            return f"found that the {whose} process was {seconds:.3f} s behind, {worked:.3f} s of them at work"
        case PowerCutOff(thing=thing, why=why, job_id=job_id):
            return f"cut the power of {thing}" + (f", at work on {job_id}" if job_id else "") + _because(why)
        case PowerRestored(thing=thing):
            return f"gave {thing} its power back"
        case ProcessEnded(thing=thing, why=why, crashed=crashed):
            return f"saw {thing} {'crash' if crashed else 'end'}, and starts it again: {why}"
        case RunEnded(why=why, waited_for=waited_for):
            return f"ended the run: {why}" + (f", while it waited for {waited_for}" if waited_for else "")
        case _:
            assert_never(event)


def _request(request: str, token: str | None, about: str | None, status: str | None, version: int | None) -> str:
    named = f" {token}" if token is not None else ""
    what = f" of {about}" if about is not None else ""
    to = f" to {status}" if status is not None else ""
    expecting = f" expecting version {version}" if version is not None else ""
    return f"{request}{named}{what}{to}{expecting}"


def _details(details: Mapping[str, str] | StatusDetails | None) -> str:
    pairs = details.items() if isinstance(details, Mapping) else details or ()
    told = ", ".join(f"{key} {value}" for key, value in pairs)
    return f" ({told})" if told else ""


def _answer(accepted: bool, code: str | None, key: ExecutionKey | None, status: str | None) -> str:
    word = "accepted" if accepted else f"rejected with {code}"
    if key is None:
        return word + (f", it is {status}" if status is not None else "")
    return f"{word}, {execution_words(key)}" + (f" is {status}" if status is not None else "")


def _hint(hint: str, namespace: str | None, listed: tuple[ExecutionKey, ...]) -> str:
    where = f" of namespace {namespace}" if namespace else ""
    return f"{hint}{where}: {', '.join(map(execution_words, listed)) or 'nothing is pending'}"


def _because(why: str) -> str:
    return f": {why}" if why else ""
