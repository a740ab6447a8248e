"""Which MQTT clients a device that is not ours is, of all that speak for its thing; told as if its id were the thing's.

A device may use any client id, several connections, or one for each message. What it is, is seen:

    asks        the first client that asks for the thing is the device; what others ask is theirs. Once it is gone, the
                next one that asks is the device: ids may change with every connection. Over HTTP nobody has one.
    listens     once any client has listened for Jobs messages of the thing, it is there while all that do are
                connected: with one of its connections down, a device may not hear what it waits for. One that had
                listened for answers alone may have come for one question: while another listens for notifications,
                nobody waits for its return.
    neither     then the client that has the thing's name counts; without one, nothing is known of its being there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

from simulator.trace import ClientConnected, ClientDisconnected, ClientSubscribed, RequestReceived
from simulator.verdict.seen import Seen

PREFIX: Final = "$aws/things/"
JOBS: Final = ("jobs", "+", "#")
ANOTHER: Final = "DUPLICATE_CLIENTID"
"""Why a connection ends in whose place there is another."""
CONNECTIONS: Final = 10_000
LISTENERS: Final = 16
"""So many connections are known, and so many clients that listen for one thing."""


def listened_to(filters: Iterable[str]) -> Iterator[str]:
    """The things of whose Jobs messages topic filters bring some. A filter for any thing is nobody's in particular."""
    for text in filters:
        thing, _, rest = text.removeprefix(PREFIX).partition("/")
        if text.startswith(PREFIX) and thing not in ("", "+", "#") and rest.split("/")[0] in JOBS:
            yield thing


def brings_notifications(text: str) -> bool:
    """Whether a filter for Jobs messages of a thing brings more than answers."""
    _, *levels = text.removeprefix(PREFIX).split("/")
    is_all = levels[:1] == ["#"] or levels[1:] == ["#"] or levels[1:] == ["+"]
    return is_all or any(level.startswith("notify") for level in levels)


class Presence(NamedTuple):
    """Whose clients a thing's are. `asks` is the one that asks, `listens` those that listen and are connected.

    `hears` are those of whom it is known that they listen for notifications. `missing` listened, and have not come
    back. `has_listened` once any has. `counted` are those whose connections made it count as there.
    """

    asks: str | None = None
    listens: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    has_listened: bool = False
    counted: frozenset[str] = frozenset()

    def listening(self, client: str, *, hears: bool = False) -> "Presence":
        """With a client that listens: one that was missing, or else whoever takes the place of the first of these."""
        if hears and client not in self.hears:
            return self._replace(hears=(*self.hears, client)[-LISTENERS:]).listening(client)
        if client in self.listens:
            return self
        gone = self.missing.index(client) if client in self.missing else 0
        missing = self.missing[:gone] + self.missing[gone + 1 :]
        return self._replace(listens=(*self.listens, client)[-LISTENERS:], missing=missing, has_listened=True)

    def without(self, client: str) -> "Presence":
        """With the end of a client's connection."""
        if client not in self.listens:
            return self
        listens = tuple(other for other in self.listens if other != client)
        is_awaited = client in self.hears or not any(other in self.hears for other in listens)
        missing = (*self.missing, client)[-LISTENERS:] if is_awaited else self.missing
        return self._replace(listens=listens, missing=missing)


class Clients:
    """The clients of a cloud, and which of them each of `things` is."""

    def __init__(self, things: Iterable[str]) -> None:
        self._connected: dict[str, int] = {}
        """How many connections each client has: who takes over an id may be told of before the other's end."""
        self._things = {thing: Presence() for thing in things}

    def fork(self) -> "Clients":
        """Another that has seen the same."""
        twin = Clients(())
        twin._connected, twin._things = dict(self._connected), dict(self._things)
        return twin

    def told(self, seen: Seen[Any]) -> Iterator[tuple[str, Seen[Any]]]:
        """What an entry of the cloud's is to which thing."""
        match seen.event:
            case ClientConnected(thing=client, session_present=present):
                self._connects(client)
                yield from self._changes(seen, client, present=present)
            case ClientDisconnected(thing=client):
                self._leaves(client)
                yield from self._changes(seen, client)
            case ClientSubscribed(thing=client, filters=filters):
                for thing in dict.fromkeys(listened_to(filters)):
                    if thing in self._things:
                        hears = any(brings_notifications(text) for text in filters)
                        self._things[thing] = self._things[thing].listening(client, hears=hears)
                        yield from self._change(seen, thing)
            case RequestReceived(thing=thing, client=client) if thing in self._things:
                yield from self._asked(seen, thing, client)
            case event:
                if (about := getattr(event, "thing", None)) is not None:
                    yield about, seen

    def _asked(self, seen: Seen[Any], thing: str, client: str | None) -> Iterator[tuple[str, Seen[Any]]]:
        presence, name = self._things[thing], client or thing
        if name.startswith(f"{thing}@"):  # a second hand, by the scenario's word
            yield thing, seen
            return
        if presence.asks is None or (presence.asks != name and presence.asks not in self._connected):
            presence = presence._replace(asks=name)
        if name in presence.missing:
            presence = presence.listening(name)
        self._things[thing] = presence
        yield from self._change(seen, thing)
        is_device = client is None or client == presence.asks
        yield thing, Seen(seen.mark, replace(seen.event, client=None)) if is_device else seen

    def _connects(self, client: str) -> None:
        self._connected[client] = self._connected.pop(client, 0) + 1
        if len(self._connected) > CONNECTIONS:
            del self._connected[next(iter(self._connected))]

    def _leaves(self, client: str) -> None:
        left = self._connected.pop(client, 1) - 1
        if left:
            self._connected[client] = left
            return
        for thing, presence in self._things.items():
            self._things[thing] = presence.without(client)

    def _changes(self, seen: Seen[Any], client: str, *, present: bool | None = None) -> Iterator[tuple[str, Seen[Any]]]:
        """What the beginning of a client's connection, or its end, is to the things whose device it is part of."""
        for thing, presence in self._things.items():
            if present and client in presence.missing:  # its subscriptions are still there
                self._things[thing] = presence.listening(client)
            is_again = present is not None and client in presence.counted
            yield from self._change(seen, thing, is_again=is_again, present=bool(present))

    def _change(
        self, seen: Seen[Any], thing: str, *, is_again: bool = False, present: bool = False
    ) -> Iterator[tuple[str, Seen[Any]]]:
        """Tell whether it is there, if that is not so any more, or by other connections."""
        presence = self._things[thing]
        counted = self._counted(thing, presence)
        was, is_there = bool(presence.counted), bool(counted)
        is_moved = was and is_there and not presence.counted <= counted
        self._things[thing] = presence._replace(counted=counted)
        if was and (not is_there or is_again or is_moved):
            reason = seen.event.reason if isinstance(seen.event, ClientDisconnected) and not is_there else ANOTHER
            yield thing, Seen(seen.mark, ClientDisconnected(thing, reason))
        if is_there and (not was or is_again or is_moved):
            yield thing, Seen(seen.mark, ClientConnected(thing, present))

    def _counted(self, thing: str, presence: Presence) -> frozenset[str]:
        if presence.has_listened:
            return frozenset() if presence.missing else frozenset(presence.listens)
        name = presence.asks if presence.asks is not None else thing
        return frozenset((name,)) if name in self._connected else frozenset()
