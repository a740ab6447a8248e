"""TLS on a port: what a client says in its handshake decides what it gets, and a handshake that fails is told.

asyncio's own TLS listeners say nothing of a handshake that failed. So connections are taken as plain ones, and TLS is
put on each at once. One port serves several protocols, by the name that client and server agree on (ALPN).
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

from simulator.cloud.refusals import Code, Notice, Tell

Make: TypeAlias = Callable[[], asyncio.BaseProtocol]

MQTT: Final = "x-amzn-mqtt-ca"
"""MQTT with a certificate, on a port that others share (Developer Guide, "Device communication protocols")."""
HTTP: Final = "x-amzn-http-ca"
"""HTTPS with a certificate, ditto."""
HANDSHAKE_SECONDS: Final = 60.0
"""How long a handshake may take; asyncio's own default."""

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


class TlsDoors:
    """Makes the protocol of each accepted connection: TLS first, then what `usual` makes, or `others` for their name.

    `tell` gets a Notice of every handshake that fails.
    """

    def __init__(self, context: ssl.SSLContext, tell: Tell, usual: Make, others: Mapping[str, Make]) -> None:
        self._context = context
        self._tell = tell
        self._usual = usual
        self._others = others
        self._shaking: set[asyncio.Task[None]] = set()

    def __call__(self) -> asyncio.BaseProtocol:
        """For `loop.create_server`."""
        return _Door(self)

    def close(self) -> None:
        """Give up the handshakes that are under way."""
        for task in self._shaking:
            task.cancel()

    def open(self, door: "_Door", transport: asyncio.Transport) -> None:
        """A client is at the door."""
        task = asyncio.get_running_loop().create_task(self._shake(door, transport))
        self._shaking.add(task)
        task.add_done_callback(self._shaking.discard)

    async def _shake(self, door: "_Door", plain: asyncio.Transport) -> None:
        loop, peer = asyncio.get_running_loop(), plain.get_extra_info("peername")
        try:
            transport = await loop.start_tls(
                plain, door, self._context, server_side=True, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        except OSError as error:
            plain.close()
            self._tell(refused_handshake(error, str(peer[0]) if peer else ""))
            return
        except asyncio.CancelledError:
            plain.close()
            raise
        if transport is None:  # it went away meanwhile
            return
        tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
        inner = self._others.get(tls.selected_alpn_protocol() or "", self._usual)()
        door.give_way(transport, cast("asyncio.Protocol", inner))


class _Door(asyncio.Protocol):
    """Stands for a connection until its handshake is done; what comes meanwhile is kept for who takes over."""

    def __init__(self, doors: TlsDoors) -> None:
        self._doors: TlsDoors | None = doors
        self._early: list[bytes] = []
        self._is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there."""
        doors, self._doors = self._doors, None
        assert doors is not None, "a door is for one connection"
        plain = cast("asyncio.Transport", transport)
        plain.pause_reading()  # until TLS reads
        doors.open(self, plain)

    def data_received(self, data: bytes) -> None:
        """The client's first bytes may come with the last of its handshake."""
        self._early.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """It went away before anybody took over."""
        self._is_lost = True

    def give_way(self, transport: asyncio.Transport, inner: asyncio.Protocol) -> None:
        """Let another protocol have the connection from here on."""
        transport.set_protocol(inner)
        inner.connection_made(transport)
        if self._early and not transport.is_closing():
            inner.data_received(b"".join(self._early))
        if self._is_lost:
            inner.connection_lost(None)


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
