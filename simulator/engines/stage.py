"""What a play knows of its run: how far it is, read from the trace; and who waits for that to change."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.values import ExecutionKey
from simulator.trace import (
    TERMINAL,
    DeletionAccepted,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    FaultStruck,
    JobDeleted,
    JobDeletionBegan,
)


class Changes:
    """Who waits for what. After changes each condition is looked at once, and whoever waited for it is woken."""

    __slots__ = ("_is_looking", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._is_looking = False

    def set(self) -> None:
        """Something has changed."""
        if self._waiting and not self._is_looking:
            self._is_looking = True
            asyncio.get_running_loop().call_soon(self._look)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until a change after which `holds()`."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((holds, future))
        await future

    def _look(self) -> None:
        self._is_looking = False
        waiting, self._waiting = self._waiting, []
        for holds, future in waiting:
            if future.done():
                continue  # whoever waited has been cancelled
            try:
                if holds():
                    future.set_result(None)
                else:
                    self._waiting.append((holds, future))
            except Exception as error:
                future.set_exception(error)


@dataclass(slots=True)
class Stage:
    """How far the run is. `changed` is set only at what somebody may wait for: most conditions are dear to look at.

    `things` and `jobs` are those whose executions the run waits for; a cloud that stays up has others besides.
    """

    things: frozenset[str] = frozenset()
    jobs: frozenset[str] = frozenset()
    created: set[int] = field(default_factory=set)
    """The scenario's jobs that have been made, by their number in it."""
    unqueued: dict[str, int] = field(default_factory=dict)
    """By job, the executions that were asked for and that the service has not queued, and may still."""
    open: dict[tuple[str, ExecutionKey], None] = field(default_factory=dict)
    awaited: frozenset[str | None] = frozenset()
    """The jobs that others wait for until they are taken."""
    taken: set[tuple[str, str]] = field(default_factory=set)
    """Things, each with an awaited job that it took, be it over or not."""
    struck: set[tuple[str, str]] = field(default_factory=set)
    """Things, each with a fault that has struck one of its messages."""
    deletions_accepted: set[str] = field(default_factory=set)
    jobs_gone: set[str] = field(default_factory=set)
    changed: Changes = field(default_factory=Changes)

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        match entry.event:
            case ExecutionQueued(thing=thing, execution=key) if self._is_ours(thing, key):
                self.unqueued[key.job_id] = max(0, self.unqueued.get(key.job_id, 0) - 1)
                self.open[thing, key] = None
            case ExecutionChanged(thing=thing, execution=key, status=status) if self._is_ours(thing, key):
                is_over = status in TERMINAL
                if is_over:
                    self.open.pop((thing, key), None)
                if key.job_id in self.awaited:
                    self.taken.add((thing, key.job_id))
                elif not is_over:
                    return
            case ExecutionRemoved(thing=thing, execution=key):
                self.open.pop((thing, key), None)
            case FaultStruck(thing=thing, fault=fault):
                self.struck.add((thing, fault))
            case DeletionAccepted(job_id=job_id, do=do):
                self.deletions_accepted.add(job_id)
                if do == "cancel-job":
                    self.unqueued.pop(job_id, None)
            case JobDeletionBegan(job_id=job_id):
                self.unqueued.pop(job_id, None)
            case JobDeleted(job_id=job_id):
                self.jobs_gone.add(job_id)
            case _:
                return
        self.changed.set()

    def ask_for(self, job_id: str, executions: int) -> None:
        """So many executions of a job are asked for, or, below zero, are not to come after all."""
        self.unqueued[job_id] = max(0, self.unqueued.get(job_id, 0) + executions)

    @property
    def to_come(self) -> int:
        """How many executions the service is still to queue."""
        return sum(self.unqueued.values())

    def join(self, *, thing: str | None = None, job: str | None = None) -> None:
        """The run waits for the executions of a further thing, or job, too."""
        if thing is not None:
            self.things |= {thing}
        if job is not None:
            self.jobs |= {job}

    def _is_ours(self, thing: str, key: ExecutionKey) -> bool:
        return thing in self.things and key.job_id in self.jobs

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds()`; it is looked at after every batch of entries."""
        while not holds():
            await self.changed.until(holds)
