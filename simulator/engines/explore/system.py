"""The moves of each part by itself: what a search remembers of each and composes, and `world` composes as well.

All parts are frozen, hashable values, the same in every process and under every hash seed (see `digest`).
"""

from collections.abc import Hashable, Mapping
from functools import cached_property, reduce
from operator import or_
from typing import Final, NamedTuple, TypeAlias

from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.budgets import Budgets, paid
from simulator.engines.explore.choice import KINDS, Choice, Kind
from simulator.engines.explore.device import SECONDS, Device, DeviceMove, Told
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.moves import Moves
from simulator.engines.explore.net import Link, Message, Net, NetMove, net_after, net_moves, waits
from simulator.engines.explore.service import Cloud, Operations, ServiceMove
from simulator.engines.explore.setup import Bounds, Seat, Setup
from simulator.engines.explore.tokens import free_places, places_in
from simulator.engines.explore.watching import Watched, Watching, concerning, watcher_of
from simulator.trace import CloudEvent


class Side(NamedTuple):
    """All that one device has to itself; `watched` is what the monitors keep of it."""

    device: Device
    net: Net
    watched: Watched


class World(NamedTuple):
    """All there is. `sides` are in the order of the setup's seats, `budgets` what is left of each kind."""

    sides: tuple[Side, ...]
    service: Cloud
    budgets: Budgets


ToldAt: TypeAlias = tuple[int, tuple[CloudEvent, ...], tuple[Told, ...]]
"""At which side; by the cloud, and by the device."""
MOST_MOVES: Final = 100
"""Until a device has found nothing to do."""
REST: Final = frozenset({"retry", "ask-again", "request"})
"""Timers with which something is still to come."""


class System:
    """One setup's moves. `watching` looks at every device instead of the verdict's own monitors."""

    def __init__(self, setup: Setup, watching: Watching | None = None) -> None:
        self.setup = setup
        self._moves = Moves(setup)
        self._operations = Operations(setup)
        self._instead = watching
        self._watching: tuple[Watching, ...] = tuple(watching or watcher_of(setup, seat) for seat in setup.seats)
        self._gists: dict[Heard, Heard | None] = {}
        self._possible = frozenset(kind for kind in KINDS if setup.bounds.allows(kind))

    def first(self) -> World:
        """Devices that were switched on and have found nothing to do; a service that has no job yet."""
        sides, service, _ = self._beginning
        return World(sides, service, self.setup.bounds.budgets)

    @property
    def told_before(self) -> tuple[ToldAt, ...]:
        """What was told until then, one move after the other."""
        return self._beginning[2]

    @property
    def judges(self) -> frozenset[str]:
        """The ids of the invariants that its monitors decide."""
        return frozenset().union(*(watching.judges for watching in self._watching))

    def bounded(self, bounds: Mapping[Kind, int]) -> "System":
        """The same world with other bounds, and with none of what is not named."""
        return System(self.setup.model_copy(update={"bounds": Bounds.model_validate(bounds)}), self._instead)

    def begun_with(self, bounds: Mapping[Kind, int]) -> Budgets:
        """Budgets of this world, in which so much is left; no more of each than its bounds."""
        most = self.setup.bounds.budgets
        return tuple(min(bounds.get(kind, 0), limit) for kind, limit in zip(KINDS, most, strict=True))

    # ── each by itself ────────────────────────────────────────────────────────────────────────────────────────

    def device_moves(self, device: Device, token: int, waits: int) -> tuple[DeviceMove, ...]:
        """What can happen to a device without a message; `token` are free places for what it mints."""
        return self._moves.of_itself(device, token, waits)

    def device_hears(self, device: Device, message: Message, token: int) -> tuple[DeviceMove, ...]:
        """What comes of a message: first the whole of it, and then the same with the power gone in the middle."""
        return self._moves.on_message(device, message, token)

    def net_moves(self, net: Net) -> tuple[NetMove, ...]:
        """What can become of messages in flight."""
        return tuple(move for move in net_moves(net) if move.cost is None or move.cost in self._possible)

    def net_after(self, net: Net, up: tuple[Message, ...], down: tuple[Message, ...], link: Link) -> Net:
        """With what was sent, and what became of the connection after that."""
        return net_after(net, up, down, link)

    def service_moves(self, service: Cloud) -> tuple[ServiceMove, ...]:
        """What operators can do, and what is due."""
        return self._operations.of_itself(service)

    def service_hears(self, service: Cloud, message: Message) -> ServiceMove:
        """What comes of a request."""
        return self._operations.on_request(service, message)

    def heard_of(self, move: DeviceMove | ServiceMove) -> Heard | None:
        """Of a move, what monitors make something of; None if there is nothing."""
        heard = all_heard(move)
        if heard not in self._gists:
            gist = self._watching[0].gist(heard)
            self._gists[heard] = gist if gist.by_cloud or gist.by_device else None
        return self._gists[heard]

    def watch(self, watched: Watched, heard: Heard) -> tuple[Watched, tuple[Broken, ...]]:
        """What is watched after that, and what broke with it; of other things a watcher hears nothing."""
        side, kept = watched
        by_cloud = concerning(self.setup.seats[side].thing, heard.by_cloud)
        after, broken = self._watching[side].watch(kept, by_cloud, heard.by_device, heard.seconds)
        return Watched(side, after), broken

    def forget(self, watched: Watched, alive: int) -> Watched:
        """What is watched, without that of which nobody knows the names any more: their places are not `alive`."""
        side, kept = watched
        return Watched(side, self._watching[side].forget(kept, alive))

    def at_rest(self, watched: Watched) -> tuple[Broken, ...]:
        """What is broken besides at home, where nothing more may ever happen."""
        return self._watching[watched.side].at_rest(watched.kept)

    def joined(self, carried: Choice, heard: Choice) -> Choice:
        """The choice of a message's delivery and of what comes of it, in one."""
        return carried._replace(then=heard.then) if heard.then else carried

    def side_of(self, message: Message) -> int:
        """Whose message it is."""
        return message.side

    # ── names ─────────────────────────────────────────────────────────────────────────────────────────────────

    def places(self, part: Device | Net | Cloud | Watched) -> int:
        """The places of what a part knows that was minted, as a bit mask (see `tokens`)."""
        if isinstance(part, Net):
            return reduce(or_, (places_in(message.body) for message in (*part.up, *part.down)), 1)
        if isinstance(part, Device | Cloud):
            return part.places | 1
        return self._watching[part.side].places(part.kept)

    def forgetful(self, side: Side, service: Cloud) -> Side:
        """With only that watched of which the others know the names."""
        alive = self.places(side.device) | self.places(side.net) | self.places(service)
        return side._replace(watched=self.forget(side.watched, alive))

    def free_places(self, world: World, number: int) -> int:
        """The places, for a number and for a life, that nothing of a side, nor the service, knows (see `tokens`)."""
        side = world.sides[number]
        parts: tuple[Device | Net | Cloud | Watched, ...] = (side.device, side.net, side.watched, world.service)
        return free_places(reduce(or_, map(self.places, parts)))

    def awaited(self, device: Device) -> str:
        """The token whose answer the device waits for; empty if none."""
        return device.minted.token

    def waits(self, net: Net, awaited: str) -> int:
        """What may yet come to a device that waits for that (see `net.waits`)."""
        return waits(net, awaited)

    # ── budgets ───────────────────────────────────────────────────────────────────────────────────────────────

    def paid(self, budgets: Budgets, kinds: tuple[Kind, ...]) -> Budgets | None:
        """What is left after one of each of these; None if something is missing."""
        return paid(budgets, kinds)

    def left(self, budgets: Budgets) -> dict[Kind, int]:
        """How much of each kind, where there may be any."""
        return {kind: left for kind, left in zip(KINDS, budgets, strict=True) if kind in self._possible}

    # ── where it stands ───────────────────────────────────────────────────────────────────────────────────────

    def mind(self, device: Device) -> Hashable:
        """What of a device changes least: what its agent knows. So processes that share a search send little about."""
        mind: Hashable = device.machine
        return mind

    def phase(self, device: Device) -> str:
        """What a device is at, in a word."""
        if device.crashed:
            return "crashed"
        return device.phase if device.machine is not None else "off"

    def can_be_home(self, device: Device) -> bool:
        """Whether there is any net and service with which the device is home."""
        if device.machine is None or not (device.link and device.is_still and device.machine.rests):
            return False
        if REST.intersection(device.timers):
            return False
        return device.phase == "safe" or device.rig.hardware.is_whole

    def is_home(self, device: Device, net: Net, service: Cloud) -> bool:
        """Whether all is well and nothing is to be done; or it is SAFE, and nothing goes on."""
        if net.up or net.down or not self.can_be_home(device):
            return False
        return device.phase == "safe" or not self._is_pending(service, self.setup.seats[device.side])

    def _is_pending(self, service: Cloud, seat: Seat) -> bool:
        """Whether the device still has something to do there."""
        return any(
            execution.thing == seat.thing
            and execution.key.namespace_id == seat.namespace
            and not execution.status.is_terminal
            for queue in service.jobs.queues
            for execution in queue
        )

    # ── the beginning ─────────────────────────────────────────────────────────────────────────────────────────

    def off(self, number: int) -> Side:
        """That of a device as it leaves the factory."""
        return Side(self._moves.off(number), Net(), Watched(number, self._watching[number].start()))

    @cached_property
    def _beginning(self) -> tuple[tuple[Side, ...], Cloud, tuple[ToldAt, ...]]:
        service, sides, told = self._operations.begun(), list[Side](), list[ToldAt]()
        for number, _ in enumerate(self.setup.seats):
            side, service = self._switched_on(self.off(number), service, told)
            sides.append(side)
        return tuple(sides), service, tuple(told)

    def _switched_on(self, side: Side, service: Cloud, told: list[ToldAt]) -> tuple[Side, Cloud]:
        """Whatever comes by itself, from the factory on, until nothing else does but a poll."""
        for _ in range(MOST_MOVES):
            if self.is_home(side.device, side.net, service):
                break
            side, service, move = self._goes_on(side, service)
            watched, _broken = self.watch(side.watched, all_heard(move))
            side = self.forgetful(side._replace(watched=watched), service)
            by_cloud, by_device = (move.told, ()) if isinstance(move, ServiceMove) else (move.told_by_cloud, move.told)
            told.append((side.device.side, by_cloud, by_device))
        return side, service

    def _goes_on(self, side: Side, service: Cloud) -> tuple[Side, Cloud, DeviceMove | ServiceMove]:
        device, net, _ = side
        if net.up:
            heard = self.service_hears(service, net.up[0])
            net = net_after(net._replace(up=net.up[1:]), (), heard.out, "")
            return side._replace(net=net), heard.service, heard
        free = self.free_places(World((side,), service, ()), 0)
        if net.down:
            move = self.device_hears(device, net.down[0], free)[0]
            net = net._replace(down=net.down[1:])
        else:
            by_itself = self.device_moves(device, free, self.waits(net, self.awaited(device)))
            move = next(each for each in by_itself if each.cost is None)
        after = side._replace(device=move.device, net=net_after(net, move.out, (), move.link))
        return after, service, move


def all_heard(move: DeviceMove | ServiceMove) -> Heard:
    """All that is told of a move, and how long a device had waited for it."""
    if isinstance(move, ServiceMove):
        return Heard(move.told)
    return Heard(move.told_by_cloud, move.told, SECONDS[move.choice.what] if move.choice.do == "timer" else 0.0)
