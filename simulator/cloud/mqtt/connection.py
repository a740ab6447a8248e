"""One MQTT connection: bytes in, packets handled, bytes out with one write each time the loop wakes it."""

import asyncio
from typing import TYPE_CHECKING, Final, cast

from simulator.cloud.mqtt.codec import (
    PINGRESP,
    connack_bytes,
    decode,
    decode_publish,
    disconnect_bytes,
    frame,
    puback_bytes,
    publish_bytes,
    suback_bytes,
    unsuback_bytes,
)
from simulator.cloud.mqtt.filters import SHARED, is_valid_filter
from simulator.cloud.mqtt.packets import (
    V5,
    Connect,
    Disconnect,
    Kind,
    Malformed,
    Offer,
    Packet,
    PingReq,
    PubAck,
    Publish,
    Reason,
    Subscribe,
    Unsubscribe,
    Will,
)
from simulator.cloud.mqtt.session import Session

if TYPE_CHECKING:
    from simulator.cloud.mqtt.gateway import Gateway

RETURN_CODES: Final = {
    Reason.UNSUPPORTED_PROTOCOL_VERSION: 1,
    Reason.CLIENT_IDENTIFIER_NOT_VALID: 2,
    Reason.NOT_AUTHORIZED: 7,
}
"""Version 3.1.1 codes of a refused CONNECT; AWS answers 7 where the standard has 5 (Developer Guide, "MQTT")."""

SLOW_READER_BYTES: Final = 256 * 1024
"""A client with more than this unread gets no more QoS 0 messages until it reads."""


class Connection(asyncio.Protocol):
    """One client's connection."""

    __slots__ = (
        "_buffer",
        "_gateway",
        "_is_busy",
        "_out",
        "_paused",
        "_ticket",
        "_transport",
        "keep_alive",
        "last_heard",
        "session",
        "version",
        "will",
    )

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._out: list[bytes] = []
        self._is_busy = False
        self._paused = False
        self._ticket = 0
        self.session: Session | None = None
        self.version = V5
        self.keep_alive = 0
        self.last_heard = gateway.now
        self.will: Will | None = None

    # ── asyncio's side ────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open; a CONNECT must follow."""
        self._transport = cast("asyncio.Transport", transport)
        self._gateway.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._transport = None
        self._gateway.closed(self, "CONNECTION_LOST")

    def pause_writing(self) -> None:
        """The client reads slowly: take nothing more from it either, so that it cannot ask for ever more."""
        self._paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._paused = False
        if self._transport is not None:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Handle every whole packet, then write once."""
        if self._buffer:
            data = self._buffer + data
        if self.session is None and data[0] >> 4 != Kind.CONNECT:
            # Not even a CONNACK for somebody who does not begin with CONNECT, and no wait for what its length may be.
            self.end("CLIENT_ERROR")
            return
        self.last_heard = self._gateway.now
        self._is_busy = True
        offset, limit = 0, self._gateway.settings.largest_packet
        try:
            while found := frame(data, offset, limit):
                first, start, offset = found
                if first >> 4 == Kind.PUBLISH and self.session is not None:
                    self._publish(decode_publish(first & 0x0F, data[start:offset], self.version))
                elif self.session is None:
                    self._first(first, data[start:offset])
                else:
                    self._handle(decode(first, data[start:offset], self.version))
                if self._transport is None:
                    return
        except Malformed as error:
            self.refuse(error.reason)
            return
        finally:
            self._is_busy = False
            self.flush()
        self._buffer = data[offset:] if offset else bytes(data)

    # ── out ───────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, raw: bytes) -> None:
        """Send at the end of this wake-up, in order, with whatever else there is."""
        if not self._is_busy and not self._out:
            asyncio.get_running_loop().call_soon(self.flush)
        self._out.append(raw)

    def flush(self) -> None:
        """Write what has gathered."""
        if self._out:
            out, self._out = self._out, []
            raw = out[0] if len(out) == 1 else b"".join(out)
            if self._ticket > self._gateway.committed:
                self._gateway.hold(self, self._ticket, raw)
            elif self._transport is not None:
                self._transport.write(raw)

    def let_go(self, raw: bytes) -> None:
        """Write what was held back until now."""
        if self._transport is not None:
            self._transport.write(raw)

    def wait_for(self, ticket: int) -> None:
        """Hold back whatever is sent from here on until the commit of that number; 0 holds back nothing."""
        if ticket > self._ticket:
            self.flush()
            self._ticket = ticket
            self._gateway.newest = max(self._gateway.newest, ticket)

    def deliver(self, topic: str, payload: bytes, qos: int, receipt: object | None = None, after: int = 0) -> None:
        """Send a message to this client, when the commit `after` is done.

        `receipt` is given to the service once it has been delivered.
        """
        session = self.session
        assert session is not None, "delivery follows CONNECT"
        if after:
            self.wait_for(after)
        if qos:
            raw = session.send_now(topic, payload, receipt)
            if raw:
                self.send(raw)
            return
        if self._paused and self._transport and self._transport.get_write_buffer_size() > SLOW_READER_BYTES:
            return
        raw = publish_bytes(topic, payload, 0, 0, False, self.version)
        if session.largest_packet is None or len(raw) <= session.largest_packet:
            self.send(raw)
            if receipt is not None:
                self._gateway.service.delivered(receipt, False)

    def refuse(self, reason: Reason, lifecycle_reason: str = "CLIENT_ERROR") -> None:
        """End the connection; version 5 clients are told why.

        An answer that waits for its commit is lost with the connection: nobody was told that it holds.
        """
        if self._ticket > self._gateway.committed:
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
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
            self._gateway.closed(self, reason)

    # ── in ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _first(self, first: int, body: bytes) -> None:
        if len(body) > 6:
            self.version = body[6]
        packet = decode(first, body, V5)
        assert isinstance(packet, Connect), "its type said so"
        self.version = packet.version
        client_id, assigned = packet.client_id, None
        if not client_id:
            if packet.version != V5 and not packet.clean_start:
                raise Malformed(Reason.CLIENT_IDENTIFIER_NOT_VALID, "no client id for a session that is to last")
            client_id = assigned = self._gateway.new_client_id()
        if len(client_id.encode()) > 128 or client_id.startswith("$"):
            raise Malformed(Reason.CLIENT_IDENTIFIER_NOT_VALID, "AWS: at most 128 bytes, not beginning with $")
        self.keep_alive, self.will = packet.keep_alive, packet.will
        session, present = self._gateway.join(self, client_id, packet)
        self.session = session
        settings = self._gateway.settings
        offer = Offer(settings.receive_maximum, settings.largest_packet, assigned, session.expiry_seconds)
        self.send(connack_bytes(packet.version, present, 0, offer if packet.version == V5 else None))
        self._gateway.joined(self, present)
        if present and (again := session.resume()):
            self.wait_for(self._gateway.newest)
            self.send(again)

    def _handle(self, packet: Packet) -> None:
        session = self.session
        assert session is not None, "handled after CONNECT"
        match packet:
            case PubAck(packet_id=packet_id):
                receipt, raw = session.acknowledged(packet_id)
                if receipt is not None:
                    self._gateway.service.delivered(receipt, True)
                if raw:
                    self.send(raw)
            case PingReq():
                self.send(PINGRESP)
            case Subscribe():
                self._subscribe(session, packet)
            case Unsubscribe():
                self._unsubscribe(session, packet)
            case Disconnect():
                if packet.reason != Reason.DISCONNECT_WITH_WILL:
                    self.will = None
                if packet.session_expiry is not None:
                    session.expiry_seconds = packet.session_expiry
                self.end("CLIENT_INITIATED_DISCONNECT")
            case _:
                raise Malformed(Reason.PROTOCOL_ERROR, "a second CONNECT")

    def _publish(self, packet: Publish) -> None:
        session, gateway = self.session, self._gateway
        assert session is not None, "handled after CONNECT"
        topic, payload, qos, packet_id, _, retain = packet
        if retain and self.version == V5:
            raise Malformed(Reason.RETAIN_NOT_SUPPORTED, "retained messages are not available")
        if topic[0] != "$":
            if qos:
                self.send(puback_bytes(packet_id, self.version))
            gateway.publish(topic, payload, qos, origin=session)
            return
        if gateway.lateness is None:
            self._serve(packet)
        else:
            gateway.carry(topic, payload, lambda late, again: self._serve(packet, late, again))

    def _serve(self, packet: Publish, late_seconds: float = 0.0, again: bool = False) -> None:
        """Let the service answer a request."""
        session, gateway = self.session, self._gateway
        if session is None:
            return
        topic, payload, qos, packet_id, dup, _ = packet
        reaction = gateway.service.request(session.client_id, topic, payload, dup or again, late_seconds)
        if reaction is None:
            if not qos or self.version != V5:
                raise Malformed(Reason.TOPIC_NAME_INVALID, "a reserved topic that takes no publication")
            self.send(puback_bytes(packet_id, self.version, Reason.TOPIC_NAME_INVALID))
            return
        answer_topic, answer, publications, receipt, after = reaction
        if after:
            self.wait_for(after)
        if qos:
            self.send(puback_bytes(packet_id, self.version))
        if gateway.lateness is None:
            self.deliver(answer_topic, answer, qos, receipt)
        else:
            gateway.carry(answer_topic, payload, lambda *_: self._answer(answer_topic, answer, qos, receipt))
        for name, told in publications:
            gateway.publish(name, told, 1, after=after)

    def _answer(self, topic: str, payload: bytes, qos: int, receipt: object | None) -> None:
        if self.session is not None:
            self.deliver(topic, payload, qos, receipt)

    def _subscribe(self, session: Session, packet: Subscribe) -> None:
        codes = []
        for text, qos, no_local in packet.filters:
            if text.startswith(SHARED):
                codes.append(int(Reason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED))
            elif not is_valid_filter(text):
                codes.append(int(Reason.TOPIC_FILTER_INVALID))
            else:
                granted = min(qos, 1)
                self._gateway.subscribe(session, text, granted, no_local)
                codes.append(granted)
        self.send(suback_bytes(packet.packet_id, self.version, codes))

    def _unsubscribe(self, session: Session, packet: Unsubscribe) -> None:
        codes = [
            int(Reason.SUCCESS if self._gateway.unsubscribe(session, text) else Reason.NO_SUBSCRIPTION_EXISTED)
            for text in packet.filters
        ]
        self.send(unsuback_bytes(packet.packet_id, self.version, codes))
