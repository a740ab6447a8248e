"""Both ends of a transport's connection, in a test's hands: who listens on it, and a service that echoes."""

import asyncio
from dataclasses import dataclass, field

from simulator.cloud.mqtt import Reaction
from tests.within import within

WAIT = 20


@dataclass
class Heard:
    """A listener that can be waited on."""

    events: asyncio.Queue[tuple[str, object]] = field(default_factory=asyncio.Queue)

    def on_connected(self, session_present: bool) -> None:
        self.events.put_nowait(("connected", session_present))

    def on_disconnected(self, reason: str, again_seconds: float | None = None) -> None:
        self.events.put_nowait(("disconnected", reason))

    def on_message(self, topic: str, payload: bytes) -> None:
        self.events.put_nowait((topic, payload))

    async def next(self) -> tuple[str, object]:
        return await within(self.events.get(), WAIT)


class Echo:
    """A service that answers every request with its payload, and notes how connections end."""

    def __init__(self) -> None:
        self.ends: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def request(self, client_id: str, topic: str, payload: bytes, dup: bool, late_seconds: float = 0.0) -> Reaction:
        return Reaction(f"{topic}/accepted", payload)

    def delivered(self, receipt: object, acknowledged: bool) -> None: ...

    def connected(self, client_id: str, session_present: bool) -> None: ...

    def subscribed(self, client_id: str, filters: list[str], refused: list[str]) -> None:
        pass

    def disconnected(self, client_id: str, reason: str) -> None:
        self.ends.put_nowait((client_id, reason))
