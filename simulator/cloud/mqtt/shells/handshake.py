"""TLS on a port: what a client says in its handshake decides what it gets, and a handshake that fails is told.

asyncio's own TLS listeners say nothing of a handshake that failed, and its TLS holds more memory than ours (see
`simulator.secure_wire`), so TLS is put on each connection here. One port serves several protocols, by the name that
client and server agree on (ALPN). It may also serve who begins without TLS: AWS's SDKs speak to their endpoints by TLS
only, people with curl rarely do, and the API has one port.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from typing import Final, cast

from agent.transports.handshake import shake_hands
from simulator.cloud.mqtt.shells.listening import KEPT_BACK, Listener, ProtocolFactory
from simulator.cloud.notices.refusals import Code, Notice, Tell
from simulator.secure_wire import SecureWire, throw_away

MQTT: Final = "x-amzn-mqtt-ca"
"""MQTT with a certificate, on a port that others share (Developer Guide, "Device communication protocols")."""
HTTP: Final = "x-amzn-http-ca"
"""HTTPS with a certificate, ditto."""
TLS_HANDSHAKE: Final = b"\x16"
"""How a client begins that speaks TLS."""
HANDSHAKE_SECONDS: Final = 60.0
"""How long a handshake may take: thousands that come at once wait for one another."""
SILENT_SECONDS: Final = 20.0
"""How long a client may be silent before it says anything: the first byte waits for nobody."""

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


class TlsServer(Listener):
    """The same with TLS; `make` makes the protocol of each connection whose handshake succeeds.

    `tell` gets a Notice of every handshake that fails, too. `is_optional`: a client may begin without TLS.
    """

    def __init__(
        self,
        sockets: list[socket.socket],
        make: ProtocolFactory,
        tell: Tell,
        tls: ssl.SSLContext,
        *,
        kept: int = KEPT_BACK,
        is_optional: bool = False,
    ) -> None:
        super().__init__(sockets, make, tell, kept)
        self._tls = tls
        self._is_optional = is_optional

    async def _take(self, accepted: socket.socket, address: str) -> None:
        task = asyncio.current_task()
        assert task is not None, "each connection has one"
        self.strangers.came(task, partial(_give_up, task))
        try:
            await self._shake_hands(accepted, address)
        finally:
            self.strangers.known(task)

    async def _shake_hands(self, accepted: socket.socket, address: str) -> None:
        try:
            accepted.setblocking(False)
            async with asyncio.timeout(SILENT_SECONDS):
                first = await _first_byte(accepted)
        except (OSError, TimeoutError):
            first = b""
        if not first:  # it never said anything, as those who only look whether a port is open
            accepted.close()
            return
        if self._is_optional and first != TLS_HANDSHAKE:
            await super()._take(accepted, address)
            return
        try:
            secure = self._tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        except OSError:  # it was reset in this instant, and is closed
            self._tell(refused_handshake(ConnectionResetError(), address))
            return
        try:
            await _shaken(secure)
        except OSError as error:
            throw_away(secure)
            secure.close()
            self._tell(refused_handshake(error, address))
        except BaseException:  # it is given up
            secure.close()
            raise
        else:
            SecureWire(secure, self._make())


async def _shaken(sock: ssl.SSLSocket) -> None:
    """Raises OSError: ConnectionAbortedError if it takes too long, ConnectionResetError if the client hung up."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            await shake_hands(sock)
    except TimeoutError:
        raise ConnectionAbortedError from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        raise ConnectionResetError from None


class ByName(asyncio.Protocol):
    """Gives way to what `others` has for the name that was agreed on, or to what `usual` makes."""

    def __init__(self, usual: ProtocolFactory, others: Mapping[str, ProtocolFactory]) -> None:
        self._usual = usual
        self._others = others

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
        protocol = self._others.get(tls.selected_alpn_protocol() or "", self._usual)()
        cast("asyncio.Transport", transport).set_protocol(protocol)
        protocol.connection_made(transport)


def _give_up(task: "asyncio.Task[None]") -> None:
    task.cancel()


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
        alert = reason.partition("ALERT_")[2].lower().replace("_", " ")
        return "server-not-trusted", f"the client does not accept the cloud's certificate: {alert}", TRUST
    if isinstance(error, ssl.SSLError) and reason:
        return "tls-failed", f"the handshake failed: {reason.lower().replace('_', ' ')}", None
    if isinstance(error, ConnectionAbortedError):
        return "tls-failed", f"the handshake was not done after {HANDSHAKE_SECONDS:g} s", None
    hint = f"perhaps it does not accept the cloud's certificate: {TRUST}"
    return "tls-failed", "the client hung up before the handshake was done", hint
