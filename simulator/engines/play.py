"""Playing a scenario: who does what when, whatever carries the messages and whatever is called time.

    cloud ────────────trace──►┐
    devices (Players) trace──►├──► sink: trace file, verdict, live table; and the Stage, the Cues and the Players
    controller ───────trace──►┘

A Venue is where it is played: `live` over real MQTT, `virtual` in virtual time. The Stage is what the play itself
knows of the run, read from that same stream: which executions are open, which deletions have begun and ended. Whoever
waits, waits for the stage to change. Who the devices are is the Players' business, and when it is over the Ending's.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from typing import Protocol

from agent.errors import InputError
from agent.jitter import Jitter
from agent.runner import Transport
from agent.values import Status, Update
from simulator.controller.controller import Controller, ControllerCommand
from simulator.controller.hand import Hand, Refused
from simulator.engines.casting import Casting
from simulator.engines.cues import NOTICED, Cue, Cues
from simulator.engines.ending import is_over, waited_for, within
from simulator.engines.fleet import Fleet
from simulator.engines.players import Foreign, OwnFleet, Players
from simulator.engines.second_client import SecondClient
from simulator.engines.stage import Stage
from simulator.pace import LOOP_TIME, Pace
from simulator.scenario import Group, Intervention, JobSpec, Scenario, thing_names
from simulator.trace import CLOUD, CONTROLLER, ENGINE, Entry, ProcessStalled, Recorder, RunEnded, Sink

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


class Play:
    """One run of a scenario. `sink` gets every trace entry, in the order in which they become known.

    `devices` is how many of our own play, or the things that somebody else's devices are, which have to connect to the
    venue's cloud by themselves: the trace begins with where that is. A deletion that the service refuses for good
    stands in the trace, and the run goes on. `started_at` is the time of day, in UTC as ISO 8601 has it, for whoever
    reads the verdict; `versions` are those that jobs bring, as `RunStarted` has them. Raises InputError if somebody
    else's devices cannot play it.
    """

    def __init__(
        self,
        scenario: Scenario,
        devices: int | Sequence[str],
        seed: int,
        sink: Sink,
        venue: Venue,
        *,
        started_at: str | None = None,
        versions: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.scenario = scenario
        self._versions = versions
        self._started_at = started_at
        self.casting = Casting(scenario, thing_names(devices) if isinstance(devices, int) else devices)
        self._seed = seed
        self._sink = sink
        self._venue = venue
        self._stage = Stage(awaited=frozenset(job.after.taken for job in scenario.jobs if job.after is not None))
        self._pace = LOOP_TIME
        """What the scenario's times are counted by."""
        changed = self._stage.changed.set
        self._cues = Cues(self.casting, changed)
        self._players: Players = (
            OwnFleet(self.casting, venue, seed, self._feed)
            if isinstance(devices, int)
            else Foreign(self.casting, changed)
        )
        self._are_registered = False
        self._cloud_lost = 0.0
        """Seconds in which the cloud's process did not run."""
        self._controller: Controller | None = None
        self._is_ending = False
        """Nothing more is to be done but to wait until every device rests."""

    async def play(self) -> None:
        """Play it to the end. Raises InputError if the cloud does not start, or refuses to make a job."""
        async with AsyncExitStack() as stack:
            hand = await self._venue.open(stack, self._feed)
            engine = Recorder(ENGINE, self._venue.clock, self._feed)
            ours = isinstance(self._players, OwnFleet)
            engine.record(
                self.casting.announced(
                    self._venue.name, self._seed, self._started_at, one_clock=ours, versions=self._versions
                )
            )
            stack.enter_context(self._venue.watched(engine.record))
            self._pace = Pace(self._venue.running_time)
            self._cues.keep_to(self._pace)
            controller = self._controller = Controller(
                hand, Recorder(CONTROLLER, self._venue.clock, self._feed).record, rng=Jitter(f"{self._seed}/controller")
            )
            stack.push_async_callback(controller.close)
            acting = asyncio.create_task(self._act(hand, controller, stack))
            limit, running_time = self.scenario.time_limit_seconds, self._venue.running_time
            try:
                if await within(acting, limit, running_time, lambda: self._cloud_lost):
                    await acting
                    engine.record(RunEnded("finished"))
                else:
                    players = self._players if self._are_registered else None
                    why = waited_for(self._stage, self._cues, self.casting, players)
                    engine.record(RunEnded("timed-out", why))
            except BaseExceptionGroup as group:
                raise _plainly(group) from None
            finally:
                acting.cancel()
                await asyncio.gather(acting, return_exceptions=True)

    async def _act(self, hand: Hand, controller: Controller, stack: AsyncExitStack) -> None:
        await _at_once(hand.create_thing(thing) for thing, _ in self.casting.things)
        self._are_registered = True
        stage, players, jobs = self._stage, self._players, self.scenario.jobs
        await players.enter(stack, self._cues.holds)
        await stage.until(lambda: players.are_there)
        async with asyncio.TaskGroup() as group:
            await _at_once(self._create(index, controller) for index, job in enumerate(jobs) if job.after is None)
            cued = [group.create_task(self._carry_out(cue, controller)) for cue in self._cues.all]
            creations = [
                group.create_task(self._create_after(index, job, controller))
                for index, job in enumerate(jobs)
                if job.after is not None
            ]
            await stage.until(lambda: is_over(self.scenario, stage, self._cues, self._pace.now()))
            for task in (*cued, *creations):
                task.cancel()
        self._is_ending = True
        await stage.until(players.all_rest)

    @property
    def fleet(self) -> Fleet | None:
        """Our own devices; None before they are switched on, and if somebody else's play."""
        return self._players.fleet if isinstance(self._players, OwnFleet) else None

    def delete_now(self, job_id: str) -> asyncio.Task[None] | None:
        """Delete a job because somebody said so; None while there is nothing to delete with."""
        if self._controller is None:
            return None
        namespace_id = next(job.namespace for job in self.scenario.jobs if job.id == job_id)
        command = ControllerCommand("delete-job", job_id, True, namespace_id)
        return asyncio.create_task(self._controller.carry_out(command, why="somebody pressed its key"))

    # ── what the scenario asks for ────────────────────────────────────────────────────────────────────────────

    async def _create(self, index: int, controller: Controller) -> None:
        job = self.scenario.jobs[index]
        targets = self.casting.targets(job)
        if targets:
            await controller.create_job(job.id, targets, job.job_document(), job.namespace, job.by)
            self._stage.asked_for += len(targets)
            self._cues.created(job, self._pace)
        self._stage.created.add(index)
        self._stage.changed.set()

    async def _create_after(self, index: int, job: JobSpec, controller: Controller) -> None:
        after = job.after
        assert after is not None, "only jobs that wait for another are created after one"
        stage, targets = self._stage, self.casting.targets(job)
        if after.taken is not None:
            taken = after.taken
            awaited = [thing for thing in targets if thing in self.casting.targets_of(taken)]
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
        job = self.casting.first(what.job)
        if isinstance(what, Intervention):
            await asyncio.gather(*(self._update(what, thing, job) for thing in self.casting.targets(job)))
        else:
            command = ControllerCommand(what.do, what.job, what.force, job.namespace)
            try:
                await controller.carry_out(command, why=why)
            except Refused:  # it stands in the trace; what the devices make of it is the run
                if cue.holding is not None:
                    cue.holding.end()
        cue.is_done = True
        self._stage.changed.set()

    async def _update(self, what: Intervention, thing: str, job: JobSpec) -> None:
        """Another client updates an execution, on the device's own topics."""
        name = f"{thing}@technician"
        request = Update(job.id, Status(what.status), client_token=name, namespace_id=job.namespace)
        client = SecondClient(self._venue.transport(name, Group(group="technician", namespace=job.namespace)))
        with contextlib.suppress(TimeoutError):  # an update that gets lost has been tried all the same
            await client.ask(request)

    # ── the stream ────────────────────────────────────────────────────────────────────────────────────────────

    def _feed(self, entry: Entry) -> None:
        self._sink(entry)
        if isinstance(entry.event, ProcessStalled) and entry.source == CLOUD:
            self._cloud_lost += entry.event.seconds
        if self._is_ending:
            self._stage.changed.set()  # whatever happens may be what brings a device to rest
        if self._players.feed(entry):
            self._stage.changed.set()
        if type(entry.event) in NOTICED:
            self._cues.feed(entry)
            self._stage.feed(entry)


def _plainly(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended several tasks at once, in one line if it is what the service, or a file, had to say."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return InputError(str(first)) if isinstance(first, Refused) else first if isinstance(first, InputError) else group


async def _at_once(calls: Iterator[Awaitable[None]]) -> None:
    """Await all of them, a bounded number at a time; each is made when its turn comes."""

    async def some() -> None:
        for call in calls:
            await call

    async with asyncio.TaskGroup() as group:
        for _ in range(CREATIONS_AT_ONCE):
            group.create_task(some())
