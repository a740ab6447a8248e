"""One port for TLS and for plain bytes: the first byte that a client sends tells which it means.

AWS's SDKs speak to their endpoints by TLS only, people with curl rarely do, and the API has one port.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, Final

TLS_HANDSHAKE: Final = b"\x16"
FIRST_BYTE_SECONDS: Final = 60.0
"""How long a client may be silent before it says anything at all."""
PAUSE_SECONDS: Final = 0.5
"""When there are too many files open to take another connection."""


class EitherServer:
    """Listens once it is made by `listen`; `factory` makes the protocol of each connection.

    `failed` is told of each TLS handshake that fails, and with whom.
    """

    def __init__(
        self,
        sockets: list[socket.socket],
        factory: Callable[[], asyncio.BaseProtocol],
        tls: ssl.SSLContext,
        failed: Callable[[OSError, str], None],
    ) -> None:
        self._failed = failed
        self.sockets = sockets
        self._factory = factory
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        for each in sockets:
            self._start(self._accept(each))

    @classmethod
    async def listen(
        cls,
        host: str,
        port: int,
        factory: Callable[[], asyncio.BaseProtocol],
        tls: ssl.SSLContext,
        failed: Callable[[OSError, str], None] = lambda error, address: None,
    ) -> "EitherServer":
        """On every address of `host`. Raises OSError."""
        loop, sockets = asyncio.get_running_loop(), list[socket.socket]()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, *_, address in dict.fromkeys(found):
                sockets.append(socket.create_server(address[:2], family=family, backlog=1024))
                sockets[-1].setblocking(False)
        except OSError:
            for each in sockets:
                each.close()
            raise
        return cls(sockets, factory, tls, failed)

    def close(self) -> None:
        """Take no more connections; those that are open stay."""
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    accepted, _ = await loop.sock_accept(listener)
                except OSError:
                    await asyncio.sleep(PAUSE_SECONDS)
                    continue
                self._start(self._take(accepted))
        finally:
            listener.close()

    async def _take(self, accepted: socket.socket) -> None:
        loop, address, tls = asyncio.get_running_loop(), "", None
        try:
            accepted.setblocking(False)
            address = str(accepted.getpeername()[0])
            first = await asyncio.wait_for(_first_byte(accepted), FIRST_BYTE_SECONDS)
            if first:
                tls = self._tls if first == TLS_HANDSHAKE else None
                await loop.connect_accepted_socket(self._factory, accepted, ssl=tls)
                return
        except (OSError, TimeoutError) as error:
            if tls is not None and isinstance(error, OSError):  # else it just went away
                self._failed(error, address)
        except asyncio.CancelledError:
            accepted.close()
            raise
        accepted.close()


async def _first_byte(accepted: socket.socket) -> bytes:
    """Looked at, and left where it is; empty if the client has closed."""
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()

    def note() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(accepted.fileno(), note)
    try:
        await readable
    finally:
        loop.remove_reader(accepted.fileno())
    return accepted.recv(1, socket.MSG_PEEK)
