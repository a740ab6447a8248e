"""A TLS socket as a transport of asyncio's, as far as a device's connection needs one.

A loop's own TLS holds 10 KiB more for each connection, in buffers between OpenSSL and the socket; of devices there are
thousands.
"""

import asyncio
import ssl
from typing import Final

RECORD_BYTES: Final = 16_384
"""The most that one read gives (RFC 8446, 5.1)."""
WAITS: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SecureWire(asyncio.Transport):
    """Over a socket whose hands are shaken; `protocol` is told at once that it is there."""

    __slots__ = ("_is_closing", "_is_writing", "_loop", "_out", "_protocol", "_sock")

    def __init__(self, sock: ssl.SSLSocket, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._protocol = protocol
        self._out = b""
        self._is_writing = False
        """Whether the loop says when there is room to write."""
        self._is_closing = False
        protocol.connection_made(self)
        self._loop.add_reader(sock.fileno(), self._read)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, in order, as soon as there is room."""
        if not self._is_closing:
            self._out += data
            if not self._is_writing:
                self._write()

    def is_closing(self) -> bool:
        """Whether it is closed, or will be."""
        return self._is_closing

    def close(self) -> None:
        """Close it once everything is sent."""
        self._is_closing = True
        if not self._out:
            self._end(None)

    def abort(self) -> None:
        """Close it now."""
        self._is_closing = True
        self._end(None)

    def _read(self) -> None:
        """One record may hold many messages: once OpenSSL has it, the socket does not say so any more."""
        try:
            while not self._is_closing:
                data = self._sock.recv(RECORD_BYTES)
                if not data:
                    self._end(None)
                    return
                self._protocol.data_received(data)
                if self._sock.fileno() < 0 or not self._sock.pending():
                    return
        except WAITS:
            return
        except OSError as error:
            self._end(error)

    def _write(self) -> None:
        try:
            while self._out:
                self._out = self._out[self._sock.send(self._out) :]
        except WAITS:
            if not self._is_writing:
                self._is_writing = True
                self._loop.add_writer(self._sock.fileno(), self._write)
            return
        except OSError as error:
            self._end(error)
            return
        if self._is_writing:
            self._is_writing = False
            self._loop.remove_writer(self._sock.fileno())
        if self._is_closing:
            self._end(None)

    def _end(self, error: OSError | None) -> None:
        descriptor = self._sock.fileno()
        if descriptor < 0:
            return
        self._is_closing = True
        self._loop.remove_reader(descriptor)
        self._loop.remove_writer(descriptor)
        self._sock.close()
        self._loop.call_soon(self._protocol.connection_lost, error)
