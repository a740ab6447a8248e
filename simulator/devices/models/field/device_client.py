"""AWS IoT Device Client, today's and an older one, with a handler that installs firmware.

Source: awslabs/aws-iot-device-client, source/jobs/JobsFeature.cpp (isDuplicateNotification, initJob,
updateJobExecutionStatusRejectedHandler, publishUpdateJobExecutionStatusWithRetry); its pull request 226; issues 488
and 519; for the restart, the lock file of sample-job-handlers/reboot.sh.

It asks by start-next once, when it starts, and then listens to notify-next. That a job is gone is a line in its log;
the handler is not stopped. A job that is announced meanwhile is reported IN_PROGRESS at once (here its handler waits
for the flash; the real one runs beside the other). Jobs are told apart by id, document and execution number, without
queuedAt, so one that is deleted and created again as it was never runs. It has no journal; a handler that reboots
leaves a lock file, and goes on only if the same job is handed to it again. Reports are sent again without limit after
10 s, doubled up to 640 s. Today's client gives up on ResourceNotFound, but on RequestThrottled and InternalError too,
and goes on after every other refusal, InvalidStateTransition among them (the test in the source is the wrong way
round); the older one goes on whatever the code is.

So it works on at what nobody wants any more (stops-in-time), begins what a late notification announces though its first
update is told that it is gone (no-ghost-work), and commits without asking (asks-before-leap). A job deleted before or
during the reboot leaves it on trial (bootable); one of which both the answer and the notification were lost, or which
was announced while it was off line, waits for ever (no-lost-job, ready-in-time). A report that was throttled is given
up (accounted-for). One that arrived, but whose answer was lost, is repeated without end, though no shipped scenario
waits so long; the older one repeats what it was told is gone, too (no-hammering, no-ghost-update).
"""

from dataclasses import dataclass, replace
from typing import Final

from agent.core.events import Booted
from agent.core.record import Record, Work
from agent.core.restarting import rebooted
from agent.values import (
    NEXT,
    Answer,
    Describe,
    ErrorCode,
    Execution,
    ExecutionTold,
    Hint,
    NextChanged,
    Rejected,
    Request,
    StartNext,
    Status,
    UpdateAccepted,
)
from simulator.devices.models.asker import Question, work_of
from simulator.devices.models.field.agent import FieldAgent, stepping
from simulator.devices.models.field.client import MINUTE, ClientMemory, FieldClient, Undelivered
from simulator.devices.models.model import Model

GIVEN_UP: Final = (ErrorCode.RESOURCE_NOT_FOUND, ErrorCode.REQUEST_THROTTLED, ErrorCode.INTERNAL_ERROR)
FIRST_RETRY, LAST_RETRY = MINUTE / 6, MINUTE * 32 / 3
"""10 s and 640 s."""


@dataclass(frozen=True, slots=True)
class DeviceClientMemory(ClientMemory):
    """`latest` is the job that was announced last: id, document, execution number. `lock` is the handler's lock file:
    how far it had come when the device restarted, and why it cannot go on, if so."""

    has_asked: bool = False
    latest: tuple[str, str, int] | None = None
    lock: Work | None = None
    lock_reason: str = ""


class DeviceClient(FieldClient[DeviceClientMemory]):
    """AWS IoT Device Client today."""

    def on_booted(self, event: Booted) -> None:
        """Nothing is known but the handler's lock file."""
        record = event.record or Record()
        if record.work is not None:
            lock, reason = rebooted(record.work, event)
            self.set(lock=lock, lock_reason=reason)

    def question_for_work(self) -> Request:
        """start-next, where it exists."""
        namespace_id = self.state.policy.namespace_id
        return StartNext() if namespace_id is None else Describe(NEXT, namespace_id=namespace_id)

    def on_connected(self) -> None:
        """Ask, but only once; after that, only the report that is open goes on."""
        if self.state.status is not None:
            self.report(self.state.status, self.state.reason)
        elif not self.state.has_asked:
            self.seek()
        self.set(has_asked=True)

    def on_hint(self, hint: Hint) -> None:
        """A job that is announced is begun; that there is none is logged."""
        if isinstance(hint, NextChanged):
            self.hear(hint)
            if hint.execution is not None:
                self.begin(hint.execution)

    def on_told(self, asked: Question, answer: Answer) -> None:
        """The same for the answer to start-next."""
        if isinstance(answer, ExecutionTold) and answer.execution is not None:
            self.begin(answer.execution)

    def begin(self, execution: Execution) -> None:
        """Begin a job that is no duplicate, whatever else is going on."""
        digest = execution.document.digest if execution.document else ""
        this = (execution.key.job_id, digest, execution.key.execution_number)
        if this == self.state.latest:
            return
        self.set(latest=this)
        if self.state.work is not None and self.state.status is None and execution.status is Status.QUEUED:
            execution = replace(execution, status=Status.IN_PROGRESS)
            work = work_of(execution, self.state.work.plan)
            self.ask(self.update_of(work, Status.IN_PROGRESS), execution.key)
        self.offer(execution)

    def take(self, execution: Execution) -> None:
        """Run the handler: from the start, or from where its lock file says."""
        lock, reason = self.state.lock, self.state.lock_reason
        self.set(lock=None, lock_reason="")
        if lock is None or lock.key.job_id != execution.key.job_id:
            FieldAgent.take(self, execution)
            return
        self.hold(replace(lock, key=execution.key))
        self.to("executing", "the handler goes on")
        if execution.status is Status.QUEUED:
            self.update(Status.IN_PROGRESS)
        if reason:
            self.undo(reason)
        else:
            self.advance()

    def is_settled(self, answer: Answer) -> bool:
        """Accepted, or refused with a code that ends the attempts."""
        return isinstance(answer, UpdateAccepted) or (isinstance(answer, Rejected) and answer.code in GIVEN_UP)

    def on_kept(self, kept: Undelivered) -> None:
        """Twice as long each time, without limit."""
        self.again_in(min(FIRST_RETRY * 2 ** (kept.attempts - 1), LAST_RETRY))

    def record(self) -> Record:
        """The lock file lies there until it is used."""
        if self.state.work is None and self.state.lock is not None:
            return Record(self.state.lock)
        return FieldAgent.record(self)


class OldDeviceClient(DeviceClient):
    """An older one: no refusal ends the attempts."""

    def is_settled(self, answer: Answer) -> bool:
        """Only accepted."""
        return isinstance(answer, UpdateAccepted)


BREAKS: Final = frozenset(
    {
        "stops-in-time",
        "no-ghost-work",
        "asks-before-leap",
        "bootable",
        "no-lost-job",
        "ready-in-time",
        "accounted-for",
    }
)

TODAY: Final = Model(stepping(DeviceClient), DeviceClientMemory, BREAKS)
OLD: Final = Model(stepping(OldDeviceClient), DeviceClientMemory, BREAKS | {"no-ghost-update", "no-hammering"})
