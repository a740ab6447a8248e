"""Real MQTT connections for a fleet: thousands on one loop, with as little work for each message as can be.

An asyncio protocol of its own over the gateway's own codec: of a fleet's time paho's loop took more than its agents.
`ghostjob agent`, which is one device and may be anywhere, has paho, or AWS's own client.
"""

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Final, Self, cast

from agent.jitter import Jitter
from agent.messages import write_request
from agent.topics import everything, request_topic, subscriptions
from agent.transports.endpoint import Endpoint, plainly
from agent.transports.sockets import opened
from agent.transports.upkeep import KeptUp, Shared
from agent.values import Request
from simulator.cloud.mqtt.client_side import (
    DISCONNECT,
    FAILURE,
    PINGREQ,
    connack,
    connect_bytes,
    reason_of,
    suback,
    subscribe_bytes,
)
from simulator.cloud.mqtt.codec import decode_publish, frame
from simulator.cloud.mqtt.encode import puback_bytes, publish_bytes
from simulator.cloud.mqtt.fields import malformed
from simulator.cloud.mqtt.packets import V5, V311, Malformed, PacketType
from simulator.scenario import Group, thing_of_agent
from simulator.secure_wire import SecureWire

KEEP_ALIVE_SECONDS: Final = 60
SWEEP_SECONDS: Final = 5.0
LARGEST_PACKET: Final = 1 << 20
"""Bytes. AWS's largest has an eighth of that; a length may say 256 MiB, for which thousands would wait."""
MOST_UNSENT: Final = 1 << 18
"""Bytes that a gateway may leave unread, beside what the system keeps: a device sends little, and a fleet has many."""
SUBSCRIBING: Final = 1
"""The identifier of the one packet of a connection that has one."""
NOTHING: Final = 0
"""No packet type."""
CONNACK: Final = int(PacketType.CONNACK)
PUBLISH: Final = int(PacketType.PUBLISH)
SUBACK: Final = int(PacketType.SUBACK)
PINGRESP: Final = int(PacketType.PINGRESP)
BYE: Final = int(PacketType.DISCONNECT)


class MqttConnections:
    """Real connections for a fleet. `endpoint_of` gives each thing its endpoint: with mutual TLS each has its own.

    `patience_seconds` and `now` are as `Shared` has them.
    """

    def __init__(
        self,
        endpoint_of: Callable[[str], Endpoint],
        seed: int | str,
        mqtt_version: int = 5,
        patience_seconds: float | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._endpoint_of = endpoint_of
        self._version = V5 if mqtt_version == 5 else V311
        self._shared = Shared(Jitter(f"{seed}/connections"), patience_seconds=patience_seconds, clock=now)
        self._open: dict[MqttTransport, None] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._sweep_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        self._shared.forget()

    def clock(self) -> float:
        """Seconds; not the loop's time, which stands still within one wake-up."""
        return time.monotonic()

    @property
    def running_time(self) -> None:
        """The loop's own time: nobody judges these devices by how long they take."""

    def transport(self, thing: str, group: Group) -> "MqttTransport":
        """A connection for one boot of one device."""
        name, thing = thing, thing_of_agent(thing)
        hears_all = group.hears == "everything"
        filters = everything(thing) if hears_all else subscriptions(thing, group.namespace)
        return MqttTransport(self._shared, self._open, self._endpoint_of(thing), name, filters, self._version)

    def _sweep_all(self) -> None:
        """Keep-alives, for all connections at once."""
        loop = asyncio.get_running_loop()
        self._sweep = loop.call_later(SWEEP_SECONDS, self._sweep_all)  # whatever happens now
        now = loop.time()
        for each in tuple(self._open):
            each.keep_alive(now)


class MqttTransport(KeptUp, asyncio.Protocol):
    """One device's connection (see `agent.runner.Transport`); `open_ones` are those that are swept."""

    __slots__ = (
        "_filters",
        "_keep_alive",
        "_name",
        "_open_ones",
        "_out",
        "_sent_at",
        "_transport",
        "_turn",
        "_unanswered",
        "_unheard",
        "_unread",
        "_version",
    )

    def __init__(
        self,
        shared: Shared,
        open_ones: "dict[MqttTransport, None]",
        endpoint: Endpoint,
        name: str,
        filters: tuple[str, ...],
        version: int,
    ) -> None:
        super().__init__(shared, endpoint)
        self._open_ones = open_ones
        self._name = name
        self._filters = filters
        self._version = version
        self._transport: asyncio.Transport | None = None
        self._unread = b""
        self._keep_alive = KEEP_ALIVE_SECONDS
        self._sent_at = 0.0
        self._out: list[bytes] | None = None
        """What is to be sent once all is read that has come; None while nothing is being read."""
        self._turn: int | None = None
        """Which answer it is the gateway's turn to give, CONNACK or SUBACK, or NOTHING; None: it was not greeted."""
        self._unheard = 0
        """So many sweeps ago something came for the last time."""
        self._unanswered: int | None = None
        """So many sweeps ago a PINGREQ went out, to which nothing has come; None: none is under way."""

    def send(self, request: Request) -> None:
        """Send with QoS 0; dropped while disconnected.

        The core repeats what got no answer by itself, under a new client token: see `agent.transports.paho`.
        """
        if self._transport is not None and not self._is_dark:
            topic = request_topic(thing_of_agent(self._name), request)
            self._send(self._transport, publish_bytes(topic, write_request(request), 0, 0, False, self._version))

    def keep_alive(self, now: float) -> None:
        """Say that one is there, if for long one has said nothing, or heard nothing; lose a connection on which nobody
        answers that.

        It is sweeps that are counted for that, between which there was time to read: a process that did not run must
        not take what it has not read for silence.
        """
        transport = self._transport
        if transport is None or not self._keep_alive or self._turn != NOTHING:
            return
        self._unheard += 1
        if self._unanswered is not None:
            self._unanswered += 1
            if self._unanswered * SWEEP_SECONDS >= self._keep_alive:
                self._lose("disconnected: Keep alive timeout")
        elif max(now - self._sent_at, self._unheard * SWEEP_SECONDS) >= self._keep_alive - SWEEP_SECONDS:
            self._unanswered = 0
            self._send(transport, PINGREQ)

    # ── being kept up ─────────────────────────────────────────────────────────────────────────────────────────

    async def _open(self) -> None:
        sock = await opened(self._endpoint, self._shared)
        if isinstance(sock, ssl.SSLSocket):
            SecureWire(sock, self)
        else:
            await asyncio.get_running_loop().create_connection(lambda: self, sock=sock)

    def _greet(self) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("closed at once")
        self._open_ones[self] = None
        self._turn = CONNACK
        self._send(self._transport, connect_bytes(self._name, self._version, True, KEEP_ALIVE_SECONDS))

    def _close(self) -> None:
        self._open_ones.pop(self, None)
        self._send_out()  # it was sent before this
        transport, self._transport = self._transport, None
        self._unread, self._turn, self._unheard, self._unanswered = b"", None, 0, None
        if transport is not None:
            transport.abort()

    def _break_off(self, reason: str) -> None:
        """Lose it at once: nothing more is read of what has come."""
        self._lose(reason)
        self._close()

    def _take_leave(self) -> None:
        if self._transport is not None:
            self._transport.write(DISCONNECT)
            self._transport.close()

    def _send(self, transport: asyncio.Transport, raw: bytes) -> None:
        if self._out is not None:
            self._out.append(raw)
            return
        if transport.is_closing():  # what uvloop has closed raises RuntimeError, until we are told
            return
        self._sent_at = asyncio.get_running_loop().time()
        transport.write(raw)
        if transport.get_write_buffer_size() > MOST_UNSENT:
            self._break_off("disconnected: the gateway does not read what it is sent")

    def _send_out(self) -> None:
        """What reading led to, at once: a write for each wakes the gateway for each."""
        out, self._out = self._out, None
        if out and self._transport is not None:
            self._send(self._transport, b"".join(out))

    # ── what the loop calls ───────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none, and can all that these can

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed; if it was by `_close`, that comes before the next one is open."""
        if self._transport is not None:
            why = plainly(exc) if isinstance(exc, ssl.SSLError) else "the connection was closed"
            self._lose(f"disconnected: {why}")

    def data_received(self, data: bytes) -> None:
        """Bytes came in, of any number of packets."""
        if self._unread:
            data = self._unread + data
        if self._has_settled():
            self._unread = data
            return
        self._unheard, self._unanswered, self._out = 0, None, []
        try:
            self._read(data)
        finally:
            self._send_out()

    def _read(self, data: bytes) -> None:
        offset = 0
        try:
            while (found := frame(data, offset, LARGEST_PACKET)) is not None:
                first, start, offset = found
                if first >> 4 == PUBLISH:
                    self._hear(first, data, start, offset)
                else:
                    self._take(first >> 4, data[start:offset])
                    if self._has_settled():  # who listens is told of that first
                        asyncio.get_running_loop().call_soon(self.data_received, b"")
                        break
                if self._transport is None:
                    return  # it is gone, by what that led to
        except Malformed as malformed:
            self._break_off(f"disconnected: what the gateway sent is no MQTT: {malformed}")
            return
        self._unread = data[offset:]

    def _has_settled(self) -> bool:
        """Whether it is subscribed, or refused, and nobody has been told yet."""
        return self._settled is not None and self._settled.done()

    def _hear(self, first: int, data: bytes, start: int, end: int) -> None:
        if self._turn not in (SUBACK, NOTHING):
            raise malformed("a PUBLISH before CONNACK")
        topic, payload, qos, packet_id, _, _, alias = decode_publish(first & 0x0F, data, start, end, self._version)
        if qos > 1:
            raise malformed("QoS 2, with which nobody subscribed")
        if alias:
            raise malformed("a topic alias, of which none was allowed")
        if self._listener is not None and not self._is_dark:
            self._listener.on_message(topic, payload)
        if qos and self._transport is not None:
            self._send(self._transport, puback_bytes(packet_id, self._version))

    def _take(self, kind: int, body: bytes) -> None:
        if kind in (CONNACK, SUBACK) and kind != self._turn:
            raise malformed(f"a {PacketType(kind).name} out of turn")
        if kind == CONNACK:
            session_present, refused, keep_alive = connack(body, self._version)
            if refused is not None:
                self._settle(f"the gateway refused the connection: {refused}")
            elif self._transport is not None:
                self._session_present = session_present
                self._keep_alive = KEEP_ALIVE_SECONDS if keep_alive is None else keep_alive
                self._turn = SUBACK
                self._send(self._transport, subscribe_bytes(SUBSCRIBING, self._filters, 1, self._version))
        elif kind == SUBACK:
            packet_id, codes = suback(body, self._version)
            if packet_id != SUBSCRIBING or len(codes) != len(self._filters):
                raise malformed("a SUBACK of another SUBSCRIBE")
            self._turn = NOTHING
            refused_ones = [topic for topic, code in zip(self._filters, codes, strict=True) if code >= FAILURE]
            self._settle(f"the gateway refused the subscription to {refused_ones[0]}" if refused_ones else None)
        elif kind == BYE:
            self._lose(f"disconnected: {reason_of(body)}")
        elif kind != PINGRESP:
            raise malformed(f"packet type {kind} does not come from a server of QoS 0 and 1")
