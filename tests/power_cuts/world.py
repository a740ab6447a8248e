"""Many devices in one virtual world, each with its own job, its own force delete and its own power cuts.

The power can go before every single thing that a device does to anything outside its memory: a sector, a write or an
fsync of the journal, a reboot, a message that it sends. So a cut anywhere else is the same as the one that follows it,
and cutting before each of them in turn is exhaustive. All devices draw the same random numbers: until its cut, each
does exactly what the one without a cut does.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

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
from simulator.devices.device import SimulatedDevice, Wiring
from simulator.devices.models import model_named
from simulator.devices.rig.power import instant
from simulator.devices.rig.steps import advance, power_on
from simulator.devices.rig.values import Make, Rig, RigOutcome
from simulator.devices.storage import SURVIVALS, Survival
from simulator.engines.virtual import VirtualCloud, VirtualLink
from simulator.engines.virtual_time import run_virtually
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
from simulator.verdict import Judge, Verdict
from tests.power_cuts.trouble import (
    LEAP_DEADLINE_SECONDS,
    VERSION,
    advance_failing,
    begin_failing,
    failure_of,
    image_of,
    may_end_safe,
    outages_of,
)

TIME_LIMIT_SECONDS: Final = 300
"""Virtual; a device that is not ready by then hangs."""
SECOND: Final = 1.0
TIMINGS: Final = Timings()
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
    `undid_the_leap`: it took back what lies past the point of no return, or tried to.
    """

    cut: Cut
    instants: int = 0
    lost_at: list[tuple[int, str]] = field(default_factory=list)
    survivals: frozenset[Survival] = frozenset()
    deleted_at: int = 0
    taken_at: int = 0
    switched: bool = False
    undid_the_leap: bool = False
    problems: list[str] = field(default_factory=list)
    violated: list[str] = field(default_factory=list)


def _is(kind: type, **wanted: object) -> Callable[[Event], bool]:
    """Whether an event is of that kind, with these fields."""
    return lambda event: isinstance(event, kind) and all(getattr(event, name) == wanted[name] for name in wanted)


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

    One of its steps may fail: see `trouble`.
    """

    story: Story
    fails: tuple[str, str]

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

    def do(self, operation: Callable[..., RigOutcome], *args: Any) -> None:
        self.settle()
        outcome = operation(self.rig, *args)
        if not self.story.lost_at and self.rig.is_on and not outcome.rig.is_on:
            left = {each: operation(self._surviving(each), *args).rig.disk.written for each in SURVIVALS}
            was = b"".join(outcome.rig.disk.written)
            self.story.survivals = frozenset(each for each in SURVIVALS if b"".join(left[each]) != was)
        self._take(outcome)

    def _surviving(self, survives: Survival) -> Rig:
        return self.rig._replace(make=replace(self.rig.make, survives=survives))

    def _tell(self, outcome: RigOutcome) -> None:
        for event in outcome.tells:
            if isinstance(event, PowerLost):
                self.story.lost_at.append((self._instants + outcome.instants, event.instant))
        super()._tell(outcome)


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
    """What is done to one device's jobs, by what is seen of it."""

    world: "World"
    device: CutDevice
    job_id: str
    next_id: str
    is_due: Callable[[Event], bool]
    is_queued: bool = False
    was_due: bool = False
    is_deleted: bool = False
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
        match event:
            case StepStarted(step="switch") if not story.taken_at:
                story.switched = True
            case StepUndone(step=step) if step in LEAPS[self.world.setting.layout]:
                story.undid_the_leap = True
            case ExecutionTaken() if self.is_next(event.execution.job_id) and not story.taken_at:
                story.taken_at = self.device.instants
            case JobDeleted() if self.next_id == self.job_id:
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
        return self.is_deleted and job_id == self.next_id and self.world.is_made.get(self.device.thing, False)

    def _delete(self) -> None:
        self.world.delete(self.job_id)
        if self.next_id != self.job_id:
            self._create_next()

    def _create_next(self) -> None:
        self.world.is_made[self.device.thing] = True
        is_update = self.next_id == self.job_id
        self.world.create(
            self.next_id, self.device.thing, {"operation": "update", "version": "2.1"} if is_update else CLEANS_NOTHING
        )


class World:
    """One run."""

    kind: type[CutDevice] = CutDevice

    def __init__(self, setting: Setting, cuts: Sequence[Cut]) -> None:
        self.setting = setting
        self.is_made: dict[str, bool] = {}
        self._cuts = cuts
        self._group = Group(
            group="g", namespace=setting.namespace, model=setting.model, layout=setting.layout, policy=setting.policy
        )
        self._judge = Judge()
        self._fates: dict[str, _Fate] = {}
        self._by_job: dict[str, _Fate] = {}
        self._open: dict[str, _Fate] = {}
        self._all_over: asyncio.Event
        self._cloud: VirtualCloud
        self._hand: Hand
        self._tasks: set[asyncio.Task[None]] = set()

    async def play(self) -> tuple[list[Story], Verdict]:
        """Play all devices to their end."""
        loop = asyncio.get_running_loop()
        self._all_over = asyncio.Event()
        devices = [self._device(number, cut) for number, cut in enumerate(self._cuts)]
        engine = Recorder(ENGINE, loop.time, self._judge.feed)
        things = tuple(self._fates)
        forward = things if self.setting.policy == "finish-after-switch" else ()
        bounds = Bounds().model_dump(mode="json")
        engine.record(RunStarted("power-cuts", "virtual", things, bounds, (), forward))
        job = JobSpec(id="unused", to=("g",), namespace=self.setting.namespace, version="2.0")
        self._cloud = cloud = VirtualCloud(
            Scenario(name="power-cuts", devices=(self._group,), jobs=(job,)), 1, self._feed
        )
        cloud.core.jobs.settings = replace(cloud.core.jobs.settings, deletions_at_once=1_000_000)
        self._hand = Hand(InProcess(cloud.core.control_plane()))
        for device in devices:
            await self._hand.create_thing(device.thing)
            device.do(power_on)
        await asyncio.sleep(0.1)
        for thing, fate in self._fates.items():
            self.create(fate.job_id, thing, self._first_document())
        try:
            async with asyncio.timeout(TIME_LIMIT_SECONDS):
                while self._open:
                    await self._all_over.wait()
                    await asyncio.sleep(1)
        except TimeoutError:
            pass  # every device that is not ready is a problem of its own, and named
        for device in devices:
            await device.end()
        cloud.observe(AccountEnded())
        cloud.core.close()
        engine.record(RunEnded("finished"))
        verdict = self._judge.verdict()
        for fate in self._fates.values():
            fate.device.story.problems += self._problems(fate)
        for invariant in verdict.invariants:
            for violation in invariant.violations:
                device = self._fates[violation.thing].device
                if not self._is_rightly_safe(device):
                    device.story.violated.append(f"{invariant.id}: {violation.message}")
            may_be_undecided = self.setting.then == "the same id within the second" or may_end_safe(
                self.setting.trouble, self.setting.layout
            )
            if invariant.outcome == "undecided" and not may_be_undecided:
                devices[0].story.violated.append(f"{invariant.id}: undecided, on some device")
        return [device.story for device in devices], verdict

    def _problems(self, fate: _Fate) -> Iterator[str]:
        device = fate.device
        device.story.instants = device.instants
        hardware = device.hardware
        if self._is_rightly_safe(device):
            return
        if not fate.is_over:
            phase = "no power" if device.runner is None else device.runner.machine.machine.phase
            yield f"is not ready: {phase}"
        if not hardware.is_whole:
            yield f"is not whole: {hardware.pending}"
        # A swap bootloader takes back what a cut kept from being confirmed: that job has failed, and is not deleted.
        wanted = ("2.1",) if fate.is_deleted and fate.next_id == fate.job_id else ("1.0", "2.0")
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

    def _is_rightly_safe(self, device: CutDevice) -> bool:
        """Whether it is up, and does nothing more, after what no device could put right."""
        if not may_end_safe(self.setting.trouble, self.setting.layout):
            return False
        is_safe = device.runner is not None and isinstance(device.runner.machine.machine.phase, Safe)
        return is_safe and device.hardware.is_bootable and not device.story.undid_the_leap

    def _first_document(self) -> dict[str, Any]:
        image = image_of(self.setting.trouble)
        return {"operation": "update", "version": VERSION} | ({"image": image} if image else {})

    def create(self, job_id: str, thing: str, document: dict[str, Any]) -> None:
        """Create a job."""
        self._do(self._hand.create_job(job_id, [thing], document, self.setting.namespace))

    def delete(self, job_id: str) -> None:
        """Force-delete a job."""
        self._do(self._hand.delete_job(job_id, force=True, namespace_id=self.setting.namespace))

    def _do(self, call: Any) -> None:
        task = asyncio.ensure_future(call)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        task.result()

    def _device(self, number: int, cut: Cut) -> CutDevice:
        thing = f"thing-{number:05}"
        loop = asyncio.get_running_loop()
        cuts = tuple(PowerCut(nth=nth) for nth in cut.nth)
        wiring = Wiring(cuts, outages_of(self.setting.trouble), self._agent)
        recorder = Recorder(device_source(thing), loop.time, self._feed)
        make = Make(TIMINGS, model_named(self.setting.model).guarded, cut.survives)
        device = self.kind(thing, self._group, make, wiring, recorder.record)
        device.story, device.fails = Story(cut), failure_of(self.setting.trouble)
        job_id = f"fw-{number:05}"
        next_id = f"next-{number:05}" if self.setting.then == "another id" else job_id
        fate = _Fate(self, device, job_id, next_id, happens(self.setting.moment))
        self._fates[thing] = self._by_job[job_id] = self._open[job_id] = fate
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
            step=correlated(model.step),  # not memoised: each device has a job of its own, so no two share a state
            transport=_Link(self._cloud, device),
            workbench=device,
            rng=rng,
            observe=device.observe,
            remember=device.remember,
        )

    def _feed(self, entry: Entry) -> None:
        self._judge.feed(entry)
        event = entry.event
        if type(event) not in SEEN:
            return
        if isinstance(event, JobDeleted):
            fate = self._by_job.get(event.job_id)
        else:
            fate = self._fates.get(getattr(event, "thing", entry.source.removeprefix("device/")))
        if fate is not None:
            fate.see(event)
            if not fate.is_over:
                self._open[fate.job_id] = fate
                self._all_over.clear()
            elif self._open.pop(fate.job_id, None) and not self._open:
                self._all_over.set()


def play(setting: Setting, cuts: Sequence[Cut]) -> tuple[list[Story], Verdict]:
    """One device for each of `cuts`."""
    return run_virtually(World(setting, cuts).play())
