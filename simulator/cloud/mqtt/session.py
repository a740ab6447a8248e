"""What outlives a connection: subscriptions, QoS 1 messages under way, and those that wait.

A session says which bytes to send, and its client gets them; `now` is the broker's time.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from simulator.cloud.mqtt.encode import publish_bytes
from simulator.cloud.mqtt.packets import Extra
from simulator.cloud.notices.refusals import Code

MOST_QUEUED: Final = 1000
"""QoS 1 messages that wait for one client; the oldest go first."""
MOST_QUEUED_BYTES: Final = 8 << 20
"""What they weigh together: a thousand notifications of 8 KiB, or 64 of the largest messages."""


class Message(NamedTuple):
    """A QoS 1 message on its way. `receipt` is what to give to the service once it has been acknowledged, if any."""

    topic: str
    payload: bytes
    receipt: object | None
    extra: Extra | None
    since: float
    """When the session got it."""
    share: str = ""
    """The shared subscription that it came by, if it did."""

    def left(self, now: float) -> Extra | None:
        """What it still carries; of its expiry, the seconds that are left."""
        extra = self.extra
        if extra is None or extra.expiry_seconds is None:
            return extra
        return extra._replace(expiry_seconds=extra.expiry_seconds - int(now - self.since))

    def is_expired(self, now: float) -> bool:
        """Whether it is of no use any more."""
        expiry = self.extra.expiry_seconds if self.extra is not None else None
        return expiry is not None and now - self.since >= expiry


class MessageQueue(deque[Message]):
    """Messages in the order in which they came: added at the end, taken in front. `size` is their weight in bytes."""

    size = 0

    def append(self, message: Message, /) -> None:
        """One more."""
        self.size += _weight(message)
        super().append(message)

    def popleft(self) -> Message:
        """The oldest, taken away."""
        message = super().popleft()
        self.size -= _weight(message)
        return message


def _weight(message: Message) -> int:
    return len(message.topic) + len(message.payload) + (len(message.extra.properties) if message.extra else 0)


def too_large(size: int, most: int) -> str:
    """Why a client does not get a message."""
    return f"a packet of {size} bytes; its CONNECT said at most {most}"


LostMessage: TypeAlias = tuple[Code, Message, str]
"""A message that is gone, and why, in a word and in a sentence."""


@dataclass(slots=True, eq=False)
class Session:
    """One client id's session. `in_flight_limit` is what the client can take unacknowledged.

    A message that it has to give up stands in `lost` until somebody takes it from there.
    """

    client_id: str
    version: int = 5
    filters: dict[str, tuple[int, int]] = field(default_factory=dict)
    in_flight: dict[int, Message] | None = None
    waiting: MessageQueue | None = None
    """Has to wait until something is acknowledged, or read."""
    stored: MessageQueue | None = None
    """Came while nobody was connected; goes out at the pace of a replay."""
    _again: deque[int] | None = None
    """What was under way when the last connection ended, or is due again, and has not been sent yet."""
    in_flight_limit: int = 100
    largest_packet: int | None = None
    next_packet_id: int = 1
    expiry_seconds: int = 0
    expires_at: float | None = None
    lost: list[LostMessage] | None = None

    # ── while nobody is connected ─────────────────────────────────────────────────────────────────────────────

    def store(self, message: Message) -> None:
        """Keep a message until its client is back."""
        self.stored = self._queued(self.stored, message)

    def resume(self) -> None:
        """A new connection took the session on: what was under way and what waits goes again, by `replay`."""
        self._again = deque(self.in_flight) if self.in_flight else None
        for message in self.waiting or ():
            self.store(message)
        self.waiting = None

    def take_shared(self) -> list[Message]:
        """Take away what came by shared subscriptions and is not acknowledged: another member may get it."""
        taken: list[Message] = []
        for packet_id, message in tuple((self.in_flight or {}).items()):
            if message.share:
                assert self.in_flight is not None, "it had that message"
                taken.append(self.in_flight.pop(packet_id))
        for queue in (self.waiting, self.stored):
            for _ in range(len(queue or ())):
                assert queue is not None, "it has messages"
                message = queue.popleft()
                if message.share:
                    taken.append(message)
                else:
                    queue.append(message)
        return taken

    @property
    def has_room(self) -> bool:
        """Whether another message of QoS 1 could go at once."""
        return self._has_room() and not self.waiting

    @property
    def unheard(self) -> int:
        """How many messages its client has not acknowledged."""
        return sum(len(each) for each in (self.in_flight, self.waiting, self.stored) if each)

    @property
    def is_behind(self) -> bool:
        """Whether there is something to replay."""
        return bool(self._again or self.stored)

    def replay(self, now: float, most: int | None, room: int) -> bytes:
        """The bytes of the next so many of what was there before this connection; of any number if `most` is None.

        Here and below, nothing is added once that comes to `room` bytes.
        """
        out: list[bytes] = []
        while self._again and room > 0 and (most is None or len(out) < most):
            packet_id = self._again.popleft()
            message = (self.in_flight or {}).get(packet_id)
            if message is not None and not message.is_expired(now):
                out.append(self._bytes(packet_id, message, now, dup=True))
                room -= len(out[-1])
        while self.stored and room > 0 and (most is None or len(out) < most) and self._has_room():
            raw = self._send(self.stored.popleft(), now)
            if raw:
                out.append(raw)
                room -= len(raw)
        return b"".join(out)

    # ── while somebody is ─────────────────────────────────────────────────────────────────────────────────────

    def send_now(self, message: Message, room: int) -> bytes:
        """The bytes of a message that goes now; nothing if it has to wait, or is too large for the client."""
        if room > 0 and self._has_room() and not self.waiting:
            return self._send(message, message.since)
        self.waiting = self._queued(self.waiting, message)
        return b""

    def take_lost(self) -> list[LostMessage]:
        """What had to be given up since this was asked last."""
        lost, self.lost = self.lost or [], None
        return lost

    def _lose(self, code: Code, message: Message, why: str) -> None:
        self.lost = [*(self.lost or ()), (code, message, why)]

    def _queued(self, queue: MessageQueue | None, message: Message) -> MessageQueue:
        """A queue with one more; the oldest go if that is too many, or too much."""
        queue = MessageQueue() if queue is None else queue
        if len(queue) >= MOST_QUEUED:
            self._lose("queue-full", queue.popleft(), f"{MOST_QUEUED} messages wait for it already: the oldest goes")
        queue.append(message)
        while queue.size > MOST_QUEUED_BYTES and len(queue) > 1:
            self._lose("queue-full", queue.popleft(), f"{MOST_QUEUED_BYTES} bytes wait for it already: the oldest goes")
        return queue

    def acknowledged(self, packet_id: int, now: float, room: int) -> tuple[object | None, bytes]:
        """A PUBACK came; the receipt of the message that it is for, and the bytes of what may go now."""
        if self.in_flight is None or (message := self.in_flight.pop(packet_id, None)) is None:
            return None, b""
        return message.receipt, self.catch_up(now, room)

    def redeliver(self, before: float, now: float, every: float | None, limit: float, room: int) -> bytes:
        """The bytes of what was sent and not acknowledged, `every` so many seconds; dropped after `limit`.

        Asked again and again: `before` is when it was last asked. What `room` is too small for follows by `replay`;
        `every` is None where what was sent has not left yet: it cannot have been acknowledged.
        """
        out = []
        for packet_id, message in tuple((self.in_flight or {}).items()):
            if self._again and packet_id in self._again:
                continue
            age = now - message.since
            if age >= limit or message.is_expired(now):
                assert self.in_flight is not None, "it had that message"
                del self.in_flight[packet_id]
                if age >= limit:
                    self._lose("not-acknowledged", message, f"it was not acknowledged for {limit:g} s")
            elif every is not None and age // every > max(0.0, before - message.since) // every:
                if room > 0:
                    out.append(self._bytes(packet_id, message, now, dup=True))
                    room -= len(out[-1])
                else:
                    self._again = deque() if self._again is None else self._again
                    self._again.append(packet_id)
        return b"".join(out) + self.catch_up(now, room)

    def catch_up(self, now: float, room: int) -> bytes:
        """The bytes of what waited, and may go now."""
        out = []
        while self.waiting and room > 0 and self._has_room():
            out.append(self._send(self.waiting.popleft(), now))
            room -= len(out[-1])
        return b"".join(out)

    def _has_room(self) -> bool:
        return self.in_flight is None or len(self.in_flight) < self.in_flight_limit

    def _send(self, message: Message, now: float) -> bytes:
        if self.in_flight is None:
            self.in_flight = {}
        if message.is_expired(now):
            return b""
        packet_id = self.next_packet_id
        while packet_id in self.in_flight:
            packet_id = packet_id % 65535 + 1
        raw = self._bytes(packet_id, message, now)
        if self.largest_packet is not None and len(raw) > self.largest_packet:
            self._lose("too-large-for-client", message, too_large(len(raw), self.largest_packet))
            return b""
        self.next_packet_id = packet_id % 65535 + 1
        self.in_flight[packet_id] = message
        return raw

    def _bytes(self, packet_id: int, message: Message, now: float, *, dup: bool = False) -> bytes:
        extra = message.left(now)
        return publish_bytes(message.topic, message.payload, 1, packet_id, dup, self.version, extra)
