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
import socket
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.messages import write_request
from agent.topics import request_topic
from agent.transports.endpoint import Endpoint
from agent.transports.sockets import opened
from agent.transports.upkeep import KeptUp, Shared
from agent.values import Request

SWEEP_SECONDS: Final = 1.0
PERSISTENT_SECONDS: Final = 3600


class _Client(Client):
    """paho's client with a socket that somebody else opened."""

    ready_socket: socket.socket | None = None

    def _create_socket(self) -> Any:
        ready, self.ready_socket = self.ready_socket, None
        assert ready is not None, "a socket is handed over before each connection"
        return ready


class PahoFleet:
    """Connections of one loop, with the sweep that they share, and what else they do (see `Shared`)."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._connected: dict[_Client, None] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin to sweep: keep-alives, for all connections at once."""
        self._sweep_all()

    async def stop(self) -> None:
        """End the sweep. Stop the transports first."""
        if self._sweep is not None:
            self._sweep.cancel()
        self._shared.forget()

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
        return PahoTransport(self._shared, self.sweeps, thing, endpoint, filters, client)

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


class PahoTransport(KeptUp):
    """One device's connection."""

    __slots__ = ("_client", "_filters", "_sweeps", "_thing")

    def __init__(
        self,
        shared: Shared,
        sweeps: Callable[[_Client, bool], None],
        thing: str,
        endpoint: Endpoint,
        filters: tuple[str, ...],
        client: _Client,
    ) -> None:
        super().__init__(shared, endpoint)
        self._sweeps = sweeps
        self._thing = thing
        self._filters = filters
        self._client = client
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write

    def send(self, request: Request) -> None:
        """Send with QoS 0; dropped while disconnected."""
        if not self._is_dark:
            self._client.publish(request_topic(self._thing, request), write_request(request), 0)

    def cut(self) -> None:
        """Vanish, as by a power cut: the socket closes without a DISCONNECT.

        This may be in the middle of a message: paho holds a lock while it calls us, and must not call again meanwhile.
        """
        client = self._client
        client.on_socket_close = client.on_socket_unregister_write = None
        if (sock := client.socket()) is not None:
            self._on_socket_close(client, None, sock)
        super().cut()

    # ── being kept up ─────────────────────────────────────────────────────────────────────────────────────────

    async def _open(self) -> None:
        self._client.ready_socket = await opened(self._endpoint, self._shared)

    def _greet(self) -> None:
        self._client.reconnect()
        self._sweeps(self._client, True)

    def _take_leave(self) -> None:
        self._client.disconnect()

    def _close(self) -> None:
        self._sweeps(self._client, False)
        sock = self._client.socket()
        if sock is not None:
            self._client._sock_close()

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
        self._lose(f"disconnected: {code}")

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
