"""What the search needs of a world: its parts, and the moves of each part alone.

A state is, for each device, its *side* (the device, the net between it and the cloud, what is watched of it), and
once the service and the budgets. Every part is frozen, hashable and picklable, and equal parts are one part. No move
looks at more than two parts, so each of them is asked for once and then looked up; what makes a whole move of these is
`expansion.py`, and, without any table, `plain.py`.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, runtime_checkable

Choice: TypeAlias = tuple[str, ...]
"""What happens next, in words that a schedule keeps; unique among the choices of one state."""
Path: TypeAlias = tuple[Choice, ...]
Kind: TypeAlias = str

TAKEN: Final = 2
"""So much at least a net tells its device while the token is in flight for which that waits; see `Searchable.waits`."""
UNFAIR: Final = frozenset({"operator", "fault"})
"""Actors that owe nobody a move. Every other one that could always move does so some day (weak fairness)."""


class TooManyPartsError(Exception):
    """More of something than a world has names for, or a state has bits: of what, in words that say what ended it."""


def is_owed(kinds: Sequence[Kind], actor: str) -> bool:
    """Whether a transition happens by itself: it costs nothing, and is not up to somebody who may as well let it be."""
    return not kinds and actor not in UNFAIR


class Side(NamedTuple):
    """All that one device has to itself."""

    device: Hashable
    net: Hashable
    watched: Hashable


class State(NamedTuple):
    """One state of the world; `sides` has one entry a device, always in the same order."""

    sides: tuple[Side, ...]
    service: Hashable
    budgets: Hashable


class Move(Protocol):
    """What one part does. Whether it happens by itself, `is_owed` tells."""

    @property
    def choice(self) -> Choice:
        """What it is called, unique among those of a state."""

    @property
    def cost(self) -> Kind | None:
        """The kind of trouble that it takes, of which one is paid from the budgets."""

    @property
    def actor(self) -> str:
        """Who is treated fairly, if not `UNFAIR`."""


class DeviceMove(Move, Protocol):
    """A device becomes another."""

    @property
    def also(self) -> Kind | None:
        """What it costs besides."""

    @property
    def device(self) -> Hashable:
        """The device afterwards."""

    @property
    def out(self) -> tuple[Hashable, ...]:
        """Messages that go up."""

    @property
    def link(self) -> str:
        """What becomes of the connection: "" (nothing), "lost" or "back"."""


class NetMove(Move, Protocol):
    """A message goes on."""

    @property
    def net(self) -> Hashable:
        """The net afterwards."""

    @property
    def to(self) -> str:
        """Who gets it: "" (nobody), "device" or "service"."""

    @property
    def message(self) -> Hashable:
        """What they get."""


class ServiceMove(Move, Protocol):
    """The service becomes another."""

    @property
    def service(self) -> Hashable:
        """The service afterwards."""

    @property
    def out(self) -> tuple[Hashable, ...]:
        """Messages that go down, to whom `side_of` says."""


class Broken(Protocol):
    """An invariant that does not hold any more."""

    @property
    def invariant(self) -> str:
        """Its name."""

    @property
    def why(self) -> str:
        """In a sentence."""

    @property
    def outcome(self) -> str:
        """`violated`; or `undecided`, which accuses nobody: it is told, and the search goes on there."""


def is_violated(broken: Iterable[Broken]) -> bool:
    """Whether anything is that is not just undecided."""
    return any(each.outcome == "violated" for each in broken)


class Searchable(Protocol):
    """A world, part by part; every method is a pure function of its arguments.

    What is `Any` here are parts of the world's own types, choices, and kinds of trouble (`bounds`: how much of each).
    """

    def first(self) -> Any:
        """Where all begins: a State, or a named tuple like it."""

    def device_moves(self, device: Any, waits: int) -> Sequence[DeviceMove]:
        """What a device does by itself; `waits` is what its net tells it."""

    def device_hears(self, device: Any, message: Any, is_taken: bool) -> Sequence[DeviceMove]:
        """What may come of a message: all of it first, then what a power cut in the midst of it leaves.

        `is_taken`: what its net tells it when the message has left that is at least `TAKEN`.
        """

    def net_moves(self, net: Any) -> Sequence[NetMove]:
        """What may become of what is in flight."""

    def net_after(self, net: Any, up: Any, down: Any, link: Any) -> Hashable:
        """The net with what is sent up and down; not asked where nothing is sent and the link stays as it is."""

    def service_moves(self, service: Any) -> Sequence[ServiceMove]:
        """What the service does by itself, and what is done with it."""

    def service_hears(self, service: Any, message: Any) -> ServiceMove:
        """What comes of a request; its choice and actor are those of its delivery, and it costs nothing."""

    def joined(self, carried: Any, heard: Any) -> Choice:
        """The choice of a message's delivery and of what comes of it, in one."""

    def side_of(self, message: Any) -> int:
        """Whose message it is that the service sends: a position in `State.sides`."""

    def heard_of(self, move: Any) -> Hashable | None:
        """Of a device's or a service's move, what watchers make something of; None if there is nothing."""

    def watch(self, watched: Any, heard: Any) -> tuple[Hashable, Sequence[Broken]]:
        """What is watched after that, and what broke with it; not asked where nothing is heard."""

    def at_rest(self, watched: Any) -> Sequence[Broken]:
        """What is broken at home, where nothing more may ever happen: told of the transition that leads there."""

    def named_device(self, device: Any) -> tuple[Hashable, Hashable]:
        """A device after a step, with what was minted called as from now on; and all that it called its own before.

        So the other parts follow after every step, in this order: equal worlds are to be equal whatever came before.
        What is called so already stays the same.
        """

    def named_net(self, net: Any, side: int, names: Any) -> tuple[Hashable, Hashable]:
        """The net of a side likewise, whose device called its own so; and what each token is called from now on."""

    def named_service(self, service: Any, side: int, names: Any) -> Hashable:
        """The service likewise, as far as it knows of what the device of that side minted."""

    def named_watched(self, watched: Any, tokens: Any) -> Hashable:
        """What is watched likewise, without the tokens that are none any more.

        Not asked while all `tokens` that are watched stay `unchanged`: nothing changes then.
        """

    def tokens(self, watched: Any) -> int:
        """The tokens that are watched, as a mask of 64 bits."""

    def unchanged(self, tokens: Any) -> int:
        """Those that are called as before, as a mask."""

    def awaited(self, device: Any) -> Hashable:
        """The token whose answer the device waits for."""

    def waits(self, net: Any, awaited: Any) -> int:
        """What may yet come to a device that waits for that: a small number that `device_moves` understands.

        `TAKEN` or more, if that token is in flight.
        """

    def can_be_home(self, device: Any) -> bool:
        """Whether there is any net and service with which the device is home; it spares most of the questions."""

    def is_home(self, device: Any, net: Any, service: Any) -> bool:
        """Whether all is well and nothing is to be done, or whether it is safe."""

    def has_failed(self, device: Any, service: Any) -> bool:
        """Of a device that is home: whether something that it was asked for came to nothing by its own report."""

    def phase(self, device: Any) -> str:
        """In which row of the table of phases and kinds it stands."""

    def paid(self, budgets: Any, kinds: Any) -> Hashable | None:
        """What is left after one of each of these; None if something is missing."""

    def left(self, budgets: Any) -> Mapping[Any, int]:
        """How much of each kind, where there may be any."""

    def bounded(self, bounds: Any) -> "Searchable":
        """The same world with other bounds, and with none of what is not named."""

    def begun_with(self, bounds: Any) -> Hashable:
        """Budgets of this world, in which so much is left; no more of each than its bounds."""


@runtime_checkable
class Dividable(Protocol):
    """A world that knows what of a device changes least; of others, processes share devices by all that they are."""

    def lasting(self, device: Any) -> Hashable:
        """That part of it; devices that have it in common are kept by one process.

        Where it tells the rest, few states are sent about, and no two processes ask the same questions.
        """
