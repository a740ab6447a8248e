"""Small worlds to search, of which everything is known, or nothing but that a simple search must agree."""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple, TypeAlias
from zlib import crc32

from simulator.engines.explore.searchable import TAKEN, Side, State

FRESH = 20
"""A token where the other is taken."""


class Moved(NamedTuple):
    """A device's move."""

    choice: tuple[str, ...]
    cost: str | None
    actor: str
    device: Hashable
    out: tuple[Hashable, ...] = ()
    link: str = ""
    told: tuple[Hashable, ...] = ()
    told_by_cloud: tuple[Hashable, ...] = ()
    also: str | None = None


class Carried(NamedTuple):
    """A net's move."""

    choice: tuple[str, ...]
    cost: str | None
    actor: str
    net: Hashable
    to: str = ""
    message: Hashable = None


class Served(NamedTuple):
    """A service's move."""

    choice: tuple[str, ...]
    cost: str | None
    actor: str
    service: Hashable
    out: tuple[Hashable, ...] = ()
    told: tuple[Hashable, ...] = ()


class Broke(NamedTuple):
    """What does not hold."""

    invariant: str
    why: str
    outcome: str = "violated"


class Heard(NamedTuple):
    """What is told of a move."""

    by_cloud: tuple[Hashable, ...]
    by_device: tuple[Hashable, ...]


class Toy:
    """A world of one device in which nothing happens; `bounds` are its budgets."""

    sides = 1

    def __init__(self, bounds: Mapping[str, int] | None = None) -> None:
        self.bounds = dict(bounds or {})

    def first(self) -> State:
        return State((Side(0, (), 0),) * self.sides, 0, tuple(sorted(self.bounds.items())))

    def device_moves(self, device: Any, waits: int) -> tuple[Moved, ...]:
        return ()

    def device_hears(self, device: Any, message: Any, is_taken: bool) -> tuple[Moved, ...]:
        return (Moved((), None, "down", device),)

    def net_moves(self, net: Any) -> tuple[Carried, ...]:
        return ()

    def net_after(self, net: Any, up: Any, down: Any, link: Any) -> Hashable:
        return (*net, *up, *down)

    def service_moves(self, service: Any) -> tuple[Served, ...]:
        return ()

    def service_hears(self, service: Any, message: Any) -> Served:
        return Served((), None, "up", service)

    def joined(self, carried: Any, heard: Any) -> tuple[str, ...]:
        return (*carried, *heard)

    def side_of(self, message: Any) -> int:
        return 0

    def heard_of(self, move: Moved | Served) -> Heard | None:
        told = Heard(move.told, ()) if isinstance(move, Served) else Heard(move.told_by_cloud, move.told)
        return told if any(told) else None

    def watch(self, watched: Any, heard: Heard) -> tuple[Hashable, tuple[Broke, ...]]:
        return watched, ()

    def at_rest(self, watched: Any) -> tuple[Broke, ...]:
        return ()

    def named_device(self, device: Any) -> tuple[Hashable, Hashable]:
        return device, None

    def named_net(self, net: Any, side: int, names: Any) -> tuple[Hashable, Hashable]:
        return net, ()

    def named_service(self, service: Any, side: int, names: Any) -> Hashable:
        return service

    def named_watched(self, watched: Any, tokens: Any) -> Hashable:
        return watched

    def tokens(self, watched: Any) -> int:
        return 0

    def unchanged(self, tokens: Any) -> int:
        return 0

    def awaited(self, device: Any) -> Hashable:
        return None

    def waits(self, net: Any, awaited: Any) -> int:
        return 0

    def can_be_home(self, device: Any) -> bool:
        return True

    def is_home(self, device: Any, net: Any, service: Any) -> bool:
        return True

    def has_failed(self, device: Any, service: Any) -> bool:
        return False

    def phase(self, device: Any) -> str:
        return "any"

    def paid(self, budgets: Any, kinds: tuple[str, ...]) -> Hashable | None:
        left = dict(budgets)
        for kind in kinds:
            left[kind] = left.get(kind, 0) - 1
        return None if min(left.values(), default=0) < 0 else tuple(sorted(left.items()))

    def left(self, budgets: Any) -> dict[str, int]:
        return dict(budgets)

    def bounded(self, bounds: Mapping[str, int]) -> "Toy":
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.bounds = {kind: bounds.get(kind, 0) for kind in self.bounds}
        return other

    def begun_with(self, bounds: Mapping[str, int]) -> Hashable:
        return tuple(sorted((kind, bounds.get(kind, 0)) for kind in self.bounds))


class Clocks(Toy):
    """A device that counts to `high` and a service that does; `reset` takes the device back to 0."""

    def __init__(self, high: int, resets: int = 0) -> None:
        super().__init__({"reset": resets})
        self.high = high

    def device_moves(self, device: Any, waits: int) -> tuple[Moved, ...]:
        count = (Moved(("count",), None, "device", device + 1),) if device < self.high else ()
        return (*count, Moved(("reset",), "reset", "fault", 0))

    def service_moves(self, service: Any) -> tuple[Served, ...]:
        return (Served(("tick",), None, "service", service + 1),) if service < self.high else ()

    def is_home(self, device: Any, net: Any, service: Any) -> bool:
        return bool(device == service == self.high)

    def phase(self, device: Any) -> str:
        return f"at {device}"


Edges: TypeAlias = Mapping[int, list[tuple[str, int]]]
"""From each place, the actors that lead from it, and where to."""


class Graphic(Toy):
    """A device that walks a graph: from each place (`edges`) actors take it elsewhere; `home` are places.

    In some of these something has `failed`.
    """

    def __init__(self, edges: Edges, home: set[int], failed: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.edges, self.home, self.failed = edges, home, failed

    def has_failed(self, device: Any, service: Any) -> bool:
        return device in self.failed

    def device_moves(self, device: Any, waits: int) -> tuple[Moved, ...]:
        return tuple(Moved((f"to {to:02}", actor), None, actor, to) for actor, to in self.edges.get(device, []))

    def is_home(self, device: Any, net: Any, service: Any) -> bool:
        return device in self.home


class Graphs(Toy):
    """Devices that walk a graph each; `home` are places of all."""

    def __init__(self, graphs: tuple[Edges, ...], home: set[int]) -> None:
        super().__init__()
        self.graphs, self.home = graphs, home

    def first(self) -> State:
        return State(tuple(Side((number, 0), (), 0) for number, _ in enumerate(self.graphs)), 0, ())

    def device_moves(self, device: tuple[int, int], waits: int) -> tuple[Moved, ...]:
        number, place = device
        moves = self.graphs[number].get(place, [])
        return tuple(Moved((f"to {to:02}", actor, str(number)), None, actor, (number, to)) for actor, to in moves)

    def is_home(self, device: tuple[int, int], net: Any, service: Any) -> bool:
        return device[1] in self.home


class Message(NamedTuple):
    """`token` is that of a question, -1 of none; `side` whom it is for."""

    word: int
    token: int
    side: int


class Asker(NamedTuple):
    """A device; `open` is the token of its question, -1 if it has none."""

    side: int
    mind: int
    open: int = -1


class Dice(Toy):
    """A world whose every rule was drawn by lot, by `seed`: devices that ask, a service that answers, faults."""

    def __init__(self, seed: int, sides: int = 1, minds: int = 3, bounds: Mapping[str, int] | None = None) -> None:
        super().__init__({"lose": 1, "cut": 1} if bounds is None else bounds)
        self.seed, self.sides, self.minds = seed, sides, minds

    def drawn(self, below: int, *what: object) -> int:
        return crc32(repr((self.seed, *what)).encode()) % below

    def first(self) -> State:
        sides = tuple(Side(Asker(side, 0), (), 0) for side in range(self.sides))
        return State(sides, 0, self.begun_with(self.bounds))

    def device_moves(self, device: Asker, waits: int) -> tuple[Moved, ...]:
        name, token = str(device.side), FRESH if waits >= TAKEN else 0
        moves = [Moved(("cut", name), "cut", "fault", device._replace(mind=0, open=-1), link="lost")]
        if device.open < 0 and self.drawn(3, "asks", device.mind):
            message = Message(self.drawn(2, "word", device.mind), token, device.side)
            moves.append(Moved(("ask", name), None, "device", device._replace(open=token), (message,)))
        if not waits and self.drawn(2, "moves", device.mind):
            mind = self.drawn(self.minds, "mind", device.mind)
            told = (mind,) if self.drawn(2, "tells", mind) else ()
            moves.append(Moved(("think", name), None, "timer", device._replace(mind=mind, open=-1), told=told))
        return tuple(moves)

    def device_hears(self, device: Asker, message: Message, is_taken: bool) -> tuple[Moved, ...]:
        if message.token != device.open:
            return (Moved((), None, "down", device),)
        mind = self.drawn(self.minds, "heard", device.mind, message.word)
        asks = self.drawn(3, "asks again", device.mind)
        token = FRESH if is_taken else 0
        out = (Message(self.drawn(2, "word", mind), token, device.side),) if asks else ()
        after = device._replace(mind=mind, open=token if asks else -1)
        whole = Moved((), None, "down", after, out, told=(mind, message.word))
        half = Moved(("cut",), "cut", "fault", device._replace(open=-1), link="lost", told_by_cloud=("lost",))
        return whole, half

    def net_moves(self, net: tuple[Message, ...]) -> tuple[Carried, ...]:
        moves = []
        for which, to in (("up", "service"), ("down", "device")):
            first = next((each for each in net if (each.word >= 10) == (to == "device")), None)
            if first is not None:
                at = net.index(first)
                rest = net[:at] + net[at + 1 :]
                name = str(first.side)
                moves.append(Carried((which, name), None, which, rest, to, first))
                moves.append(Carried(("lose", which, name), "lose", "fault", rest))
        return tuple(moves)

    def net_after(self, net: Any, up: Any, down: Any, link: Any) -> Hashable:
        return () if link == "lost" else (*net, *up, *down)[-3:]

    def service_moves(self, service: int) -> tuple[Served, ...]:
        if not self.drawn(2, "ticks", service):
            return ()
        after = self.drawn(self.minds, "tick", service)
        hints = tuple(Message(10, -1, side) for side in range(self.sides) if self.drawn(2, "hint", service, side))
        return (Served(("tick",), None, "service", after, hints, ("ticked",) if after else ()),)

    def service_hears(self, service: int, message: Message) -> Served:
        after = self.drawn(self.minds, "served", service, message.word)
        answer = Message(10 + self.drawn(2, "answer", service, message.word), message.token, message.side)
        return Served((), None, "up", after, (answer,), (after,))

    def side_of(self, message: Message) -> int:
        return message.side

    def mind(self, device: Asker) -> int:
        return device.mind

    def watch(self, watched: int, heard: Heard) -> tuple[Hashable, tuple[Broke, ...]]:
        """What is watched: 0 to 2, and besides, from 10 on, a token."""
        after = self.drawn(3, "watch", watched, *heard)
        token = self.drawn(4, "token", watched, *heard)
        drawn = self.drawn(12, "broken", watched, *heard)
        outcome = "undecided" if self.drawn(2, "outcome", watched, *heard) else "violated"
        broken = (Broke(f"rule {after}", "so it was drawn", outcome),) if drawn == 0 else ()
        return after + 10 * (token + 1), broken

    def at_rest(self, watched: int) -> tuple[Broke, ...]:
        return (Broke("rest", "so it was drawn"),) if self.drawn(6, "rests", watched) == 0 else ()

    def named_device(self, device: Asker) -> tuple[Asker, int]:
        return device._replace(open=min(device.open, 0)), device.open

    def named_net(
        self, net: tuple[Message, ...], side: int, names: int
    ) -> tuple[Hashable, tuple[tuple[int, int], ...]]:
        called = {names: 0} if names >= 0 else {}
        for message in net:
            if message.token >= 0:
                called.setdefault(message.token, len(called) + (names < 0))
        after = tuple(each._replace(token=called.get(each.token, -1)) for each in net)
        return after, tuple(called.items())

    def named_watched(self, watched: int, tokens: tuple[tuple[int, int], ...]) -> int:
        called = dict(tokens).get(watched // 10 - 1, -1)
        return watched % 10 + 10 * (called + 1)

    def tokens(self, watched: int) -> int:
        return 1 << watched // 10 - 1 if watched >= 10 else 0

    def unchanged(self, tokens: tuple[tuple[int, int], ...]) -> int:
        return sum(1 << token for token, called in tokens if token == called)

    def awaited(self, device: Asker) -> int:
        return device.open

    def waits(self, net: Any, awaited: int) -> int:
        return 2 if any(message.token == awaited for message in net) and awaited >= 0 else int(bool(net))

    def can_be_home(self, device: Asker) -> bool:
        return device.mind != 1

    def is_home(self, device: Asker, net: Any, service: int) -> bool:
        return device.mind != 1 and device.open < 0 and not net and service != 1

    def phase(self, device: Asker) -> str:
        return "asking" if device.open >= 0 else f"mind {device.mind}"


class Lock(Toy):
    """It breaks when its three levers were pulled in order; a `jolt` pulls one out of turn. `noise` does nothing.

    A state is how many levers are right, and what was done last.
    """

    def __init__(self, jolts: int = 0, noises: int = 3) -> None:
        super().__init__({"jolt": jolts})
        self.noises = noises

    def first(self) -> State:
        return State((Side((0, 0), (), 0),), 0, self.begun_with(self.bounds))

    def device_moves(self, device: tuple[int, int], waits: int) -> tuple[Moved, ...]:
        right, _ = device
        moves = [Moved(("hum", str(noise)), None, "timer", (right, noise)) for noise in range(self.noises)]
        # The second lever moves by itself for nobody: it takes a jolt.
        if right != 1:
            moves.append(Moved(("pull",), None, "device", (right + 1, 0), told=("pulled", right)))
        moves.append(Moved(("jolt",), "jolt", "fault", (right + 1, 0), told=("pulled", right)))
        return tuple(moves)

    def watch(self, watched: Any, heard: Heard) -> tuple[Hashable, tuple[Broke, ...]]:
        return watched, (Broke("locked", "three levers were pulled"),) if heard.by_device == ("pulled", 2) else ()
