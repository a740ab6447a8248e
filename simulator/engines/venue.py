"""Where a scenario is played: what an engine has to offer a play."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from typing import Protocol

from agent.runner import Transport
from simulator.controller.hand import Hand
from simulator.scenario import Group
from simulator.trace import ProcessStalled, Sink
from simulator.trace.packed import Packs


class Venue(Protocol):
    """Where a scenario is played."""

    @property
    def name(self) -> str:
        """What the engine is called."""

    def clock(self) -> float:
        """Seconds, precise at every call; the clock of the devices, the controller and the engine."""

    async def open(
        self, stack: AsyncExitStack, sink: Sink, things: Sequence[str] = (), packs: Packs | None = None
    ) -> Hand:
        """Start the cloud, which lasts as long as the stack; what the controller acts through. Raises InputError.

        `things` play there: a cloud that can be told of them in one go knows them from its beginning. `packs` may get
        what the cloud tells, many entries at a time, instead of `sink`.
        """

    @property
    def running_time(self) -> Callable[[], float] | None:
        """What agents' timers run by: seconds in which the process ran; None for the loop's own time."""

    def watched(self, record: Callable[[ProcessStalled], None]) -> AbstractContextManager[object]:
        """Have `record` told, while that lasts, when the process in which the devices are did not run."""

    def transport(self, thing: str, group: Group) -> Transport:
        """A connection for one boot of one device."""
