"""What hostile clients are made of: raw connections to a victim, and a pace to be hostile at."""

import asyncio
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final, Self, cast

from simulator.cloud.mqtt.codec import frame
from tests.hostile.carriers import Talk
from tests.hostile.victim import Victim
from tests.simulator.cloud.mqtt.packets import connect, text

HEARD_SECONDS: Final = 30.0
MOST_BYTES: Final = 1 << 20
"""Of a packet that a cloud sends."""


class Peer(asyncio.Protocol):
    """An MQTT client that costs little: packets as they come, the first byte and the body of each."""

    def __init__(self) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._buffer = b""
        self._packets: deque[tuple[int, bytes]] = deque()
        self._waiter: asyncio.Future[None] | None = None

    @classmethod
    async def to(cls, address: tuple[str, int], *first: bytes) -> Self:
        """One that has sent that."""
        peer = (await asyncio.get_running_loop().create_connection(cls, *address))[1]
        peer.send(*first)
        return peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        buffer, offset = self._buffer + data, 0
        while found := frame(buffer, offset, MOST_BYTES):
            first, start, offset = found
            self._packets.append((first, buffer[start:offset]))
        self._buffer = buffer[offset:]
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def send(self, *raw: bytes) -> None:
        self.transport.write(b"".join(raw))

    async def packet(self) -> tuple[int, bytes]:
        """The next one. Raises EOFError if there is none any more."""
        while not self._packets:
            if self.over.done():
                raise EOFError("the cloud closed the connection")
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._packets.popleft()


async def opened(cloud: Victim, stack: AsyncExitStack, port: str, first: bytes = b"", **more: Any) -> Talk:
    """A connection on which that was sent; it is broken off when the stack is closed."""
    host, number = cloud.address(port)
    transport, talk = await asyncio.get_running_loop().create_connection(Talk, host, number, **more)
    stack.callback(transport.abort)
    if first:
        transport.write(first)
    return talk


async def joined(cloud: Victim, stack: AsyncExitStack, client_id: str, version: int = 4) -> Talk:
    """An MQTT client that is connected."""
    talk = await opened(cloud, stack, "mqtt", connect(version, rest=text(client_id)))
    await heard((talk,))
    return talk


async def heard(talks: Sequence[Talk]) -> None:
    """Until each has had an answer, or is over. Raises TimeoutError."""
    async with asyncio.timeout(HEARD_SECONDS):
        for talk in talks:
            await talk.first


async def paced(seconds: float, until: float) -> AsyncIterator[int]:
    """Turns, one every so many seconds until then; at least one, and the end is then."""
    turn, due = 0, time.monotonic()
    while True:
        yield turn
        turn, due = turn + 1, max(due + seconds, time.monotonic())
        await asyncio.sleep(max(0.0, min(due, until) - time.monotonic()))
        if due >= until:
            return


def slow_socket(address: tuple[str, int], first: bytes) -> socket.socket:
    """A client that will not read; its own buffer is small, so that what waits for it stays with the cloud."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(address)
    raw.sendall(first)
    return raw
