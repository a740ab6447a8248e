"""The records of job executions in an account, looked at again and again, and told as entries of a trace.

An entry's time is when the answer came in which a change was seen: it happened before that, and after the look before.
A removal is told when the record was first absent. What came and went between two looks is not told, but for one thing:
a record that has ended, and says when it was started, was IN_PROGRESS.

While the device works on a job that is not the session's, whatever waits for it waits for that: such a time is told as
one in which nobody looked, which is held against nobody.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.errors import InputError
from agent.log import get_logger
from agent.values import ExecutionKey, Status
from simulator.certify.aws.ledger import NOT_FOUND
from simulator.controller.hand import Hand, Refused
from simulator.controller.watching import PASSING
from simulator.trace import (
    TERMINAL,
    CloudEvent,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
    ProcessStalled,
)

ABSENCES: Final = 3
"""So many looks in a row have to miss a record that nobody is known to have deleted."""
BY_DEVICE: Final = frozenset({Status.IN_PROGRESS, Status.SUCCEEDED, Status.FAILED, Status.REJECTED})
"""What only a device makes of an execution; all else is the service's doing."""


@dataclass(slots=True)
class _Watched:
    """A job; `execution` and what follows is of its record on the thing, None while none was seen.

    `is_asked_away`: its record may go at any time; `is_deleting`: so may the job.
    """

    namespace_id: str | None
    execution: ExecutionKey | None = None
    status: str = Status.QUEUED
    version: int = 0
    is_asked_away: bool = False
    is_deleting: bool = False
    times_absent: int = 0

    @property
    def is_worth_a_look(self) -> bool:
        """Whether its record may still change."""
        return self.is_asked_away or self.status not in TERMINAL


class Watching:
    """Looks at the jobs of one thing through `hand`, every `seconds`; `record` gets each event and its time.

    `clock` is seconds. `seen_until` is the time until which all was seen.
    """

    def __init__(
        self,
        thing: str,
        hand: Hand,
        record: Callable[[CloudEvent, float], None],
        clock: Callable[[], float],
        seconds: float,
    ) -> None:
        self._thing = thing
        self._hand = hand
        self._record = record
        self._clock = clock
        self._seconds = seconds
        self._jobs: dict[str, _Watched] = {}
        self._ours: set[str] = set()
        """Ids of all jobs that the session made."""
        self._foreign: str | None = None
        self._sees_others = True
        self._looked_at: float | None = None
        self._others_at = clock()
        self._log = get_logger("ghostjob.certify")
        self.seen_until = clock()

    # ── what was asked of the service ─────────────────────────────────────────────────────────────────────────

    def told(self, operation: str, given: Mapping[str, Any], _answer: Mapping[str, Any]) -> None:
        """Take note of an operation that the service has taken on."""
        job_id, now = str(given.get("jobId")), self._clock()
        if operation == "CreateJob":
            namespace_id = given.get("namespaceId")
            self._ours.add(job_id)
            if (before := self._jobs.get(job_id)) is not None and before.is_deleting:  # it is gone: its id was free
                self._removed(before, now)
                self._record(JobDeleted(job_id), now)
            self._jobs[job_id] = _Watched(namespace_id)
            self._record(JobCreated(job_id, namespace_id), now)
        elif operation == "DeleteJobExecution" and job_id in self._jobs:
            self._jobs[job_id].is_asked_away = True
        elif operation == "DeleteJob" and job_id in self._jobs:
            job = self._jobs[job_id]
            job.is_asked_away = job.is_deleting = True
            self._record(JobDeletionBegan(job_id, bool(given.get("force"))), now)

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Look, for ever. Raises InputError or Refused if the service does not answer us for good."""
        while True:
            began = self._clock()
            try:
                await self._look()
            except Refused as refused:
                if refused.code not in PASSING:
                    raise
                self._log.warning("look.refused", code=refused.code)
            except InputError as error:
                self._log.warning("look.failed", why=str(error))
            else:
                self._was_complete(began)
                await self._look_at_others()
            await asyncio.sleep(max(began + self._seconds - self._clock(), self._seconds / 10))

    def _was_complete(self, began: float) -> None:
        """A look that came late, or took long, leaves more unseen than any bound has room for: that is ours."""
        now = self._clock()
        if self._looked_at is not None and (late := now - self._looked_at - 2 * self._seconds) > 0:
            self._record(ProcessStalled("cloud", late), now)
        self._looked_at, self.seen_until = now, began

    async def _look_at_others(self) -> None:
        """See whether the device works on a job that is not the session's."""
        if not self._sees_others:
            return
        began = self._clock()
        try:
            answer = await self._hand.call("ListJobExecutionsForThing", thingName=self._thing, status="IN_PROGRESS")
        except (Refused, InputError) as error:
            self._sees_others = isinstance(error, InputError) or error.code in PASSING  # or it is not allowed
            return
        foreign = next(
            (each["jobId"] for each in answer["executionSummaries"] if each["jobId"] not in self._ours), None
        )
        if foreign is not None:
            since = self._others_at if self._foreign else began - 2 * self._seconds  # it began after the look before
            self._record(ProcessStalled("cloud", began - since), began)
        if foreign is not None and foreign != self._foreign:
            then = "the device works on it, and what waits meanwhile is not held against it"
            self._log.error("job.foreign", job_id=foreign, then=then)
        self._foreign, self._others_at = foreign, began

    async def _look(self) -> None:
        for job_id, job in tuple(self._jobs.items()):
            if job.is_worth_a_look:
                await self._at_execution(job_id, job)
            is_gone = job.is_deleting and job.execution is None and await self._is_gone(job_id)
            if is_gone and self._jobs.get(job_id) is job:  # and no other was made meanwhile under its id
                del self._jobs[job_id]
                self._record(JobDeleted(job_id), self._clock())

    async def _is_gone(self, job_id: str) -> bool:
        try:
            await self._hand.describe_job(job_id)
        except Refused as refused:
            if refused.code != NOT_FOUND:
                raise
            return True
        return False

    async def _at_execution(self, job_id: str, job: _Watched) -> None:
        try:
            told = await self._hand.call("DescribeJobExecution", thingName=self._thing, jobId=job_id)
        except Refused as refused:
            if refused.code != NOT_FOUND:
                raise
            self._absent(job)
        else:
            self._present(job_id, job, told["execution"])

    def _absent(self, job: _Watched) -> None:
        """Reads may lag behind: of a record that nobody asked to be removed, one that finds none proves nothing."""
        job.times_absent += 1
        if not job.is_asked_away and job.times_absent < ABSENCES:
            return
        self._removed(job, self._clock())
        job.is_asked_away = False

    def _removed(self, job: _Watched, at: float) -> None:
        if job.execution is not None:
            self._record(ExecutionRemoved(self._thing, job.execution, job.status), at)
            job.execution = None

    def _present(self, job_id: str, job: _Watched, told: Mapping[str, Any]) -> None:
        job.times_absent = 0
        now, status, version = self._clock(), str(told["status"]), int(told["versionNumber"])
        number, queued_at = int(told["executionNumber"]), int(told["queuedAt"])
        key = ExecutionKey(job.namespace_id, job_id, execution_number=number, queued_at=queued_at)
        if job.execution != key:
            self._removed(job, now)
            self._record(ExecutionQueued(self._thing, key), now)
            job.execution, job.status, job.version = key, Status.QUEUED, 1
        if (status, version) == (job.status, job.version):
            return
        if job.status == Status.QUEUED and status in TERMINAL and told.get("startedAt") is not None:
            self._changed(key, Status.IN_PROGRESS, max(version - 1, 1), None, now)
        if status != Status.QUEUED:
            details = {k: str(v) for k, v in told.get("statusDetails", {}).get("detailsMap", {}).items()}
            self._changed(key, status, version, details or None, now)
        job.status, job.version = status, version

    def _changed(
        self, key: ExecutionKey, status: str, version: int, details: dict[str, str] | None, now: float
    ) -> None:
        by = "device" if status in BY_DEVICE else "service"
        self._record(ExecutionChanged(self._thing, key, status, version, by, details), now)  # type: ignore[arg-type]
