"""A TLS socket as a transport of asyncio's, as far as devices and their gateway need one.

A loop's own TLS holds 10 to 16 KiB more for each connection, in buffers between OpenSSL and the socket; there are
thousands of connections.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Any, Final, cast

RECORD_BYTES: Final = 16_384
"""The most that one read gives (RFC 8446, 5.1)."""
HIGH_BYTES: Final = 65_536
"""As a loop's own transports have it, until another limit is set."""
MOST_THROWN_AWAY: Final = 16 * RECORD_BYTES
"""Of a peer that does not stop."""
WAITS: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


def throw_away(sock: ssl.SSLSocket) -> None:
    """What has come, as it is about to be closed: with that unread, the kernel would reset the connection, and the peer
    lose what it was told last."""
    with suppress(OSError):
        for _ in range(MOST_THROWN_AWAY // RECORD_BYTES):
            if not socket.socket.recv(sock, RECORD_BYTES):
                return


class SecureWire(asyncio.Transport):
    """Over a socket whose hands are shaken; `protocol` is told at once that it is there."""

    __slots__ = (
        "_high",
        "_is_closing",
        "_is_full",
        "_is_reading",
        "_is_writing",
        "_loop",
        "_low",
        "_out",
        "_protocol",
        "_sock",
    )

    def __init__(self, sock: ssl.SSLSocket, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._protocol = cast("asyncio.Protocol", protocol)
        self._high, self._low = HIGH_BYTES, HIGH_BYTES // 4
        self._out = b""
        self._is_writing = False
        """Whether the loop says when there is room to write."""
        self._is_full = False
        """Whether more waits than the limit, and the protocol knows."""
        self._is_reading = True
        self._is_closing = False
        self._loop.add_reader(sock.fileno(), self._read)
        self._protocol.connection_made(self)

    # ── who has it ────────────────────────────────────────────────────────────────────────────────────────────

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """`peername`, `ssl_object` and `sslcontext`."""
        match name:
            case "peername":
                with suppress(OSError):  # it is gone already
                    return self._sock.getpeername()
                return default
            case "ssl_object":
                return self._sock
            case "sslcontext":
                return self._sock.context
            case _:
                return default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Another takes over."""
        self._protocol = cast("asyncio.Protocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who has it."""
        return self._protocol

    # ── what goes ─────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, in order, as soon as there is room."""
        if self._is_closing:
            return
        self._out += data
        if not self._is_writing:
            self._write()
        if not self._is_full and len(self._out) > self._high and not self._is_closing:
            self._is_full = True
            self._protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As asyncio has it."""
        self._high = HIGH_BYTES if high is None else high
        self._low = self._high // 4 if low is None else low

    def get_write_buffer_size(self) -> int:
        """Bytes that wait."""
        return len(self._out)

    def can_write_eof(self) -> bool:
        """TLS has no such thing."""
        return False

    def _write(self) -> None:
        try:
            while self._out:
                self._out = self._out[self._sock.write(self._out) :]
        except WAITS:
            if not self._is_writing:
                self._is_writing = True
                self._loop.add_writer(self._sock.fileno(), self._write)
        except OSError as error:
            self._end(error)
            return
        else:
            if self._is_writing:
                self._is_writing = False
                self._loop.remove_writer(self._sock.fileno())
            if self._is_closing:
                self._say_goodbye()
                return
        if self._is_full and len(self._out) <= self._low:
            self._is_full = False
            self._protocol.resume_writing()

    # ── what comes ────────────────────────────────────────────────────────────────────────────────────────────

    def is_reading(self) -> bool:
        """Whether what comes is given to the protocol."""
        return self._is_reading and not self._is_closing

    def pause_reading(self) -> None:
        """Let it wait, in the kernel."""
        if self._is_reading and not self._is_closing:
            self._is_reading = False
            self._loop.remove_reader(self._sock.fileno())

    def resume_reading(self) -> None:
        """What waits is read, and what comes."""
        if not self._is_reading and not self._is_closing:
            self._is_reading = True
            self._loop.add_reader(self._sock.fileno(), self._read)
            if self._sock.pending():  # of that, the socket says nothing
                self._loop.call_soon(self._read)

    def _read(self) -> None:
        """One record may hold many messages: once OpenSSL has it, the socket does not say so any more."""
        try:
            while self._is_reading and not self._is_closing:
                data = self._sock.read(RECORD_BYTES)
                if not data:
                    self._end(None)
                    return
                self._protocol.data_received(data)
                if len(data) < RECORD_BYTES or self._sock.fileno() < 0 or not self._sock.pending():
                    return
        except WAITS:
            return
        except OSError as error:
            self._end(error)

    # ── its end ───────────────────────────────────────────────────────────────────────────────────────────────

    def is_closing(self) -> bool:
        """Whether it is closed, or will be."""
        return self._is_closing

    def close(self) -> None:
        """Close it once everything is sent; nothing is read any more."""
        if self._is_closing:
            return
        self._is_closing = True
        self._loop.remove_reader(self._sock.fileno())
        if not self._out:
            self._say_goodbye()

    def abort(self) -> None:
        """Close it now."""
        self._is_closing = True
        self._end(None)

    def _say_goodbye(self) -> None:
        """That nothing follows is said, and no answer awaited (RFC 8446, 6.1)."""
        with suppress(OSError):
            self._sock.unwrap()
        throw_away(self._sock)
        self._end(None)

    def _end(self, error: OSError | None) -> None:
        descriptor = self._sock.fileno()
        if descriptor < 0:
            return
        self._is_closing = True
        self._out = b""
        self._loop.remove_reader(descriptor)
        self._loop.remove_writer(descriptor)
        self._sock.close()
        self._loop.call_soon(self._protocol.connection_lost, error)
