"""A connection that another process holds, as the cloud has it: a transport of asyncio's, for any protocol.

What is written counts as unsent until the other process says that it has left. It says so for every GRAIN bytes, so
less than that counts as sent. What comes while nobody wants to read waits here: at most what was on its way.
"""

import asyncio
import json
from typing import Any, Final, NamedTuple, Self, cast

from simulator.cloud.workers.link import BYTES, CLOSE, COUNT, CUT, READ, WAIT, Link

GRAIN: Final = 16 * 1024
"""Bytes; a connection that sends answers of 130 has one thing more said for each 126 of them."""
HIGH: Final = 64 * 1024
"""As asyncio's own transports have it, until another limit is set."""


class Opening(NamedTuple):
    """A connection that is open: at which door, whose it is, and what its TLS handshake came to, if there was one."""

    door: int
    address: tuple[str, int]
    certificate: bytes | None = None
    """In DER; None without TLS."""
    alpn: str | None = None
    server_name: str | None = None

    def packed(self) -> bytes:
        """As it is said."""
        head = json.dumps((self.door, self.address, self.certificate is not None, self.alpn, self.server_name)).encode()
        return COUNT.pack(len(head)) + head + (self.certificate or b"")

    @classmethod
    def of(cls, body: bytes) -> Self:
        """What was said."""
        (size,) = COUNT.unpack_from(body)
        end = COUNT.size + size
        door, (host, port), is_secure, alpn, server_name = json.loads(body[COUNT.size : end])
        return cls(door, (host, port), body[end:] if is_secure else None, alpn, server_name)


class Proven:
    """What of an `ssl.SSLObject` is asked for once its handshake is done."""

    __slots__ = ("__weakref__", "_opening")

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    def getpeercert(self, binary_form: bool = True) -> bytes | None:
        """The client's certificate, in DER."""
        assert binary_form, "nobody asks for another"
        return self._opening.certificate

    def selected_alpn_protocol(self) -> str | None:
        """The name that both agreed on."""
        return self._opening.alpn


class Carried(asyncio.Transport):
    """`protocol` is told that it is open with `begin`."""

    __slots__ = (
        "_high",
        "_is_closing",
        "_is_full",
        "_is_over",
        "_is_reading",
        "_link",
        "_low",
        "_number",
        "_opening",
        "_protocol",
        "_unread",
        "_unsent",
    )

    def __init__(self, link: Link, number: int, opening: Opening, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._link = link
        self._number = number
        self._opening = opening
        self._protocol = cast("asyncio.Protocol", protocol)
        self._high, self._low = HIGH, HIGH // 4
        self._unsent = 0
        self._unread: list[bytes] = []
        self._is_reading = True
        self._is_full = False
        self._is_closing = False
        self._is_over = False

    def begin(self) -> None:
        """Tell the protocol."""
        self._protocol.connection_made(self)

    # ── what the other process says ───────────────────────────────────────────────────────────────────────────

    def came(self, data: bytes) -> None:
        """The client sent something."""
        if self._is_closing:
            return
        if self._is_reading and not self._unread:
            self._protocol.data_received(data)
        else:
            self._unread.append(data)

    def left(self, count: int) -> None:
        """So many bytes have left."""
        self._unsent -= count
        if self._is_full and self.get_write_buffer_size() <= self._low:
            self._is_full = False
            self._protocol.resume_writing()

    def gone(self, error: Exception | None = None) -> None:
        """The connection is not there any more; what came before is read first."""
        if self._is_over:
            return
        if self._unread and not self._is_closing:
            self._protocol.data_received(self._taken())
        self._is_over = self._is_closing = True
        self._protocol.connection_lost(error)

    def _taken(self) -> bytes:
        unread, self._unread = self._unread, []
        return b"".join(unread)

    # ── what its protocol asks for ────────────────────────────────────────────────────────────────────────────

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """`peername`, `ssl_object` (see Proven), and `server_name`, which the client asked for in its handshake."""
        opening = self._opening
        match name:
            case "peername":
                return opening.address
            case "ssl_object" | "sslcontext" if opening.certificate is not None:
                return Proven(opening)
            case "server_name":
                return opening.server_name
            case _:
                return default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Another takes over."""
        self._protocol = cast("asyncio.Protocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who has it."""
        return self._protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, in order."""
        if self._is_closing or not data:
            return
        self._link.say(BYTES, self._number, data if type(data) is bytes else bytes(data))
        self._unsent += len(data)
        if not self._is_full and self.get_write_buffer_size() > self._high:
            self._is_full = True
            self._protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As asyncio has it."""
        self._high = HIGH if high is None else high
        self._low = self._high // 4 if low is None else low

    def get_write_buffer_size(self) -> int:
        """Bytes that have not left, as far as that is known."""
        return max(0, self._unsent - GRAIN)

    def can_write_eof(self) -> bool:
        """TLS has no such thing."""
        return False

    def is_reading(self) -> bool:
        """Whether what comes is given to the protocol."""
        return self._is_reading and not self._is_closing

    def pause_reading(self) -> None:
        """Let it wait."""
        if self._is_reading and not self._is_closing:
            self._is_reading = False
            self._link.say(WAIT, self._number)

    def resume_reading(self) -> None:
        """What waits is read, and what comes."""
        if not self._is_reading and not self._is_closing:
            self._is_reading = True
            self._link.say(READ, self._number)
            if self._unread:
                asyncio.get_running_loop().call_soon(self._read_on)

    def _read_on(self) -> None:
        if self._unread and self._is_reading and not self._is_closing:
            self._protocol.data_received(self._taken())

    def is_closing(self) -> bool:
        """Whether it is closed, or will be."""
        return self._is_closing

    def close(self) -> None:
        """Close it once everything is sent."""
        if not self._is_closing:
            self._is_closing = True
            self._link.say(CLOSE, self._number)

    def abort(self) -> None:
        """Close it now."""
        if not self._is_over:
            self._is_closing = True
            self._link.say(CUT, self._number)
            asyncio.get_running_loop().call_soon(self.gone)
