"""The controller alone: look at jobs through a hand until their triggers fire, then delete them.

Nothing on the control plane tells of a device's progress by itself, so this looks again and again: the job, its
executions, and, where the trigger needs statusDetails, each one that has begun and is not there yet. Off this machine
it keeps below AWS's quota of ten such requests a second. A job that is not there is waited for; one that was seen and
ends, is deleted by somebody else, or can no longer get there, is given up.
"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.errors import GhostjobError, InputError
from agent.jitter import Jitter
from agent.log import get_logger
from simulator.controller.controller import Controller, ControllerCommand
from simulator.controller.hand import Hand, Refused, SeenExecution
from simulator.controller.triggers import Observation, Trigger
from simulator.controller.waiting import Waiting, awaited, outline
from simulator.scenario import Instant
from simulator.trace import ControllerEvent

REQUESTS_A_SECOND: Final = 8
"""Off this machine; AWS's quota for control-plane job operations is 10 a second each."""
LOCAL_POLL_SECONDS: Final = 0.05
PASSING: Final = frozenset(
    {"ThrottlingException", "LimitExceededException", "InternalFailureException", "ServiceUnavailableException"}
)
"""Refusals of a look that the next one may not meet."""
ENDED: Final = frozenset({"COMPLETED", "CANCELED"})


class InstantMissed(GhostjobError):  # noqa: N818 - an outcome, no fault
    """A job was not deleted, because the instant did not come in time, or cannot come any more."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to delete, and when.

    `poll_seconds` None: as often as the endpoint bears. `timeout_seconds` None: as long as it takes.
    """

    job_ids: tuple[str, ...]
    when: Instant
    force: bool
    namespace_id: str | None
    is_local: bool
    save_in: Path | None = None
    poll_seconds: float | None = None
    timeout_seconds: float | None = None


async def delete_when_due(hand: Hand, order: Order) -> None:
    """Carry the order out: each job by itself, whatever becomes of the others.

    Raises InputError if nobody answers or a deletion is refused for good, InstantMissed if a job was not deleted.
    """

    def ignore(event: ControllerEvent) -> None:
        """Alone, the controller's log is its account."""

    controller = Controller(hand, ignore, rng=Jitter(str(os.getpid())), named=order.job_ids, save_in=order.save_in)
    try:
        async with asyncio.TaskGroup() as group:
            watches = [group.create_task(_Watch(hand, controller, job_id, order).run()) for job_id in order.job_ids]
    except* (InputError, Refused) as errors:
        first = errors.exceptions[0]
        raise (first if isinstance(first, InputError) else InputError(str(first))) from None
    finally:
        await controller.close()
    if missed := [why for watch in watches if (why := watch.result()) is not None]:
        raise InstantMissed("; ".join(missed))


class _Watch:
    """One job, from before it is there until it is deleted or given up."""

    def __init__(self, hand: Hand, controller: Controller, job_id: str, order: Order) -> None:
        self._hand = hand
        self._controller = controller
        self._job_id = job_id
        self._order = order
        self._trigger = Trigger(order.when, frozenset())
        self._created_at: object = None
        """When the job was created, in the hand's own form; None until it was seen."""
        self._present = frozenset[str]()
        self._absent = frozenset[str]()
        """Things whose execution was listed once, and those of them for which it was not at the last look.

        One that is missing twice is gone; once, it may be the whole job that is being deleted just now.
        """
        self._waiting = Waiting(awaited(order.when))
        self._log = get_logger("ghostjob.controller")

    async def run(self) -> str | None:
        """Why the job was not deleted; None if it was."""
        try:
            async with asyncio.timeout(self._order.timeout_seconds):
                why = await self._wait()
        except TimeoutError:
            why = f"--timeout {self._order.timeout_seconds:g} is over; {self._waiting.told()}"
        if why is None:
            return None
        self._log.warning("deletion.missed", job_id=self._job_id, why=why)
        return f"job {self._job_id}: not deleted: {why}"

    async def _wait(self) -> str | None:
        """Look until the instant comes, then delete; or why it cannot come."""
        loop = asyncio.get_running_loop()
        while True:
            asked, gave_up = await self._look()
            if gave_up is not None:
                return f"{gave_up}; {self._waiting.told()}"
            if (why := self._trigger.due(loop.time())) is not None:
                break
            if (line := self._waiting.line(loop.time())) is not None:
                self._log.info("deletion.awaited", job_id=self._job_id, **line)
            pace = LOCAL_POLL_SECONDS if self._order.is_local else asked / REQUESTS_A_SECOND
            await asyncio.sleep(self._order.poll_seconds or pace)
        await asyncio.sleep(self._order.when.later_seconds)
        self._waiting.see(f"{why}, and the deletion is asked for but not taken on")
        return await self._delete(why)

    async def _delete(self, why: str) -> str | None:
        """Delete the job; or who was faster. Raises Refused."""
        command = ControllerCommand("delete-job", self._job_id, self._order.force, self._order.namespace_id)
        try:
            await self._controller.carry_out(command, why=why)
        except Refused:
            if (gave_up := (await self._look())[1]) is None:
                raise
            return gave_up
        return None

    async def _look(self) -> tuple[int, str | None]:
        """Observe the job and every execution once: how many requests that took, and why the instant cannot come."""
        try:
            job = await self._hand.describe_job(self._job_id)
            if (changed := self._changed(job)) is not None:
                return 1, changed
            executions = await self._hand.executions(self._job_id)
            asked = 2 + await self._observe(job, executions)
        except Refused as refused:
            return 1, self._refused(refused)
        if self._trigger.due(asyncio.get_running_loop().time()) is not None:
            return asked, None
        if self._order.when.after_seconds is None and job["status"] in ENDED:
            return asked, f"the job ended {job['status']}"
        return asked, self._trigger.missed()

    def _changed(self, job: Mapping[str, Any]) -> str | None:
        """Take note of the job; why it is no longer the one that was waited for."""
        if self._created_at is None:
            self._created_at = job["createdAt"]
            self._trigger.created(asyncio.get_running_loop().time())
        if job["createdAt"] != self._created_at:
            return "somebody else deleted the job and created another of that id"
        if job["status"] == "DELETION_IN_PROGRESS":
            return "somebody else is deleting the job"
        return None

    def _refused(self, refused: Refused) -> str | None:
        if refused.code in PASSING:
            self._waiting.see(f"nothing, the service is busy ({refused.code})")
            return None
        if refused.code != "ResourceNotFoundException":
            raise refused
        if self._created_at is not None:
            return "somebody else deleted the job"
        self._waiting.see("no such job yet")
        return None

    async def _observe(self, job: Mapping[str, Any], executions: list[SeenExecution]) -> int:
        """Tell the trigger of each execution; how many requests that took."""
        targets = (arn.rpartition(":thing/") for arn in job.get("targets", ()))
        listed = frozenset(each.thing for each in executions)
        self._trigger.things |= listed | {thing for _, is_thing, thing in targets if is_thing}
        seen = [await self._in_detail(each) for each in executions]
        for each in seen:
            incarnation = (each.queued_at, each.execution_number)
            self._trigger.observe(Observation(each.thing, each.status, each.details, incarnation))
        for thing in self._absent - listed:
            self._trigger.lost(thing)
        self._absent = self._present - listed
        self._present |= listed
        self._waiting.see(outline(seen, self._trigger))
        return sum(each is not one for each, one in zip(seen, executions, strict=True))

    async def _in_detail(self, listed: SeenExecution) -> SeenExecution:
        """With its statusDetails, if they matter. If it is gone by now, the next look will not find it in the list."""
        if self._order.when.step is None or listed.status == "QUEUED" or self._trigger.has(listed.thing):
            return listed
        try:
            return await self._hand.execution(listed.thing, self._job_id)
        except Refused as refused:
            if refused.code != "ResourceNotFoundException":
                raise
            return listed
