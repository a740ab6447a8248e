"""The rig as a value: what a clock makes of it is what its steps make of it, and no copy of it touches another."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.abilities import Layout
from agent.core import Machine, start
from agent.core import step as agent_step
from agent.core.events import BeginStep, Booted, Effect, Event, Remember, StopStep, UndoStep, Verify
from agent.core.record import Record
from agent.correlation import Correlated, Correlation, correlated
from agent.device_events import DeviceBooted, StepFinished, StepProgressed
from agent.journal import Journal
from simulator.devices.hardware import factory
from simulator.devices.holds import Hold
from simulator.devices.rig import power, running, steps
from simulator.devices.rig.values import After, HoldPoint, Make, Rig, RigOutcome, Sectors
from simulator.devices.storage import SURVIVALS, FlashFile, Survival, Write, recall, snapshot_of
from simulator.engines.play import Play
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Group, PowerCut, parse
from simulator.trace import Entry
from tests.simulator.devices.clocked import TIMINGS, ClockedDevice, step

# ── a clock against single steps ──────────────────────────────────────────────────────────────────────────────

HOLDS = (("download", 0), ("download", 30), ("write", 50), ("write", 80))
ACTIONS = ("download", "write", "switch", "reboot", "self-test", "commit")
CUTS = (
    PowerCut(instant="download 5/16", off_seconds=0.3),
    PowerCut(instant="undo write", off_seconds=0.3),
    PowerCut(instant="exchange 7/16", off_seconds=0.3),
    PowerCut(instant="journal sync", occurrence=2, off_seconds=0.3),
    PowerCut(nth=20, off_seconds=0.3),
    PowerCut(step="write", progress=40, off_seconds=0.3),
)


class Do(NamedTuple):
    """Something that is done to a device; `about` is a step's index, a hold's number, a record's bytes."""

    what: str
    about: int = 0


doings = st.one_of(
    st.builds(Do, st.sampled_from(["begin", "begin", "begin", "undo", "stop"]), st.integers(0, len(ACTIONS) - 1)),
    st.builds(Do, st.sampled_from(["verify", "record", "cut", "reboot"]), st.integers(0, 3)),
    st.builds(Do, st.just("let go"), st.integers(0, len(HOLDS) - 1)),
)
waits = st.sampled_from([0.0, 0.0731, 0.3317, 0.8573, 2.5131, 4.0193])
"""Seconds that no sector ends at."""
plays = st.lists(st.tuples(doings, waits), min_size=1, max_size=14)


def operation(do: Do, rig: Rig) -> tuple[Callable[..., RigOutcome], tuple[Any, ...]]:
    """What that is to a rig."""
    index = do.about % len(ACTIONS)
    begin = step(ACTIONS[index], index)
    match do.what:
        case "begin":
            return steps.begin, (begin,)
        case "undo":
            return steps.undo, (UndoStep(begin.execution, index, begin.step),)
        case "stop":
            return steps.stop, (StopStep(index),)
        case "verify":
            return steps.verify, ()
        case "record":
            return power.write, (writes_of(rig, b"x" * (do.about + 1)),)
        case "cut":
            return power.cut, ("by hand", 0.3)
        case _:
            return power.reboot, ("reboot",)


def writes_of(rig: Rig, snapshot: bytes) -> list[Write]:
    file = FlashFile(rig.disk)
    journal = Journal(file)
    journal.open()
    journal.append(snapshot)
    return file.writes


@dataclass
class ByHand:
    """A rig that is driven sector by sector, from one thing that is due to the next."""

    rig: Rig
    now: float = 0.0
    due: tuple[tuple[float, After], ...] = ()
    noted: tuple[object, ...] = ()

    def take(self, outcome: RigOutcome) -> None:
        had_agent, had_power = self.rig.power == "up", self.rig.is_on
        self.rig = outcome.rig
        self.note(*outcome.tells)
        if had_power and not self.rig.is_on:
            self.due = ()
            self.note(*("halt", "the power is off") if had_agent else ())
        if self.rig.run is None or self.rig.run.held or (outcome.after and outcome.after.what == Sectors()):
            self.due = tuple(each for each in self.due if each[1].what != Sectors())
        if outcome.after is not None:
            self.wait(outcome.after)
        if outcome.event is not None:
            self.note(outcome.event)

    def wait(self, after: After, place: int | None = None) -> None:
        seconds = 0.0 if after.what == Sectors() and self.rig.run and not self.rig.run.sectors else after.seconds
        place = len(self.due) if place is None else place
        self.due = (*self.due[:place], (self.now + seconds, after), *self.due[place:])

    def until(self, at: float) -> None:
        """Do what is due by then, the earliest first; of what is due at once, what has been waited for longest.

        A sum of sectors is not exact, and a run that just goes on has been waited for since it was set going.
        """
        while self.due and (earliest := min(self.due, key=lambda each: round(each[0], 6)))[0] <= at + 1e-9:
            place = next(index for index, each in enumerate(self.due) if each is earliest)
            self.due = tuple(each for each in self.due if each is not earliest)
            self.now, after = earliest
            if isinstance(after.what, Sectors):
                run = self.rig.run
                assert run is not None
                done = min(run.done + 1, run.sectors)
                self.take(steps.advance(self.rig, done))
                if self.rig.run is not None and not self.rig.run.held and not self.is_waiting:
                    self.wait(after, place)
            else:
                self.take(steps.happen(self.rig, after.what))
        self.now = at

    @property
    def is_waiting(self) -> bool:
        return any(after.what == Sectors() for _, after in self.due)

    def note(self, *what: object) -> None:
        self.noted += tuple((round(self.now, 4), each) for each in what)


def by_clock(layout: Layout, cuts: tuple[PowerCut, ...], play: list[tuple[Do, float]]) -> tuple[object, ...]:
    """What a device on a clock noted, and what is left of it."""

    async def played() -> tuple[object, ...]:
        holds = tuple(Hold(HoldPoint(number, "fw", *hold)) for number, hold in enumerate(HOLDS))
        device = ClockedDevice(*cuts, holds=holds, group=Group(group="g", layout=layout))
        for do, seconds in play:
            if do.what == "let go":
                holds[do.about].let_all_go()
            elif device.rig.power == "up":
                doing, args = operation(do, device.rig)
                device.do(doing, *args)
            await asyncio.sleep(seconds)
        noted = tuple((round(at, 4), shown(what)) for at, what in device.noted)
        return noted, device.hardware, device.rig

    return run_virtually(played())


def shown(what: object) -> object:
    """That an agent is gone, its device says, and no rig."""
    return "the power is off" if getattr(what, "reason", "") == "the power is off" else what


def by_hand(layout: Layout, cuts: tuple[PowerCut, ...], play: list[tuple[Do, float]]) -> tuple[object, ...]:
    points = tuple(HoldPoint(number, "fw", *hold) for number, hold in enumerate(HOLDS))
    hand = ByHand(Rig(Make(TIMINGS), factory(layout), cuts=cuts, holds=points))
    hand.take(steps.power_on(hand.rig))
    at = 0.0
    for do, seconds in play:
        if do.what == "let go":
            hand.take(running.let_go(hand.rig, points[do.about]))
        elif hand.rig.power == "up":
            doing, args = operation(do, hand.rig)
            hand.take(doing(hand.rig, *args))
        at += seconds
        hand.until(at)
    return hand.noted, hand.rig.hardware, hand.rig


@given(
    layout=st.sampled_from(["ab", "swap", "single"]),
    cuts=st.lists(st.sampled_from(CUTS), max_size=2, unique=True).map(tuple),
    play=plays,
)
@example("ab", (), [(Do("let go", 0), 0.0), (Do("let go", 1), 0.0), (Do("undo", 3), 0.0), (Do("begin", 0), 0.8573)])
@example("ab", (), [(Do("let go", 0), 0.0), (Do("let go", 1), 0.0), (Do("begin", 0), 0.0), (Do("undo", 3), 0.8573)])
@settings(max_examples=300, deadline=None)
def test_on_a_clock_it_does_what_it_does_sector_by_sector(
    layout: Layout, cuts: tuple[PowerCut, ...], play: list[tuple[Do, float]]
):
    assert by_clock(layout, cuts, play) == by_hand(layout, cuts, play)


# ── a device as a value ───────────────────────────────────────────────────────────────────────────────────────


class Device(NamedTuple):
    """All of one device: the hardware with what it is at and the journal on its disk, and the agent's state."""

    rig: Rig
    machine: Correlated[Machine]
    told: tuple[object, ...] = ()

    def feed(self, event: Event) -> "Device":
        machine, effects = correlated(agent_step)(self.machine, event)
        return reduce(Device.perform, effects, self._replace(machine=machine))

    def perform(self, effect: Effect) -> "Device":
        match effect:
            case Remember(record=record):
                return self.take(power.write(self.rig, writes_of(self.rig, snapshot_of(record))))
            case BeginStep():
                return self.take(steps.begin(self.rig, effect))
            case StopStep():
                return self.take(steps.stop(self.rig, effect))
            case UndoStep():
                return self.take(steps.undo(self.rig, effect))
            case Verify():
                return self.take(steps.verify(self.rig))
            case _:
                return self  # nobody is there to be told, and no clock

    def take(self, outcome: RigOutcome) -> "Device":
        device = self._replace(rig=outcome.rig, told=self.told + outcome.tells)
        if isinstance(outcome.event, Booted):
            policy = self.machine.machine.policy
            device = device._replace(machine=Correlated(start(policy), Correlation("again-", policy.abilities)))
        return device if outcome.event is None else device.feed(outcome.event)

    def work(self, sectors: int) -> "Device":
        """So many sectors on, one by one."""
        device = self
        for _ in range(sectors):
            run = device.rig.run
            assert run is not None, "something is under way"
            device = device.take(steps.advance(device.rig, run.done + 1))
        return device

    def back(self) -> "Device":
        """The power is back."""
        return self.take(steps.happen(self.rig, self.rig.pending[0]))


def in_mid_write() -> Device:
    """Half of an image is written, as a play in virtual time has it."""
    scenario = parse("name: x\ndevices: [{group: a}]\njobs: [{id: fw, to: [a], version: '2.0'}]")
    found: list[Device] = []

    def sink(entry: Entry) -> None:
        if isinstance(entry.event, StepProgressed) and entry.event.step == "write":
            assert play.fleet is not None
            (device,) = play.fleet.devices
            assert device.runner is not None
            found.append(Device(device.rig, device.runner.machine))

    play = Play(scenario, 1, 1, sink, VirtualVenue(scenario, 1))
    run_virtually(play.play())
    return found[0]


@pytest.mark.parametrize("survives", SURVIVALS)
def test_the_power_of_one_twin_goes_in_mid_write_and_the_other_does_not_notice(survives: Survival):
    device = in_mid_write()
    twin, before = device, hash(device)

    going = device.work(3)
    cut = going.take(power.cut(going.rig, "by hand", 0.2, survives))
    assert (cut.rig.is_on, cut.rig.run) == (False, None)
    back = cut.back()
    assert (back.rig.power, back.rig.hardware.slots[1].sectors) == ("up", 3)
    assert any(isinstance(told, DeviceBooted) and told.why == "power-lost" for told in back.told)

    assert (twin, hash(twin)) == (in_mid_write(), before)
    assert len({device, twin, going, cut, back}) == 4
    done = twin.work(16)
    assert done.rig.hardware.slots[1].is_whole
    assert [told.outcome for told in done.told if isinstance(told, StepFinished)] == ["done"]
    assert done == twin.work(7).work(9), "twice from the same state, and the same"


def test_the_power_can_go_between_any_two_writes_of_the_journal_and_the_record_is_the_old_one_or_the_new_one():
    rig = in_mid_write().rig
    old, new = recall(rig.disk)[1], Record(nonce="new")
    writes = writes_of(rig, snapshot_of(new))
    for done in range(len(writes) + 1):
        for survives in SURVIVALS:
            left = power.write(rig, writes[:done]).then(power.cut, survives=survives).rig
            assert recall(left.disk)[1] in ((new,) if done >= len(writes) - 1 else (old, new))


def test_rigs_that_differ_in_how_often_the_power_could_have_gone_alone_are_one_once_no_cut_is_left():
    rig, forty = Rig(Make(TIMINGS), factory("ab"), power="up"), PowerCut(nth=40)
    assert power.instant(rig, "publish").rig == rig
    spent = rig._replace(cuts=(forty,))
    assert power.instant(spent, "publish").rig != spent
    while spent.is_on:
        spent = power.instant(spent, "publish").rig
    assert (spent.cuts, spent.instants) == ((), 0)
