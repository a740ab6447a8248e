"""What the gateway asks of the network that a scenario puts before it; there is none as a rule."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol


class Travel(Protocol):
    """Has a message arrive: a copy so many seconds late for each number, and for how long it was held before, if so.

    `again`: a copy of it has arrived before.
    """

    def __call__(self, delays: tuple[float, ...], held_seconds: float | None, /, again: bool = False) -> object:
        """Let it go on its way."""


class Passage(NamedTuple):
    """How a message arrives: so late in all, whether this copy is not the first, and whether it was held on its way."""

    late_seconds: float = 0.0
    again: bool = False
    was_held: bool = False


PROMPT = Passage()


class Peer(NamedTuple):
    """A client, as far as it is known whose it is: its id, its certificate's, and what it listens to."""

    client_id: str
    certificate: str = ""
    filters: tuple[str, ...] = ()


class Unheard(Protocol):
    """A connection of who is not heard while the network is dead."""

    def peer(self) -> Peer:
        """Whose it is."""

    def cut(self) -> None:
        """Drop it."""


class Network(Protocol):
    """What befalls messages on reserved topics, and whom they reach."""

    cut: Callable[[str, Callable[[Peer], bool]], Iterable[Peer]]
    """Set by the gateway: ends the connections of a thing, those that belong to it, and tells which."""
    reopened: Callable[[], object]
    """Set by the gateway: some of those who are not heard may be."""

    def carry_topic(
        self, topic: str, payload: bytes, travel: Travel, client_id: str | None = None, answer: bytes = b""
    ) -> None:
        """Let a message travel, now, later or never. Of an answer, `payload` is that of its request; of a request,
        `client_id` sent it."""

    def is_dead_for(self, peer: Peer) -> bool:
        """Whether nothing of a client comes through."""

    def turns_away(self, peer: Peer) -> bool:
        """The same of one who wants to connect; it is told, if so."""
