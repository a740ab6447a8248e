"""MQTT for any number of devices on one event loop, through paho-mqtt's own socket hooks.

paho offers what a foreign loop needs (on_socket_open and its kin, loop_read, loop_write, loop_misc), with two traps:

- its connect blocks, in the name look-up, in TCP and in TLS. So names are looked up once, in the executor; the socket
  is opened, and TLS shaken hands, here, without blocking; and `_Client` hands the finished socket over at the one
  place where paho would make its own. A test guards that seam, and paho is pinned below 3.
- a TLS record may hold many messages. Once OpenSSL has read it the socket is not readable any more, so after a read
  event reading goes on until nothing is pending.

Requests go out with QoS 0. The core repeats what got no answer by itself, under a new client token; a QoS 1 queue
below it would deliver stale requests after a reconnection, perhaps to a later execution of the same job id.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.errors import InputError
from agent.jitter import Jitter
from agent.messages import write_request
from agent.topics import request_topic
from agent.transports import WireListener
from agent.values import Request

CONNECT_LIMIT_SECONDS: Final = 10.0
SWEEP_SECONDS: Final = 1.0
FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 60.0
PERSISTENT_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a gateway listens; `tls` carries the device's certificate, None for plain MQTT."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class _Client(Client):
    """paho's client with a socket that somebody else opened."""

    ready_socket: socket.socket | None = None

    def _create_socket(self) -> Any:
        ready, self.ready_socket = self.ready_socket, None
        assert ready is not None, "a socket is handed over before each connection"
        return ready


class PahoFleet:
    """What the connections of one loop share: the sweep, the gate for connecting, the looked-up names.

    `patience_seconds` is how long each waits until it is connected and subscribed; None: as long as one alone does.
    `clock` is what interruptions are counted by; None: the loop's own time.
    """

    def __init__(
        self,
        rng: Jitter,
        connects_at_once: int = 64,
        patience_seconds: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.rng = rng
        self._clock = clock
        self.patience_seconds = patience_seconds
        self.gate = asyncio.Semaphore(connects_at_once)
        self._addresses: dict[tuple[str, int], asyncio.Task[Any]] = {}
        self._connected: dict[_Client, None] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin to sweep: keep-alives, for all connections at once."""
        self._sweep_all()

    async def stop(self) -> None:
        """End the sweep. Stop the transports first."""
        if self._sweep is not None:
            self._sweep.cancel()
        for look_up in self._addresses.values():
            look_up.cancel()

    def now(self) -> float:
        """Seconds by the clock of interruptions."""
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

    def transport(
        self,
        thing: str,
        endpoint: Endpoint,
        filters: tuple[str, ...],
        *,
        client_id: str | None = None,
        mqtt_version: int = 5,
        persistent: bool = False,
        keep_alive_seconds: int = 60,
    ) -> "PahoTransport":
        """One device's connection. `persistent`: the gateway keeps the session, and QoS 1 messages, for an hour.

        The client id is the thing's name unless another is given.
        """
        client = self._client(client_id or thing, endpoint, mqtt_version, persistent, keep_alive_seconds)
        return PahoTransport(self, thing, endpoint, filters, client)

    def _client(
        self, client_id: str, endpoint: Endpoint, mqtt_version: int, persistent: bool, keep_alive_seconds: int
    ) -> "_Client":
        five = mqtt_version == 5
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if five else not persistent,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        if five:
            client.connect_async(
                endpoint.host,
                endpoint.port,
                keep_alive_seconds,
                clean_start=not persistent,
                properties=_connect_properties(PERSISTENT_SECONDS if persistent else 0),
            )
        else:
            client.connect_async(endpoint.host, endpoint.port, keep_alive_seconds)
        return client

    async def resolve(self, host: str, port: int) -> tuple[int, Any]:
        """The address family and address of a name, looked up once. Raises OSError."""
        key = (host, port)
        if key not in self._addresses or self._failed(key):
            loop = asyncio.get_running_loop()
            self._addresses[key] = asyncio.ensure_future(loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        found = await asyncio.shield(self._addresses[key])
        family, _, _, _, address = found[0]
        return family, address

    def _failed(self, key: tuple[str, int]) -> bool:
        task = self._addresses[key]
        return task.done() and (task.cancelled() or task.exception() is not None)

    def sweeps(self, client: "_Client", yes: bool) -> None:
        """Take a client into the sweep, or out of it."""
        if yes:
            self._connected[client] = None
        else:
            self._connected.pop(client, None)

    def _sweep_all(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep_all)  # whatever happens now
        for client in tuple(self._connected):
            client.loop_misc()


class PahoTransport:
    """One device's connection, kept up until it is stopped."""

    __slots__ = (
        "_client",
        "_dark_until",
        "_endpoint",
        "_filters",
        "_fleet",
        "_is_dark",
        "_listener",
        "_lost",
        "_session_present",
        "_settled",
        "_task",
        "_thing",
    )

    def __init__(
        self, fleet: PahoFleet, thing: str, endpoint: Endpoint, filters: tuple[str, ...], client: _Client
    ) -> None:
        self._fleet = fleet
        self._thing = thing
        self._endpoint = endpoint
        self._filters = filters
        self._listener: WireListener | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled: asyncio.Future[str | None] | None = None
        self._lost: asyncio.Future[str] | None = None
        self._session_present = False
        self._dark_until = 0.0
        self._is_dark = False
        self._client = client
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write

    # ── what a runner uses ────────────────────────────────────────────────────────────────────────────────────

    def start(self, listener: WireListener) -> None:
        """Connect, and connect again whenever the connection is lost."""
        self._listener = listener
        self._task = asyncio.get_running_loop().create_task(self._keep_up())

    def send(self, request: Request) -> None:
        """Send with QoS 0; dropped while disconnected."""
        if not self._is_dark:
            self._client.publish(request_topic(self._thing, request), write_request(request), 0)

    async def stop(self) -> None:
        """Disconnect in good order, and stay so."""
        lost = self._lost
        if lost is not None and not lost.done():
            self._client.disconnect()
            await asyncio.wait({lost}, timeout=CONNECT_LIMIT_SECONDS)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._close()

    def cut(self) -> None:
        """Vanish, as by a power cut: the socket closes without a DISCONNECT.

        This may be in the middle of a message: paho holds a lock while it calls us, and must not call again meanwhile.
        """
        self._listener = None
        if self._task is not None:
            self._task.cancel()
        client = self._client
        client.on_socket_close = client.on_socket_unregister_write = None
        if (sock := client.socket()) is not None:
            self._on_socket_close(client, None, sock)
        self._close()

    def interrupt(self, seconds: float) -> None:
        """Lose the network for so long: the connection breaks, and is not made again before."""
        if self._lost is not None and not self._lost.done():
            self._is_dark = True  # from now on, and not only once the connection is closed
            self._dark_until = self._fleet.now() + seconds
            self._lost.set_result("the network is gone")

    # ── keeping it up ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _patience_seconds(self) -> float:
        own = self._fleet.patience_seconds
        return CONNECT_LIMIT_SECONDS if own is None else own

    async def _keep_up(self) -> None:
        assert self._listener is not None
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                async with self._fleet.gate, asyncio.timeout(self._patience_seconds):
                    await self._connect()
                wait = FIRST_WAIT_SECONDS
                self._listener.on_connected(self._session_present)
                assert self._lost is not None
                reason = await self._lost
            except TimeoutError:
                reason = f"{self._endpoint}: no answer within {self._patience_seconds:g} s"
            except ssl.SSLError as error:
                reason = f"{self._endpoint}: TLS: {error.reason or error}"
            except (OSError, UnicodeError) as error:
                reason = f"{self._endpoint}: {_plainly(error)}"
            self._close()
            self._lost, self._is_dark = None, False
            dark = self._dark_until - self._fleet.now()
            again = dark if dark > 0 else wait + self._fleet.rng.random() * wait
            self._listener.on_disconnected(reason, again)
            await asyncio.sleep(again)
            while (dark := self._dark_until - self._fleet.now()) > 0:  # noqa: ASYNC110 - by another clock
                await asyncio.sleep(dark)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    async def _connect(self) -> None:
        """Open the socket, shake hands, and wait for CONNACK and SUBACK. Raises OSError."""
        loop = asyncio.get_running_loop()
        sock = await self._open(loop)
        self._settled, self._lost = loop.create_future(), loop.create_future()
        self._client.ready_socket = sock
        self._client.reconnect()
        self._fleet.sweeps(self._client, True)
        refused, self._settled = await self._settled, None
        if refused is not None:
            raise ConnectionRefusedError(refused)

    async def _open(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        family, address = await self._fleet.resolve(self._endpoint.host, self._endpoint.port)
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, address)
            if self._endpoint.tls is None:
                return sock
            secure = self._endpoint.tls.wrap_socket(
                sock, server_hostname=self._endpoint.host, do_handshake_on_connect=False
            )
            sock = secure
            await _shake_hands(loop, secure)
        except BaseException:
            sock.close()
            raise
        return sock

    def _close(self) -> None:
        self._fleet.sweeps(self._client, False)
        sock = self._client.socket()
        if sock is not None:
            self._client._sock_close()

    def _settle(self, refused: str | None) -> None:
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(refused)

    # ── paho's callbacks, all on the loop ─────────────────────────────────────────────────────────────────────

    def _on_connect(
        self, client: Client, userdata: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._settle(f"the gateway refused the connection: {code}")
            return
        self._session_present = flags.session_present
        client.subscribe([(topic, 1) for topic in self._filters])

    def _on_subscribe(
        self, client: Client, userdata: Any, mid: int, codes: list[ReasonCode], properties: Properties | None
    ) -> None:
        refused = [topic for topic, code in zip(self._filters, codes, strict=False) if code.is_failure]
        self._settle(f"the gateway refused the subscription to {refused[0]}" if refused else None)

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        reason = f"disconnected: {code}"
        self._settle(reason)
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(reason)

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        if self._listener is not None and not self._is_dark:
            self._listener.on_message(message.topic, bytes(message.payload))

    def _on_socket_open(self, client: Client, userdata: Any, sock: Any) -> None:
        asyncio.get_running_loop().add_reader(sock.fileno(), self._readable, sock)

    def _on_socket_close(self, client: Client, userdata: Any, sock: Any) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(sock.fileno())
        loop.remove_writer(sock.fileno())

    def _on_register_write(self, client: Client, userdata: Any, sock: Any) -> None:
        asyncio.get_running_loop().add_writer(sock.fileno(), client.loop_write)

    def _on_unregister_write(self, client: Client, userdata: Any, sock: Any) -> None:
        asyncio.get_running_loop().remove_writer(sock.fileno())

    def _readable(self, sock: Any) -> None:
        client = self._client
        client.loop_read()
        while client.socket() is sock and isinstance(sock, ssl.SSLSocket) and sock.pending():
            client.loop_read()


@cache
def _connect_properties(session_expiry_seconds: int) -> Properties:
    """One for all connections: paho's properties take 2 KiB each."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    properties.SessionExpiryInterval = session_expiry_seconds
    return properties


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


def _plainly(error: OSError | UnicodeError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nobody answers (connection refused)" if error.errno else str(error)
    if isinstance(error, socket.gaierror | UnicodeError):  # the latter for what cannot be a name at all
        return "no such host"
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
        why = "no answer in time" if isinstance(error, TimeoutError) else _plainly(error)
        raise InputError(f"{endpoint}: {_nobody(why)}; is `ghostjob cloud` running there?") from None


def _nobody(why: str) -> str:
    return why if why.startswith("nobody") else f"nobody answers ({why})"
