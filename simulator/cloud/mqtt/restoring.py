"""Going on with what a process before this one wrote down.

A session whose process ended counts as disconnected then; its messages go out again as new ones, under packet ids of
the next connection (AWS: "the same logical PUBLISH may come with another packet id").

Time that passed between two processes counts, as the clock has it, unless that is before the record or more than
`LONGEST_SECONDS` after it: such a clock is not believed, and what expires has as long again.
"""

from typing import Final

from simulator.cloud.mqtt.filters import SHARED
from simulator.cloud.mqtt.packets import Extra
from simulator.cloud.mqtt.persistence import Persistence
from simulator.cloud.mqtt.records import KeptMessage, KeptSession, RememberedSessions
from simulator.cloud.mqtt.session import Message, Session
from simulator.cloud.mqtt.sessions import Sessions

LONGEST_SECONDS: Final = 7 * 86_400.0
"""No session lasts longer on AWS; a machine that was switched off for so long looks like a clock that is wrong."""


def restore(sessions: Sessions, persistence: Persistence, remembered: RememberedSessions) -> None:
    """Give a broker that nobody is connected to yet what was remembered."""
    router, sharing = sessions.router, sessions.router.sharing
    persistence.owed = router.fan_out.waiting
    restored: dict[str, Session] = {}
    queues = [kept.client_id for kept in remembered.sessions if kept.client_id.startswith(SHARED)]
    for kept in remembered.sessions:
        if kept.client_id.startswith(SHARED):
            continue
        session = restored[kept.client_id] = _session(kept, persistence)
        for text, qos, options in kept.filters:
            router.subscribe(session, text, qos, options)
        sessions.adopt(session)
        persistence.is_written(session)
        if kept.expires_at is None:
            persistence.changed(session)  # it was connected, and no longer is
    for text in queues:
        restored[text] = sharing.queue_of(text) or Session(text)  # of one without members nothing is left
        persistence.is_written(restored[text])
        persistence.changed(restored[text], is_over=sharing.queue_of(text) is None)
    for key, message in remembered.messages.items():
        session = restored[message.client_id or ""]
        again = _message(message, persistence)
        persistence.has_message(session, key, again)
        queue = sharing.queue_of(message.share) if message.share else session
        if queue is not None:
            queue.store(again)
            sessions.context.tell_lost(queue)
            if queue is not session:  # whoever had it is gone: it is the group's again
                persistence.changed(session)
                persistence.changed(queue)
    for message in remembered.retained:
        again = _message(message, persistence)
        router.retain(message.topic, message.payload, message.qos, again.extra or Extra(), again.since)


def _session(kept: KeptSession, persistence: Persistence) -> Session:
    session = Session(kept.client_id)
    session.version, session.expiry_seconds = kept.version, kept.expiry_seconds
    began = persistence.clock() if kept.expires_at is None else kept.expires_at - kept.expiry_seconds
    session.expires_at = _our_time(_believed(began, persistence) + kept.expiry_seconds, persistence)
    return session


def _message(kept: KeptMessage, persistence: Persistence) -> Message:
    extra = Extra(kept.properties, kept.expiry_seconds, kept.retain)
    carried = None if extra == Extra() else extra
    is_old = kept.client_id is None and kept.expiry_seconds is None  # what is retained for good may be of any age
    since = min(kept.since, persistence.clock()) if is_old else _believed(kept.since, persistence)
    return Message(kept.topic, kept.payload, None, carried, _our_time(since, persistence), kept.share)


def _believed(epoch: float, persistence: Persistence) -> float:
    """When something began; now, if that cannot be."""
    now = persistence.clock()
    return epoch if 0 <= now - epoch <= LONGEST_SECONDS else now


def _our_time(epoch: float, persistence: Persistence) -> float:
    return persistence.now() + epoch - persistence.clock()
