"""A whole schedule on an engine: switched on, played choice by choice, and judged by what the engine saw."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final, Literal, NamedTuple, assert_never

from agent.errors import InputError
from agent.jitter import Jitter
from simulator.controller.controller import Controller
from simulator.engines.casting import Casting
from simulator.engines.conductor.conducting import Conductor
from simulator.engines.conductor.devices import ConductedDevice
from simulator.engines.conductor.packets import ConductedNetwork, Wire
from simulator.engines.conductor.sight import PartedError, Sight
from simulator.engines.conductor.venues import ConductedVenue, InVirtualTime, OverMqtt
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.made_up_time import TIMELESS, MadeUpTime
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.service import EPOCH, Operations
from simulator.engines.explore.setup import FW, NEXT_JOB, OTHER, OTHER_NAMESPACE, Setup
from simulator.engines.explore.system import System, World
from simulator.engines.explore.world import Transition, ending, system_of, transitions
from simulator.scenario import Group, JobSpec, Scenario
from simulator.trace import CLOUD, CONTROLLER, ENGINE, AccountEnded, Entry, Recorder, Sink, device_source
from simulator.verdict import Judge, Verdict

EngineName = Literal["virtual", "live"]
GROUP: Final = "fleet"
MOST_MOVES: Final = 100
"""Until devices that are switched on have found nothing to do."""
ORDER: Final = {"up": 0, "down": 1, "device": 2, "timer": 3}
"""Of what comes of itself, until then."""
TOGETHER: Final = "no engine tells whose packets are whose, of two agents on one thing"


class Parted(NamedTuple):
    """Where the engine did not go the way of the schedule: at which choice of how many, counted from 1; 0: before them.

    `expected` by the explorer's world, and `seen` instead.
    """

    number: int
    of: int
    choice: str
    expected: str
    seen: str

    def __str__(self) -> str:
        where = f"choice {self.number} of {self.of}, '{self.choice}'" if self.number else "before the first choice"
        return f"{where}: expected {self.expected}; saw {self.seen}"


class Replayed(NamedTuple):
    """What came of it: what the judge says of the engine's trace, where they parted, and what broke in the explorer's
    world on the way."""

    verdict: Verdict
    parted: Parted | None
    broken: tuple[Broken, ...] = ()

    @property
    def violated(self) -> frozenset[str]:
        """The ids of the invariants that were violated on the engine."""
        return frozenset(each.id for each in self.verdict.invariants if each.outcome == "violated")


async def play_schedule(
    setup: Setup,
    choices: Sequence[Choice | str],
    engine: EngineName,
    sink: Sink = lambda entry: None,
    *,
    name: str = "replay",
    on_choice: Callable[[int, str], object] = lambda number, choice: None,
) -> Replayed:
    """Play it to its end, or as far as the engine goes the same way; `sink` gets the trace, `name` is the verdict's.

    Choices may be spelled as a schedule has them. `on_choice` is told of each, counted from 1, before it is played.

    In virtual time it runs on a VirtualLoop (`run_virtually`). Raises InputError for what cannot be conducted, and
    ValueError for a choice that there is not where it stands.
    """
    if setup.devices == "two namespaces":
        raise InputError(f"devices: {setup.devices}: {TOGETHER}; `--engine explore` can")
    scenario = scenario_of(setup, name)
    venue: ConductedVenue
    match engine:
        case "virtual":
            venue = InVirtualTime(scenario)
        case "live":
            venue = OverMqtt(setup)
        case _:
            assert_never(engine)
    return await _Replay(setup, scenario, venue, sink).play(choices, on_choice)


def scenario_of(setup: Setup, name: str) -> Scenario:
    """What a setup is as a scenario, as far as the trace tells of one."""
    group = Group(
        group=GROUP,
        namespace=setup.namespace,
        hears=setup.hears,
        model=setup.model,
        layout=setup.layout,
        policy=setup.policy,
        reports=setup.reports,
        leap_when_unreachable=setup.leap_when_unreachable,
    )
    jobs = [_job(job_id, setup.namespace) for job_id in (FW, NEXT_JOB)]
    if setup.bounds.allows("other-namespace"):
        jobs.append(_job(OTHER, OTHER_NAMESPACE, provokes=True))
    return Scenario(name=name, devices=(group,), jobs=tuple(jobs), cloud=setup.jobs_settings, bounds=TIMELESS)


def _job(job_id: str, namespace: str | None, *, provokes: bool = False) -> JobSpec:
    return JobSpec(id=job_id, to=(GROUP,), namespace=namespace, document={"operation": "update"}, provokes=provokes)


class _Replay:
    def __init__(self, setup: Setup, scenario: Scenario, venue: ConductedVenue, sink: Sink) -> None:
        self._setup = setup
        self._system = system_of(setup)
        self._casting = Casting(scenario, setup.things)
        self._venue = venue
        self._sink = sink
        self._judge = Judge()
        self._sight = Sight()
        self._time = MadeUpTime()
        self._is_over = self._is_at_rest = False
        self._wires = {seat: self._wire() for seat in setup.seats}
        self._conductor: Conductor | None = None

    async def play(self, choices: Sequence[Choice | str], on_choice: Callable[[int, str], object]) -> Replayed:
        """As `play_schedule` has it."""
        parted, broken = None, list[Broken]()
        async with AsyncExitStack() as stack:
            engine = await self._open(stack)
            world, number, choice = self._system.first(), 0, ""
            try:
                for before, to_come in beginning(self._setup):
                    await self._play(before, to_come)
                for each in choices:
                    number, choice = number + 1, str(each)
                    to_come = spelled(self._system, world, choice)
                    on_choice(number, choice)
                    await self._play(world, to_come)
                    world = to_come.world
                    broken.extend(each for each in to_come.broken if each.outcome == "violated")
            except PartedError as error:
                parted = Parted(number, len(choices), choice, error.expected, error.seen)
            ended = ending(self._system, world) if parted is None else None
            if ended is not None:
                engine.record(ended)
                self._time.rests()
                self._is_at_rest = True
            else:
                self._is_over = True
        return Replayed(self._judge.verdict(), parted, tuple(dict.fromkeys(broken)))

    async def _play(self, before: World, to_come: Transition) -> None:
        assert self._conductor is not None, "opened before"
        await self._conductor.play(before, to_come)

    def _wire(self) -> Wire:
        return Wire(self._venue.clock, self._sight.changed.set, self._venue.answers_who_left)

    async def _open(self, stack: AsyncExitStack) -> Recorder:
        """Everything is there, and no device is switched on yet."""
        venue, loop = self._venue, asyncio.get_running_loop()
        hears_all = self._setup.hears == "everything"
        network = ConductedNetwork(self._wires, venue.clock, loop.call_later, hears_all=hears_all)
        hand = await venue.open(stack, network, self._now, self._feed)
        engine = Recorder(ENGINE, venue.clock, self._feed)
        engine.record(self._casting.announced(venue.name, 0, None, one_clock=True))
        controller = Controller(hand, Recorder(CONTROLLER, venue.clock, self._feed).record, rng=Jitter("replay"))
        stack.push_async_callback(controller.close)
        devices = tuple(map(self._device, range(len(self._wires))))
        for device in devices:
            await hand.create_thing(device.thing)
            stack.push_async_callback(device.end)
            stack.callback(device.wire.close)
        self._conductor = Conductor(
            self._setup, venue.core, hand, controller, devices, self._sight, self._time, float(EPOCH)
        )
        self._sight.clear()
        return engine

    def _device(self, number: int) -> ConductedDevice:
        (name, group), wire = self._casting.agents[number], self._wires[self._setup.seats[number]]
        record = Recorder(device_source(name), self._venue.clock, self._feed)
        transport = partial(self._venue.transport, name, group)
        return ConductedDevice(self._setup, number, group, wire, transport, record, self._time.writes_down)

    def _now(self) -> float:
        return float(EPOCH) if self._conductor is None else self._conductor.now

    def _feed(self, entry: Entry) -> None:
        if self._is_over or (self._is_at_rest and not isinstance(entry.event, AccountEnded)):
            return  # its devices leave because the play is over: that is nothing that happened in it
        entry = self._time.told(entry)
        self._judge.feed(entry)
        self._sink(entry)
        if entry.source == CLOUD or entry.source.startswith("device/"):
            self._sight.feed(entry)


def spelled(system: System, world: World, text: str) -> Transition:
    """What comes of the choice that is spelled so. Raises ValueError if there is none here."""
    found = next((each for each in transitions(system, world) if str(each.choice) == text), None)
    if found is None:
        raise ValueError(f"{text}: that cannot happen here")
    return found


def beginning(setup: Setup) -> Iterator[tuple[World, Transition]]:
    """What happens from the factory on until `System.first`: each world, and what comes next in it."""
    system = system_of(setup)
    operations, bounds = Operations(setup), setup.bounds.budgets
    sides = tuple(system.off(number) for number, _ in enumerate(setup.seats))
    world = World(sides, operations.begun(), bounds)
    for _ in range(MOST_MOVES):
        away = [number for number, _ in enumerate(sides) if not _is_home(system, world, number)]
        if not away:
            return
        to_come = min(_by_themselves(system, world, away[0]), key=lambda each: ORDER[each.actor])
        yield world, to_come
        world = to_come.world


def _is_home(system: System, world: World, number: int) -> bool:
    device, net, _ = world.sides[number]
    return system.is_home(device, net, world.service)


def _by_themselves(system: System, world: World, number: int) -> Iterator[Transition]:
    """What comes of itself, of what is about that device."""
    for each in transitions(system, world):
        about = [number for number, side in enumerate(each.world.sides) if side != world.sides[number]]
        if not each.costs and each.actor in ORDER and about == [number]:
            yield each
