"""The Jobs data plane over HTTP: what a device asks without MQTT (API reference, "AWS IoT Jobs data").

    GET  /things/T/jobs             GetPendingJobExecutions
    PUT  /things/T/jobs/$next       StartNextPendingJobExecution
    GET  /things/T/jobs/J           DescribeJobExecution, of $next too
    POST /things/T/jobs/J           UpdateJobExecution

The same requests as over MQTT go to the same service, so that faults, quotas and the trace are the same. What differs
is the wire: no timestamp, no client token, the job document as a string, other names of errors. `namespaceId`, which
the model lacks and the Developer Guide shows for Describe, is heeded in every query.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, assert_never

from agent.device_events import request_kind
from agent.values import (
    Answer,
    Describe,
    ErrorCode,
    Execution,
    ExecutionState,
    ExecutionTold,
    GetPending,
    PendingListed,
    Rejected,
    Request,
    StartNext,
    Status,
    Update,
    UpdateAccepted,
)
from simulator.cloud.api.api_errors import invalid, not_found, not_served
from simulator.cloud.api.backing import Parameters
from simulator.cloud.api.wire import Refusal
from simulator.cloud.device_api.fault_injection import ANSWERS, About
from simulator.cloud.device_api.network import Network
from simulator.cloud.device_api.service import AnsweredRequest, DeviceApi
from simulator.cloud.settings.http import HttpSettings

LONGEST_STEP_MINUTES: Final = 10_080
ERRORS: Final[dict[ErrorCode, tuple[int, str]]] = {
    ErrorCode.INVALID_REQUEST: (400, "InvalidRequestException"),
    ErrorCode.INVALID_JSON: (400, "InvalidRequestException"),
    ErrorCode.INVALID_TOPIC: (400, "InvalidRequestException"),
    ErrorCode.RESOURCE_NOT_FOUND: (404, "ResourceNotFoundException"),
    ErrorCode.INVALID_STATE_TRANSITION: (409, "InvalidStateTransitionException"),
    ErrorCode.TERMINAL_STATE_REACHED: (410, "TerminalStateException"),
    ErrorCode.REQUEST_THROTTLED: (429, "ThrottlingException"),
    ErrorCode.INTERNAL_ERROR: (503, "ServiceUnavailableException"),
}
"""What a code of MQTT's `rejected` is over HTTP; a version mismatch is a setting, for the model has no such error."""
STATUSES: Final = {"InvalidRequestException": 400, "InvalidStateTransitionException": 409}


T = TypeVar("T")
SIZE: Final = 1024
"""Bytes that an answer counts for while it is held."""


class RequestLost(Exception):  # noqa: N818 - what befell a message
    """A request, or its answer, did not arrive: the connection ends without one."""


class _Arrival(Generic[T]):
    """Each copy of a message that arrives does something; `first` is what came of the first one."""

    def __init__(self, act: Callable[[bool, float], T]) -> None:
        self._act = act
        self._loop = asyncio.get_running_loop()
        self.first: asyncio.Future[T] = self._loop.create_future()

    def travel(self, delays: tuple[float, ...], held_seconds: float | None, again: bool = False) -> None:
        """As `Network.carry` has it."""
        for number, late in enumerate(delays):
            if late:
                self._loop.call_later(late, self._arrive, again or number > 0, late + (held_seconds or 0.0))
            else:
                self._arrive(again or number > 0, held_seconds or 0.0)

    def _arrive(self, again: bool, late: float) -> None:
        try:
            came_of_it = self._act(again, late)
        except Exception as error:  # whatever it is: who asked is told
            if not self.first.done():
                self.first.set_exception(error)
        else:
            if not self.first.done():
                self.first.set_result(came_of_it)


@dataclass(frozen=True, slots=True)
class DataPlane:
    """`answer` carries out a device's request and publishes what comes of it; `knows` tells whether a thing exists."""

    device_api: DeviceApi
    answer: Callable[[str, Request, bool, float], AnsweredRequest]
    knows: Callable[[str], bool]
    settings: HttpSettings

    def read(self, operation: str, given: Parameters, query: Mapping[str, str]) -> tuple[str, Request]:
        """The thing, and what it asks for. Raises ApiError."""
        read = READERS.get(operation)
        if read is None:
            raise invalid(not_served(operation))
        return given["thingName"], read(given, query.get("namespaceId") or None)

    async def call(self, thing: str, request: Request) -> tuple[Parameters, object]:
        """The output of an operation, and what to say when it was sent. Raises ApiError, Refusal, RequestLost."""
        network = self.device_api.network
        told = self._answered(thing, request) if network is None else await self._through(network, thing, request)
        if isinstance(told.answer, Rejected):
            refusal = self._refusal(told.answer)
            refusal.receipt = told.receipt
            raise refusal
        return _output(thing, told.answer), told.receipt

    def _answered(self, thing: str, request: Request, again: bool = False, late: float = 0.0) -> AnsweredRequest:
        if not self.knows(thing):
            raise not_found(f"Thing {thing} cannot be found.")
        return self.answer(thing, request, again, late)

    async def _through(self, network: Network, thing: str, request: Request) -> AnsweredRequest:
        """The first answer; the network may have the request come later, or more than once, or not at all, and have
        the answer wait."""
        if network.silent_for(thing):
            raise RequestLost
        kind, about = request_kind(request), About.request(request)
        arrived = _Arrival[AnsweredRequest](lambda again, late: self._answered(thing, request, again, late))
        if not network.carry(thing, kind, about, len(str(request)), arrived.travel):
            raise RequestLost
        told = await arrived.first
        delivered = _Arrival[AnsweredRequest](lambda again, late: told)
        if not network.carry(thing, ANSWERS[kind], about.told(told.answer), SIZE, delivered.travel):
            raise RequestLost
        await delivered.first
        if network.silent_for(thing):
            raise RequestLost
        return told

    def _refusal(self, told: Rejected) -> Refusal:
        if told.code is ErrorCode.VERSION_MISMATCH:
            mismatch = self.settings.version_mismatch_over_http
            return Refusal(STATUSES[mismatch], mismatch, f"VersionMismatch: {told.message}")
        status, name = ERRORS[told.code]
        # "the body of the error message also contains the executionState field" (Model, InvalidStateTransition)
        more = {} if told.state is None else {"executionState": _state(told.state)}
        return Refusal(status, name, told.message or name, **more)


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────


def _read_get_pending(given: Parameters, namespace_id: str | None) -> Request:
    return GetPending(None, namespace_id)


def _read_start_next(given: Parameters, namespace_id: str | None) -> Request:
    return StartNext(None, _details(given), _step_timeout(given, may_cancel=False), namespace_id)


def _read_describe(given: Parameters, namespace_id: str | None) -> Request:
    number, include = given.get("executionNumber"), given.get("includeJobDocument", True)
    return Describe(given["jobId"], None, namespace_id, number, include)


def _read_update(given: Parameters, namespace_id: str | None) -> Request:
    return Update(
        given["jobId"],
        Status(given["status"]),
        None,
        namespace_id,
        _details(given),
        given.get("expectedVersion"),
        given.get("executionNumber"),
        given.get("includeJobExecutionState", False),
        given.get("includeJobDocument", False),
        _step_timeout(given, may_cancel=True),
    )


READERS: Final[dict[str, Callable[[Parameters, str | None], Request]]] = {
    "GetPendingJobExecutions": _read_get_pending,
    "StartNextPendingJobExecution": _read_start_next,
    "DescribeJobExecution": _read_describe,
    "UpdateJobExecution": _read_update,
}


def _details(given: Parameters) -> tuple[tuple[str, str], ...] | None:
    details = given.get("statusDetails")
    return None if details is None else tuple(details.items())


def _step_timeout(given: Parameters, *, may_cancel: bool) -> int | None:
    minutes: int | None = given.get("stepTimeoutInMinutes")
    if minutes is None or 1 <= minutes <= LONGEST_STEP_MINUTES or (may_cancel and minutes == -1):
        return minutes
    raise invalid(f"stepTimeoutInMinutes: {'-1 or ' if may_cancel else ''}1 to {LONGEST_STEP_MINUTES}.")


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────


def _output(thing: str, told: Answer) -> Parameters:
    match told:
        case PendingListed():
            return {
                "inProgressJobs": [_summary(execution) for execution in told.in_progress],
                "queuedJobs": [_summary(execution) for execution in told.queued],
            }
        case ExecutionTold():
            return {"execution": None if told.execution is None else _execution(thing, told.execution)}
        case UpdateAccepted():
            return {
                "executionState": None if told.state is None else _state(told.state),
                "jobDocument": None if told.document is None else told.document.text,
            }
        case Rejected():
            raise AssertionError("refused already")
        case _:
            assert_never(told)


def _summary(execution: Execution) -> Parameters:
    return {
        "jobId": execution.key.job_id,
        "queuedAt": execution.key.queued_at,
        "startedAt": execution.started_at,
        "lastUpdatedAt": execution.last_updated_at,
        "versionNumber": execution.version_number,
        "executionNumber": execution.key.execution_number,
    }


def _execution(thing: str, execution: Execution) -> Parameters:
    return _summary(execution) | {
        "thingName": thing,
        "status": execution.status.value,
        "statusDetails": dict(execution.status_details) or None,
        "approximateSecondsBeforeTimedOut": execution.approximate_seconds_before_timed_out,
        "jobDocument": None if execution.document is None else execution.document.text,
    }


def _state(state: ExecutionState) -> dict[str, Any]:
    told: dict[str, Any] = {"status": state.status.value, "versionNumber": state.version_number}
    return told | ({"statusDetails": dict(state.status_details)} if state.status_details else {})
