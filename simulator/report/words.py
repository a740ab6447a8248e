"""A trace entry in words, in one line: when, who, what.

`at` is on the clock of who says it, which no other source shares: times of one source compare, others do not.
"""

from typing import Final, assert_never

from simulator.report.device_words import of_a_device
from simulator.report.phrases import answered, asked, because, by_hint, execution_words, in_brackets
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
    DeviceAccount,
    DeviceJoined,
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
    PaceChanged,
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
    if isinstance(event, DeviceAccount):
        return of_a_device(event)
    if isinstance(event, ControllerEvent | EngineEvent):
        return _of_the_run(event)
    match event:
        case RequestReceived() | RequestAnswered() | AnswerDelivered() | HintPublished():
            return _of_the_service(event)
        case FaultStruck() | FaultOver():
            return _of_faults(event)
        case ProbeSampled():
            return _of_a_probe(event)
        case _:
            return _of_records(event)


def _of_the_service(event: RequestReceived | RequestAnswered | AnswerDelivered | HintPublished) -> str:
    match event:
        case RequestReceived(thing=thing, request=request, client_token=token, job_id=job_id, client=client):
            by = f"{thing} through {client}" if client is not None else thing
            copy = ", a copy" if event.dup else ""
            late = f", {event.late_seconds:g} s late" if event.late_seconds else ""
            what = asked(request, token, job_id, event.status, event.expected_version)
            return f"received from {by} {what}{in_brackets(event.details)}{copy}{late}"
        case RequestAnswered(thing=thing, request=request, client_token=token, accepted=accepted, execution=key):
            answer = answered(accepted, event.code, key, event.status)
            return f"answered {thing}'s {asked(request, token, None, None, None)}: {answer}"
        case AnswerDelivered(thing=thing, number=number, acknowledged=acknowledged):
            return f"delivered its answer {number} to {thing}" + ("" if acknowledged else ", for all it knows")
        case HintPublished(thing=thing, hint=hint, namespace_id=namespace, listed=listed):
            return f"told {thing} by {by_hint(hint, namespace, listed)}"
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
        case FaultStruck(thing=thing, fault=fault, message=""):
            return f"cut the network of {thing}, by fault {fault}"
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
            return f"listens{because(bound)}"
        case ClientConnected(thing=thing, session_present=present):
            return f"saw {thing} connect" + (", to go on with its last session" if present else "")
        case ClientDisconnected(thing=thing, reason=reason):
            return f"saw {thing} disconnect{because(reason)}"
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
    why = because(event.why)
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
            return f"asked for {do} of {job_id}" + (", by force" if forced else "") + because(why)
        case DeletionAccepted(job_id=job_id, do=do):
            return f"was told that {do} of {job_id} is taken on"
        case DeletionRefused(job_id=job_id, code=code, retry=retry):
            return f"was refused the deletion of {job_id}: {code}" + (", and will ask again" if retry else "")
        case RunStarted(scenario=scenario, engine=engine, things=things) as started:
            for_all = f", {len(things)} of which play for all" if started.stands_for else ""
            shards = f", one of {started.shards} shards" if started.shards > 1 else ""
            return f"began to play {scenario} ({engine}) with {started.devices} devices{for_all}{shards}"
        case ProcessStalled(process=process, seconds=seconds, worked_seconds=worked):
            whose = {"cloud": "cloud's", "devices": "devices'"}[process]
            return f"found that the {whose} process was {seconds:.3f} s behind, {worked:.3f} s of them at work"
        case DeviceJoined(thing=thing, like=like, why=why):
            return f"had {thing} join, to play as {like} does" + because(why)
        case PaceChanged(held_at=str() as held_at, why=why) if held_at:
            return f"had the play stand still while {held_at}" + because(why)
        case PaceChanged(slow=slow, why=why):
            how = "as fast as it goes by itself" if slow == 1 else f"{slow:g} times slower"
            return f"had the play go on, {how}" + because(why)
        case PowerCutOff(thing=thing, why=why, job_id=job_id):
            return f"cut the power of {thing}" + (f", at work on {job_id}" if job_id else "") + because(why)
        case PowerRestored(thing=thing):
            return f"gave {thing} its power back"
        case ProcessEnded(thing=thing, why=why, crashed=crashed):
            return f"saw {thing} {'crash' if crashed else 'end'}, and starts it again: {why}"
        case RunEnded(why=why, waited_for=waited_for):
            return f"ended the run: {why}" + (f", while it waited for {waited_for}" if waited_for else "")
        case _:
            assert_never(event)
