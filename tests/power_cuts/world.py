"""One device in a virtual world of its own, with a job, a force delete and power cuts; and worlds that branch off.

The power can go before every single thing that a device does to anything outside its memory: a sector, a write or an
fsync of the journal, a reboot, a message that it sends. So a cut anywhere else is the same as the one that follows it,
and cutting before each of them in turn is exhaustive. What comes before a cut is played once: where the power is to
go, the world is copied (see `copying`), and goes in the copy.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from agent.abilities import Abilities, Layout
from agent.core import DevicePolicy
from agent.core.events import BeginStep
from agent.core.state import Safe
from agent.correlation import Correlated, Correlation, correlated
from agent.device_events import (
    DeviceBooted,
    ExecutionLeft,
    ExecutionTaken,
    PhaseChanged,
    PowerLost,
    RequestSent,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
    request_kind,
)
from agent.jitter import Jitter
from agent.recovery import PointOfNoReturn
from agent.runner import Runner
from agent.values import Request
from simulator.controller.hand import Hand
from simulator.controller.in_process import InProcess
from simulator.devices.device import Kept, SimulatedDevice, Wiring
from simulator.devices.models import model_named
from simulator.devices.rig.power import instant
from simulator.devices.rig.steps import advance, power_on
from simulator.devices.rig.values import Make, Rig, RigOutcome
from simulator.devices.storage import SURVIVALS, Survival
from simulator.engines.memoised_steps import memoised
from simulator.engines.virtual import VirtualCloud, VirtualLink
from simulator.scenario import Bounds, Group, JobSpec, PowerCut, Scenario, Timings
from simulator.trace import (
    ENGINE,
    AccountEnded,
    Entry,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    JobDeleted,
    Recorder,
    RunEnded,
    RunStarted,
    device_source,
)
from simulator.verdict import Judge
from tests.power_cuts.copying import Calls, ForkingLoop, copied
from tests.power_cuts.trouble import (
    LEAP_DEADLINE_SECONDS,
    VERSION,
    advance_failing,
    begin_failing,
    failure_of,
    image_of,
    may_end_safe,
    outages_of,
    troubled_step,
)

TIME_LIMIT_SECONDS: Final = 300
"""Virtual; a device that is not ready by then hangs."""
SECOND: Final = 1.0
TIMINGS: Final = Timings()
THING: Final = "thing-0"
JOB: Final = "fw"
FIRST_JOB_SECONDS: Final = 0.1
CLEANS_NOTHING: Final = {"operation": "configure", "to": "net.conf", "content": "a"}
"""A next job that writes over nothing that the deleted one may have left behind, as another update would."""
LEAPS: Final[dict[Layout, tuple[str, ...]]] = {"ab": ("commit",), "swap": ("commit",), "single": ("write", "reboot")}
SEEN: Final = frozenset(
    {
        DeviceBooted,
        ExecutionChanged,
        ExecutionLeft,
        ExecutionQueued,
        ExecutionTaken,
        JobDeleted,
        PhaseChanged,
        PowerLost,
        RequestSent,
        StepFinished,
        StepProgressed,
        StepStarted,
        StepUndone,
    }
)
"""What decides anybody's fate: a small part of what happens."""
OFF: Final = "power off"
"""The moment of a deletion that the device cannot notice: while it has no power."""


Next: TypeAlias = Literal["another id", "the same id", "the same id within the second"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What the devices of one world have in common. `moment` is when a device's job is deleted: see `happens`.

    `trouble` is how its work fails by itself, empty if it does not: see `trouble`.
    `then` is the next job's id; with another id it is no update. Two executions of the same id within the same second
    look alike, on the wire too, so that is the one case in which an invariant may be undecided.
    """

    moment: str
    layout: Layout = "ab"
    namespace: str | None = None
    policy: PointOfNoReturn = "revert-until-commit"
    then: Next = "another id"
    model: str = "reference"
    trouble: str = ""

    def __str__(self) -> str:
        where = self.namespace or "default"
        fails = f"{self.trouble}, " if self.trouble else ""
        return f"{self.layout}, {where}, {self.policy}, {fails}deleted: {self.moment}, then {self.then}"


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the power of one device goes: before its instants of these numbers, counted from 1."""

    nth: tuple[int, ...] = ()
    survives: Survival = "nothing"


@dataclass(slots=True)
class Story:
    """How it went for one device. `problems` are what must not be in the end, `violated` the invariants that it broke.

    `instants` counts all that it did, up to the deletion (`deleted_at`), up to where it took the next job (`taken_at`,
    0 if it did not); `lost_at` are number and name of those at which the power went. `survivals`: those that would have
    left another journal than the one played. `switched`: it had begun to switch before it took the next job.
    `troubled_at`: all that it did until the step began in which its work fails by itself, 0 if none did.
    `undid_the_leap`: it took back what lies past the point of no return, or tried to.
    """

    cut: Cut
    instants: int = 0
    lost_at: list[tuple[int, str]] = field(default_factory=list)
    survivals: frozenset[Survival] = frozenset()
    deleted_at: int = 0
    taken_at: int = 0
    troubled_at: int = 0
    switched: bool = False
    undid_the_leap: bool = False
    problems: list[str] = field(default_factory=list)
    violated: list[str] = field(default_factory=list)


def _is(kind: type, **wanted: object) -> Callable[[Event], bool]:
    """Whether an event is of that kind, with these fields."""
    fields = tuple(wanted.items())
    return lambda event: isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields)


def happens(moment: str) -> Callable[[Event], bool]:
    """What an event must be for the deletion to follow it at once."""
    match moment.split():
        case ["never"]:
            return lambda event: False
        case ["queued"]:
            return _is(ExecutionQueued)
        case ["claimed"]:
            return _is(ExecutionChanged, status="IN_PROGRESS")
        case ["tried"]:
            return _is(DeviceBooted, on_trial=True)
        case ["reporting"]:
            return _is(RequestSent, status="SUCCEEDED")
        case ["reported"]:
            return _is(ExecutionChanged, status="SUCCEEDED")
        case ["left"]:
            return _is(ExecutionLeft)
        case ["recovering"]:
            return _is(PhaseChanged, phase="recovering")
        case ["reporting", "FAILED"]:
            return _is(RequestSent, status="FAILED")
        case ["reported", "FAILED"]:
            return _is(ExecutionChanged, status="FAILED")
        case ["power", "off"]:
            return _is(PowerLost)
        case [step, "begins"]:
            return _is(StepStarted, step=step)
        case [step, "half"]:
            return _is(StepProgressed, step=step)
        case [step, "done"]:
            return _is(StepFinished, step=step, outcome="done")
        case _:
            raise AssertionError(f"{moment} is no moment")


class CutDevice(SimulatedDevice):
    """Writes down what it does, and what another fate of the journal's last write would have changed.

    One of its steps may fail: see `trouble`. Before the power goes anywhere, `world` is told.
    """

    story: Story
    fails: tuple[str, str]
    world: "World"

    def begin(self, effect: BeginStep) -> None:
        if self._fails(effect):
            self.do(begin_failing, effect, self.fails[1])
        else:
            super().begin(effect)

    def _advance(self, rig: Rig, done: int) -> RigOutcome:
        run = rig.run
        if run is not None and isinstance(run.work, BeginStep) and self._fails(run.work):
            return advance_failing(rig, done, self.fails[1])
        return advance(rig, done)

    def _fails(self, effect: BeginStep) -> bool:
        return (effect.version, effect.step.name) == (VERSION, self.fails[0])

    def _arrive(self) -> None:
        self._sectors_alarm = None
        self.do(self._advance, self._next)

    def do(self, operation: Callable[..., RigOutcome], *args: Any) -> None:
        self.settle()
        outcome = operation(self.rig, *args)
        self.world.passes(range(self._instants + 1, self._instants + outcome.instants + 1), operation, args)
        self._take(outcome)

    def stop_at_every_sector(self, does: bool) -> None:
        """Rather than at those only at which anything happens."""
        self._chip = NOWHERE if does else None

    def lose_power(self, nth: int, survives: Survival, operation: Callable[..., RigOutcome], args: Any) -> None:
        """In the middle of that operation, before its nth instant."""
        make = replace(self.rig.make, survives=survives)
        rig = self.rig._replace(cuts=(PowerCut(nth=nth),), instants=0, last_step="", make=make)
        outcome = operation(rig, *args)
        if not self.story.lost_at:
            left = {each: operation(_surviving(rig, each), *args).rig.disk.written for each in SURVIVALS}
            was = b"".join(outcome.rig.disk.written)
            self.story.survivals = frozenset(each for each in SURVIVALS if b"".join(left[each]) != was)
        self._take(outcome)

    def _tell(self, outcome: RigOutcome) -> None:
        for event in outcome.tells:
            if isinstance(event, PowerLost):
                self.story.lost_at.append((self._instants + outcome.instants, event.instant))
        super()._tell(outcome)


def _surviving(rig: Rig, survives: Survival) -> Rig:
    return rig._replace(make=replace(rig.make, survives=survives))


class _Nowhere:
    """A device that keeps what is in its flash somewhere writes it down sector by sector; this one forgets it."""

    def read(self) -> Kept | None:
        return None

    def write(self, kept: Kept) -> None:
        pass


NOWHERE: Final = _Nowhere()


class _Link(VirtualLink):
    """A connection whose every message can be the last thing that the device does."""

    __slots__ = ("_device",)

    def __init__(self, cloud: VirtualCloud, device: SimulatedDevice) -> None:
        super().__init__(cloud, device.thing, device.group)
        self._device = device

    def send(self, request: Request) -> None:
        self._device.do(instant, f"publish {request_kind(request)}")
        if self._device.rig.is_on:
            super().send(request)


def _has_begun(event: Event) -> bool:
    """Whether a step has: that is told before its first instant, which is counted by then all the same."""
    return isinstance(event, StepStarted) and event.step != "reboot"


@dataclass(slots=True)
class _Fate:
    """What is done to the device's jobs, by what is seen of it."""

    world: "World"
    device: CutDevice
    next_id: str
    is_due: Callable[[Event], bool]
    is_queued: bool = False
    was_due: bool = False
    is_deleted: bool = False
    is_made: bool = False
    """Whether the next job is."""
    is_over: bool = False

    def see(self, event: Event) -> None:
        """One event of the device's account, or of the service's about it."""
        story = self.device.story
        self.is_queued = self.is_queued or isinstance(event, ExecutionQueued)
        self.was_due = self.was_due or self.is_due(event)
        if self.was_due and self.is_queued and not self.is_deleted:
            self.is_deleted, story.deleted_at = True, self.device.instants - _has_begun(event)
            self.is_over = False  # as it may have been: what cuts its power can be the last that it does
            asyncio.get_running_loop().call_soon(self._delete)
        if isinstance(event, StepStarted) and event.step == troubled_step(self.world.setting.trouble):
            story.troubled_at = story.troubled_at or self.device.instants - _has_begun(event)
        match event:
            case StepStarted(step="switch") if not story.taken_at:
                story.switched = True
            case StepUndone(step=step) if step in LEAPS[self.world.setting.layout]:
                story.undid_the_leap = True
            case ExecutionTaken() if self.is_next(event.execution.job_id) and not story.taken_at:
                story.taken_at = self.device.instants
            case JobDeleted() if self.next_id == JOB:
                later = SECOND if self.world.setting.then == "the same id" else 0
                asyncio.get_running_loop().call_later(later, self._create_next)
            case ExecutionLeft(outcome="safe"):
                self.is_over = True
            case ExecutionLeft(execution=key):
                self.is_over = self.is_next(key.job_id) or not (self.is_deleted or self.is_due(event))
            case _:
                pass

    def is_next(self, job_id: str) -> bool:
        """Whether that is the job after the deleted one; which may have its id."""
        return self.is_deleted and job_id == self.next_id and self.is_made

    def _delete(self) -> None:
        self.world.delete(JOB)
        if self.next_id != JOB:
            self._create_next()

    def _create_next(self) -> None:
        self.is_made = True
        self.world.create(
            self.next_id, {"operation": "update", "version": "2.1"} if self.next_id == JOB else CLEANS_NOTHING
        )


class Branch(NamedTuple):
    """A world as it was in the middle of `operation`, before whose nth instant the power is to go in it."""

    world: "World"
    calls: Calls
    nth: int
    survives: Survival
    operation: Callable[..., RigOutcome]
    args: tuple[Any, ...]

    def begin(self) -> None:
        """Let it go."""
        self.world.device.lose_power(self.nth, self.survives, self.operation, self.args)


class World:
    """One run, and those that branch off it: one for each place at which the power goes next in any of `cuts`."""

    kind: type[CutDevice] = CutDevice

    def __init__(self, setting: Setting, cuts: Sequence[Cut] = (Cut(),)) -> None:
        self.setting = setting
        self.branches: list[Branch] = []
        self._cuts = tuple(cuts)
        self._depth = 0
        """So many times its power has gone."""
        self._group = Group(
            group="g", namespace=setting.namespace, model=setting.model, layout=setting.layout, policy=setting.policy
        )
        self._judge = Judge()
        self.device: CutDevice
        self._fate: _Fate
        self._engine: Recorder
        self._cloud: VirtualCloud
        self._hand: Hand | None = None

    def run(self, loop: ForkingLoop, calls: Calls, begin: Callable[[], object]) -> bool:
        """Go on from there: to the end, or, where nobody asks for that, until the last one has branched off.

        Returns whether somebody asks.
        """
        loop.go_on_from(calls, begin)
        loop.run_forever()
        loop.run_until_complete(self.device.end())
        if self._is_asked_for:
            self._end()
        return self._is_asked_for

    @property
    def _is_asked_for(self) -> bool:
        return any(len(cut.nth) == self._depth for cut in self._cuts)

    @property
    def _is_to_be_cut(self) -> bool:
        return any(len(cut.nth) > self._depth for cut in self._cuts)

    def begin(self) -> None:
        """Switch the device on, and soon create its job."""
        loop = asyncio.get_running_loop()
        self.device = device = self._device()
        device.stop_at_every_sector(self._is_to_be_cut)
        next_id = "next" if self.setting.then == "another id" else JOB
        self._fate = _Fate(self, device, next_id, happens(self.setting.moment))
        self._engine = Recorder(ENGINE, loop.time, self._judge.feed)
        forward = (THING,) if self.setting.policy == "finish-after-switch" else ()
        bounds = Bounds().model_dump(mode="json")
        self._engine.record(RunStarted("power-cuts", "virtual", (THING,), bounds, (), forward))
        job = JobSpec(id="unused", to=("g",), namespace=self.setting.namespace, version="2.0")
        self._cloud = VirtualCloud(Scenario(name="power-cuts", devices=(self._group,), jobs=(job,)), 1, self._feed)
        self._do(lambda hand: hand.create_thing(THING))
        device.do(power_on)
        loop.call_later(FIRST_JOB_SECONDS, self.create, JOB, self._first_document())
        loop.call_later(TIME_LIMIT_SECONDS, loop.stop)

    def passes(self, instants: range, operation: Callable[..., RigOutcome], args: tuple[Any, ...]) -> None:
        """The device is about to do that, at these instants: where it is to lose power at one, a world branches off."""
        if not instants or not self._is_to_be_cut:
            return
        here = [cut for cut in self._cuts if len(cut.nth) > self._depth and cut.nth[self._depth] in instants]
        for nth, survives in dict.fromkeys((cut.nth[self._depth], cut.survives) for cut in here):
            own = tuple(cut for cut in here if (cut.nth[self._depth], cut.survives) == (nth, survives))
            self.branches.append(self._branch(own, nth, nth - instants.start + 1, operation, args))
        self._cuts = tuple(cut for cut in self._cuts if cut not in here)
        if not (self._is_asked_for or self._is_to_be_cut):
            asyncio.get_running_loop().stop()

    def _branch(
        self,
        cuts: tuple[Cut, ...],
        instant: int,
        nth: int,
        operation: Callable[..., RigOutcome],
        args: tuple[Any, ...],
    ) -> Branch:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ForkingLoop), "it can be copied"
        known: dict[int, Any] = {id(self.branches): [], id(self._cuts): cuts, id(self._hand): None}
        twin, calls, operation, args = copied((self, loop.calls, operation, args), known)
        twin._depth += 1
        before, survives = twin.device.story.cut, cuts[0].survives
        twin.device.story.cut = Cut((*before.nth, instant), survives)
        twin.device.stop_at_every_sector(twin._is_to_be_cut)
        return Branch(twin, calls, nth, survives, operation, args)

    def _end(self) -> None:
        self._cloud.observe(AccountEnded())
        self._cloud.core.close()
        self._engine.record(RunEnded("finished"))
        story, setting = self.device.story, self.setting
        story.problems += self._problems()
        may_be_undecided = setting.then == "the same id within the second" or may_end_safe(
            setting.trouble, setting.layout
        )
        for invariant in self._judge.verdict().invariants:
            if not self._is_rightly_safe():
                story.violated += (f"{invariant.id}: {violation.message}" for violation in invariant.violations)
            if invariant.outcome == "undecided" and not may_be_undecided:
                story.violated.append(f"{invariant.id}: undecided")

    def _problems(self) -> Iterator[str]:
        device, fate = self.device, self._fate
        device.story.instants = device.instants
        hardware = device.hardware
        if self._is_rightly_safe():
            return
        if not fate.is_over:
            phase = "no power" if device.runner is None else device.runner.machine.machine.phase
            yield f"is not ready: {phase}"
        if not hardware.is_whole:
            yield f"is not whole: {hardware.pending}"
        # A swap bootloader takes back what a cut kept from being confirmed: that job has failed, and is not deleted.
        wanted = ("2.1",) if fate.is_deleted and fate.next_id == JOB else ("1.0", "2.0")
        if outages_of(self.setting.trouble):
            # If the first job never began that step, the silence strikes the next: back to what the first one left.
            is_kept = self.setting.policy == "finish-after-switch" and device.story.switched
            wanted += ("1.0", "2.0") if is_kept else ("1.0",)
        if hardware.version not in wanted:
            yield f"runs {hardware.version}, not {' or '.join(wanted)}"
        if not device.rests:
            yield "does not rest"
        if device.runner is None or device.runner.crashed:
            yield "has crashed, or no power"
        if device.story.undid_the_leap:
            yield "took back what lies past the point of no return"
        if tuple(nth for nth, _ in device.story.lost_at) != device.story.cut.nth:
            yield f"was to lose power at {device.story.cut.nth}, and did at {device.story.lost_at}"

    def _is_rightly_safe(self) -> bool:
        """Whether it is up, and does nothing more, after what no device could put right."""
        device = self.device
        if not may_end_safe(self.setting.trouble, self.setting.layout):
            return False
        is_safe = device.runner is not None and isinstance(device.runner.machine.machine.phase, Safe)
        return is_safe and device.hardware.is_bootable and not device.story.undid_the_leap

    def _first_document(self) -> dict[str, Any]:
        image = image_of(self.setting.trouble)
        return {"operation": "update", "version": VERSION} | ({"image": image} if image else {})

    def create(self, job_id: str, document: dict[str, Any]) -> None:
        """Create a job."""
        self._do(lambda hand: hand.create_job(job_id, [THING], document, self.setting.namespace))

    def delete(self, job_id: str) -> None:
        """Force-delete a job."""
        self._do(lambda hand: hand.delete_job(job_id, force=True, namespace_id=self.setting.namespace))

    def _do(self, call: Callable[[Hand], Coroutine[Any, Any, None]]) -> None:
        """At once: nobody is asked who is not in this process."""
        if self._hand is None:
            self._hand = Hand(InProcess(self._cloud.core.control_plane()))
        try:
            call(self._hand).send(None)
        except StopIteration:
            return
        raise AssertionError("it waits")

    def _device(self) -> CutDevice:
        loop = asyncio.get_running_loop()
        wiring = Wiring((), outages_of(self.setting.trouble), self._agent)
        recorder = Recorder(device_source(THING), loop.time, self._feed)
        make = Make(TIMINGS, model_named(self.setting.model).guarded)
        device = self.kind(THING, self._group, make, wiring, recorder.record)
        device.world, device.story, device.fails = self, Story(Cut()), failure_of(self.setting.trouble)
        return device

    def _agent(self, device: SimulatedDevice) -> Runner[Any]:
        rng = Jitter(str(device.boots))
        policy = DevicePolicy(
            namespace_id=self.setting.namespace,
            point_of_no_return=self.setting.policy,
            abilities=Abilities(self.setting.layout),
            leap_deadline=LEAP_DEADLINE_SECONDS if self.setting.trouble else DevicePolicy().leap_deadline,
        )
        model = model_named(self.setting.model)
        return Runner(
            thing=device.thing,
            machine=Correlated(model.start(policy), Correlation(f"{device.boots}-", policy.abilities)),
            step=memoised(correlated(memoised(model.step))),
            transport=_Link(self._cloud, device),
            workbench=device,
            rng=rng,
            observe=device.observe,
            remember=device.remember,
        )

    def _feed(self, entry: Entry) -> None:
        self._judge.feed(entry)
        fate, event = self._fate, entry.event
        if type(event) in SEEN:
            was_over = fate.is_over
            fate.see(event)
            if fate.is_over and not was_over:
                asyncio.get_running_loop().call_later(SECOND, self._stop_if_over)

    def _stop_if_over(self) -> None:
        """It may have left an execution of the deleted job, and be at the next, of the same id."""
        loop = asyncio.get_running_loop()
        if self._fate.is_over and self.device.rests:
            loop.stop()
        elif self._fate.is_over:
            loop.call_later(SECOND, self._stop_if_over)


def play(setting: Setting, cuts: Sequence[Cut]) -> list[Story]:
    """How it goes with each of `cuts`."""
    told = {world.device.story.cut: world.device.story for world in played(World(setting, cuts))}
    return [
        told.get(cut) or Story(cut, problems=[f"never came to where its power was to go, {cut.nth}"]) for cut in cuts
    ]


def played(world: World) -> Iterator[World]:
    """Play it, and all that branch off; those of them that somebody asks for, each at its end."""
    with closing(ForkingLoop()) as loop:
        begins: list[tuple[World, Calls, Callable[[], object]]] = [(world, loop.calls, world.begin)]
        while begins:
            world, calls, begin = begins.pop()
            if world.run(loop, calls, begin):
                yield world
            begins += ((branch.world, branch.calls, branch.begin) for branch in world.branches)
