"""Writing down what of the broker outlives its process.

Whatever happens to a session only notes that it changed. What that means for the records is worked out when a batch is
closed, by comparing the session with what was written of it: a message that came and was acknowledged in between is
never written, and nothing needs to be told which of a session's queues a message left.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from simulator.cloud.mqtt.packets import Extra
from simulator.cloud.mqtt.records import KeptMessage, KeptSession, RecordChange, Source
from simulator.cloud.mqtt.session import Message, Session


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


class Persistence:
    """Notes what changed, and says what that means for the records.

    `keep` has somebody ask for the rows when the next batch is closed, and tells the number of its commit. `clock`
    gives epoch seconds, `now` the time that is given to the broker.
    """

    def __init__(self, keep: Callable[[Source], int], clock: Callable[[], float], now: Callable[[], float]) -> None:
        self.ticket = 0
        """The commit that will hold the last change."""
        self.noted = 0
        """How many changes there were."""
        self._keep = keep
        self.clock = clock
        self.now = now
        self._changed: dict[Session, bool] = {}
        self._retained: dict[str, KeptMessage | None] = {}
        self._written: dict[Session, _Written] = {}
        self._last_number = 0
        """Of a message in the records."""
        self.owed: Callable[[Session], Iterable[Message]] = lambda session: ()
        """What a session of the broker will be given in another turn."""

    def changed(self, session: Session, *, is_over: bool = False) -> None:
        """A session changed, or is no more; one that does not last, and never did, is nobody's business."""
        if session.expiry_seconds or session in self._written:
            self._changed[session] = is_over
            self._note()

    def retained(self, topic: str, message: Message | None, qos: int) -> None:
        """What is retained on a topic changed."""
        self._retained[topic] = None if message is None else self._kept(None, message, qos)
        self._note()

    def is_written(self, session: Session) -> None:
        """A session stands in the records already."""
        self._written[session] = _Written()

    def has_message(self, session: Session, key: str, message: Message) -> None:
        """So does a message of that session, by that key."""
        self._last_number = max(self._last_number, int(key.rpartition("/")[2]))
        self._written[session].messages[id(message)] = (key, message)
        self._written[session].others.append(message)

    def _note(self) -> None:
        self.noted += 1
        self.ticket = self._keep(self)

    def rows(self) -> Iterable[RecordChange]:
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

    def _over(self, session: Session) -> Iterator[RecordChange]:
        written = self._written.pop(session, None)
        if written is not None:
            yield "session", session.client_id, None
            for key, _ in written.messages.values():
                yield "message", key, None

    def _differences(self, session: Session) -> Iterator[RecordChange]:
        filters = tuple((text, qos, options) for text, (qos, options) in session.filters.items())
        like = (session.version, session.expiry_seconds, session.expires_at, filters)
        before = self._written.get(session)
        if before is None or before.like != like:
            expires_at = None if session.expires_at is None else self._epoch(session.expires_at)
            kept = KeptSession(session.client_id, session.version, session.expiry_seconds, expires_at, filters)
            yield "session", session.client_id, kept
        written = self._written.setdefault(session, _Written())
        written.like = like
        came, went = written.moved(session, self.owed(session))
        for message in came:
            if id(message) not in written.messages:
                self._last_number += 1
                key = f"{session.client_id}/{self._last_number}"
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

    def _epoch(self, our_time: float) -> float:
        return self.clock() + our_time - self.now()


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
