"""TLS on a port: what a client says in its handshake decides what it gets, and a handshake that fails is told.

asyncio's own TLS listeners say nothing of a handshake that failed, so connections are accepted here, and TLS is put on
each. One port serves several protocols, by the name that client and server agree on (ALPN).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, Self, TypeAlias, cast

from simulator.cloud.refusals import Code, Notice, Tell

Make: TypeAlias = Callable[[], asyncio.BaseProtocol]

MQTT: Final = "x-amzn-mqtt-ca"
"""MQTT with a certificate, on a port that others share (Developer Guide, "Device communication protocols")."""
HTTP: Final = "x-amzn-http-ca"
"""HTTPS with a certificate, ditto."""
TLS_HANDSHAKE: Final = b"\x16"
"""How a client begins that speaks TLS."""
HANDSHAKE_SECONDS: Final = 60.0
"""How long a client may be silent before it says anything, and how long its handshake may take then."""
PAUSE_SECONDS: Final = 0.5
"""When there are too many files open to take another connection."""

ISSUER_UNKNOWN: Final = frozenset({2, 18, 19, 20, 21, 24})
"""OpenSSL's results of a verification that does not find the CA (X509_V_ERR_…)."""
NOT_NOW: Final = frozenset({9, 10})
"""Those of a certificate whose time has not come, or is over."""
REASONS: Final[dict[str, tuple[Code, str, str | None]]] = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        "certificate-missing",
        "it has no client certificate",
        "give it one that `ghostjob certs` made: THING.pem and THING.key",
    ),
    "HTTP_REQUEST": ("tls-failed", "plain HTTP on a port with TLS", "use https, or the API port"),
    "WRONG_VERSION_NUMBER": (
        "tls-failed",
        "the first bytes are no TLS, as this port wants it",
        "the MQTT port without TLS is another",
    ),
    "UNSUPPORTED_PROTOCOL": ("tls-failed", "a version of TLS below 1.2", None),
    "NO_SHARED_CIPHER": ("tls-failed", "no cipher that both sides know", None),
}
"""OpenSSL's name of an error: how it is told, and what to do."""
TRUST: Final = "give it ca.pem of the directory of --certs; names are added by `ghostjob certs --host`"
DISTRUST: Final = ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED")
"""Ends of the names of alerts by which a client says that it does not accept the server's certificate."""


class TlsServer:
    """Listens once it is made by `listen`; `make` makes the protocol of each connection whose handshake succeeds.

    `tell` gets a Notice of every handshake that fails.
    """

    def __init__(self, sockets: list[socket.socket], make: Make, tls: ssl.SSLContext, tell: Tell) -> None:
        self.sockets = sockets
        self._make = make
        self._tls = tls
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()
        for each in sockets:
            self._start(self._accept(each))

    @classmethod
    async def listen(
        cls, host: str, port: int, make: Make, tls: ssl.SSLContext, tell: Tell, *, backlog: int = 1024
    ) -> Self:
        """On every address of `host`. Raises OSError."""
        loop, sockets = asyncio.get_running_loop(), list[socket.socket]()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, *_, address in dict.fromkeys(found):
                sockets.append(socket.create_server(address[:2], family=family, backlog=backlog))
                sockets[-1].setblocking(False)
        except OSError:
            for each in sockets:
                each.close()
            raise
        return cls(sockets, make, tls, tell)

    def close(self) -> None:
        """Take no more connections; those that are open stay."""
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Until the listening sockets are closed, and handshakes that were under way given up."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def tls_for(self, first: bytes) -> ssl.SSLContext | None:
        """What to speak with a client that begins with this byte: TLS; None: without."""
        return self._tls

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    accepted, address = await loop.sock_accept(listener)
                except OSError:
                    await asyncio.sleep(PAUSE_SECONDS)
                    continue
                self._start(self._take(accepted, str(address[0]) if address else ""))
        finally:
            listener.close()

    async def _take(self, accepted: socket.socket, address: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            accepted.setblocking(False)
            first = await asyncio.wait_for(_first_byte(accepted), HANDSHAKE_SECONDS)
        except (OSError, TimeoutError):
            first = b""
        except asyncio.CancelledError:
            accepted.close()
            raise
        if not first:  # it never said anything, as those who only look whether a port is open
            accepted.close()
            return
        tls = self.tls_for(first)
        try:
            seconds = None if tls is None else HANDSHAKE_SECONDS
            await loop.connect_accepted_socket(self._make, accepted, ssl=tls, ssl_handshake_timeout=seconds)
        except OSError as error:
            accepted.close()
            if tls is not None:
                self._tell(refused_handshake(error, address))
        except asyncio.CancelledError:
            accepted.close()
            raise


class ByName(asyncio.Protocol):
    """Gives way to what `others` has for the name that was agreed on, or to what `usual` makes."""

    def __init__(self, usual: Make, others: Mapping[str, Make]) -> None:
        self._usual = usual
        self._others = others

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
        protocol = self._others.get(tls.selected_alpn_protocol() or "", self._usual)()
        cast("asyncio.Transport", transport).set_protocol(protocol)
        protocol.connection_made(transport)


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


def refused_handshake(error: OSError, address: str) -> Notice:
    """What there is to tell of a handshake that failed."""
    code, why, hint = _told(error)
    return Notice(code, "tls", "", why, address=address, hint=hint)


def _told(error: OSError) -> tuple[Code, str, str | None]:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"its certificate is not accepted: {error.verify_message}"
        if error.verify_code in ISSUER_UNKNOWN:
            return "certificate-foreign", why, "use one that `ghostjob certs` made in the directory of --certs"
        return ("certificate-expired" if error.verify_code in NOT_NOW else "certificate-bad"), why, None
    reason = (error.reason if isinstance(error, ssl.SSLError) else None) or ""
    if reason in REASONS:
        return REASONS[reason]
    if "ALERT" in reason and reason.endswith(DISTRUST):
        return "server-not-trusted", "the client does not accept the cloud's certificate", TRUST
    if isinstance(error, ssl.SSLError) and reason:
        return "tls-failed", f"the handshake failed: {reason.lower().replace('_', ' ')}", None
    if isinstance(error, ConnectionAbortedError):
        return "tls-failed", f"the handshake was not done after {HANDSHAKE_SECONDS:g} s", None
    hint = f"perhaps it does not accept the cloud's certificate: {TRUST}"
    return "tls-failed", "the client hung up before the handshake was done", hint
