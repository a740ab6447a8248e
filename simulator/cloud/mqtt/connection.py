"""One MQTT connection: bytes in, packets handled, bytes out with one write each time the loop wakes it."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Final, cast

from simulator.cloud.basic_ingest import in_the_void
from simulator.cloud.contained import contained
from simulator.cloud.mqtt.authority import RESOURCES, Action, Credential, Identify, Principal, Visitor
from simulator.cloud.mqtt.codec import decode, decode_publish, frame
from simulator.cloud.mqtt.encode import PINGRESP, connack_bytes, disconnect_bytes, publish_bytes
from simulator.cloud.mqtt.limits import is_valid_client_id
from simulator.cloud.mqtt.packets import (
    V5,
    Connect,
    Disconnect,
    Extra,
    Kind,
    Malformed,
    Offer,
    Packet,
    PingReq,
    PubAck,
    Reason,
    Subscribe,
    Unsubscribe,
    Will,
)
from simulator.cloud.mqtt.publishing import receive
from simulator.cloud.mqtt.session import Message, Session, too_large
from simulator.cloud.mqtt.subscribing import subscribe, unsubscribe
from simulator.cloud.refusals import Code, Notice

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

TLS_RECORD: Final = b"\x16\x03"
"""How TLS begins; its first half would be a CONNECT with flags that none has."""
SLOW_READER_BYTES: Final = 256 * 1024
"""With more than this unread a client gets no more until it reads: messages of QoS 0 are lost, those of QoS 1 wait."""
TURN_SECONDS: Final = 0.001
"""So long one client's packets are handled before others have their turn; 100,000 of them may come at once."""
HIGH_BYTES: Final = 64 * 1024
"""With more than this in its hands a transport says so; with TLS that would be 512 KiB otherwise."""


class _NotYetError(Exception):
    """Before a CONNECT comes what was said under the same client id, and waits for its turn."""


class Connection(asyncio.Protocol):
    """One client's connection. `identify` tells who it is; None where nobody asks.

    `lasts`: after so many seconds it ends; None: never for that reason.
    """

    __slots__ = (
        "_buffer",
        "_gateway",
        "_has_more",
        "_identify",
        "_is_behind",
        "_is_busy",
        "_name",
        "_out",
        "_paused",
        "_ticket",
        "_transport",
        "_unsent",
        "aliases",
        "credential",
        "ends_at",
        "is_held_up",
        "keep_alive",
        "last_heard",
        "payload_sent",
        "principal",
        "published",
        "second",
        "session",
        "session_identifier",
        "version",
        "version_number",
        "will",
    )

    def __init__(self, gateway: "Gateway", identify: Identify | None = None, lasts: float | None = None) -> None:
        self._gateway = gateway
        self._identify = identify
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._out: list[bytes] = []
        self._unsent = 0
        """Bytes that the transport has not got yet: gathered, or held back."""
        self._is_busy = False
        self._has_more = False
        """Whether packets that came wait for their turn."""
        self._is_behind = False
        """Whether messages of QoS 1 wait until it reads."""
        self._paused = False
        self.is_held_up = False
        """Whether it is not read, as much is held back for it."""
        self._ticket = 0
        self._name = ""
        """The client id that it asked to connect with."""
        self.credential: Credential | None = None
        self.principal: Principal | None = None
        """None: it may do everything."""
        self.session: Session | None = None
        self.version = V5
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

    def pause_writing(self) -> None:
        """The client reads slowly: take nothing more from it either, so that it cannot ask for ever more."""
        self._paused = True
        self._read_or_wait()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._paused = False
        self._read_or_wait()
        self._catch_up_soon()

    def _read_or_wait(self) -> None:
        """Take more from the client, or no more for now."""
        if self._transport is not None:
            if self._paused or self.is_held_up or self._has_more:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

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
        if self.session is None and (data[0] >> 4 != Kind.CONNECT or data.startswith(TLS_RECORD)):
            # Not even a CONNACK for somebody who does not begin with CONNECT, and no wait for what its length may be.
            self.tell("not-mqtt", "iot:Connect", "", "the first packet is no CONNECT", hint=_looks_like(data))
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
                    self._first(first, data[start:offset])
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
        except _NotYetError:  # with the first packet: all of it stays
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

    # ── out ───────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, raw: bytes) -> None:
        """Send at the end of this wake-up, in order, with whatever else there is."""
        if not self._is_busy and not self._out:
            asyncio.get_running_loop().call_soon(self.flush)
        self._out.append(raw)
        self._unsent += len(raw)

    def flush(self) -> None:
        """Write what has gathered."""
        if self._out:
            out, self._out = self._out, []
            raw = out[0] if len(out) == 1 else b"".join(out)
            if self._ticket > self._gateway.held.committed:
                self._gateway.held.hold(self, self._ticket, raw)
                if self._unsent > SLOW_READER_BYTES and not self.is_held_up:
                    self.is_held_up = True
                    self._read_or_wait()
            else:
                self._write(raw)

    def let_go(self, raw: bytes) -> None:
        """Write what was held back until now."""
        self._write(raw)
        if self.is_held_up and self._unsent <= SLOW_READER_BYTES:
            self.is_held_up = False
            self._read_or_wait()

    def _write(self, raw: bytes) -> None:
        self._unsent -= len(raw)
        if self._transport is not None:
            self._transport.write(raw)
            self._catch_up_soon()

    @property
    def room(self) -> int:
        """How many bytes may be sent before too many wait for this client; none, if that is not above 0."""
        return SLOW_READER_BYTES - self._waiting_bytes

    @property
    def has_left(self) -> bool:
        """Whether everything that was sent is out of our hands."""
        return not self._waiting_bytes

    @property
    def _waiting_bytes(self) -> int:
        return self._unsent + (0 if self._transport is None else self._transport.get_write_buffer_size())

    def _catch_up_soon(self) -> None:
        if self._is_behind and not self._paused:
            self._is_behind = False
            asyncio.get_running_loop().call_soon(self._catch_up)

    def _catch_up(self) -> None:
        """Send what waited until the client read, as much as may go now."""
        session = self.session
        if session is not None and session.waiting:
            raw = session.catch_up(self._gateway.now, self.room)
            self._is_behind = bool(session.waiting)
            self._gateway.note(session)
            self.tell_lost(session)
            if raw:
                self.send(raw)

    def wait_for(self, ticket: int) -> None:
        """Hold back whatever is sent from here on until the commit of that number; 0 holds back nothing."""
        if ticket > self._ticket:
            self.flush()
            self._ticket = ticket
            self._gateway.held.newest = max(self._gateway.held.newest, ticket)

    def wait_for_what_lasts(self, noted: int) -> None:
        """Hold back what follows until the changes of sessions and retained messages since `noted` are written down."""
        memory = self._gateway.memory
        if memory is not None and memory.noted != noted:
            self.wait_for(memory.ticket)

    def deliver(
        self,
        topic: str,
        payload: bytes,
        qos: int,
        receipt: object | None = None,
        extra: Extra | None = None,
        after: int = 0,
        share: str = "",
        shared_by_all: Message | None = None,
    ) -> None:
        """Send a message to this client, if it may receive it, when the commit `after` is done.

        `receipt` is given to the service once it has been delivered. `share` is the shared subscription that it came
        by; there it was asked before whether this client may receive it. `shared_by_all` is the same as a session has
        it, where others have it as well: one object for all of them.
        """
        session = self.session
        assert session is not None, "delivery follows CONNECT"
        self._gateway.fan_out.settle(session)
        if not share and self.principal is not None and not self.principal.may("Receive", topic):
            self.tell_denied("Receive", topic)
            return
        if after:
            self.wait_for(after)
        if self._unsent > SLOW_READER_BYTES:
            self.flush()  # perhaps the transport takes it
        is_slow = (self._paused or self._unsent > SLOW_READER_BYTES) and self.room <= 0
        if qos:
            if is_slow:
                self._is_behind = True
            message = shared_by_all or Message(topic, payload, receipt, extra, self._gateway.now, share)
            raw = session.send_now(message, 0 if is_slow else SLOW_READER_BYTES)
            self.tell_lost(session)
            if self._gateway.memory is not None:
                self._gateway.memory.changed(session)
            if raw:
                self.send(raw)
            return
        if is_slow:
            why = f"it does not read: {SLOW_READER_BYTES} bytes wait for it, and messages of QoS 0 are not kept"
            self.tell("slow-reader", "iot:Receive", f"topic/{topic}", why)
            return
        raw = publish_bytes(topic, payload, 0, 0, False, self.version, extra)
        if session.largest_packet is None or len(raw) <= session.largest_packet:
            self.send(raw)
            if receipt is not None:
                self._gateway.service.delivered(receipt, False)
        else:
            self.tell(
                "too-large-for-client", "iot:Receive", f"topic/{topic}", too_large(len(raw), session.largest_packet)
            )

    def may_receive_shared(self, topic: str, prefix: str) -> bool:
        """Whether it may receive a message by a shared subscription: policies name the topic, or its prefix and it."""
        principal = self.principal
        return principal is None or principal.may("Receive", topic) or principal.may("Receive", f"{prefix}{topic}")

    def deliver_if_there(self, topic: str, payload: bytes, qos: int, receipt: object | None) -> None:
        """The same, for what comes late."""
        if self.session is not None:
            self.deliver(topic, payload, qos, receipt)

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

    # ── what it does not get ──────────────────────────────────────────────────────────────────────────────────────

    def tell(self, code: Code, action: str, resource: str, why: str, *, hint: str | None = None) -> None:
        """Have told what this client did not get."""
        self._gateway.tell(Notice(code, action, resource, why, self._client, self._identifier, self.address, hint=hint))

    def tell_denied(self, action: Action, name: str) -> None:
        """Have told what policies do not let this client do."""
        principal = self.principal
        assert principal is not None, "who may do everything is denied nothing"
        resource = f"{RESOURCES[action]}/{name}"
        self._gateway.tell(
            Notice(
                "not-allowed",
                f"iot:{action}",
                resource,
                "",
                self._client,
                self._identifier,
                self.address,
                explain=lambda: principal.denial(action, name),
            )
        )

    def tell_void(self, rule: str) -> None:
        """Have told that a message for a rule ends here."""
        self._gateway.tell(in_the_void(rule, self._client, self._identifier, self.address))

    def tell_lost(self, session: Session) -> None:
        """Have told which messages a session had to give up."""
        if session.lost is not None:
            self._gateway.tell_lost(session, self._identifier, self.address)

    @property
    def _client(self) -> str:
        return self._name if self.session is None else self.session.client_id

    @property
    def _identifier(self) -> str:
        known = self.principal or self.credential
        return "" if known is None else known.identifier

    def leave(self) -> None:
        """The client takes leave."""
        self.will = None
        self.end("CLIENT_INITIATED_DISCONNECT")

    @property
    def address(self) -> str:
        """The peer's IP address; empty if it is gone."""
        peer = self._transport.get_extra_info("peername") if self._transport is not None else None
        return str(peer[0]) if peer else ""

    # ── in ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _first(self, first: int, body: bytes) -> None:
        if len(body) > 6:
            self.version = body[6]
        packet = decode(first, body, V5)
        assert isinstance(packet, Connect), "its type said so"
        self.version = packet.version
        self._name = packet.client_id
        client_id = self._name = self._client_id(packet)
        settings = self._gateway.settings
        if self.credential is not None and not self._is_admitted(self.credential, client_id, packet):
            self.tell_denied("Connect", client_id)
            self.refuse(Reason.NOT_AUTHORIZED, "AUTH_ERROR")
            return
        if self._gateway.is_to_be_heard(client_id):
            raise _NotYetError
        if not self._gateway.may_connect_again(client_id):
            why = f"this client id connected less than {1 / (settings.connects_per_second or 1):g} s ago"
            hint = "wait before connecting again, or set gateway.connects_per_second"
            self.tell("connect-rate", "iot:Connect", f"client/{client_id}", why, hint=hint)
            self.refuse(Reason.CONNECTION_RATE_EXCEEDED, "THROTTLED")
            return
        self.keep_alive, self.will = settings.keep_alive(packet.keep_alive), packet.will
        noted = self._gateway.noted
        session, present = self._gateway.join(self, client_id, packet)
        self.session = session
        offer = None
        if packet.version == V5:
            offer = Offer(
                settings.receive_maximum,
                settings.largest_packet,
                settings.topic_alias_maximum,
                self.keep_alive,
                session.expiry_seconds,
                client_id if not packet.client_id else None,
            )
        self.wait_for_what_lasts(noted)
        self.send(connack_bytes(packet.version, present, 0, offer))
        self._gateway.joined(self, present)

    def _client_id(self, packet: Connect) -> str:
        if not packet.client_id and packet.version != V5 and not packet.clean_start:
            why = "no client id for a session that is to last (clean session is off)"
            raise Malformed(Reason.CLIENT_IDENTIFIER_NOT_VALID, why, "client/")
        if not is_valid_client_id(packet.client_id):
            why = "a client id has at most 128 bytes, and does not begin with $"
            raise Malformed(Reason.CLIENT_IDENTIFIER_NOT_VALID, why, f"client/{packet.client_id}")
        return packet.client_id or self._gateway.new_client_id()

    def _is_admitted(self, credential: Credential, client_id: str, packet: Connect) -> bool:
        is_persistent = bool(packet.session_expiry) if packet.version == V5 else not packet.clean_start
        will_topic = packet.will.topic if packet.will is not None else None
        self.principal = credential.principal(Visitor(client_id, self.address, is_persistent, will_topic))
        return self.principal.may("Connect", client_id)

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
            session.expiry_seconds = self._gateway.lasting(packet.session_expiry)
        if packet.reason == Reason.DISCONNECT_WITH_WILL:
            self.end("CLIENT_INITIATED_DISCONNECT")
        else:
            self.leave()


def _looks_like(data: bytes) -> str | None:
    """What a client may have meant that did not begin with CONNECT."""
    if data.startswith((b"GET ", b"PUT ", b"POST ", b"HEAD ", b"DELETE ")):
        return "this is HTTP: it is served on the API port, on the data port, and here with x-amzn-http-ca in ALPN"
    if data.startswith(TLS_RECORD):
        return "this is TLS, and the port has none: the MQTT port with TLS is another"
    return None
