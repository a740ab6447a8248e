"""Playing a scenario: who does what when, whatever carries the messages and whatever is called time.

    cloud ────────────trace──►┐
    devices (Fleet) ──trace──►├──► sink: trace file, verdict, live table, and the Stage below
    controller ───────trace──►┘

A Venue is where it is played: `live` over real MQTT, `virtual` in virtual time. The Stage is what the play itself
knows of the run, read from that same stream: which devices are there, which executions are open, which deletions have
begun and ended. Whoever waits, waits for the stage to change.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final, Protocol

from agent.account import DeviceConnected, StepFinished, StepProgressed, StepStarted
from agent.errors import InputError
from agent.jitter import Jitter
from agent.runner import Transport
from agent.values import ExecutionKey, Status, Update
from simulator.controller.controller import Command, Controller
from simulator.controller.hands import Hand, Refused
from simulator.controller.triggers import Observation, Trigger
from simulator.devices.device import SimulatedDevice
from simulator.devices.holds import Hold
from simulator.engines.fleet import Fleet
from simulator.engines.holding import Holding
from simulator.engines.technician import Technician
from simulator.pace import LOOP_TIME, Pace
from simulator.scenario import (
    Deletion,
    Group,
    Intervention,
    JobSpec,
    Place,
    Scenario,
    agents,
    thing_names,
    thing_of_agent,
)
from simulator.trace import (
    CLOUD,
    CONTROLLER,
    ENGINE,
    DeletionAccepted,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobDeleted,
    ProcessStalled,
    Recorder,
    RunEnded,
    RunStarted,
    Sink,
    device_source,
)

CREATIONS_AT_ONCE = 32


class Venue(Protocol):
    """Where a scenario is played."""

    @property
    def name(self) -> str:
        """What the engine is called."""

    def clock(self) -> float:
        """Seconds, precise at every call; the clock of the devices, the controller and the engine."""

    async def open(self, stack: AsyncExitStack, sink: Sink) -> Hand:
        """Start the cloud, which lasts as long as the stack; what the controller acts through. Raises InputError."""

    @property
    def running_time(self) -> Callable[[], float] | None:
        """What agents' timers run by: seconds in which the process ran; None for the loop's own time."""

    def watched(self, record: Callable[[ProcessStalled], None]) -> AbstractContextManager[object]:
        """Have `record` told, while that lasts, when the process in which the devices are did not run."""

    def transport(self, thing: str, group: Group) -> Transport:
        """A connection for one boot of one device."""


NOTICED: Final = frozenset(
    {
        DeletionAccepted,
        DeviceConnected,
        ExecutionChanged,
        ExecutionQueued,
        ExecutionRemoved,
        JobDeleted,
        StepFinished,
        StepProgressed,
        StepStarted,
    }
)
"""What somebody here may wait for: a small part of what happens."""


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
    """How far the run is. `changed` is set only at what somebody may wait for: most conditions are dear to look at."""

    connected: set[str] = field(default_factory=set)
    queued: int = 0
    open: dict[tuple[str, ExecutionKey], None] = field(default_factory=dict)
    awaited: frozenset[str | None] = frozenset()
    """The jobs that others wait for until they are taken."""
    taken: set[tuple[str, str]] = field(default_factory=set)
    """Things, each with an awaited job that it took, be it over or not."""
    deletions_accepted: set[str] = field(default_factory=set)
    jobs_gone: set[str] = field(default_factory=set)
    changed: Changes = field(default_factory=Changes)

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        match entry.event:
            case DeviceConnected():
                self.connected.add(entry.source)
            case ExecutionQueued(thing=thing, execution=key):
                self.queued += 1
                self.open[thing, key] = None
            case ExecutionChanged(thing=thing, execution=key, status=status):
                is_over = Status(status).is_terminal
                if is_over:
                    self.open.pop((thing, key), None)
                if key.job_id in self.awaited:
                    self.taken.add((thing, key.job_id))
                elif not is_over:
                    return
            case ExecutionRemoved(thing=thing, execution=key):
                self.open.pop((thing, key), None)
            case DeletionAccepted(job_id=job_id):
                self.deletions_accepted.add(job_id)
            case JobDeleted(job_id=job_id):
                self.jobs_gone.add(job_id)
            case _:
                return
        self.changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds()`; it is looked at after every batch of entries."""
        while not holds():
            await self.changed.until(holds)


@dataclass(slots=True)
class Cue:
    """A deletion of the scenario, or an update, with the trigger that fires it and the hold that makes it land."""

    what: Deletion | Intervention
    trigger: Trigger
    holding: Holding | None
    is_done: bool = False


class Play:
    """One run of a scenario. `sink` gets every trace entry, in the order in which they become known.

    A deletion that the service refuses for good stands in the trace, and the run goes on. `started_at` is the time of
    day, in UTC as ISO 8601 has it, for whoever reads the verdict.
    """

    def __init__(
        self,
        scenario: Scenario,
        devices: int,
        seed: int,
        sink: Sink,
        venue: Venue,
        *,
        started_at: str | None = None,
    ) -> None:
        self.scenario = scenario
        self._started_at = started_at
        self.things = tuple(zip(thing_names(devices), scenario.deal(devices), strict=True))
        self.agents = tuple(agent for thing, group in self.things for agent in agents(thing, group))
        self._seed = seed
        self._sink = sink
        self._venue = venue
        self._stage = Stage(awaited=frozenset(job.after.taken for job in scenario.jobs if job.after is not None))
        self._pace = LOOP_TIME
        """What the scenario's times are counted by."""
        cued: tuple[Deletion | Intervention, ...] = (*scenario.deletions, *scenario.updates)
        self._cues = tuple(self._cue(what) for what in cued)
        self._watched = frozenset((cue.what.job, cue.what.when.step) for cue in self._cues)
        """Jobs, each with the step of it that a cue waits for, None for a status: nothing else needs to be observed."""
        self._created: set[int] = set()
        self._asked_for = 0
        self._cloud_lost = 0.0
        """Seconds in which the cloud's process did not run."""
        self._controller: Controller | None = None
        self._is_ending = False
        """Nothing more is to be done but to wait until every device rests."""
        self._restless: SimulatedDevice | None = None
        self.fleet: Fleet | None = None

    async def play(self) -> None:
        """Play it to the end. Raises InputError if the cloud does not start, or refuses to make a job."""
        async with AsyncExitStack() as stack:
            hand = await self._venue.open(stack, self._feed)
            engine = Recorder(ENGINE, self._venue.clock, self._feed)
            engine.record(self._started())
            stack.enter_context(self._venue.watched(engine.record))
            self._pace = Pace(self._venue.running_time)
            for cue in self._cues:
                if cue.holding is not None:
                    cue.holding.pace = self._pace
            controller = self._controller = Controller(
                hand, Recorder(CONTROLLER, self._venue.clock, self._feed).record, rng=Jitter(f"{self._seed}/controller")
            )
            stack.push_async_callback(controller.close)
            acting = asyncio.create_task(self._act(hand, controller, stack))
            try:
                if await self._patiently(acting):
                    await acting
                    engine.record(RunEnded("finished"))
                else:
                    engine.record(RunEnded("timed-out", self._waited_for()))
            except BaseExceptionGroup as group:
                raise _plainly(group) from None
            finally:
                acting.cancel()
                await asyncio.gather(acting, return_exceptions=True)

    async def _patiently(self, acting: asyncio.Task[None]) -> bool:
        """Wait for it, at most for the scenario's time limit; whether it came to its end.

        Time in which a process did not run is not counted, that of the one that lost more: a machine that lets nobody
        run is not in a hurry.
        """
        time = asyncio.get_running_loop().time
        running_time = self._venue.running_time or time
        until, running_until = (now() + self.scenario.time_limit_seconds for now in (time, running_time))
        while (left := max(until + self._cloud_lost - time(), running_until - running_time())) > 0:
            done, _ = await asyncio.wait({acting}, timeout=left)
            if done:
                return True
        return False

    def _waited_for(self) -> str:
        """What a run that met its limit was waiting for, with the first thing that is concerned."""
        stage = self._stage
        if self.fleet is None:
            return "the things to be registered"
        if away := [name for name, _ in self.agents if device_source(name) not in stage.connected]:
            return f"every device to connect: {_first_of(away)}"
        if (unmade := self._asked_for - stage.queued) > 0:
            return f"the service to queue {unmade} of {self._asked_for} executions"
        for cue in self._cues:
            if cue.holding is not None and (held := cue.holding.hold.held):
                job, step = cue.what.job, cue.what.when.step
                late = [thing for thing in self._targets(self._first(job)) if not cue.trigger.has(thing)]
                if late and not cue.is_done:
                    return f"every device to be at {step} of job {job}, others being held there: {_first_of(late)}"
                return f"job {job} to be removed from who is held in {step}: {_first_of(held)}"
        if stage.open:
            thing, key = next(iter(stage.open))
            return f"the execution of {key.job_id} on {thing} to be over, and {len(stage.open) - 1} more"
        restless = [device.thing for device in self.fleet.devices if not device.rests]
        return f"every device to rest: {_first_of(restless)}" if restless else "the deletions that are due"

    async def _act(self, hand: Hand, controller: Controller, stack: AsyncExitStack) -> None:
        await _at_once(hand.create_thing(thing) for thing, _ in self.things)
        holds = tuple(cue.holding.hold for cue in self._cues if cue.holding)
        agents = self.agents
        fleet = self.fleet = Fleet(agents, self._venue, self._seed, self._feed, scenario=self.scenario, holds=holds)
        await stack.enter_async_context(fleet)
        await self._stage.until(lambda: len(self._stage.connected) == len(self.agents))
        async with asyncio.TaskGroup() as group:
            await _at_once(
                self._create(index, controller) for index, job in enumerate(self.scenario.jobs) if job.after is None
            )
            cued = [group.create_task(self._carry_out(cue, controller)) for cue in self._cues]
            creations = [
                group.create_task(self._create_after(index, job, controller))
                for index, job in enumerate(self.scenario.jobs)
                if job.after is not None
            ]
            await self._stage.until(self._is_over)
            for task in (*cued, *creations):
                task.cancel()
        self._is_ending = True
        await self._stage.until(self._all_rest)

    def delete_now(self, job_id: str) -> asyncio.Task[None] | None:
        """Delete a job because somebody said so; None while there is nothing to delete with."""
        if self._controller is None:
            return None
        namespace_id = next(job.namespace for job in self.scenario.jobs if job.id == job_id)
        command = Command("delete-job", job_id, True, namespace_id)
        return asyncio.create_task(self._controller.carry_out(command, why="somebody pressed its key"))

    # ── what the scenario asks for ────────────────────────────────────────────────────────────────────────────

    def _targets(self, job: JobSpec) -> tuple[str, ...]:
        return tuple(thing_of_agent(name) for name, group in self.agents if group.group in job.to)

    def _first(self, job_id: str) -> JobSpec:
        return next(job for job in self.scenario.jobs if job.id == job_id)

    def _cue(self, what: Deletion | Intervention) -> Cue:
        when, holding = what.when, None
        if isinstance(what, Deletion) and what.hold and when.step:
            holding = Holding(what, Hold(what.job, when.step, when.progress))
        return Cue(what, Trigger(when, frozenset(self._targets(self._first(what.job)))), holding)

    async def _create(self, index: int, controller: Controller) -> None:
        job = self.scenario.jobs[index]
        targets = self._targets(job)
        if targets:
            await controller.create_job(job.id, targets, job.job_document(), job.namespace, job.by)
            self._asked_for += len(targets)
            for cue in self._cues:
                if job is self._first(cue.what.job):
                    cue.trigger.created(self._pace.now())
                    if cue.what.when.after_seconds is not None:
                        self._pace.call_later(cue.what.when.after_seconds, self._stage.changed.set)
        self._created.add(index)
        self._stage.changed.set()

    async def _create_after(self, index: int, job: JobSpec, controller: Controller) -> None:
        after = job.after
        assert after is not None, "only jobs that wait for another are created after one"
        stage, targets = self._stage, self._targets(job)
        if after.taken is not None:
            taken = after.taken
            awaited = [thing for thing in targets if thing in self._targets(self._first(taken))]
            await stage.until(lambda: all((thing, taken) in stage.taken for thing in awaited))
        else:
            reached = stage.deletions_accepted if after.until == "accepted" else stage.jobs_gone
            await stage.until(lambda: after.deletion_of in reached)
        await self._create(index, controller)

    async def _carry_out(self, cue: Cue, controller: Controller) -> None:
        """Wait for a cue, and do what it says."""
        what = cue.what
        await self._stage.until(lambda: cue.trigger.due(self._pace.now()) is not None)
        why = cue.trigger.due(self._pace.now()) or ""
        await self._pace.sleep(what.when.later_seconds)
        job = self._first(what.job)
        if isinstance(what, Intervention):
            await asyncio.gather(*(self._update(what, thing, job) for thing in self._targets(job)))
        else:
            command = Command(what.do, what.job, what.force, job.namespace)
            try:
                await controller.carry_out(command, why=why)
            except Refused:  # it stands in the trace; what the devices make of it is the run
                if cue.holding is not None:
                    cue.holding.end()
        cue.is_done = True
        self._stage.changed.set()

    async def _update(self, what: Intervention, thing: str, job: JobSpec) -> None:
        """Another hand updates an execution, on the device's own topics."""
        name = f"{thing}@technician"
        request = Update(job.id, Status(what.status), client_token=name, namespace_id=job.namespace)
        technician = Technician(self._venue.transport(name, Group(group="technician", namespace=job.namespace)))
        with contextlib.suppress(TimeoutError):  # an update that gets lost has been tried all the same
            await technician.ask(request)

    def _is_over(self) -> bool:
        """Whether every deletion that is due is done, every job made that can be made, and no execution is open."""
        stage, now = self._stage, self._pace.now()
        if stage.open or stage.queued != self._asked_for:
            return False
        waiting = any(
            index not in self._created and (job.after is None or job.after.deletion_of in stage.deletions_accepted)
            for index, job in enumerate(self.scenario.jobs)
        )
        deleting = any(not cue.is_done and cue.trigger.due(now) for cue in self._cues)
        return not waiting and not deleting

    def _all_rest(self) -> bool:
        """Whether every device rests; the one that did not when this was last asked is asked first."""
        if self._restless is None or self._restless.rests:
            assert self.fleet is not None, "there are devices by now"
            self._restless = next((device for device in self.fleet.devices if not device.rests), None)
        return self._restless is None

    # ── the stream ────────────────────────────────────────────────────────────────────────────────────────────

    def _feed(self, entry: Entry) -> None:
        self._sink(entry)
        if isinstance(entry.event, ProcessStalled) and entry.source == CLOUD:
            self._cloud_lost += entry.event.seconds
        if self._is_ending:
            self._stage.changed.set()  # whatever happens may be what brings a device to rest
        if type(entry.event) not in NOTICED:
            return
        match entry.event:
            case ExecutionChanged(thing=thing, execution=key, status=status, details=details):
                self._observe(thing, key, status, details or {})
            case ExecutionQueued(thing=thing, execution=key):
                self._observe(thing, key, Status.QUEUED, {})
            case StepStarted(execution=key, step=step):
                self._observe_step(entry.source, key, step, 0)
            case StepProgressed(execution=key, step=step, percent=percent):
                self._observe_step(entry.source, key, step, percent)
            case StepFinished(execution=key, step=step, outcome="done"):
                self._observe_step(entry.source, key, step, 100)
            case _:
                pass
        for cue in self._cues:
            if cue.holding is not None:
                cue.holding.feed(entry.event)
        self._stage.feed(entry)

    def _observe_step(self, source: str, key: ExecutionKey, step: str, percent: int) -> None:
        """Our own hardware shows how far it is, whatever its agent reports."""
        if (key.job_id, step) not in self._watched and (key.job_id, None) not in self._watched:
            return
        thing = thing_of_agent(source.removeprefix(device_source("")))
        self._observe(thing, key, Status.IN_PROGRESS, {"step": step, "progress": str(percent)})

    def _observe(self, thing: str, key: ExecutionKey, status: str, details: dict[str, str]) -> None:
        for cue in self._cues:
            if cue.what.job == key.job_id and not cue.trigger.has(thing):
                cue.trigger.observe(Observation(thing, status, details, _incarnation(key)))
                if cue.trigger.has(thing):
                    self._stage.changed.set()

    def _started(self) -> RunStarted:
        names = tuple(name for name, _ in self.agents)
        bounds = self.scenario.bounds.model_dump(mode="json")
        places = tuple(self._place(place) for place in self.scenario.must_reach if self._is_asked(place))
        forward = tuple(name for name, group in self.agents if group.policy == "finish-after-switch")
        bold = {
            name: group.leap_deadline_seconds for name, group in self.agents if group.leap_when_unreachable == "proceed"
        }
        shared = {
            name: (thing, group.namespace)
            for thing, first in self.things
            if first.beside
            for name, group in agents(thing, first)
        }
        return RunStarted(
            self.scenario.name,
            self._venue.name,
            names,
            bounds,
            places,
            forward,
            bold,
            shared,
            self._seed,
            version("ghostjob"),
            self._started_at,
            one_clock=True,
        )

    def _is_asked(self, place: Place) -> bool:
        """Whether a place is for the models that play."""
        return not place.models or any(group.model in place.models for _, group in self.agents)

    def _place(self, place: Place) -> dict[str, Any]:
        """A place with its groups resolved to things."""
        groups = place.groups or self._first(place.job).to
        models = place.models or [group.model for group in self.scenario.groups]
        things = [name for name, group in self.agents if group.group in groups and group.model in models]
        words = (place.place, place.job, place.step, place.instant, place.hint, "/".join(place.groups))
        name = " ".join(word for word in words if word)
        return place.model_dump(mode="json", exclude={"groups", "models"}, exclude_none=True) | {
            "id": name,
            "things": things,
        }

    @property
    def groups(self) -> dict[str, Group]:
        """Each agent's group."""
        return dict(self.agents)


@lru_cache(maxsize=1024)
def _incarnation(key: ExecutionKey) -> tuple[int, int]:
    """One object for all things."""
    return key.queued_at, key.execution_number


def _plainly(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended several tasks at once, in one line if it is what the service, or a file, had to say."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return InputError(str(first)) if isinstance(first, Refused) else first if isinstance(first, InputError) else group


def _first_of(names: Sequence[str]) -> str:
    """The first, and how many more there are."""
    return names[0] if len(names) == 1 else f"{names[0]}, and {len(names) - 1} more"


async def _at_once(calls: Iterator[Awaitable[None]]) -> None:
    """Await all of them, a bounded number at a time; each is made when its turn comes."""

    async def some() -> None:
        for call in calls:
            await call

    async with asyncio.TaskGroup() as group:
        for _ in range(CREATIONS_AT_ONCE):
            group.create_task(some())
