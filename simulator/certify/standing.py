"""What stands: a device's connections and subscriptions, for whoever begins to listen when they were made already."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from simulator.certify.offer import is_client_of
from simulator.trace import ClientConnected, ClientDisconnected, ClientSubscribed, Entry

MOST_CLIENTS: Final = 32
"""Client ids of one device that are remembered; the first goes when there are more."""
MOST_SUBSCRIBES: Final = 16
"""The last ones of each."""


@dataclass(slots=True)
class _Session:
    """Of one client id: the entry by which it is connected, and those by which it subscribed."""

    connected: Entry | None = None
    subscribed: deque[Entry] = field(default_factory=lambda: deque(maxlen=MOST_SUBSCRIBES))


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
                kept = before.subscribed if before is not None and goes_on else deque[Entry](maxlen=MOST_SUBSCRIBES)
                self._sessions[name] = _Session(entry, kept)
                if len(self._sessions) > MOST_CLIENTS:
                    del self._sessions[next(iter(self._sessions))]
            case ClientDisconnected(thing=name) if name in self._sessions:
                self._sessions[name].connected = None
            case ClientSubscribed(thing=name) if name in self._sessions:
                self._sessions[name].subscribed.append(entry)
            case _:
                pass

    def entries(self) -> tuple[Entry, ...]:
        """Of those who are connected, in the order in which they were told."""
        there = [session for session in self._sessions.values() if session.connected is not None]
        found = [entry for session in there for entry in (session.connected, *session.subscribed) if entry is not None]
        return tuple(sorted(found, key=lambda entry: entry.n))
