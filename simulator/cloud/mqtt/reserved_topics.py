"""What stands behind the reserved topics, as far as the gateway knows it."""

from typing import NamedTuple, Protocol


class Reaction(NamedTuple):
    """What a request brings about: the answer for the asking connection, then publications for subscribers.

    `receipt` is what to give back when the answer has been delivered; None if nobody wants to know. `after` numbers
    the commit without which nothing of it may leave (see `CommitBarrier`); 0 if it has not to wait.
    """

    answer_topic: str
    answer: bytes
    publications: tuple[tuple[str, bytes], ...] = ()
    receipt: object | None = None
    after: int = 0


class ReservedTopics(Protocol):
    """What stands behind the reserved topics; called on the loop, and quick."""

    def request(
        self, client_id: str, topic: str, payload: bytes, dup: bool, late_seconds: float = 0.0
    ) -> Reaction | None:
        """A publication to a topic that begins with $; None if that topic takes none."""

    def delivered(self, receipt: object, acknowledged: bool) -> None:
        """The answer of that receipt was acknowledged, or, with QoS 0, written to its connection."""

    def connected(self, client_id: str, session_present: bool) -> None:
        """A client is connected, and goes on with its session if that was present."""

    def subscribed(self, client_id: str, filters: list[str], refused: list[str]) -> None:
        """A client asked for subscriptions: what it was granted, and what it was not."""

    def disconnected(self, client_id: str, reason: str) -> None:
        """A client is gone; `reason` is a disconnectReason of AWS's lifecycle events."""
