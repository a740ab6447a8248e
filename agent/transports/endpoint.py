"""Where a gateway listens, and whether anybody answers there."""

import asyncio
import contextlib
import socket
import ssl
from dataclasses import dataclass
from typing import Final

from agent.errors import InputError

CONNECT_LIMIT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a gateway listens; `tls` carries the device's certificate, None for plain MQTT."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def plainly(error: OSError | UnicodeError) -> str:
    """Why there is no connection, in a few words."""
    if isinstance(error, ConnectionRefusedError):
        return "nobody answers (connection refused)" if error.errno else str(error)
    if isinstance(error, socket.gaierror | UnicodeError):  # the latter for what cannot be a name at all
        return "no such host"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    return error.strerror or str(error)


async def probe(endpoint: Endpoint) -> None:
    """Raise InputError, in one line, if nobody answers at `endpoint`."""
    try:
        async with asyncio.timeout(CONNECT_LIMIT_SECONDS):
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    except (OSError, UnicodeError) as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else plainly(error)
        raise InputError(f"{endpoint}: {_nobody(why)}; is `ghostjob cloud` running there?") from None


def _nobody(why: str) -> str:
    return why if why.startswith("nobody") else f"nobody answers ({why})"
