"""What stands: a device's connections and subscriptions, for whoever begins to listen when they were made already."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from simulator.certify.offer import is_client_of
from simulator.certify.wrong_topics import hears
from simulator.trace import ClientConnected, ClientDisconnected, ClientSubscribed, Entry

NOTIFY: Final = "/notify"
"""In every topic of notifications, of whatever namespace."""
MOST_CLIENTS: Final = 32
"""Client ids of one device that are remembered; when there are more, the first that is not connected goes for the next.

A device may use a new id for every message (`mosquitto_pub`), and listen by one that stays.
"""
MOST_SUBSCRIBES: Final = 32
"""The last ones of each, and as many of those for notifications."""


@dataclass(slots=True)
class _Session:
    """Of one client id: the entry by which it is connected, and those by which it subscribed.

    Those for notifications are apart: a device that subscribes anew for each job does not push them out.
    """

    connected: Entry | None = None
    listens: deque[Entry] = field(default_factory=lambda: deque(maxlen=MOST_SUBSCRIBES))
    others: deque[Entry] = field(default_factory=lambda: deque(maxlen=MOST_SUBSCRIBES))

    def entries(self) -> Iterator[Entry]:
        """All of them, if it is connected."""
        if self.connected is not None:
            yield from (self.connected, *self.listens, *self.others)


class Standing:
    """Fed with the cloud's trace; `thing` is whose connections count."""

    def __init__(self, thing: str) -> None:
        self._thing = thing
        self._sessions: dict[str, _Session] = {}

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        match entry.event:
            case ClientConnected(thing=name, session_present=goes_on) if is_client_of(self._thing, name):
                before = self._sessions.pop(name, None)
                session = self._sessions[name] = before if before is not None and goes_on else _Session()
                session.connected = entry
                if len(self._sessions) > MOST_CLIENTS:
                    del self._sessions[self._least()]
            case ClientDisconnected(thing=name) if name in self._sessions:
                self._sessions[name].connected = None
            case ClientSubscribed(thing=name, filters=filters) if name in self._sessions:
                session = self._sessions[name]
                brings = any(NOTIFY in text or hears(text, self._thing, None) for text in filters)
                (session.listens if brings else session.others).append(entry)
            case _:
                pass

    def _least(self) -> str:
        """Who is missed least."""
        gone = (name for name, session in self._sessions.items() if session.connected is None)
        return next(gone, next(iter(self._sessions)))

    def entries(self) -> tuple[Entry, ...]:
        """Of those who are connected, in the order in which they were told."""
        found = (entry for session in self._sessions.values() for entry in session.entries())
        return tuple(sorted(found, key=lambda entry: entry.n))
