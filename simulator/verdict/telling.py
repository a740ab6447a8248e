"""What each event that a client tells of changes in its testimony, beside its requests and their answers.

Every function notes in `new` what is to change; the testimony itself stays as it was, for the monitors that read it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from agent.device_events import (
    DeviceBooted,
    DeviceConnected,
    DeviceDisconnected,
    ExecutionLeft,
    ExecutionTaken,
    HintReceived,
    PhaseChanged,
    StepFinished,
    StepStarted,
)
from agent.values import ExecutionKey
from simulator.verdict.frozen import Map
from simulator.verdict.heard import Heard
from simulator.verdict.seen import Mark

if TYPE_CHECKING:
    from simulator.verdict.testimony import Testimony

EXECUTIONS: Final = 64
HANDS: Final = 32
"""So many executions, and executions in hand, are remembered of a client."""

NOTHING: Final = Heard()


def put(account: "Testimony", new: dict[str, Any], key: ExecutionKey, **more: Any) -> None:
    """Note something of an execution."""
    keep(account, new, key, known(account, new, key)._replace(**more))


def touch(account: "Testimony", new: dict[str, Any], key: ExecutionKey, mark: Mark) -> None:
    """Note that something was told of an execution."""
    new["touched"] = account.touched.put(key, mark, EXECUTIONS)
    if key not in account.executions:
        put(account, new, key)


def known(account: "Testimony", new: dict[str, Any], key: ExecutionKey) -> Heard:
    """What is known of an execution; whatever was heard before it was known did not name it."""
    heard: Heard | None = (new.get("executions") or account.executions).get(key)
    if heard is not None:
        return heard
    return NOTHING._replace(omitted=account.hints.get(key.namespace_id), is_vague=key.queued_at <= account.forgotten)


def keep(account: "Testimony", new: dict[str, Any], key: ExecutionKey, heard: Heard) -> None:
    """Note all that is known of an execution; of too many, the oldest is forgotten that is not in hand."""
    executions = (new.get("executions") or account.executions).put(key, heard)
    if len(executions) > EXECUTIONS:
        kept = executions.at_most(EXECUTIONS, lambda key, _: key not in account.in_hand)
        (gone,) = (each for each in executions if each not in kept)
        ends = executions[gone].ends
        new["forgotten"] = max(account.forgotten, gone.queued_at)
        new["ends_forgotten"] = tuple(map(sum, zip(account.ends_forgotten, ends, strict=True)))
        executions = kept
    new["executions"] = executions


def _booted(account: "Testimony", mark: Mark, event: DeviceBooted, new: dict[str, Any]) -> None:
    new.update(booted=mark, running=(), at_work=())
    for key in account.cleared:
        put(account, new, key, leapt=True)  # it cannot know whether what was about to begin had begun


def _connected(account: "Testimony", mark: Mark, event: DeviceConnected, new: dict[str, Any]) -> None:
    new.update(connected=mark, change=(mark, True), reported=())


def _disconnected(account: "Testimony", mark: Mark, event: DeviceDisconnected, new: dict[str, Any]) -> None:
    new.update(change=(mark, False), has_taken_leave=event.planned, planned=account.planned + event.planned)


def _hinted(account: "Testimony", mark: Mark, event: HintReceived, new: dict[str, Any]) -> None:
    new["cleared"] = ()
    account.notes_time(None, mark.at, new)
    omitted = {
        key: heard._replace(omitted=mark)
        for key, heard in account.executions.items()
        if key.namespace_id == event.namespace_id and key not in event.listed
    }
    if omitted:
        new["executions"] = Map(account.executions | omitted)
    for key in event.listed:
        if key not in account.executions:
            put(account, new, key)
    new["hints"] = account.hints.put(event.namespace_id, mark, HANDS)


def _moved(account: "Testimony", mark: Mark, event: PhaseChanged, new: dict[str, Any]) -> None:
    new.update(phase=event.phase, phase_mark=mark)
    if event.execution is not None:
        touch(account, new, event.execution, mark)


def _took(account: "Testimony", mark: Mark, event: ExecutionTaken, new: dict[str, Any]) -> None:
    key, heard = event.execution, account.heard(event.execution)
    digests = heard.digests if event.digest in heard.digests else (*heard.digests, event.digest)[:2]
    touch(account, new, key, mark)
    put(account, new, key, taken=mark.n, takings=heard.takings + 1, digests=digests, queued_again=False)
    if key not in account.in_hand:
        new["in_hand"] = (*account.in_hand, key)[-HANDS:]


def _left(account: "Testimony", mark: Mark, event: ExecutionLeft, new: dict[str, Any]) -> None:
    key = event.execution
    touch(account, new, key, mark)
    new["in_hand"] = tuple(each for each in account.in_hand if each != key)


def _began(account: "Testimony", mark: Mark, event: StepStarted, new: dict[str, Any]) -> None:
    key = event.execution
    new.update(
        step=(key, event.step),
        cleared=tuple(each for each in account.cleared if each != key),
        at_work=account.at_work if key in account.at_work else (*account.at_work, key)[-HANDS:],
    )
    if (key, event.step) not in account.running:
        new["running"] = (*account.running, (key, event.step))[-HANDS:]
    touch(account, new, key, mark)


def _ended(account: "Testimony", mark: Mark, event: StepFinished, new: dict[str, Any]) -> None:
    key = event.execution
    new.update(
        done_at=mark.at if account.done_at is None else max(account.done_at, mark.at),
        at_work=tuple(each for each in account.at_work if each != key),
        running=tuple(each for each in account.running if each != (key, event.step)),
    )
    touch(account, new, key, mark)


CHANGES: Final[dict[type, Callable[["Testimony", Mark, Any, dict[str, Any]], None]]] = {
    DeviceBooted: _booted,
    DeviceConnected: _connected,
    DeviceDisconnected: _disconnected,
    HintReceived: _hinted,
    PhaseChanged: _moved,
    ExecutionTaken: _took,
    ExecutionLeft: _left,
    StepStarted: _began,
    StepFinished: _ended,
}
