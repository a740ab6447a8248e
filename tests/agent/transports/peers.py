"""Both ends of a transport's connection, in a test's hands: who listens on it, and what answers."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from agent.transports.endpoint import Endpoint
from simulator.cloud.mqtt import Reaction
from simulator.cloud.mqtt.packets import V5, V311
from simulator.engines.mqtt_connections import MqttConnections, MqttTransport
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


class OurFleet:
    """The fleet's own transports, made as paho's are."""

    def __init__(self, connections: MqttConnections) -> None:
        self._connections = connections

    def transport(self, name: str, endpoint: Endpoint, filters: tuple[str, ...], mqtt_version: int = 5):
        version = V5 if mqtt_version == 5 else V311
        return MqttTransport(self._connections._shared, self._connections._open, endpoint, name, filters, version)


@asynccontextmanager
async def serving(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A server's port; whoever it has served is let go of before the end."""
    served: set[asyncio.Task[None]] = set()

    async def let_go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        try:
            await serve(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async with await asyncio.start_server(let_go, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*served)
