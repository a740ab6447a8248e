"""What of a broker outlives its process, as records: sessions that last, what waits for them, and retained messages.

Times in records are epoch seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, TypeAlias

RecordChange: TypeAlias = tuple[str, str, object | None]
"""Kind, key, and the record that takes that place, or None."""


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session that lasts; `expires_at` is None while its client is connected. Filters with QoS and options."""

    client_id: str
    version: int
    expiry_seconds: int
    expires_at: float | None = None
    filters: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message, and when it came; the rest is what `Extra` is. `client_id` is None where it is retained."""

    client_id: str | None
    topic: str
    payload: bytes
    since: float
    qos: int = 1
    properties: bytes = b""
    expiry_seconds: int | None = None
    retain: bool = False
    share: str = ""
    """The shared subscription that it came by, if it did."""


KINDS: Final[dict[str, type]] = {"session": KeptSession, "message": KeptMessage, "retained": KeptMessage}


class RememberedSessions(NamedTuple):
    """Records as they were kept, messages by key and in order."""

    sessions: tuple[KeptSession, ...]
    messages: dict[str, KeptMessage]
    retained: tuple[KeptMessage, ...]


class Source(Protocol):
    """Something that is asked for its changes when a batch is closed."""

    def rows(self) -> Iterable[RecordChange]:
        """What changed since it was asked last."""
