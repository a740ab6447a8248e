"""A fleet in parts, as the play that goes on without them sees it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from agent.transports.endpoint import Endpoint
from simulator.devices.holds import Hold
from simulator.devices.rig.values import HoldPoint
from simulator.engines.afar.hosts import HostLostError, Hosts, Placed
from simulator.engines.afar.part import Cast, CutPower, LetGo, Order, Told
from simulator.engines.casting import Casting
from simulator.engines.fleet import Connections
from simulator.engines.players import OwnFleet
from simulator.engines.stand_ins import Lot
from simulator.engines.standing_still import named
from simulator.scenario import Group, agents, thing_of_agent
from simulator.trace import ProcessStalled, Sink
from simulator.trace.packed import Frames, unpack

TURN_SECONDS: Final = 1.0
"""A part says at least so often that it is there."""
LATE_SECONDS: Final = 1.0
"""What it may be late with that, before it is taken for one that does not run."""

TOGETHER_SECONDS: Final = 0.01
"""What is to be done to its devices within so long, it is told at once."""
END_SECONDS: Final = 30.0
"""What its devices have time for to take their leave."""


@dataclass(frozen=True, slots=True)
class Means:
    """What parts are begun with: where their devices connect to, and what prepares a process for so many connections.

    `record` has it told when devices did not have their turn.
    """

    hosts: Hosts
    endpoint: Endpoint
    prepare: Callable[[int], object]
    record: Callable[[ProcessStalled], None]


class DeviceAfar:
    """One of its devices, as far as the play has to do with it."""

    def __init__(self, part: "_Part", thing: str, group: Group) -> None:
        self._part = part
        self.thing = thing
        self.group = group

    @property
    def rests(self) -> bool:
        """Whether it had nothing in hand when its part was heard last."""
        return self.thing not in self._part.restless

    @property
    def out_of_order(self) -> str:
        """Why it does nothing any more; empty as long as it may."""
        return self._part.out_of_order.get(self.thing, "")

    def cut_power(self, instant: str, off_seconds: float) -> None:
        """Let the power go."""
        self._part.do(CutPower(self.thing, instant, off_seconds))

    def let_go(self, point: HoldPoint) -> None:
        """Let the hardware go on, if it stands still there."""
        self._part.do(LetGo(point.number, thing_of_agent(self.thing)))


class FleetAfar(OwnFleet):
    """In parts, by `means` that are there once the play has begun; `changed` is told when who rests may be another."""

    one_clock = False

    def __init__(
        self,
        means: Callable[[], Means],
        casting: Casting,
        connections: Connections,
        seed: int,
        sink: Sink,
        changed: Callable[[], None],
    ) -> None:
        super().__init__(casting, connections, seed, sink)
        self._means = means
        self._changed = changed
        self._parts: tuple[_Part, ...] = ()
        self._all: tuple[DeviceAfar, ...] = ()
        self._asked: tuple[int, ...] | None = None
        """How often each part had been asked when it was asked for the first time whether all rest."""

    async def enter(self, stack: AsyncExitStack, holds: tuple[Hold, ...]) -> None:
        """Switch them on, until the stack ends."""
        means, things = self._means(), self._casting.things
        placed = means.hosts.placed
        self._parts = tuple(
            _Part(each, means, self._heard, holds, things[number :: len(placed)]) for number, each in enumerate(placed)
        )
        self._all = tuple(device for part in self._parts for device in part.devices)
        stack.push_async_callback(self._end)
        await asyncio.gather(*(part.begin(self._cast(number, part, holds)) for number, part in enumerate(self._parts)))

    def _cast(self, number: int, part: "_Part", holds: tuple[Hold, ...]) -> Cast:
        means, casting = self._means(), self._casting
        lots: Mapping[str, Lot] = {} if casting.crew is None else casting.crew.lots
        mine = {thing: lots[thing] for thing, _ in part.things if thing in lots}
        names = tuple((device.thing, device.group) for device in part.devices)
        points = tuple(hold.point for hold in holds)
        return Cast(names, mine, casting.scenario, self._seed, number, points, means.endpoint, means.prepare)

    async def _end(self) -> None:
        await asyncio.gather(*(part.end() for part in self._parts))

    def join(self, name: str, group: Group) -> None:
        """Nobody can have a further one join: nothing steers a fleet that is not here."""
        raise AssertionError("nothing steers it")

    def all_rest(self) -> bool:
        """Whether every device rests, by what each part has said since this was asked for the first time."""
        if self._asked is None:
            self._asked = tuple(part.asked for part in self._parts)
        is_of_now = all(part.answered > asked for part, asked in zip(self._parts, self._asked, strict=True))
        return is_of_now and super().all_rest()

    @property
    def are_begun(self) -> bool:
        """Whether they have been switched on."""
        return bool(self._parts)

    @property
    def _devices(self) -> Sequence[DeviceAfar]:
        return self._all

    def _heard(self, told: Told) -> None:
        for entry in chain.from_iterable(map(unpack, Frames().feed(told.entries))):
            self._sink(entry)
        self._changed()


class _Part:
    """One of them; `heard` gets what it tells."""

    def __init__(
        self,
        placed: Placed,
        means: Means,
        heard: Callable[[Told], None],
        holds: tuple[Hold, ...],
        things: tuple[tuple[str, Group], ...],
    ) -> None:
        self.things = things
        self.devices = tuple(DeviceAfar(self, *agent) for thing, group in things for agent in agents(thing, group))
        self.restless: frozenset[str] = frozenset(device.thing for device in self.devices)
        self.out_of_order: Mapping[str, str] = {}
        self.asked = self.answered = 0
        """How often it was asked what has happened, and which of these was answered last."""
        self._placed, self._means, self._heard, self._holds = placed, means, heard, holds
        self._listening: asyncio.Task[None] | None = None
        self._orders: list[Order] = []
        self._doing: set[asyncio.Task[None]] = set()
        self._charged_to = 0.0
        """Up to when it has said something, or was taken for one that does not run."""
        self._is_lost = self._is_ending = False
        for hold in holds:
            for device in self.devices:
                hold.stop(thing_of_agent(device.thing), device)

    async def begin(self, cast: Cast) -> None:
        """Switch its devices on. Raises InputError."""
        if await self._ask("begin", cast, self._placed.ahead):
            self._listening = asyncio.create_task(self._listen())
            self._listening.add_done_callback(self._has_ended)

    def do(self, order: Order) -> None:
        """Have that done to its devices, with what else is to be done then."""
        if not self._orders:
            asyncio.get_running_loop().call_later(TOGETHER_SECONDS, self._send)
        self._orders.append(order)

    def _send(self) -> None:
        orders, self._orders = self._orders, []
        task = asyncio.create_task(self._do(orders))
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)
        task.add_done_callback(self._has_ended)

    async def end(self) -> None:
        """Switch its devices off, and hear the last of it."""
        self._is_ending = True
        try:
            async with asyncio.timeout(END_SECONDS):
                if await self._ask("end") and self._listening is not None:
                    await asyncio.wait({self._listening})  # what it was asked before, it says before
                    await self._ask("told", 0.0, hear=True)
        except TimeoutError:
            self._lose(f"it did not end within {END_SECONDS:.0f} s")
        finally:
            if self._listening is not None:
                self._listening.cancel()

    def _has_ended(self, task: asyncio.Task[None]) -> None:
        """What went wrong there must not be waited for until the time limit."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._means.hosts.cut(error)

    async def _do(self, orders: Sequence[Order]) -> None:
        await self._ask("do", orders)

    async def _listen(self) -> None:
        self._charged_to = time.monotonic()
        while not (self._is_lost or self._is_ending):
            self.asked += 1
            asking = asyncio.ensure_future(self._ask("told", TURN_SECONDS, hear=True))
            try:
                while not (await asyncio.wait({asking}, timeout=TURN_SECONDS + LATE_SECONDS))[0]:
                    self._charge()
                asking.result()
            finally:
                asking.cancel()

    async def _ask(self, what: str, *told: object, hear: bool = False) -> bool:
        """Whether it is done; if not, it is lost. Raises what that raises."""
        if self._is_lost:
            return False
        number = self.asked
        try:
            answer = await self._placed.host.ask(what, *told)
        except HostLostError as lost:
            if not self._is_lost:
                self._lose(str(lost))
            return False
        if hear:
            self.answered = number
            self._hear(answer)
        return True

    def _hear(self, told: Told) -> None:
        self.restless, self.out_of_order = frozenset(told.restless), told.out_of_order
        for at, stalled in told.stalls:
            since = time.monotonic() - (at - stalled.seconds)
            self._means.record(replace(stalled, seconds=round(max(since, stalled.seconds), 6)))
        for number, thing in told.held:
            self._holds[number].hold(thing)
        self._charged_to = time.monotonic()
        self._heard(told)

    def _charge(self) -> None:
        """As far as anybody knows, it has not run since it was heard last."""
        now = time.monotonic()
        self._means.record(ProcessStalled("devices", round(now - self._charged_to, 6)))
        self._charged_to = now

    def _lose(self, why: str) -> None:
        self._is_lost = True
        self._charge()
        who = named([thing for thing, _ in self.things])
        self._means.hosts.lost(
            f"the part of the fleet on {self._placed.name} ended before the run did ({why}): what {who} did there "
            f"could not be shown"
        )
