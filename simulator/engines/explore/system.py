"""The moves of each part by itself: what a search remembers of each and composes, and `world` composes as well.

All parts are frozen, hashable values, the same in every process and under every hash seed (see `digest`).
"""

from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from agent.values import Status
from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.budgets import Budgets, paid
from simulator.engines.explore.choice import KINDS, Choice, Kind
from simulator.engines.explore.device import SECONDS, Device, DeviceMove, Told
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.moves import Moves
from simulator.engines.explore.net import Link, Message, Net, NetMove, named, net_after, net_moves, waits
from simulator.engines.explore.pieces import Piece, piece
from simulator.engines.explore.searchable import TAKEN
from simulator.engines.explore.service import Cloud, Operations, ServiceMove
from simulator.engines.explore.setup import Bounds, Seat, Setup
from simulator.engines.explore.tokens import Names, Tokens, places_of, unchanged
from simulator.engines.explore.watching import Watched, Watching, concerning, watcher_of
from simulator.trace import CloudEvent
from simulator.verdict.invariants.hardware import ONLY_SLOT


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


ToldAt: TypeAlias = tuple[int, tuple[CloudEvent, ...], tuple[Told, ...], Tokens]
"""At which side; by the cloud, and by the device; and what tokens were called from then on."""


class _Beginning(NamedTuple):
    """How all begins, and what was told and broke until then."""

    sides: tuple[Side, ...]
    service: Cloud
    told: tuple[ToldAt, ...]
    broken: tuple[Broken, ...]


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
        self._gists: dict[Piece[Heard], Piece[Heard] | None] = {}
        self._concerns: dict[tuple[int, Piece[Heard]], Piece[Heard]] = {}
        self._possible = frozenset(kind for kind in KINDS if setup.bounds.allows(kind))

    def first(self) -> World:
        """Devices that were switched on and have found nothing to do; a service that has no job yet."""
        sides, service, _, _ = self._beginning
        return World(sides, service, self.setup.bounds.budgets)

    @property
    def told_before(self) -> tuple[ToldAt, ...]:
        """What was told until then, one move after the other."""
        return self._beginning.told

    @property
    def broken_before(self) -> tuple[Broken, ...]:
        """What broke until then, which no search from there on meets."""
        return self._beginning.broken

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

    def device_moves(self, device: Device, waits: int) -> tuple[DeviceMove, ...]:
        """What can happen to a device without a message."""
        return self._moves.of_itself(device, waits)

    def device_hears(self, device: Device, message: Message, is_taken: bool) -> tuple[DeviceMove, ...]:
        """What comes of a message: first the whole of it, and then the same with the power gone in the middle."""
        return self._moves.on_message(device, message, is_taken=is_taken)

    def net_moves(self, net: Net) -> tuple[NetMove, ...]:
        """What can become of messages in flight."""
        return net_moves(net, self._possible)

    def net_after(self, net: Net, up: tuple[Message, ...], down: tuple[Message, ...], link: Link) -> Net:
        """With what was sent, and what became of the connection after that."""
        return net_after(net, up, down, link)

    def service_moves(self, service: Cloud) -> tuple[ServiceMove, ...]:
        """What operators can do, and what is due."""
        return self._operations.of_itself(service)

    def service_hears(self, service: Cloud, message: Message) -> ServiceMove:
        """What comes of a request."""
        return self._operations.on_request(service, message)

    def heard_of(self, move: DeviceMove | ServiceMove) -> Piece[Heard] | None:
        """Of a move, what monitors make something of; None if there is nothing."""
        heard = all_heard(move)
        if heard not in self._gists:
            gist = self._watching[0].gist(heard.value)
            self._gists[heard] = piece(gist) if gist.by_cloud or gist.by_device else None
        return self._gists[heard]

    def watch(self, watched: Watched, heard: Piece[Heard]) -> tuple[Watched, tuple[Broken, ...]]:
        """What is watched after that, and what broke with it; of other things a watcher hears nothing."""
        side, kept = watched
        concerns = self._concerns.get((side, heard))
        if concerns is None:
            by_cloud = concerning(self.setup.seats[side].thing, heard.value.by_cloud)
            concerns = self._concerns[side, heard] = piece(heard.value._replace(by_cloud=by_cloud))
        after, broken = self._watching[side].watch(kept, concerns)
        return Watched(side, after), broken

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

    def named_device(self, device: Device) -> tuple[Device, Names]:
        """A device after a step, with what it knows called as from now on; and what it called that until then."""
        names = device.names
        return device.named(names), names

    def named_net(self, net: Net, side: int, names: Names) -> tuple[Net, Tokens]:
        """The net of a side likewise, whose device called its own so; and what tokens are called from now on."""
        return named(net, names, self.setup.seats[side].namespace)

    def named_service(self, service: Cloud, side: int, names: Names) -> Cloud:
        """The service likewise, as far as it knows what the device of that side wrote."""
        seat = self.setup.seats[side]
        return service.named(seat.thing, seat.namespace, names)

    def named_watched(self, watched: Watched, tokens: Tokens) -> Watched:
        """What is watched likewise, without the tokens that are none any more."""
        side, kept = watched
        watching = self._watching[side]
        return Watched(side, watching.renamed(watching.forget(kept, places_of(tokens)), dict(tokens)))

    def tokens(self, watched: Watched) -> int:
        """The tokens that are watched, as a mask."""
        return self._watching[watched.side].places(watched.kept)

    def unchanged(self, tokens: Tokens) -> int:
        """Those that are called as before, as a mask."""
        return unchanged(tokens)

    def named(self, side: Side, service: Cloud) -> tuple[Side, Cloud, Tokens]:
        """A side after a step, and the service; and what tokens are called from now on."""
        number = side.device.side
        device, names = self.named_device(side.device)
        net, tokens = self.named_net(side.net, number, names)
        watched = self.named_watched(side.watched, tokens)
        return Side(device, net, watched), self.named_service(service, number, names), tokens

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

    def lasting(self, device: Device) -> Hashable:
        """Its journal: with another one, little of all else is the same."""
        return device.rig.disk

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
        # Without a journal nothing tells a device that runs its recovery image what to write over its only slot.
        rig = device.rig
        waits = rig.is_spoiled and rig.hardware.pending == ONLY_SLOT
        return device.phase == "safe" or rig.hardware.is_whole or waits

    def is_home(self, device: Device, net: Net, service: Cloud) -> bool:
        """Whether all is well and nothing is to be done; or it is SAFE, and nothing goes on."""
        if net.up or net.down or not self.can_be_home(device):
            return False
        return device.phase == "safe" or not self._is_pending(service, self.setup.seats[device.side])

    def has_failed(self, device: Device, service: Cloud) -> bool:
        """Whether it has given up, SAFE, or has reported that it could not do what a job asks for."""
        seat = self.setup.seats[device.side]
        return device.phase == "safe" or any(
            execution.thing == seat.thing
            and execution.key.namespace_id == seat.namespace
            and execution.status in (Status.FAILED, Status.REJECTED)
            for queue in service.jobs.queues
            for execution in queue
        )

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
    def _beginning(self) -> _Beginning:
        service, sides, told, broken = self._operations.begun(), list[Side](), list[ToldAt](), list[Broken]()
        for number, _ in enumerate(self.setup.seats):
            side, service = self._switched_on(self.off(number), service, told, broken)
            sides.append(side)
        return _Beginning(tuple(sides), service, tuple(told), tuple(broken))

    def _switched_on(self, side: Side, service: Cloud, told: list[ToldAt], broken: list[Broken]) -> tuple[Side, Cloud]:
        """Whatever comes by itself, from the factory on, until nothing else does but a poll."""
        for _ in range(MOST_MOVES):
            if self.is_home(side.device, side.net, service):
                break
            side, service, move = self._goes_on(side, service)
            watched, broke = self.watch(side.watched, all_heard(move))
            broken.extend(broke)
            by_cloud, by_device = (move.told, ()) if isinstance(move, ServiceMove) else (move.told_by_cloud, move.told)
            side, service, tokens = self.named(side._replace(watched=watched), service)
            told.append((side.device.side, by_cloud, by_device, tokens))
        return side, service

    def _goes_on(self, side: Side, service: Cloud) -> tuple[Side, Cloud, DeviceMove | ServiceMove]:
        device, net, _ = side
        if net.up:
            heard = self.service_hears(service, net.up[0])
            net = net_after(net._replace(up=net.up[1:]), (), heard.out, "")
            return side._replace(net=net), heard.service, heard
        if net.down:
            first, net = net.down[0], net._replace(down=net.down[1:])
            move = self.device_hears(device, first, self.waits(net, self.awaited(device)) >= TAKEN)[0]
        else:
            by_itself = self.device_moves(device, self.waits(net, self.awaited(device)))
            move = next(each for each in by_itself if each.cost is None)
        after = side._replace(device=move.device, net=net_after(net, move.out, (), move.link))
        return after, service, move


def all_heard(move: DeviceMove | ServiceMove) -> Piece[Heard]:
    """All that is told of a move, and how long a device had waited for it."""
    if isinstance(move, ServiceMove):
        return piece(Heard(move.told))
    seconds = SECONDS[move.choice.what] if move.choice.do == "timer" else 0.0
    return piece(Heard(move.told_by_cloud, move.told, seconds))
