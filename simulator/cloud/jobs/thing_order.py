"""A thing's executions by age, a few at a time: it may have thousands, and a page of them is a few dozen.

Executions come and go without a word here. What came is found by its serial, which is higher than all before; what went
is passed over, as nobody has it any more.
"""

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from simulator.cloud.jobs.records import JobExecution

KEPT: Final = 32
"""Things whose executions are kept by age at once."""
FEW: Final = 64
"""So many are put in order whenever they are asked for."""
ExecutionAge: TypeAlias = tuple[float, int]
"""When it was queued, and its serial: unlike all others'."""


class Place(NamedTuple):
    """Where an execution is among those of its thing, and of which job."""

    age: ExecutionAge
    job_id: str


class ThingOrder:
    """Of things with many executions, which are asked for page by page; `of_job` finds those of a job."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, list[Place]]] = {}
        """By thing: the highest serial that was seen, and the places, the oldest first."""

    def older(
        self,
        thing: str,
        latest: dict[str, JobExecution],
        of_job: Callable[[str], list[JobExecution]],
        before: ExecutionAge | None,
        count: int,
    ) -> tuple[list[JobExecution], ExecutionAge | None]:
        """A thing's next older executions, of so many that are looked at, newest first; where to go on, or None."""
        places = self._places(thing, latest, of_job)
        end = len(places) if before is None else bisect_left(places, (before,))
        first = max(0, end - count)
        found = list[JobExecution]()
        for age, job_id in reversed(places[first:end]):
            found += (each for each in of_job(job_id) if each.serial == age[1])
        return found, places[first].age if first else None

    def _places(
        self, thing: str, latest: dict[str, JobExecution], of_job: Callable[[str], list[JobExecution]]
    ) -> list[Place]:
        seen, places = self._kept.pop(thing, (0, []))
        if len(places) > 2 * len(latest) + FEW:
            seen, places = 0, []  # most of them are gone
        newest = seen
        for job_id in reversed(latest):
            if latest[job_id].serial <= seen:
                break
            for each in of_job(job_id):
                if each.serial > seen:
                    insort(places, Place((each.queued_at, each.serial), job_id))
                    newest = max(newest, each.serial)
        if len(latest) > FEW:
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[thing] = (newest, places)
        return places
