"""Each choice is made to happen, and waited for until all of it is seen: see `expected`.

Nothing is waited for by time. Only what does not come at all ends the wait, and the two have parted then (`sight`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from simulator.cloud.core import CloudCore
from simulator.controller.controller import Controller, ControllerCommand
from simulator.controller.hand import Hand, Refused
from simulator.devices.rig import power, steps
from simulator.devices.rig.values import Pending, PowerOn, Reboot, UndoReboot
from simulator.engines.conductor.devices import ConductedDevice
from simulator.engines.conductor.expected import Names, Told, brief, compared, first_difference, kinds_of
from simulator.engines.conductor.packets import Packet, Wire, swap
from simulator.engines.conductor.sight import PATIENCE_SECONDS, PartedError, Sight
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.made_up_time import MadeUpTime, duration
from simulator.engines.explore.moves import failing
from simulator.engines.explore.net import Net
from simulator.engines.explore.setup import OTHER, OTHER_NAMESPACE, Setup
from simulator.engines.explore.system import Side, World
from simulator.engines.explore.world import Transition
from simulator.trace import CLOUD, device_source

PENDING: Final[dict[str, type[Pending]]] = {"power on": PowerOn, "reboot": Reboot, "undo reboot": UndoReboot}
CLOUDS: Final = frozenset({"create", "create again", "delete", "cancel", "delete execution", "records go", "job gone"})
"""What is done at the service."""


@dataclass(slots=True)
class Conductor:
    """Plays devices, in the order of the setup's seats, and the `core` of a service, whose clock shows `now`, in epoch
    seconds; operators act through `hand`.

    `time` is what the trace is told by.
    """

    setup: Setup
    core: CloudCore
    hand: Hand
    controller: Controller
    devices: tuple[ConductedDevice, ...]
    sight: Sight
    time: MadeUpTime
    now: float
    _names: tuple[Names, ...] = field(init=False)
    _heard: int = 0
    """So many messages the device whose turn it is is to have heard of its connection."""

    def __post_init__(self) -> None:
        self._names = tuple(Names() for _ in self.devices)

    async def play(self, before: World, to_come: Transition) -> None:
        """Have a choice happen. Raises PartedError if it does not, or not so."""
        choice, number = to_come.choice, turn_of(before, to_come)
        self.now = to_come.world.service.now
        device = self.devices[number]
        is_heard = choice.do in ("deliver", "deliver twice") and not device.wire.down[0].is_cut_off
        self._heard = device.heard + is_heard
        try:
            if choice.do in CLOUDS:
                await self._at_the_service(choice, before)
            else:
                self._at_the_device(choice, device, before.sides[number])
        except Refused as refused:
            raise PartedError(str(choice), str(refused)) from None
        await self._until_seen(to_come, number)
        for names, tokens in zip(self._names, to_come.tokens, strict=True):
            names.become(tokens)
        self.sight.clear()

    # ── having it happen ──────────────────────────────────────────────────────────────────────────────────────

    async def _at_the_service(self, choice: Choice, before: World) -> None:
        job_id, namespace_id = choice.what, OTHER_NAMESPACE if choice.what == OTHER else self.setup.namespace
        match choice.do:
            case "create" | "create again":
                document = self.setup.document(job_id, again=choice.do == "create again").value
                assert isinstance(document, dict), "an object"
                things = self.setup.things[:1] if job_id == OTHER else self.setup.things
                await self.controller.create_job(job_id, things, document, namespace_id)
            case "delete":
                await self._carry_out(ControllerCommand("delete-job", job_id, True, namespace_id))
            case "cancel":
                await self._carry_out(ControllerCommand("cancel-job", job_id, True, namespace_id))
            case "delete execution" if choice.at:
                await self._delete_execution(choice.at, job_id, namespace_id)
            case "delete execution":
                await self._carry_out(ControllerCommand("delete-execution", job_id, True, namespace_id))
            case _:
                self._do_due(before)

    def _do_due(self, before: World) -> None:
        """As the world has it: the part of a deletion that is due, and of several things' records one at a time."""
        jobs = before.service.jobs
        is_under_way = jobs.backlog.under_way
        at = self.now if is_under_way or not jobs.agenda else jobs.agenda[0][0]
        self.core.do_due(at, 1 if is_under_way or len(self.setup.things) > 1 else None)

    async def _delete_execution(self, thing: str, job_id: str, namespace_id: str | None) -> None:
        """Of one thing of several, which is nothing for a controller."""
        number = next(each.execution_number for each in await self.hand.executions(job_id) if each.thing == thing)
        await self.hand.delete_execution(thing, job_id, number=number, force=True, namespace_id=namespace_id)

    async def _carry_out(self, command: ControllerCommand) -> None:
        await self.controller.carry_out(command, why="the schedule says so")

    def _at_the_device(self, choice: Choice, device: ConductedDevice, side: Side) -> None:
        device.begin_turn(choice.then.removeprefix("power-cut before "))
        match choice.do:
            case "arrive" | "arrive twice" | "deliver" | "deliver twice" | "lose" | "delay":
                with_a_packet(choice, device.wire, side.net)
            case "work":
                device.do(steps.advance, int(choice.what.rpartition(" ")[2].partition("/")[0]))
            case "fail":
                device.do(failing)
            case "power on" | "reboot" | "undo reboot":
                what = next((each for each in device.rig.pending if type(each) is PENDING[choice.do]), None)
                if what is not None:
                    device.do(steps.happen, what)
            case "power-cut":
                device.do(power.cut)
            case "timer":
                self.time.passes(duration(self.setup.device_policy(self.setup.seats[side.device.side]), choice.what))
                device.run_out(choice.what)
            case "connect" | "disconnect":
                with_the_connection(choice, device)
            case "journal fails" | "journal works":
                device.unwritable = choice.do == "journal fails"
            case "journal goes back" | "journal lost":
                device.spoil(lost=choice.do == "journal lost")
            case _:
                raise PartedError(f"a way to have '{choice.do}' happen", "a choice that no engine knows")

    # ── seeing that it has ────────────────────────────────────────────────────────────────────────────────────

    async def _until_seen(self, to_come: Transition, turn: int) -> None:
        while (missing := self._missing(to_come, turn)) is not None:
            if not await self.sight.changes(missing):
                raise PartedError(missing, f"nothing of it within {PATIENCE_SECONDS} s")

    def _missing(self, to_come: Transition, turn: int) -> str | None:
        """What is still to be seen. Raises PartedError for anything else that is."""
        expected: dict[str, Sequence[Told]] = {CLOUD: to_come.told_by_cloud}
        for number, device in enumerate(self.devices):
            expected[device_source(device.thing)] = to_come.told_by_device if number == turn else ()
        for source, events in expected.items():
            wanted, seen = compared(events), self.sight.of(source)
            if (difference := first_difference(wanted, seen, self._names[turn])) is not None:
                raise PartedError(*difference)
            if len(seen) < len(wanted):
                return brief(wanted[len(seen)])
        if self.devices[turn].wire.is_linked and self.devices[turn].heard < self._heard:
            return "that the device hears it"
        both = zip(to_come.world.sides, self.devices, strict=True)
        return next((each for side, device in both for each in not_as_it_stands(side, device)), None)


def turn_of(before: World, to_come: Transition) -> int:
    """The number of the device that a choice is about; of what is about none, any."""
    if to_come.side is not None:
        return to_come.side
    both = enumerate(zip(before.sides, to_come.world.sides, strict=True))
    return next((number for number, (side, after) in both if side != after), 0)


def with_the_connection(choice: Choice, device: ConductedDevice) -> None:
    """Have it come or go. Raises PartedError if there is nobody who has one."""
    connection = device.connection
    if connection is None:
        raise PartedError(str(choice), "a device without an agent")
    if choice.do == "connect":
        connection.connect()
    else:
        connection.lose()


def with_a_packet(choice: Choice, wire: Wire, net: Net) -> None:
    """Have become of it what the choice says."""
    goes_up = bool(net.up) and choice.what == net.up[0].name
    match choice.do:
        case "arrive" | "arrive twice":
            wire.let_up(twice=choice.do == "arrive twice")
        case "deliver" | "deliver twice":
            wire.let_down(twice=choice.do == "deliver twice")
        case "lose":
            (wire.up if goes_up else wire.down).pop(0)
        case _:
            swap(wire.up if goes_up else wire.down)


def not_as_it_stands(side: Side, device: ConductedDevice) -> Iterator[str]:
    """What is in flight otherwise than the world has it, and may still come.

    Raises PartedError where the hardware, or a timer, is otherwise once everything has been told.
    """
    net, wire = side.net, device.wire
    for way, messages, packets in (("up", net.up, wire.up), ("down", net.down, wire.down)):
        if kinds_of(messages) != _kinds(packets):
            yield f"in flight {way}: {_listed(kinds_of(messages))}, and not {_listed(_kinds(packets))}"
    if side.device.rig.hardware != device.rig.hardware:
        raise PartedError(f"the hardware {side.device.rig.hardware}", str(device.rig.hardware))
    if frozenset(side.device.timers) != device.timers:
        raise PartedError(f"timers {_listed(side.device.timers)}", _listed(sorted(device.timers)))


def _kinds(packets: list[Packet]) -> list[str]:
    return [packet.kind for packet in packets]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
