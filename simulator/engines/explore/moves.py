"""What a device can do next by itself, what can befall it, and what it does about a message.

When timers run out. Time is the order of what happens, so each has a rule by what it is for:

    retry, ask-again   at any time: a moment, against which nothing else is long
    request            when its answer can come no more: in flight neither up nor down
    poll, leap, step   when nothing else is to come: nothing in flight, the hardware still, no shorter timer, and
                       connected, or off line for as long as the network's failure may last

Sooner than that a timer runs out for a price (`early`): a service that takes its time. What this leaves out is a poll
or a deadline that comes upon other work in the middle of it.
"""

from collections.abc import Callable, Iterator
from typing import Any, Concatenate, Final, ParamSpec

from agent.causes import Cause
from agent.core.events import Answered, BeginStep, Disconnected, Effect, Event, Hinted, TimerFired, TimerName
from agent.device_events import DeviceDisconnected
from agent.values import Answer
from simulator.devices.hardware import SECTORS, describe, factory
from simulator.devices.models import model_named
from simulator.devices.rig import power, steps
from simulator.devices.rig.telling import flash_after
from simulator.devices.rig.values import Make, Pending, PowerOn, Reboot, Rig, RigOutcome, SectorRun, UndoReboot
from simulator.devices.sectors import worked
from simulator.devices.storage import EMPTY
from simulator.engines.explore.choice import KINDS, Actor, Choice, Kind, place_of
from simulator.engines.explore.device import Device, DeviceMove, Minted
from simulator.engines.explore.net import ANSWERED, ASTRAY, STILL, Message
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.turn import Agent, Cut, Turn
from simulator.scenario import Timings

P = ParamSpec("P")
LONG: Final[frozenset[TimerName]] = frozenset({"poll", "leap", "step"})
GONE: Final = "the network is gone"


class Moves:
    """The moves of the devices of one setup."""

    def __init__(self, setup: Setup) -> None:
        model = model_named(setup.model)
        step = _remembered(model.step)
        self._make = Make(Timings(), model.guarded)
        self._layout = setup.layout
        self._agents = tuple(
            Agent(seat.name, model.start(policy), step, policy.abilities)
            for seat in setup.seats
            for policy in (setup.device_policy(seat),)
        )
        self._group = SECTORS // setup.sectors
        self._without_power: dict[tuple[Device, str], DeviceMove] = {}
        self._possible = frozenset(kind for kind in KINDS if setup.bounds.allows(kind))
        self._kept = setup.bounds.journal_back

    def off(self, side: int) -> Device:
        """As it left the factory, about to be switched on."""
        return Device(side, Rig(self._make, factory(self._layout), pending=(PowerOn("power-on"),)))

    def of_itself(self, device: Device, waits: int) -> tuple[DeviceMove, ...]:
        """Whatever can happen to the device without a message; `waits` is what may yet come to it (see `net.waits`)."""
        moves: list[DeviceMove] = []
        for choice, cost, actor, turn in self._turns(device, waits):
            moves.extend(self._with_cuts(device, choice, cost, actor, turn))
        if device.rig.is_on and "power-cut" in self._possible:
            has_agent = device.machine is not None or device.crashed
            gone = self._gone(device, device.rig, has_agent, "")
            moves.append(gone._replace(choice=Choice("power-cut", at=place_of(device.side))))
        return tuple(moves)

    def on_message(self, device: Device, message: Message, *, is_taken: bool) -> tuple[DeviceMove, ...]:
        """The device hears it, and the power goes in the middle of what follows; `is_taken` as a `Turn` has it."""
        event: Event = Answered(message.body) if isinstance(message.body, Answer) else Hinted(message.body)  # type: ignore[arg-type]
        turn = self._turn(device, is_taken=is_taken)
        turn.feed(event)
        return tuple(self._with_cuts(device, Choice(""), None, "down", turn))

    # ── what can happen ───────────────────────────────────────────────────────────────────────────────────────

    def _turns(self, device: Device, waits: int) -> Iterator[tuple[Choice, Kind | None, Actor, Turn]]:
        is_taken = waits >= ASTRAY
        yield from self._works(device, is_taken=is_taken)
        yield from self._journal(device)
        for name in device.timers:
            cost: Kind | None = None if is_due(device, name, waits) else "early"
            if cost is None or cost in self._possible:
                turn = self._turn(device, is_taken=is_taken)
                turn.fire(name)
                turn.feed(TimerFired(name))
                yield Choice("timer", name), cost, "timer", turn
        if not device.link and device.machine is not None:
            turn = self._turn(device, is_taken=is_taken)
            turn.find_link()
            yield Choice("connect"), None, "device", turn
        elif device.link and "disconnect" in self._possible:
            turn = self._turn(device, is_taken=is_taken)
            turn.lose_link()
            turn.away = True
            if device.machine is not None:
                turn.tell(DeviceDisconnected(GONE))
                turn.feed(Disconnected(GONE))
            yield Choice("disconnect"), "disconnect", "fault", turn

    def _journal(self, device: Device) -> Iterator[tuple[Choice, Kind | None, Actor, Turn]]:
        """What may become of its journal: what is on it counts when the device boots, and not before."""
        turn = self._turn(device, is_taken=False)
        if device.unwritable:
            turn.unwritable = False
            yield Choice("journal works"), None, "device", turn
        elif "journal-fails" in self._possible:
            turn.unwritable = True
            yield Choice("journal fails"), "journal-fails", "fault", turn
        if device.rig.is_on:
            return
        if device.older and "journal-back" in self._possible:
            turn = self._turn(device, is_taken=False)
            turn.older = device.older[1:]
            turn.do(power.spoil, device.older[0])
            yield Choice("journal goes back"), "journal-back", "fault", turn
        if device.rig.disk != EMPTY and "journal-lost" in self._possible:
            turn = self._turn(device, is_taken=False)
            turn.older = ()
            turn.do(power.spoil, EMPTY)
            yield Choice("journal lost"), "journal-lost", "fault", turn

    def _works(self, device: Device, *, is_taken: bool) -> Iterator[tuple[Choice, Kind | None, Actor, Turn]]:
        """What its hardware is at."""
        run = device.rig.run
        if run is not None:
            done = next_stop(device.rig, run, self._group)
            turn = self._turn(device, is_taken=is_taken)
            yield Choice("work", run.instant(done)), None, "device", _done(turn, steps.advance, done)
            if isinstance(run.work, BeginStep) and "fail" in self._possible:
                turn = self._turn(device, is_taken=is_taken)
                yield Choice("fail", run.name), "fail", "fault", _done(turn, failing)
        for what in device.rig.pending:
            turn = self._turn(device, is_taken=is_taken)
            yield Choice(_name_of(what)), None, "device", _done(turn, steps.happen, what)

    def _turn(self, device: Device, *, is_taken: bool) -> Turn:
        return Turn(device, self._agents[device.side], is_taken=is_taken, kept=self._kept)

    # ── power ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _with_cuts(
        self, device: Device, choice: Choice, cost: Kind | None, actor: Actor, turn: Turn
    ) -> Iterator[DeviceMove]:
        """The move, and the same with the power gone in the middle of it."""
        yield _move(choice, cost, actor, turn)
        if "power-cut" in self._possible:
            yield from (self._cut_short(choice, cost, turn, cut) for cut in turn.cuts)

    def _cut_short(self, choice: Choice, cost: Kind | None, turn: Turn, cut: Cut) -> DeviceMove:
        """The power goes before that effect of the turn, after all that was told and sent by then."""
        has_agent = turn.machine is not None or turn.crashed
        gone = self._gone(turn.device._replace(older=cut.older), cut.rig, has_agent, cut.before)
        return DeviceMove(
            choice._replace(then=f"power-cut before {cut.before}", at=place_of(turn.side)),
            cost or "power-cut",
            "fault",
            gone.device,
            tuple(turn.out[: cut.out]),
            gone.link or turn.link_change,
            (*turn.told[: cut.told], *gone.told),
            (*turn.told_by_cloud, *gone.told_by_cloud),
            None if cost is None else "power-cut",
        )

    def _gone(self, device: Device, rig: Rig, has_agent: bool, instant: str) -> DeviceMove:
        """What a power cut alone does: the same to every agent, since none is there to see it."""
        rig = rig._replace(run=None, pending=()) if rig.run is not None or rig.pending else rig
        left = device._replace(rig=rig, machine=None, minted=Minted(), timers=(), phase="idle", crashed=has_agent)
        known = self._without_power.get((left, instant))
        if known is None:
            turn = self._turn(left, is_taken=False)
            turn.do(power.cut, instant)
            known = self._without_power[left, instant] = _move(Choice(""), "power-cut", "fault", turn)
        return known


def _done(turn: Turn, operation: Callable[Concatenate[Rig, P], RigOutcome], *args: P.args, **named: P.kwargs) -> Turn:
    turn.do(operation, *args, **named)
    return turn


def is_due(device: Device, name: TimerName, waits: int) -> bool:
    """Whether a timer may run out for nothing."""
    if name == "request":
        return waits != ANSWERED
    if name not in LONG:
        return True
    is_quiet = waits == STILL and device.is_still and (device.link or device.away)
    return is_quiet and device.timers[0] == name


def next_stop(rig: Rig, run: SectorRun, group: int) -> int:
    """With how many sectors done anything may come between: after a whole group of them that changed anything."""
    for done in range(run.done + 1, run.pause):
        if done % group == 0:
            hardware, _ = worked(run.sector, rig.hardware, run.image, run.done, done)
            if hardware != rig.hardware:
                return done
    return run.pause


def failing(rig: Rig) -> RigOutcome:
    """The step under way ends badly, as far as it is."""
    run = rig.run
    assert run is not None, "a step is under way"
    assert isinstance(run.work, BeginStep), "nothing else fails"
    still = rig._replace(run=None)
    failed = steps.fail(still, run.work, "it failed", Cause.STEP_FAILED)
    return failed._replace(tells=(describe(rig.hardware), *flash_after(still, run), *failed.tells))


def _name_of(pending: Pending) -> str:
    match pending:
        case PowerOn():
            return "power on"
        case Reboot():
            return "reboot"
        case UndoReboot():
            return "undo reboot"


def _move(choice: Choice, cost: Kind | None, actor: Actor, turn: Turn) -> DeviceMove:
    device = turn.device
    choice = choice._replace(at=place_of(device.side)) if device.side else choice
    return DeviceMove(
        choice, cost, actor, device, tuple(turn.out), turn.link_change, tuple(turn.told), tuple(turn.told_by_cloud)
    )


def _remembered(
    step: Callable[[Any, Event], tuple[Any, tuple[Effect, ...]]],
) -> Callable[[Any, Event], tuple[Any, tuple[Effect, ...]]]:
    """The same step, for a look-up the second time: there are ten times as many devices as machines."""
    same: dict[Any, tuple[Any, dict[Event, tuple[Any, tuple[Effect, ...]]]]] = {}
    by_identity: dict[int, tuple[Any, dict[Event, tuple[Any, tuple[Effect, ...]]]]] = {}

    def kept(state: Any) -> tuple[Any, dict[Event, tuple[Any, tuple[Effect, ...]]]]:
        """One state of those that are equal, which is never let go, and what it does about events."""
        found = same.get(state)
        if found is None:
            found = same[state] = by_identity[id(state)] = state, {}
        return found

    def again(state: Any, event: Event) -> tuple[Any, tuple[Effect, ...]]:
        one, known = by_identity.get(id(state)) or (None, {})
        if one is not state:  # it came out of another process, or is the first
            _, known = kept(state)
        found = known.get(event)
        if found is None:
            after, effects = step(state, event)
            found = known[event] = kept(after)[0], effects
        return found

    return again
