"""A socket to a gateway, with TLS if there is any, that was opened without blocking the loop."""

import asyncio
import socket
import ssl
from typing import Any

from agent.transports.endpoint import Endpoint
from agent.transports.upkeep import Shared


async def opened(endpoint: Endpoint, shared: Shared) -> socket.socket:
    """It is connected, and hands are shaken. Raises OSError."""
    loop = asyncio.get_running_loop()
    family, address = await shared.resolve(endpoint.host, endpoint.port)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(sock, address)
        if endpoint.tls is not None:
            secure = endpoint.tls.wrap_socket(sock, server_hostname=endpoint.host, do_handshake_on_connect=False)
            sock = secure
            await _shake_hands(loop, secure)
    except BaseException:
        sock.close()
        raise
    return sock


async def _shake_hands(loop: asyncio.AbstractEventLoop, sock: ssl.SSLSocket) -> None:
    """Do the TLS handshake, giving the loop its turn whenever it would block."""
    descriptor = sock.fileno()
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
