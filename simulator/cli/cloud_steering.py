"""What somebody does, by a button, to a cloud and to the devices that come by: as `simulator.engines.steering` does it
to a play, through the cloud's own commands. All of it is in the trace, and nobody is accused for it.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final, Literal

from agent.jitter import Jitter
from simulator.cloud.jobs import Job, JobsError, JobStatus, NewJob
from simulator.cloud.jobs.commands import CreateJob
from simulator.cloud.local import LocalCloud
from simulator.controller.controller import Controller, ControllerCommand
from simulator.controller.hand import Hand, Refused
from simulator.controller.in_process import InProcess
from simulator.engines.jobs_there import JobThere, Standing
from simulator.engines.steering import FAULT, STANDS, WHY, NotDone
from simulator.trace import (
    CONTROLLER,
    ClientConnected,
    Entry,
    ExecutionQueued,
    JobCreated,
    JobDeletionBegan,
    Recorder,
    RequestReceived,
    Sink,
)

MADE: Final = 100
"""So many jobs are remembered: the last of them that are not over, and then of the others."""
HEARD: Final = 1_000
"""So many names of things: the last that anything was heard of."""
STANDING: Final[dict[JobStatus, Standing]] = {
    JobStatus.SCHEDULED: "open",
    JobStatus.IN_PROGRESS: "open",
    JobStatus.CANCELED: "cancelled",
    JobStatus.DELETION_IN_PROGRESS: "going",
}
"""All others: over."""


class CloudSteering:
    """Of the cloud's own account and region, which is the one that its trace is of."""

    def __init__(self) -> None:
        self._cloud: LocalCloud | None = None
        self._controller: Controller | None = None
        self._made: dict[str, NewJob] = {}
        """By id, what was asked for: those that may be made again."""
        self._heard: dict[str, None] = {}

    @asynccontextmanager
    async def of(self, cloud: LocalCloud, tell: Sink) -> AsyncIterator[None]:
        """While this lasts, that cloud can be acted on; `tell` gets what is told of it in its trace."""
        self._cloud = cloud
        for job in cloud.core.jobs.jobs():  # those of an earlier one, if it kept them
            self._remember(job)
        hand = Hand(InProcess(cloud.core.control_plane()))
        self._controller = Controller(hand, Recorder(CONTROLLER, time.monotonic, tell).record, rng=Jitter("page"))
        try:
            yield
        finally:
            self._cloud = None
            await self._controller.close()

    def feed(self, entry: Entry) -> None:
        """Take note of one entry, as soon as it has happened."""
        match entry.event:
            case JobCreated(job_id=job_id) | JobDeletionBegan(job_id=job_id):
                if (job := self._job(job_id)) is not None:
                    self._remember(job)
            case ClientConnected(thing=thing) | RequestReceived(thing=thing) | ExecutionQueued(thing=thing):
                self._heard.pop(thing, None)
                self._heard[thing] = None
                if len(self._heard) > HEARD:
                    del self._heard[next(iter(self._heard))]
            case _:
                pass

    def _remember(self, job: Job) -> None:
        things = tuple(dict.fromkeys((*job.new.things, *job.more_things)))
        targets = tuple(dict.fromkeys((*job.new.targets, *job.more_targets)))
        if job.status is not JobStatus.DELETION_IN_PROGRESS:
            self._made.pop(job.job_id, None)  # the last that was made comes last
        self._made[job.job_id] = replace(job.new, things=things, targets=targets)
        if len(self._made) > MADE:
            done = (job_id for job_id in self._made if self._standing(job_id) != "open")
            del self._made[next(done, next(iter(self._made)))]

    # ── what is there ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def can_act(self) -> bool:
        """Whether the cloud is there."""
        return self._cloud is not None

    def jobs(self) -> tuple[JobThere, ...]:
        """Those that are remembered, in the order in which they were made."""
        return tuple(JobThere(job_id, new.namespace_id, self._standing(job_id)) for job_id, new in self._made.items())

    def things(self) -> tuple[str, ...]:
        """The things of the registry of which anything was heard, by name."""
        return tuple(sorted(thing for thing in self._heard if self._there.core.registry.things.get(thing) is not None))

    def _standing(self, job_id: str) -> Standing:
        job = self._job(job_id)
        return "gone" if job is None else STANDING.get(job.status, "over")

    def _job(self, job_id: str) -> Job | None:
        try:
            return None if self._cloud is None else self._cloud.core.jobs.job(job_id)
        except JobsError:
            return None

    @property
    def _there(self) -> LocalCloud:
        if self._cloud is None:
            raise NotDone("The cloud is not up.")
        return self._cloud

    # ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def take_away(self, job_id: str) -> None:
        """Force-delete a job. Raises NotDone."""
        await self._carry_out("delete-job", job_id, True, "open", "cancelled", "over")

    async def cancel(self, job_id: str, *, force: bool) -> None:
        """Cancel a job: what is queued of it, or, by force, what is in progress, too. Raises NotDone."""
        await self._carry_out("cancel-job", job_id, force, "open")

    async def create_again(self, job_id: str) -> int:
        """Create a job that is gone as it was asked for, under the same id; for how many. Raises NotDone."""
        new = self._asked_for(job_id, "gone")
        backing = self._there.core.backing()
        try:
            outcome = backing.jobs.do(CreateJob(new), backing.clock())
        except JobsError as refused:
            raise NotDone(f"The service refused {job_id}: {refused}") from None
        backing.publish(outcome)
        return len(new.things)

    async def _carry_out(
        self, do: Literal["delete-job", "cancel-job"], job_id: str, force: bool, *at: Standing
    ) -> None:
        new = self._asked_for(job_id, *at)
        assert self._controller is not None, "the cloud is there"
        try:
            await self._controller.carry_out(ControllerCommand(do, job_id, force, new.namespace_id), why=WHY)
        except Refused as refused:
            raise NotDone(f"The service refused: {refused}") from None

    def _asked_for(self, job_id: str, *wanted: Standing) -> NewJob:
        new = self._made.get(job_id)
        if not self.can_act or new is None:
            raise NotDone(f"There is no job {job_id}.")
        if (standing := self._standing(job_id)) not in wanted:
            raise NotDone(f"{job_id} {STANDS[standing]}.")
        return new

    # ── devices ───────────────────────────────────────────────────────────────────────────────────────────────

    def cut_network(self, thing: str, seconds: float) -> None:
        """End a thing's connections and answer none for so long. Raises NotDone."""
        if thing not in self.things():
            raise NotDone(f"No thing {thing} has come by.")
        self._there.cut_off(thing, seconds, FAULT)
