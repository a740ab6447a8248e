"""A TLS handshake on a socket, without blocking the loop; of either side."""

import asyncio
import ssl
from typing import Any


async def shake_hands(sock: ssl.SSLSocket) -> None:
    """Do it, giving the loop its turn whenever it would block. Raises OSError."""
    loop, descriptor = asyncio.get_running_loop(), sock.fileno()
    while True:
        try:
            sock.do_handshake()
            return
        except ssl.SSLWantReadError:
            await _until(loop.add_reader, loop.remove_reader, descriptor)
        except ssl.SSLWantWriteError:
            await _until(loop.add_writer, loop.remove_writer, descriptor)


async def _until(add: Any, remove: Any, descriptor: int) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done() -> None:
        if not ready.done():
            ready.set_result(None)

    add(descriptor, done)
    try:
        await ready
    finally:
        remove(descriptor)
