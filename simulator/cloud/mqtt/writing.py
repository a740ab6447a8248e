"""What one client gets: gathered until it is written at once, held back until it may leave, and no more than is read.

A client that reads slowly is not read either, so that it cannot ask for ever more. Messages of QoS 0 are lost then,
those of QoS 1 wait until it has caught up.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from simulator.cloud.mqtt.client import Client
from simulator.cloud.mqtt.encode import publish_bytes
from simulator.cloud.mqtt.packets import V5, Extra
from simulator.cloud.mqtt.session import Message, Session, too_large

if TYPE_CHECKING:
    from simulator.cloud.mqtt.gateway import Gateway

SLOW_READER_BYTES: Final = 256 * 1024
"""With more than this unread a client gets no more until it reads: messages of QoS 0 are lost, those of QoS 1 wait."""


class Writer(Client):
    """A client, and the bytes that are on their way to it."""

    __slots__ = (
        "_has_more",
        "_is_behind",
        "_is_busy",
        "_out",
        "_paused",
        "_ticket",
        "_unsent",
        "is_held_up",
        "version",
    )

    def __init__(self, gateway: "Gateway") -> None:
        super().__init__(gateway)
        self.version = V5
        self._out: list[bytes] = []
        self._unsent = 0
        """Bytes that the transport has not got yet: gathered, or held back."""
        self._is_busy = False
        """Whether packets are being handled, after which everything is written at once."""
        self._has_more = False
        """Whether packets that came wait for their turn."""
        self._is_behind = False
        """Whether messages of QoS 1 wait until it reads."""
        self._paused = False
        """Whether the transport has as much as it takes."""
        self.is_held_up = False
        """Whether it is not read, as much is held back for it."""
        self._ticket = 0
        """The commit that whatever is sent waits for."""

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

    def replay(self, session: Session) -> None:
        """Send what waited while the client was away, as much as may go now."""
        raw = session.replay(self._gateway.now, self._gateway.settings.replay_per_second, self.room)
        self._gateway.note(session)
        self.tell_lost(session)
        if raw:
            self.wait_for(self._gateway.held.newest)
            self.send(raw)

    def redeliver(self, session: Session, before: float) -> None:
        """Send again what was not acknowledged in time; `before` is when that was last looked at."""
        settings = self._gateway.settings
        every = settings.redelivery_seconds
        if every is not None:
            due = every if self.has_left else None
            raw = session.redeliver(before, self._gateway.now, due, settings.redelivery_limit_seconds, self.room)
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
