"""A cloud with so many executions, in a process of its own: `python -m tests.bench.large EXECUTIONS STATE`.

Half of them are of one job; the others of jobs of fifty things each, so that 1,000,000 have 10,001 jobs. Every second
of these is for a busy thing too, where it ended. All are written down to STATE as they are made; then each operation is
asked for, one of its own where it changes something, and the big job is force-deleted. Another process (`--back`)
begins again with what was written down, and force-deletes the big job with the store. Each prints one JSON object.

An operation's time is the median of its calls, by function calls without a wire; what it leaves to `tick` counts.
What is told of all executions is CPU time, the thread that commits included.
"""

import json
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import click
import uvloop

from agent.log import configure
from agent.values import Describe, GetPending, JobDocument, Request, StartNext, Status, Update
from simulator.cloud.core import PIECE, CloudCore
from simulator.cloud.jobs import JobsSettings, NewJob, Outcome
from simulator.cloud.jobs.commands import CreateJob, ThingDeleted
from simulator.cloud.serving import _tame_collector
from simulator.cloud.store import Store
from tests.bench.memory import resident_kib

BIG: Final = "big"
EACH: Final = 50
"""Executions of each other job."""
CALLS: Final = 100
PAGE: Final = 25
SETTINGS: Final = JobsSettings(
    deletion_seconds=0, deletion_seconds_per_execution=0, requests_per_second=None, targets=None
)
DOCUMENT: Final = JobDocument('{"operation":"update"}')
AT_ONCE: Final = 20_000
"""So many executions are made between two waits for the disk."""


@dataclass
class Large:
    """The cloud, and what is in it."""

    executions: int
    core: CloudCore
    store: Store | None = None
    now: float = 1_800_000_000.0
    made: int = 0
    plane: Any = field(init=False)

    def __post_init__(self) -> None:
        self.core.go_by_hand(lambda: self.now)
        self.plane = self.core.control_plane()

    @property
    def jobs(self) -> int:
        """How many there are beside the big one."""
        return self.executions // 2 // EACH

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        """An operation, to its end."""
        told: dict[str, Any] = self.plane.call(operation, given)
        return told

    def ask(self, thing: str, request: Request) -> None:
        """A device asks."""
        self.core.jobs.device_request(thing, request, self.now)

    def tick(self) -> None:
        """Do all that is due."""
        while self.core.jobs.next_due() is not None:
            self.core.do_due(self.now, PIECE)

    async def settled(self) -> None:
        """All is on the disk."""
        if self.store is not None:
            await self.store.settled()

    # ── making ────────────────────────────────────────────────────────────────────────────────────────────────

    async def make(self) -> None:
        """Make all of it."""
        self.call("CreateThingGroup", thingGroupName="few")
        for name in ("busy", *map(lone, range(2 * CALLS))):
            self.call("CreateThing", thingName=name)
        await self._create(BIG, [big_thing(number) for number in range(self.executions // 2)])
        things = max(EACH, self.jobs * EACH // 2)
        for number in range(self.jobs):
            names = [f"t-{(number * EACH + each) % things:06}" for each in range(EACH)]
            if number % 2:
                names[0] = "busy"
            await self._create(job(number), names)
            if number % 2 and number < self.jobs - 10:
                self.ask("busy", Update(job(number), Status.SUCCEEDED))
        for number in range(3):
            self.call("CancelJob", jobId=job(number * self.jobs // 3))
        self.tick()
        await self.settled()

    async def _create(self, job_id: str, things: list[str]) -> None:
        self.now += 1.0
        self.core.jobs.do(CreateJob(NewJob(job_id, tuple(things), DOCUMENT, self._targets(job_id))), self.now)
        while self.core.jobs.next_due() is not None:
            self.core.jobs.tick(self.now, AT_ONCE)
            self.made += min(AT_ONCE, len(things))
            if self.made >= AT_ONCE:
                self.made = 0
                await self.settled()

    def _targets(self, job_id: str) -> tuple[str, ...]:
        return (self.core.backing().arn("thinggroup", "few"),) if job_id in (job(1), job(3)) else ()


def big_thing(number: int) -> str:
    return f"big-{number:06}"


def job(number: int) -> str:
    return f"job-{number:05}"


def lone(number: int) -> str:
    return f"lone-{number:04}"


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────

Call = Callable[[int], object]


def operations(large: Large) -> Iterator[tuple[str, Call]]:
    """Each with what is done the n-th time."""
    call, ask, arn = large.call, large.ask, large.core.backing().arn
    half = large.jobs // 2

    def pages(operation: str, **given: Any) -> Call:
        token = call(operation, **given, maxResults=PAGE)["nextToken"]
        return lambda n: call(operation, **given, maxResults=PAGE, nextToken=token)

    def create(beginning: str, things: int, **more: Any) -> Call:
        def make(n: int) -> None:
            names = tuple(lone((n + each) % (2 * CALLS)) for each in range(things))
            targets = tuple(arn("thing", name) for name in names)
            call("CreateJob", jobId=f"{beginning}-{n}", targets=targets, document=DOCUMENT.text, **more)
            large.tick()

        return make

    def delete(n: int) -> None:
        call("DeleteJob", jobId=f"one-{n}", force=True)
        large.tick()

    yield "DescribeJob", lambda n: call("DescribeJob", jobId=job(half + n % half))
    yield "DescribeJobExecution", lambda n: call("DescribeJobExecution", jobId=BIG, thingName=big_thing(n))
    yield "ListJobs", lambda n: call("ListJobs", maxResults=PAGE)
    yield "ListJobs, the next page", pages("ListJobs")
    yield "ListJobs, CANCELED", lambda n: call("ListJobs", maxResults=PAGE, status="CANCELED")
    yield "ListJobs, CONTINUOUS", lambda n: call("ListJobs", maxResults=PAGE, targetSelection="CONTINUOUS")
    yield "ListJobs, of a group", lambda n: call("ListJobs", maxResults=PAGE, thingGroupName="few")
    yield "ListJobs, of a namespace", lambda n: call("ListJobs", maxResults=PAGE, namespaceId="none")
    yield "ListJobExecutionsForJob", lambda n: call("ListJobExecutionsForJob", jobId=BIG, maxResults=PAGE)
    yield "ListJobExecutionsForJob, the next page", pages("ListJobExecutionsForJob", jobId=BIG)
    yield "ListJobExecutionsForThing", lambda n: call("ListJobExecutionsForThing", thingName="busy", maxResults=PAGE)
    yield "ListJobExecutionsForThing, the next page", pages("ListJobExecutionsForThing", thingName="busy")
    yield "GetPending", lambda n: ask(big_thing(n), GetPending())
    yield "GetPending, busy", lambda n: ask("busy", GetPending())
    yield "Describe, busy", lambda n: ask("busy", Describe(job(1)))
    yield "StartNext", lambda n: ask(big_thing(n), StartNext())
    yield "Update", lambda n: ask(big_thing(n), Update(BIG, Status.IN_PROGRESS, (("step", "write"),)))
    yield "Update, SUCCEEDED", lambda n: ask(big_thing(n), Update(BIG, Status.SUCCEEDED))
    yield "CancelJobExecution", lambda n: call("CancelJobExecution", jobId=BIG, thingName=big_thing(CALLS + n))
    yield (
        "DeleteJobExecution",
        lambda n: call("DeleteJobExecution", jobId=BIG, thingName=big_thing(n), executionNumber=1),
    )
    yield "CreateJob for one thing", create("one", 1)
    yield "CreateJob for 100 things", create("hundred", 100)
    yield "CancelJob for one thing", lambda n: call("CancelJob", jobId=f"one-{n}")
    yield "DeleteJob for one thing", delete
    create("continuous", 1, targetSelection="CONTINUOUS")(0)
    target = [arn("thing", lone(number)) for number in range(2 * CALLS)]
    yield (
        "AssociateTargetsWithJob",
        lambda n: call("AssociateTargetsWithJob", jobId="continuous-0", targets=[target[n]]),
    )
    yield "DeleteThing", lambda n: large.core.jobs.do(ThingDeleted(f"nobody-{n}"), large.now)


def ask_for_all(large: Large) -> dict[str, float]:
    """µs of each operation."""
    found: dict[str, float] = {}
    for name, call in operations(large):
        took = list[float]()
        for number in range(CALLS):
            large.now += 0.01
            began = time.perf_counter()
            call(number)
            took.append(time.perf_counter() - began)
        found[name] = median(took) * 1e6
    return found


async def delete_big(large: Large) -> float:
    """µs of CPU an execution."""
    number = sum(large.core.jobs.counts(BIG).values())
    began = time.process_time()
    large.call("DeleteJob", jobId=BIG, force=True)
    while large.core.jobs.next_due() is not None:
        large.core.do_due(large.now, 16)
        if large.store is not None:
            await large.store.settled()
    return (time.process_time() - began) / number * 1e6


def publish_to_nobody(outcome: Outcome) -> None:
    """Nobody listens."""


async def make(executions: int, path: Path) -> dict[str, Any]:
    store = Store(path)
    shelf = store.shelf("")
    large = Large(executions, CloudCore(SETTINGS, lambda: 1_800_000_000.0, publish_to_nobody, keeper=shelf), store)
    began = time.process_time()
    await large.make()
    made = time.process_time() - began
    await store.close()
    large.core.jobs.keep, large.store = None, None
    large.core.registry.watch(lambda change: None)
    _tame_collector()
    return {
        "making": made / executions * 1e6,
        "making_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "operations": ask_for_all(large),
        "deleting": await delete_big(large),
    }


async def come_back(executions: int, path: Path) -> dict[str, Any]:
    _tame_collector()
    before, began, cpu = resident_kib(), time.perf_counter(), time.process_time()
    store = Store(path)
    shelf = store.shelf("")
    core = CloudCore(SETTINGS, lambda: 1_800_100_000.0, publish_to_nobody, keeper=shelf, remembered=shelf.remembered())
    took, on_disk = time.perf_counter() - began, path.stat().st_size  # noqa: ASYNC240 - nobody waits
    held, cpu = resident_kib() - before, time.process_time() - cpu
    large = Large(executions, core, store, now=1_800_100_000.0)
    large.tick()
    _tame_collector()
    deleting = await delete_big(large)
    await store.close()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "starting": took,
        "starting_each": cpu / executions * 1e6,
        "bytes": held * 1024 / executions,
        "most_mib": most / 1024,
        "on_disk": on_disk / executions,
        "deleting_kept": deleting,
    }


@click.command()
@click.argument("executions", type=int)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--back", is_flag=True, help="Begin again with what is there.")
def main(executions: int, path: Path, back: bool) -> None:
    """Measure, and print it."""
    configure("text", "error")
    print(json.dumps(uvloop.run((come_back if back else make)(executions, path))))


if __name__ == "__main__":
    main()
