"""A socket to a gateway, with TLS if there is any, that was opened without blocking the loop."""

import asyncio
import socket

from agent.transports.endpoint import Endpoint
from agent.transports.handshake import shake_hands
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
            await shake_hands(secure)
    except BaseException:
        sock.close()
        raise
    return sock
