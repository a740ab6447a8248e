"""The controller: deletes jobs, within AWS's quota, and says what it deletes and why.

Ten jobs at most may be DELETION_IN_PROGRESS in an account and region (CLI reference, `iot delete-job`). So a deletion
takes one of ten places and holds it until DescribeJob knows the job no more; and when the service refuses all the same
(somebody else deletes too), the controller waits, longer each time, and asks again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, assert_never

from agent.errors import InputError
from agent.jitter import Jitter
from agent.log import get_logger
from agent.values import Status
from simulator.controller.hand import Hand, Refused
from simulator.controller.saving import save_job
from simulator.scenario import Owner
from simulator.trace import ControllerEvent, DeletionAccepted, DeletionRefused, DeletionRequested

DELETIONS_AT_ONCE: Final = 10
FIRST_WAIT_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class ControllerCommand:
    """What is to be done with a job, or with its execution on every thing."""

    do: Literal["delete-job", "delete-execution", "cancel-job", "cancel-execution"]
    job_id: str
    force: bool
    namespace_id: str | None


class Controller:
    """Acts through `hand`. `named` are the jobs that it may delete besides those it created; None: any.

    `save_in` is where what will be gone is saved before it is deleted; None: nowhere.
    """

    def __init__(
        self,
        hand: Hand,
        record: Callable[[ControllerEvent], None],
        *,
        rng: Jitter,
        named: Sequence[str] | None = None,
        save_in: Path | None = None,
    ) -> None:
        self._hand = hand
        self._record = record
        self._rng = rng
        self._named = named
        self._save_in = save_in
        self._created: dict[str, Owner] = {}
        self._places = asyncio.Semaphore(DELETIONS_AT_ONCE)
        self._watching: set[asyncio.Task[None]] = set()
        self._log = get_logger("ghostjob.controller")

    async def create_job(
        self,
        job_id: str,
        things: Sequence[str],
        document: dict[str, Any],
        namespace_id: str | None,
        by: Owner = "customer",
        rollout_per_minute: int | None = None,
    ) -> None:
        """Create a job, which this controller may then delete, by the same hand. Raises Refused."""
        await self._hand.create_job(job_id, things, document, namespace_id, by, rollout_per_minute)
        self._created[job_id] = by

    async def carry_out(self, command: ControllerCommand, *, why: str) -> None:
        """Do it; returns once the service has taken it on. Raises Refused, or InputError."""
        job_id = command.job_id
        if self._named is not None and job_id not in self._named and job_id not in self._created:
            raise InputError(f"job {job_id}: neither created here nor named on the command line, so it is left alone")
        takes_place = command.do == "delete-job"
        if takes_place:
            await self._places.acquire()
        try:
            if self._save_in is not None:
                path = await save_job(self._hand, job_id, self._save_in)
                self._log.info("job.saved", job_id=job_id, path=str(path))
            self._log.info("deletion.requested", job_id=job_id, do=command.do, forced=command.force, why=why)
            self._record(DeletionRequested(job_id, command.force, why, command.do))
            await self._ask(command)
        except BaseException:
            if takes_place:
                self._places.release()
            raise
        self._log.info("deletion.accepted", job_id=job_id, do=command.do)
        self._record(DeletionAccepted(job_id, command.do))
        if takes_place:
            watching = asyncio.create_task(self._hold_place(job_id))
            self._watching.add(watching)
            watching.add_done_callback(self._watching.discard)

    async def close(self) -> None:
        """Stop watching deletions."""
        for task in tuple(self._watching):
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def gone(self, job_id: str) -> None:
        """Wait until the service knows the job no more, and its id is free. Raises InputError if nobody answers."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                await self._hand.describe_job(job_id)
            except Refused as refused:
                if refused.code == "ResourceNotFoundException":
                    return
            wait = await self._wait(wait)

    async def _ask(self, command: ControllerCommand) -> None:
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                await self._act(command)
            except Refused as refused:
                passes = refused.code in ("LimitExceededException", "ThrottlingException")
                self._log.warning("deletion.refused", job_id=command.job_id, code=refused.code, retry=passes)
                self._record(DeletionRefused(command.job_id, refused.code, passes))
                if not passes:
                    raise
                wait = await self._wait(wait)
            else:
                return

    async def _act(self, command: ControllerCommand) -> None:
        job_id, force, namespace_id = command.job_id, command.force, command.namespace_id
        match command.do:
            case "delete-job":
                by = self._created.get(job_id, "customer")
                await self._hand.delete_job(job_id, force=force, namespace_id=namespace_id, by=by)
            case "cancel-job":
                await self._hand.cancel_job(job_id, force=force)
            case "delete-execution":
                for seen in await self._hand.executions(job_id):
                    await self._hand.delete_execution(
                        seen.thing, job_id, number=seen.execution_number, force=force, namespace_id=namespace_id
                    )
            case "cancel-execution":
                for seen in await self._hand.executions(job_id):
                    if not Status(seen.status).is_terminal:  # what ended meanwhile is no longer there to be cancelled
                        await self._hand.cancel_execution(seen.thing, job_id, force=force)
            case _:
                assert_never(command.do)

    async def _hold_place(self, job_id: str) -> None:
        try:
            await self.gone(job_id)
        except InputError:
            return  # nobody answers any more; whoever asks next will say so
        finally:
            self._places.release()

    async def _wait(self, seconds: float) -> float:
        """Sleep so long and a random part more; the next wait."""
        await asyncio.sleep(seconds * (1 + self._rng.random() / 2))
        return min(seconds * 2, LONGEST_WAIT_SECONDS)
