"""What of the gateway can outlive its process: persistent sessions, what waits for them, and retained messages.

Whatever happens to a session only notes that it changed. What that means for the records is worked out when a batch is
closed, by comparing the session with what was written of it: a message that came and was acknowledged in between is
never written, and nothing needs to be told which of a session's queues a message left.

Times in records are epoch seconds, those of a session the loop's. A session whose process ended counts as disconnected
then; its messages go out again as new ones, under packet ids of the next connection (AWS: "the same logical PUBLISH may
come with another packet id").

Time that passed between two processes counts, as the clock has it, unless that is before the record or more than
`LONGEST_SECONDS` after it: such a clock is not believed, and what expires has as long again.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

from simulator.cloud.mqtt.filters import SHARED
from simulator.cloud.mqtt.packets import Extra
from simulator.cloud.mqtt.session import Message, Session

if TYPE_CHECKING:
    from simulator.cloud.mqtt.gateway import Gateway

LONGEST_SECONDS: Final = 7 * 86_400.0
"""No session lasts longer on AWS; a machine that was switched off for so long looks like a clock that is wrong."""
Row: TypeAlias = tuple[str, str, object | None]
"""Kind, key, and the record that takes that place, or None."""


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session that lasts; `expires_at` is None while its client is connected. Filters with QoS and options."""

    client_id: str
    version: int
    expiry_seconds: int
    expires_at: float | None = None
    filters: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message, and when it came; the rest is what `Extra` is. `client_id` is None where it is retained."""

    client_id: str | None
    topic: str
    payload: bytes
    since: float
    qos: int = 1
    properties: bytes = b""
    expiry_seconds: int | None = None
    retain: bool = False
    share: str = ""
    """The shared subscription that it came by, if it did."""


KINDS: Final[dict[str, type]] = {"session": KeptSession, "message": KeptMessage, "retained": KeptMessage}


class Remembered(NamedTuple):
    """Records as they were kept, messages by key and in order."""

    sessions: tuple[KeptSession, ...]
    messages: dict[str, KeptMessage]
    retained: tuple[KeptMessage, ...]


class Source(Protocol):
    """Something that is asked for its changes when a batch is closed."""

    def rows(self) -> Iterable[Row]:
        """What changed since it was asked last."""


@dataclass(slots=True)
class _Written:
    """What stands in the records of one session: what it was like, and its messages by identity, with their keys.

    Its queues are as they were, so that of a thousand messages only those are looked at that came or went.
    """

    like: tuple[object, ...] = ()
    messages: dict[int, tuple[str, Message]] = field(default_factory=dict)
    queues: tuple[deque[Message], deque[Message]] = field(default_factory=lambda: (deque(), deque()))
    others: list[Message] = field(default_factory=list)
    """What is under way, or will be given in another turn: few."""

    def moved(self, session: Session, owed: Iterable[Message]) -> tuple[list[Message], list[Message]]:
        """What came, in order, and what is not there any more, since this was asked last."""
        others = list((session.in_flight or {}).values())
        came, went = list(others), list(self.others)
        for before, queue in zip(self.queues, (session.stored, session.waiting), strict=True):
            left, joined = _ends(before, queue or deque())
            went += left
            came += joined
        self.others = [*others, *owed]
        came += self.others[len(others) :]
        there = {id(message) for message in came}
        return came, [message for message in went if id(message) not in there]


class Lasting:
    """Notes what changed, and says what that means for the records.

    `keep` has somebody ask for the rows when the next batch is closed, and tells the number of its commit. `clock`
    gives epoch seconds, `now` the loop's time.
    """

    def __init__(self, keep: Callable[[Source], int], clock: Callable[[], float], now: Callable[[], float]) -> None:
        self.ticket = 0
        """The commit that will hold the last change."""
        self.noted = 0
        """How many changes there were."""
        self._keep = keep
        self._clock = clock
        self._now = now
        self._changed: dict[Session, bool] = {}
        self._retained: dict[str, KeptMessage | None] = {}
        self._written: dict[Session, _Written] = {}
        self._numbers = count(1)
        self._owed: Callable[[Session], Iterable[Message]] = lambda session: ()
        """What a session of the gateway will be given in another turn."""

    # ── changes ───────────────────────────────────────────────────────────────────────────────────────────────

    def changed(self, session: Session, *, is_over: bool = False) -> None:
        """A session changed, or is no more; one that does not last, and never did, is nobody's business."""
        if session.expiry_seconds or session in self._written:
            self._changed[session] = is_over
            self._note()

    def retained(self, topic: str, message: Message | None, qos: int) -> None:
        """What is retained on a topic changed."""
        self._retained[topic] = None if message is None else self._kept(None, message, qos)
        self._note()

    def _note(self) -> None:
        self.noted += 1
        self.ticket = self._keep(self)

    def rows(self) -> Iterable[Row]:
        """What changed since it was asked last; sessions that are over come first, as others take their names."""
        changed, self._changed = self._changed, {}
        retained, self._retained = self._retained, {}
        for session in sorted(changed, key=lambda session: not changed[session]):
            if changed[session] or not session.expiry_seconds:
                yield from self._over(session)
            else:
                yield from self._differences(session)
        for topic, message in retained.items():
            yield "retained", topic, message

    def _over(self, session: Session) -> Iterator[Row]:
        written = self._written.pop(session, None)
        if written is not None:
            yield "session", session.client_id, None
            for key, _ in written.messages.values():
                yield "message", key, None

    def _differences(self, session: Session) -> Iterator[Row]:
        filters = tuple((text, qos, options) for text, (qos, options) in session.filters.items())
        like = (session.version, session.expiry_seconds, session.expires_at, filters)
        before = self._written.get(session)
        if before is None or before.like != like:
            expires_at = None if session.expires_at is None else self._epoch(session.expires_at)
            kept = KeptSession(session.client_id, session.version, session.expiry_seconds, expires_at, filters)
            yield "session", session.client_id, kept
        written = self._written.setdefault(session, _Written())
        written.like = like
        came, went = written.moved(session, self._owed(session))
        for message in came:
            if id(message) not in written.messages:
                key = f"{session.client_id}/{next(self._numbers)}"
                written.messages[id(message)] = key, message
                yield "message", key, self._kept(session.client_id, message, 1)
        for message in went:
            found = written.messages.pop(id(message), None)
            if found is not None:
                yield "message", found[0], None

    def _kept(self, client_id: str | None, message: Message, qos: int) -> KeptMessage:
        extra = message.extra or Extra()
        since = self._epoch(message.since)
        return KeptMessage(client_id, message.topic, message.payload, since, qos, *extra, message.share)

    def _epoch(self, loop_time: float) -> float:
        return self._clock() + loop_time - self._now()

    # ── beginning again ───────────────────────────────────────────────────────────────────────────────────────

    def restore(self, gateway: "Gateway", remembered: Remembered) -> None:
        """Give a gateway that nobody is connected to yet what was remembered."""
        self._owed = gateway.fan_out.waiting
        sessions: dict[str, Session] = {}
        queues = [kept.client_id for kept in remembered.sessions if kept.client_id.startswith(SHARED)]
        for kept in remembered.sessions:
            if kept.client_id.startswith(SHARED):
                continue
            session = sessions[kept.client_id] = Session(kept.client_id)
            session.version, session.expiry_seconds = kept.version, kept.expiry_seconds
            began = self._clock() if kept.expires_at is None else kept.expires_at - kept.expiry_seconds
            session.expires_at = self._loop_time(self._believed(began) + kept.expiry_seconds)
            for text, qos, options in kept.filters:
                gateway.subscribe(session, text, qos, options)
            gateway.sessions.adopt(session)
            self._written[session] = _Written()
            if kept.expires_at is None:
                self.changed(session)  # it was connected, and no longer is
        for text in queues:
            sessions[text] = gateway.shared.queue_of(text) or Session(text)  # of one without members nothing is left
            self._written[sessions[text]] = _Written()
            self.changed(sessions[text], is_over=gateway.shared.queue_of(text) is None)
        last = 0
        for key, message in remembered.messages.items():
            last = max(last, int(key.rpartition("/")[2]))
            session = sessions[message.client_id or ""]
            again = self._message(message)
            self._written[session].messages[id(again)] = (key, again)
            self._written[session].others.append(again)
            queue = gateway.shared.queue_of(message.share) if message.share else session
            if queue is not None:
                queue.store(again)
                gateway.tell_lost(queue)
                if queue is not session:  # whoever had it is gone: it is the group's again
                    self.changed(session)
                    self.changed(queue)
        self._numbers = count(last + 1)
        for message in remembered.retained:
            again = self._message(message)
            gateway.retain(message.topic, message.payload, message.qos, again.extra or Extra(), again.since)

    def _message(self, kept: KeptMessage) -> Message:
        extra = Extra(kept.properties, kept.expiry_seconds, kept.retain)
        carried = None if extra == Extra() else extra
        is_old = kept.client_id is None and kept.expiry_seconds is None  # what is retained for good may be of any age
        since = min(kept.since, self._clock()) if is_old else self._believed(kept.since)
        return Message(kept.topic, kept.payload, None, carried, self._loop_time(since), kept.share)

    def _believed(self, epoch: float) -> float:
        """When something began; now, if that cannot be."""
        now = self._clock()
        return epoch if 0 <= now - epoch <= LONGEST_SECONDS else now

    def _loop_time(self, epoch: float) -> float:
        return self._now() + epoch - self._clock()


def _ends(before: deque[Message], now: deque[Message]) -> tuple[list[Message], list[Message]]:
    """What left a queue and what joined it; `before` is brought up to date. All of it, where the middle changed."""
    left: list[Message] = []
    while before and (not now or before[0] is not now[0]):
        left.append(before.popleft())
    if len(before) > len(now) or (before and before[-1] is not now[len(before) - 1]):
        left += before
        before.clear()
    joined = list(islice(now, len(before), None))
    before.extend(joined)
    return left, joined
