"""What is watched in every state: a value beside the others, and what of it is broken, as soon as it is.

The verdict's own monitors watch (`monitors.Watcher`), one for each device; a search for a place watches for that
(`sometimes`).
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.monitors import Broken, Watcher
from simulator.engines.explore.pieces import Piece
from simulator.engines.explore.setup import Seat, Setup
from simulator.trace import Event


class Watching(Protocol):
    """Monitors of one device: a frozen, hashable, small value, and how it goes on with what is told."""

    @property
    def judges(self) -> frozenset[str]:
        """The ids of the invariants that it decides."""

    def start(self) -> Hashable:
        """Before anything was told."""

    def gist(self, told: Heard) -> Heard:
        """What of it can matter: `watch` makes the same of both."""

    def watch(self, watched: Any, told: Piece[Heard]) -> tuple[Hashable, tuple[Broken, ...]]:
        """After that, and what broke with it."""

    def at_rest(self, watched: Any) -> tuple[Broken, ...]:
        """What is broken besides, if nothing more ever happens."""

    def forget(self, watched: Any, alive: int) -> Hashable:
        """Without the tokens that nobody knows any more: they are not in the mask `alive` (see `tokens`)."""

    def places(self, watched: Any) -> int:
        """The tokens of which it may yet hear, as a mask."""

    def renamed(self, watched: Any, names: Mapping[str, str]) -> Hashable:
        """With its tokens called otherwise."""


class Watched(NamedTuple):
    """What is kept of the device of a side."""

    side: int
    kept: Hashable


def watcher_of(setup: Setup, seat: Seat) -> Watcher:
    """The verdict's own monitors, for one device."""
    proceeds = setup.leap_when_unreachable == "proceed"
    return Watcher(
        seat.name,
        finishes_after_switch=setup.policy == "finish-after-switch",
        leap_unanswered_seconds=setup.device_policy(seat).leap_deadline if proceeds else None,
        shares=(seat.thing, seat.namespace) if setup.devices == "two namespaces" else None,
    )


def concerning(thing: str, told: Iterable[Event]) -> tuple[Event, ...]:
    """Of what the cloud tells, what it tells of a thing."""
    return tuple(event for event in told if getattr(event, "thing", thing) == thing)
