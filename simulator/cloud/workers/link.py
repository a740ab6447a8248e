"""What the cloud and a process that holds connections for it say to each other, over a pair of Unix sockets.

Each thing that is said has a kind, the number of the connection that it is about, and a body. What is said within one
turn of the loop leaves in one write: to carry many small messages so is what a process of its own saves the cloud.
"""

import asyncio
from collections.abc import Callable
from struct import Struct
from typing import Final, TypeAlias, cast

from simulator.cloud.contained import tell_fault

BYTES: Final = 0
"""What a client sent, or is sent: both ways."""
OPENED: Final = 1
"""A connection is there; the body is an Opening."""
GONE: Final = 2
"""It is not there any more; nothing follows."""
LEFT: Final = 3
"""So many bytes, of all that it was to send, are in the kernel's hands; the body is a COUNT."""
TOLD: Final = 4
"""A Notice of who did not even get a connection, as JSON."""
READY: Final = 5
"""It accepts."""
CLOSE: Final = 6
"""Close once everything is sent."""
CUT: Final = 7
"""Close now."""
WAIT: Final = 8
"""Do not read it."""
READ: Final = 9
"""Read it again."""
DOORS: Final = 10
"""The first thing that it is told: where to accept, as JSON."""
SHUT: Final = 11
"""Accept no more."""

Hear: TypeAlias = Callable[[int, int, bytes], None]
HEAD: Final = Struct("<BII")
"""The kind, the connection (0 for what is about none), and the size of the body."""
COUNT: Final = Struct("<I")
MOST_UNSENT: Final = 1 << 20
"""With more bytes than this on their way, who says something is asked to wait."""


class Link(asyncio.Protocol):
    """One end. `hear` is told what the other says, `over` that it is gone, `is_full` whether much waits to leave."""

    def __init__(
        self, hear: Hear, over: Callable[[], object], is_full: Callable[[bool], object] = lambda full: None
    ) -> None:
        self._hear = hear
        self._over = over
        self._is_full = is_full
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        self._rest = b""
        self._is_over = False

    def say(self, kind: int, connection: int, body: bytes = b"") -> None:
        """Have it said, in order, before the loop's next turn."""
        if self._is_over:
            return
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(HEAD.pack(kind, connection, len(body)))
        if body:
            self._parts.append(body)

    def close(self) -> None:
        """Say what is left, and hang up."""
        self._send()
        if self._transport is not None:
            self._transport.close()

    def _send(self) -> None:
        if self._parts and self._transport is not None:
            parts, self._parts = self._parts, []
            self._transport.write(b"".join(parts))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(MOST_UNSENT)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Something was said; a fault of whoever hears it is contained, or what follows would be taken for another."""
        data = self._rest + data if self._rest else data
        hear, offset, end = self._hear, 0, len(data)
        while (begin := offset + HEAD.size) <= end:
            kind, connection, size = HEAD.unpack_from(data, offset)
            if begin + size > end:
                break
            offset = begin + size
            try:
                hear(kind, connection, data[begin:offset])
            except Exception as error:  # `contained` would be one call more for each
                tell_fault("carrying for clients", error)
        self._rest = data[offset:]

    def pause_writing(self) -> None:
        """Much waits to leave."""
        self._is_full(True)

    def resume_writing(self) -> None:
        """It has left."""
        self._is_full(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other process is gone, or has hung up."""
        self._transport, self._is_over = None, True
        self._parts.clear()
        self._over()
