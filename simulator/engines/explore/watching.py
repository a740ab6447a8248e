"""What is watched in every state: a value beside the others, and what of it is broken, as soon as it is."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple, Protocol

from agent.device_events import DeviceCrashed, HardwareChanged
from simulator.engines.explore.device import Told
from simulator.engines.explore.setup import Setup
from simulator.trace import CloudEvent


class Broken(NamedTuple):
    """An invariant that does not hold any more, and why."""

    invariant: str
    why: str


class Watching(Protocol):
    """Monitors: a frozen, hashable, small value, and how it goes on with what is told."""

    @property
    def judges(self) -> frozenset[str]:
        """The ids of the invariants that it decides."""

    def start(self, setup: Setup) -> Hashable:
        """Before anything was told."""

    def watch(
        self, watched: Hashable, told_by_cloud: Sequence[CloudEvent], told_by_device: Sequence[Told]
    ) -> tuple[Hashable, tuple[Broken, ...]]:
        """After that, and what broke with it."""

    def places(self, watched: Hashable) -> int:
        """The places of what was minted that it may yet hear of, as a mask (see `tokens`)."""


class Directly:
    """No memory at all: what a device's own account shows to be broken at once."""

    judges = frozenset({"bootable", "alive"})

    def start(self, setup: Setup) -> Hashable:
        """Nothing is known, now and ever."""
        return None

    def watch(
        self, watched: Hashable, told_by_cloud: Sequence[CloudEvent], told_by_device: Sequence[Told]
    ) -> tuple[Hashable, tuple[Broken, ...]]:
        """Whether the device could not boot any more, or its agent died."""
        broken: list[Broken] = []
        for event in told_by_device:
            if isinstance(event, HardwareChanged) and not event.bootable:
                broken.append(Broken("bootable", "nothing would come up if the power went now"))
            elif isinstance(event, DeviceCrashed):
                broken.append(Broken("alive", event.reason))
        return watched, tuple(dict.fromkeys(broken))

    def places(self, watched: Hashable) -> int:
        """It waits for nothing."""
        return 0
