"""One MQTT connection: bytes in, packets handled in turns, bytes out with one write each time the loop wakes it.

client       who is at the other end
writing      what it gets, and how fast it reads
connecting   what its first packet brings about; publishing, subscribing: what others do
"""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Final, cast

from simulator.cloud.contained import contained
from simulator.cloud.mqtt.authority import Identify
from simulator.cloud.mqtt.codec import decode, decode_publish, frame
from simulator.cloud.mqtt.connecting import NotYetError, begins_well, connect, looks_like
from simulator.cloud.mqtt.encode import PINGRESP, connack_bytes, disconnect_bytes
from simulator.cloud.mqtt.fan_out import TURN_SECONDS
from simulator.cloud.mqtt.packets import (
    V5,
    Disconnect,
    Kind,
    Malformed,
    Packet,
    PingReq,
    PubAck,
    Reason,
    Subscribe,
    Unsubscribe,
    Will,
)
from simulator.cloud.mqtt.publishing import receive
from simulator.cloud.mqtt.session import Session
from simulator.cloud.mqtt.subscribing import subscribe, unsubscribe
from simulator.cloud.mqtt.writing import Writer
from simulator.cloud.refusals import Code

if TYPE_CHECKING:
    from simulator.cloud.mqtt.gateway import Gateway

RETURN_CODES: Final = {
    Reason.UNSUPPORTED_PROTOCOL_VERSION: 1,
    Reason.CLIENT_IDENTIFIER_NOT_VALID: 2,
    Reason.CONNECTION_RATE_EXCEEDED: 3,
    Reason.NOT_AUTHORIZED: 7,
}
"""Version 3.1.1 codes of a refused CONNECT; AWS answers 7 where the standard has 5 (Developer Guide, "MQTT")."""

CODES: Final[dict[Reason, Code]] = {
    Reason.UNSUPPORTED_PROTOCOL_VERSION: "protocol-version",
    Reason.CLIENT_IDENTIFIER_NOT_VALID: "client-id",
    Reason.TOPIC_FILTER_INVALID: "topic",
    Reason.TOPIC_NAME_INVALID: "topic",
    Reason.PACKET_TOO_LARGE: "too-large",
    Reason.QUOTA_EXCEEDED: "quota",
    Reason.QOS_NOT_SUPPORTED: "qos-2",
}
"""How it is told that the peer's bytes may not come here; what is not listed is malformed."""
ACTIONS: Final[dict[int, str]] = {Kind.PUBLISH: "iot:Publish", Kind.SUBSCRIBE: "iot:Subscribe"}
"""What a packet asks for, in the words of policies."""

HIGH_BYTES: Final = 64 * 1024
"""With more than this in its hands a transport says so; with TLS that would be 512 KiB otherwise."""


class Connection(Writer):
    """One client's connection. `identify` tells who it is; None where nobody asks.

    `lasts`: after so many seconds it ends; None: never for that reason.
    """

    __slots__ = (
        "_buffer",
        "_identify",
        "aliases",
        "ends_at",
        "keep_alive",
        "last_heard",
        "payload_sent",
        "published",
        "second",
        "session_identifier",
        "version_number",
        "will",
    )

    def __init__(self, gateway: "Gateway", identify: Identify | None = None, lasts: float | None = None) -> None:
        super().__init__(gateway)
        self._identify = identify
        self._buffer = b""
        self.keep_alive = 0
        self.last_heard = gateway.now
        self.ends_at = None if lasts is None else gateway.now + lasts
        self.will: Will | None = None
        self.aliases: dict[int, str] | None = None
        self.second = 0.0
        """The second in which the following were counted: messages, and bytes of payload, that came."""
        self.published = 0
        self.payload_sent = 0
        self.session_identifier: str | None = None
        self.version_number = 0

    # ── asyncio's side ────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open; a CONNECT must follow."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_BYTES)
        if self._identify is not None:
            self.credential = self._identify(self._transport)
            if self.credential is None:
                self.end("AUTH_ERROR")
                return
        self._gateway.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._transport = None
        self._gateway.farewells.gone(self)
        if self._has_more and self.session is not None:
            self._gateway.hear_out(self)
        else:
            self._gateway.closed(self, "CONNECTION_LOST")

    def data_received(self, data: bytes) -> None:
        """Handle whole packets for a while, then write once; the others have their turn soon."""
        if self.session is None and self._transport is None:
            return
        if self._buffer:
            data = self._buffer + data
        if self._has_more:
            self._buffer = data
        elif data:
            self._handle_for_a_while(data)

    def _go_on(self) -> None:
        self._has_more = False
        if self.session is None and self._transport is None:  # it was told to go meanwhile, or left
            self._buffer = b""
            return
        # In its first turn the event loop ends a connection that a fault of ours met; in later ones nobody else would.
        if self._buffer and not contained("handling packets", self._handle_for_a_while, self._buffer):
            self.end("SERVER_ERROR")
            return
        if not self._has_more:
            if self._transport is None:
                self._gateway.closed(self, "CONNECTION_LOST")
            self._read_or_wait()

    def _handle_for_a_while(self, data: bytes) -> None:
        if self.session is None and not begins_well(data):
            # Not even a CONNACK for somebody who does not begin with CONNECT.
            self.tell("not-mqtt", "iot:Connect", "", "the first packet is no CONNECT", hint=looks_like(data))
            self.end("CLIENT_ERROR")
            return
        self._is_busy = True
        first, offset, limit = data[0], 0, self._gateway.settings.largest_packet
        ends, fan_out = perf_counter() + TURN_SECONDS, self._gateway.fan_out
        promised = fan_out.promised
        have_called: Callable[[Callable[[], None]], object] | None = None
        try:
            while found := frame(data, offset, limit):
                first, start, offset = found
                if first >> 4 == Kind.PUBLISH and self.session is not None:
                    receive(self._gateway, self, decode_publish(first & 0x0F, data[start:offset], self.version))
                elif self.session is None:
                    connect(self._gateway, self, first, data[start:offset])
                else:
                    self._handle(decode(first, data[start:offset], self.version))
                if self.session is None:  # it is over
                    return
                if fan_out.is_behind and fan_out.promised != promised:
                    have_called = fan_out.when_caught_up
                    break
                if offset < len(data) and perf_counter() >= ends:
                    have_called = asyncio.get_running_loop().call_soon
                    break
        except NotYetError:  # with the first packet: all of it stays
            offset, have_called = 0, asyncio.get_running_loop().call_soon
        except Malformed as error:
            action = "iot:Connect" if self.session is None else ACTIONS.get(first >> 4, "mqtt")
            self.tell(CODES.get(error.reason, "malformed"), action, error.about, str(error))
            self.refuse(error.reason)
            return
        finally:
            self._is_busy = False
            self.flush()
        if offset:
            self.last_heard = self._gateway.now
            self._buffer = data[offset:]
        else:
            self._buffer = bytes(data)
        if have_called is not None:
            self._has_more = True
            self._read_or_wait()
            have_called(self._go_on)

    @property
    def has_more(self) -> bool:
        """Whether something that came waits for its turn: then it is not its client that is silent."""
        return self._has_more

    # ── its end ───────────────────────────────────────────────────────────────────────────────────────────────

    def refuse(self, reason: Reason, lifecycle_reason: str = "CLIENT_ERROR") -> None:
        """End the connection; version 5 clients are told why.

        An answer that waits for its commit is lost with the connection: nobody was told that it holds.
        """
        if self._ticket > self._gateway.held.committed:
            self._out.clear()
            self._ticket = 0
        if self.session is None and self.version != V5:
            if reason in RETURN_CODES:
                self.send(connack_bytes(self.version, False, RETURN_CODES[reason]))
        elif self.session is None:
            self.send(connack_bytes(V5, False, reason))
        elif self.version == V5:
            self.send(disconnect_bytes(reason))
        self.end(lifecycle_reason)

    def end(self, reason: str) -> None:
        """Close; `reason` is a disconnectReason of AWS's lifecycle events."""
        self.flush()
        self._buffer = b""  # what waits for its turn in there may wait for long
        transport, self._transport = self._transport, None
        if transport is not None:
            self._gateway.farewells.part(self, transport)
        self._gateway.closed(self, reason)

    def leave(self) -> None:
        """The client takes leave."""
        self.will = None
        self.end("CLIENT_INITIATED_DISCONNECT")

    # ── what is asked ─────────────────────────────────────────────────────────────────────────────────────────

    def _handle(self, packet: Packet) -> None:
        session = self.session
        assert session is not None, "handled after CONNECT"
        match packet:
            case PubAck(packet_id=packet_id):
                receipt, raw = session.acknowledged(packet_id, self._gateway.now, self.room)
                if self._gateway.memory is not None:
                    self._gateway.memory.changed(session)
                self.tell_lost(session)
                if receipt is not None:
                    self._gateway.service.delivered(receipt, True)
                if raw:
                    self.send(raw)
            case PingReq():
                self.send(PINGRESP)
            case Subscribe():
                subscribe(self._gateway, self, session, packet)
            case Unsubscribe():
                unsubscribe(self._gateway, self, session, packet)
            case Disconnect():
                self._leave(session, packet)
            case _:
                raise Malformed(Reason.PROTOCOL_ERROR, "a second CONNECT")

    def _leave(self, session: Session, packet: Disconnect) -> None:
        if packet.session_expiry is not None:
            if packet.session_expiry and not session.expiry_seconds:
                raise Malformed(Reason.PROTOCOL_ERROR, "a session that was not to last is to last after all")
            session.expiry_seconds = self._gateway.sessions.lasting(packet.session_expiry)
        if packet.reason == Reason.DISCONNECT_WITH_WILL:
            self.end("CLIENT_INITIATED_DISCONNECT")
        else:
            self.leave()
