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
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Final, TypeAlias

from agent.device_events import DeviceCrashed
from agent.errors import InputError
from agent.jitter import Jitter
from agent.values import Status, Update
from simulator.controller.controller import Controller, ControllerCommand
from simulator.controller.hand import Hand, Refused
from simulator.engines.at_once import at_once, plainly
from simulator.engines.casting import Casting
from simulator.engines.cues import NOTICED, Cue, Cues
from simulator.engines.ending import is_over, may_come, missed, waited_for, within
from simulator.engines.ensemble import Ensemble
from simulator.engines.fleet import Fleet
from simulator.engines.jobs_there import OF_JOBS
from simulator.engines.keeping_busy import keep_busy
from simulator.engines.meeting import YES, Alone, Meeting
from simulator.engines.outlets import DeviceHands, Outlets, looked_after, switched
from simulator.engines.patience import Patience
from simulator.engines.players import OF_OWN, Foreign, OwnFleet, Players
from simulator.engines.second_client import SecondClient
from simulator.engines.silence import Silence
from simulator.engines.stage import Stage
from simulator.engines.stand_ins import Crew
from simulator.engines.steering import Steering
from simulator.engines.stragglers import Stragglers
from simulator.engines.venue import Venue
from simulator.pace import LOOP_TIME, Pace
from simulator.scenario import Group, Intervention, JobSpec, Scenario
from simulator.trace import (
    CLOUD,
    CONTROLLER,
    ENGINE,
    AccountEnded,
    Entry,
    ProcessEnded,
    ProcessStalled,
    Recorder,
    RunEnded,
    Sink,
)
from simulator.trace.packed import Pack, Packs

FleetOf: TypeAlias = Callable[[Casting, Venue, int, Sink, Callable[[], None]], OwnFleet]
"""Of a play: whom it casts, where, by which seed; what gets their entries, and is told that something has changed."""
CLEARING_SECONDS = 10.0
"""So long the service may take to remove what a run leaves behind."""
TOLD_AFTERWARDS = (AccountEnded, ProcessEnded)
"""What still counts when a run has ended."""
HEEDED: Final = NOTICED | OF_JOBS | OF_OWN | {ProcessStalled}
"""What of a run of our own devices is looked at here: a small part of it."""


class Play:
    """One run of a scenario. `sink` gets every trace entry, in the order in which they become known.

    `devices` is how many of our own play, or who of them does, or the things that somebody else's devices are, which
    have to connect to the venue's cloud by themselves: the trace begins with where that is. A deletion that the service
    refuses for good stands in the trace, and the run goes on. `started_at` is the time of day, in UTC as ISO 8601 has
    it, for whoever reads the verdict; `versions` are those that jobs bring, as `RunStarted` has them. Raises InputError
    if somebody else's devices cannot play it.

    The cloud of somebody else's devices may stay up, with jobs of earlier runs: what concerns those is passed on, and
    otherwise ignored. `hands` can cut the power of such a device; `patience` says when a run with it need not go on.
    `are_there`: nobody waits for them to come by, since at that venue not all of them are seen to.
    `steering` is for who does something to it while it goes on; `groups` are told at its beginning, as `RunStarted` has
    them. As long as `is_busy`, it is not over, unless what is held against a device is certain.
    `meeting` is with the plays of the fleet's other devices, if it has any: they wait for what this one waits for.
    `shards` is how many plays that are, with this one. `packs`, if it is given, may get what the cloud of our own
    devices tells, many entries at a time, instead of `sink`. `fleet_of` makes a fleet of ours that is not in this
    process.
    What such a run leaves behind, jobs that provoke and those that are not over, is removed when it has ended.
    """

    def __init__(
        self,
        scenario: Scenario,
        devices: int | Crew | Sequence[str],
        seed: int,
        sink: Sink,
        venue: Venue,
        *,
        started_at: str | None = None,
        hands: DeviceHands | None = None,
        patience: Patience | None = None,
        versions: Mapping[str, tuple[str, ...]] | None = None,
        are_there: bool = False,
        steering: Steering | None = None,
        groups: Mapping[str, str] | None = None,
        is_busy: Callable[[], bool] = lambda: False,
        meeting: Meeting | None = None,
        shards: int = 1,
        packs: Packs | None = None,
        fleet_of: FleetOf | None = None,
    ) -> None:
        self._packs = packs
        self._is_busy = is_busy
        self._shards = shards
        self.scenario = scenario
        self._versions = versions
        self._started_at = started_at
        self.casting = Casting(scenario, Crew.of(scenario, devices, seed) if isinstance(devices, int) else devices)
        self._seed = seed
        self._sink = sink
        self._venue = venue
        self._stage = Stage(
            frozenset(thing for thing, _ in self.casting.things),
            self.casting.jobs,
            awaited=frozenset(job.after.taken for job in scenario.jobs if job.after is not None),
        )
        self._meeting = meeting or Alone(self._stage)
        self._pace = LOOP_TIME
        """What the scenario's times are counted by."""
        changed = self._stage.changed.set
        self._cues = Cues(self.casting, changed)
        self._players: Players
        if self.casting.crew is None:
            self._players = Foreign(self.casting, changed, hands, are_there=are_there)
        elif fleet_of is None:
            self._players = OwnFleet(self.casting, venue, seed, self._feed)
        else:
            self._players = fleet_of(self.casting, venue, seed, self._feed, changed)
        self._heeds_all = isinstance(self._players, Foreign)
        self._hands = hands
        self._are_there = are_there
        self._outlets = Outlets(self.casting, self._stage.changed)
        self._patience = patience
        self._is_sure = False
        """What is held against a device is certain by now, so nobody waits for it any more."""
        self._is_clearing = False
        """The run has ended, and what it leaves behind is being removed."""
        self._are_registered = False
        self._cloud_lost = 0.0
        """Seconds in which the cloud's process did not run."""
        self._steering = steering
        self._groups = groups
        self._stragglers = Stragglers(self.casting, self._players, groups or {})
        self._made: dict[str, JobSpec] = {}
        """The jobs that were made, or asked for, the last of each id."""
        self._silence = Silence(self._stage, lambda: venue.clock())  # virtual time has none yet
        self._is_ending = False
        """Nothing more is to be done but to wait until every device rests."""

    async def play(self) -> None:
        """Play it to the end. Raises InputError if the cloud does not start, or refuses to make a job."""
        async with AsyncExitStack() as stack:
            packs = None if self._packs is None or not self._is_ours else partial(self._feed_all, self._packs)
            hand = await self._venue.open(stack, self._feed, [thing for thing, _ in self.casting.things], packs)
            engine = self._engine = Recorder(ENGINE, self._venue.clock, self._feed)
            engine.record(
                self.casting.announced(
                    self._venue.name,
                    self._seed,
                    self._started_at,
                    one_clock=self._players.one_clock,
                    are_foreign=not self._is_ours,
                    tells_presence=self._are_there,
                    versions=self._versions,
                    groups=self._groups,
                    shards=self._shards,
                )
            )
            stack.enter_context(self._venue.watched(engine.record))
            self._pace = Pace(self._venue.running_time)
            self._cues.keep_to(self._pace)
            self._silence.keep_to(self._pace)
            if isinstance(self._players, Foreign):
                self._players.keep_to(self._pace)
            controller = Controller(
                hand, Recorder(CONTROLLER, self._venue.clock, self._feed).record, rng=Jitter(f"{self._seed}/controller")
            )
            stack.push_async_callback(controller.close)
            self._steer(hand, controller)
            stack.push_async_callback(self._clear, hand)
            acting = asyncio.create_task(self._act(hand, controller, stack))
            limit, running_time = self.scenario.time_limit_seconds, self._venue.running_time
            try:
                if await within(acting, limit, running_time, lambda: self._cloud_lost):
                    await acting
                    is_cut_short = self._steering is not None and self._steering.is_cut_short
                    engine.record(RunEnded("interrupted" if is_cut_short else "finished", missed=self._missed()))
                else:
                    players = self._players if self._are_registered else None
                    why = waited_for(self._stage, self._cues, self.casting, players)
                    engine.record(RunEnded("timed-out", why))
            except asyncio.CancelledError:
                engine.record(RunEnded("interrupted"))
                raise
            except BaseExceptionGroup as group:
                raise plainly(group) from None
            finally:
                acting.cancel()
                await asyncio.gather(acting, return_exceptions=True)

    def _steer(self, hand: Hand, controller: Controller) -> None:
        if self._steering is not None and isinstance(self._players, OwnFleet):
            record, players = self._engine.record, self._players
            parts = self.casting, self._stage, players, self._cues, controller, hand, record, self._made, self._pace
            self._steering.begin(Ensemble(*parts))

    async def _act(self, hand: Hand, controller: Controller, stack: AsyncExitStack) -> None:
        if unknown := [thing for thing, _ in self.casting.things if thing not in hand.known]:
            await at_once(hand.create_thing(thing) for thing in unknown)
        self._are_registered = True
        players, jobs = self._players, self.scenario.jobs
        async with self.looked_after():
            await players.enter(stack, self._cues.holds)
            await self._come_to("there", lambda: players.are_there)
            async with asyncio.TaskGroup() as group:
                await at_once(self._create(index, controller) for index, job in enumerate(jobs) if job.after is None)
                tasks = [
                    group.create_task(self._carry_out(number, cue, controller))
                    for number, cue in enumerate(self._cues.all)
                ]
                tasks += [
                    group.create_task(self._create_after(index, job, controller))
                    for index, job in enumerate(jobs)
                    if job.after is not None
                ]
                if self._steering is not None and self._steering.is_open:
                    tasks.append(group.create_task(keep_busy(self._steering)))
                if not self._is_ours:
                    tasks += [group.create_task(each) for each in self._switched()]
                if self._patience is not None:
                    tasks.append(group.create_task(self._lose_patience(self._patience)))
                await self._come_to("over", self._is_over)
                for task in tasks:
                    task.cancel()
            self._is_ending = True
            if self._steering is not None:
                self._steering.close()
            await self._come_to("at rest", lambda: self._is_sure or self._is_ended or players.all_rest())

    async def _come_to(self, what: str, has: Callable[[], bool]) -> None:
        """Wait until the whole fleet has."""
        await self._meeting.agree(what, lambda: YES if has() else "")

    def _is_over(self) -> bool:
        if self._outlets.is_busy and not self._is_ours:
            return False
        if self._is_busy() and not self._is_sure:
            return False
        has_come = self._is_sure or self._is_ended or is_over(self.casting, self._stage, self._cues, self._pace.now())
        return has_come and not (self._steering is not None and self._steering.must_go_on)  # which asks every device

    @property
    def _is_ended(self) -> bool:
        """Whether somebody has ended it."""
        return self._steering is not None and self._steering.has_ended

    @property
    def _is_ours(self) -> bool:
        return isinstance(self._players, OwnFleet)

    def _missed(self) -> tuple[str, ...]:
        if self._is_ours:
            return tuple(why for cue in self._cues.all if cue.in_vain and (why := cue.missed()) is not None)
        return missed(self.casting, self._stage, self._cues, self._outlets)

    @property
    def fleet(self) -> Fleet | None:
        """Our own devices; None before they are switched on, and if somebody else's play."""
        return self._players.fleet if isinstance(self._players, OwnFleet) else None

    # ── what the scenario asks for ────────────────────────────────────────────────────────────────────────────

    async def _create(self, index: int, controller: Controller) -> None:
        job = self.scenario.jobs[index]
        targets = self.casting.targets(job)
        if targets:
            if not job.provokes:
                self._stage.ask_for(job.id, len(targets))
            self._made[job.id] = job
            rate = job.rollout_per_minute
            await controller.create_job(job.id, targets, job.job_document(), job.namespace, job.by, rate)
            self._cues.created(job, self._pace)
        self._stage.created.add(index)
        self._stage.changed.set()

    async def _create_after(self, index: int, job: JobSpec, controller: Controller) -> None:
        after = job.after
        assert after is not None, "only jobs that wait for another are created after one"
        stage = self._stage
        if after.deletion_of is None:
            await self._come_to(f"job {index}", lambda: may_come(job, stage, self.casting))
        else:
            reached = stage.deletions_accepted if after.until == "accepted" else stage.jobs_gone
            await self._come_to(f"job {index}", lambda: after.deletion_of in reached)
        await self._create(index, controller)

    async def _carry_out(self, number: int, cue: Cue, controller: Controller) -> None:
        """Wait for a cue, and do what it says."""
        what = cue.what
        word = await self._meeting.agree(
            f"cue {number}",
            lambda: self._said_of(cue),
            one_will_do=what.when.devices == "any",
            presses=lambda: cue.is_holding,
        )
        if word != YES:
            cue.give_up(word)
            self._stage.changed.set()
            return
        why = cue.trigger.due(self._pace.now()) or ""
        await self._pace.sleep(what.when.later_seconds)
        if self._steering is not None and not await self._steering.before(cue, self._pace):
            cue.is_done = True  # somebody was there first
            self._stage.changed.set()
            return
        job = self.casting.first(what.job)
        if isinstance(what, Intervention):
            await asyncio.gather(*(self._update(what, thing, job) for thing in self.casting.targets(job)))
        else:
            command = ControllerCommand(what.do, what.job, what.force, job.namespace)
            try:
                await controller.carry_out(command, why=why)
            except Refused as refused:  # it stands in the trace; what the devices make of it is the run
                cue.refused = str(refused)
                if cue.holding is not None:
                    cue.holding.end()
        cue.is_done = True
        self._stage.changed.set()

    def _said_of(self, cue: Cue) -> str:
        """YES, or why it cannot come any more."""
        if cue.trigger.due(self._pace.now()) is not None:
            return YES
        return self._stragglers.why(cue) if self._stragglers.are_certain(cue) else ""

    async def _update(self, what: Intervention, thing: str, job: JobSpec) -> None:
        """Another client updates an execution, on the device's own topics."""
        name = f"{thing}@technician"
        request = Update(job.id, Status(what.status), client_token=name, namespace_id=job.namespace)
        client = SecondClient(self._venue.transport(name, Group(group="technician", namespace=job.namespace)))
        with contextlib.suppress(TimeoutError):  # an update that gets lost has been tried all the same
            await client.ask(request)

    # ── devices that are not ours ─────────────────────────────────────────────────────────────────────────────────

    def looked_after(self) -> AbstractAsyncContextManager[None]:
        """While it lasts, which may be after the run, a device that ends by itself is started again.

        Raises InputError if it cannot be.
        """
        if self._hands is None:
            return contextlib.nullcontext()
        thing = self.casting.things[0][0]
        return looked_after(thing, self._hands, self._stage, self._outlets, self._pace, self._engine.record)

    def _switched(self) -> Iterator[Coroutine[None, None, None]]:
        """The power cuts of such a device."""
        if self._hands is not None:
            for outlet in self._outlets.all:
                yield switched(outlet, self._hands, self._stage, self._pace, self._engine.record)

    async def _lose_patience(self, patience: Patience) -> None:
        """What is certain ends the run. Of our own, only while a deletion waits for some that do not come."""
        outlasted = self._silence.outlasts(
            patience, lambda: not self._is_ours or any(map(self._stragglers.waits_for, self._cues.all))
        )
        await self._meeting.first("patience", outlasted)
        if self._is_ours:
            for cue in self._cues.all:
                if self._stragglers.waits_for(cue) and not cue.in_vain:
                    cue.give_up(self._stragglers.why(cue))
        self._is_sure = True
        self._stage.changed.set()

    async def _clear(self, hand: Hand) -> None:
        """Remove what devices that are not ours, whose cloud goes on, would find there the next time.

        The cloud of our own ends with the run, and what it still has to tell of that counts.
        """
        if self._is_ours:
            return
        self._is_clearing = True
        left = {key.job_id for _, key in self._stage.open}
        jobs = [job for job in self._made.values() if job.provokes or job.id in left]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLEARING_SECONDS):
                for job in jobs:
                    with contextlib.suppress(Refused, InputError):  # it is gone already, or nobody answers any more
                        await hand.delete_job(job.id, force=True, namespace_id=job.namespace, by=job.by)

    # ── the stream ────────────────────────────────────────────────────────────────────────────────────────────

    def _feed(self, entry: Entry) -> None:
        kind = type(entry.event)
        if self._is_clearing and kind not in TOLD_AFTERWARDS:
            return
        self._sink(entry)
        if entry.source == CLOUD:
            self._silence.feed(entry.at)
        if self._is_ending:
            self._stage.changed.set()  # whatever happens may be what brings a device to rest
        if kind in HEEDED or self._heeds_all:
            self._heed(entry, kind)

    def _feed_all(self, sink: Packs, pack: Pack) -> None:
        """The same of many entries of the cloud's, if the devices are ours."""
        sink(pack)
        self._silence.feed(pack.at)
        if self._is_ending:
            self._stage.changed.set()
        for entry in pack.of(HEEDED):
            self._heed(entry, type(entry.event))

    def _heed(self, entry: Entry, kind: type) -> None:
        if isinstance(entry.event, ProcessStalled) and entry.source == CLOUD:
            self._cloud_lost += entry.event.seconds
        if kind is DeviceCrashed:
            self._stage.changed.set()
        if self._players.feed(entry):
            self._stage.changed.set()
        if self._steering is not None and kind in OF_JOBS:
            self._steering.feed(entry)
        if kind in NOTICED:
            self._cues.feed(entry)
            self._stage.feed(entry)
            self._silence.is_broken()
            if not self._is_ours:
                self._outlets.feed(entry)
