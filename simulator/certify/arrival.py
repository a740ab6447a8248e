"""Waiting for the device: who is there by now, in one line; and if it does not come, why, and what to do.

    arrival = Arrival(desk.offer)
    stop = desk.listen(arrival.feed)
    arrival.says()      "connected, has not subscribed to notify nor asked"
    arrival.is_there    False
    arrival.trouble()   "the device is connected, and neither subscribes to … nor asks for its jobs: …"

It is fed with the trace, and knows no time; what a peer can do to it is bounded. Who cuts the device's power or network
on purpose calls `anew` before waiting again: what came of that is nothing that went wrong.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from simulator.certify.offer import Offer, is_client_of
from simulator.certify.refused_arrival import OF_A_PAST, is_at_the_door, said_of
from simulator.certify.wrong_topics import hears, notifications, shown, wrongs
from simulator.trace import (
    ClientConnected,
    ClientDisconnected,
    ClientRefused,
    ClientSubscribed,
    Entry,
    RequestReceived,
)

K = TypeVar("K")
V = TypeVar("V")

MOST_CLIENTS: Final = 16
"""Connections that are told apart, by client id; the first is forgotten when there are more."""
MOST_FILTERS: Final = 64
"""Of one client, of each kind; AWS lets a connection have 50."""
MOST_OTHERS: Final = 4
"""Requests about other things, or in other namespaces, that are told apart."""
AGAIN: Final = 3
"""So many ends of connections are again and again."""

ENDS: Final = {
    "CLIENT_INITIATED_DISCONNECT": "it takes leave each time: something in the device ends its connection",
    "CONNECTION_LOST": "the connection breaks without a DISCONNECT: the device's own log may say why",
    "MQTT_KEEP_ALIVE_TIMEOUT": "it is silent for longer than its keep-alive: have its MQTT client send PINGREQ",
    "DUPLICATE_CLIENTID": "another connection has its client id now: its own next one, or a second device's",
    "AUTH_ERROR": "it did what its policy does not allow",
    "CLIENT_ERROR": "it sent what AWS IoT does not take",
}
"""Why connections end, by the disconnectReason of AWS's lifecycle events."""


@dataclass(slots=True)
class _Client:
    """One client id: whether it is connected, and the filters that it has.

    Those that bring notifications are apart: nobody tells of an UNSUBSCRIBE, and a device that has others for each job
    has more and more of them here.
    """

    is_connected: bool = False
    listens: dict[str, None] = field(default_factory=dict)
    others: dict[str, None] = field(default_factory=dict)
    refused: dict[str, None] = field(default_factory=dict)


class Arrival:
    """What was seen so far of the device that `offer` was made to."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._clients: dict[str, _Client] = {}
        self._strangers: dict[str, None] = {}
        self._asked: dict[str, None] = {}
        self._asked_by_name = False
        """Over HTTP, or by the client whose id is the thing's name."""
        self._elsewhere: dict[tuple[str, str | None], None] = {}
        """Other things and namespaces that were asked about."""
        self._refused: ClientRefused | None = None
        """The last refusal that may still stand in its way."""
        self._ends: dict[str, int] = {}
        """How often connections ended, by reason."""
        self._last_end = ""

    # ── what happens ──────────────────────────────────────────────────────────────────────────────────────────

    def feed(self, entry: Entry) -> None:
        """Take note of one entry of the cloud's trace; other events mean nothing here."""
        match entry.event:
            case ClientConnected(thing=name, session_present=goes_on):
                self._connected(name, goes_on=goes_on)
            case ClientDisconnected(thing=name, reason=reason):
                self._disconnected(name, reason)
            case ClientSubscribed(thing=name, filters=filters, refused=refused):
                self._subscribed(name, filters, refused)
            case ClientRefused() as refused_client if refused_client.code not in OF_A_PAST:
                self._refused = refused_client
            case RequestReceived() as request:
                self._received(request)
            case _:
                pass

    def anew(self) -> None:
        """Forget what was asked, refused and ended: for waiting again. Who is connected and listens still does."""
        self._asked.clear()
        self._asked_by_name = False
        self._elsewhere.clear()
        self._ends.clear()
        self._refused = None

    def _connected(self, name: str, *, goes_on: bool) -> None:
        if not self._is_its(name):
            _put(self._strangers, name, None, MOST_OTHERS)
            return
        if self._refused is not None and is_at_the_door(self._refused):
            self._refused = None
        client = self._client(name)
        client.is_connected = True
        if not goes_on:
            for filters in (client.listens, client.others, client.refused):
                filters.clear()

    def _disconnected(self, name: str, reason: str) -> None:
        self._strangers.pop(name, None)
        if name in self._clients:
            self._clients[name].is_connected = False
            self._last_end = reason
            if reason in self._ends or len(self._ends) < len(ENDS) + MOST_OTHERS:
                self._ends[reason] = self._ends.get(reason, 0) + 1

    def _subscribed(self, name: str, filters: tuple[str, ...], refused: tuple[str, ...]) -> None:
        if self._is_its(name):
            client = self._client(name)
            for text in filters:
                _put(client.listens if self._hears(text) else client.others, text, None, MOST_FILTERS)
            for text in refused:
                _put(client.refused, text, None, MOST_FILTERS)

    def _hears(self, text: str) -> tuple[str, ...]:
        return hears(text, self._offer.thing, self._offer.namespace_id)

    def _received(self, request: RequestReceived) -> None:
        if request.client is not None and not self._is_its(request.client):
            return
        offer = self._offer
        if (request.thing, request.namespace_id) == (offer.thing, offer.namespace_id):
            self._asked[request.request] = None
            self._asked_by_name |= request.client is None
        elif request.client is not None or request.thing == offer.thing:
            _put(self._elsewhere, (request.thing, request.namespace_id), None, MOST_OTHERS)

    def _client(self, name: str) -> _Client:
        found = self._clients.pop(name, None) or _Client()
        if len(self._clients) >= MOST_CLIENTS:
            gone = (other for other, client in self._clients.items() if not client.is_connected)
            del self._clients[next(gone, next(iter(self._clients)))]
        self._clients[name] = found
        return found

    def _is_its(self, client_id: str) -> bool:
        return is_client_of(self._offer.thing, client_id)

    # ── what can be said ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_there(self) -> bool:
        """It listens for notifications of its namespace, or has asked about its jobs, over MQTT or HTTP.

        What it does by further connections counts once that by its own name is there: a play knows it by that.
        """
        return self._has_come and bool(self._asked or self._heard())

    def says(self) -> str:
        """What was seen so far, in one line."""
        if not (self._clients or self._asked):
            refused = "" if self._refused is None else f"; refused: {shown(self._refused.why)}"
            stranger = next(reversed(self._strangers), None)
            who = (
                "nothing has connected yet" if stranger is None else f"connected as {shown(stranger)}, which it is not"
            )
            return f"{who}{refused}"
        if not self._clients:
            return f"asked over HTTP ({', '.join(self._asked)})"
        there = "connected" if self._is_connected else f"gone ({shown(self._last_end)})"
        told = [f"listens on {', '.join(self._heard())}"] if self._heard() else []
        told += [f"asked ({', '.join(self._asked)})"] if self._asked else []
        return f"{there}, {' and '.join(told) or 'has not subscribed to notify nor asked'}"

    def wrong(self) -> str | None:
        """What has visibly gone wrong so far, to be told at once; None while nothing has."""
        return self._first(WRONG)

    def trouble(self) -> str | None:
        """Why it is not there, once waiting is over; None if it is there."""
        return None if self.is_there else self._first(WRONG + MISSING)

    def _first(self, looks: "tuple[Callable[[Arrival], str | None], ...]") -> str | None:
        return next((said for look in looks if (said := look(self)) is not None), None)

    @property
    def _has_come(self) -> bool:
        own = self._clients.get(self._offer.thing)
        return self._asked_by_name or (own is not None and own.is_connected)

    @property
    def _is_connected(self) -> bool:
        return any(client.is_connected for client in self._clients.values())

    def _heard(self) -> tuple[str, ...]:
        """The names of the notifications that reach it; without those of a connection that ended, unless it comes back
        to them."""
        found = (
            topic.rpartition("/")[2]
            for client in self._clients.values()
            if client.is_connected
            for text in client.listens
            for topic in self._hears(text)
        )
        return tuple(sorted(set(found)))

    def _filters(self) -> Iterator[str]:
        for client in self._clients.values():
            yield from (*client.refused, *client.others)

    # ── what may be wrong ─────────────────────────────────────────────────────────────────────────────────────

    def _is_two(self) -> str | None:
        if self._ends.get("DUPLICATE_CLIENTID", 0) < AGAIN:
            return None
        return (
            f"two clients use the client id {self._offer.client_id} and end each other's connection, again and again:"
            " is another device, or an older process of it, still running with this certificate?"
        )

    def _is_refused(self) -> str | None:
        refused = self._refused
        if refused is None or ((self._is_connected or self.is_there) and is_at_the_door(refused)):
            return None
        return said_of(refused, self._offer)

    def _is_on_wrong_topics(self) -> str | None:
        offer = self._offer
        if self.is_there:
            return None
        wrong = next(wrongs(self._filters(), offer.thing, offer.namespace_id), None)
        return None if wrong is None else f"the device is connected and subscribes to {wrong}"

    def _asks_elsewhere(self) -> str | None:
        offer = self._offer
        for thing, namespace_id in () if self.is_there else self._elsewhere:
            if thing != offer.thing:
                return f"the device asks for jobs of the thing {shown(thing)}, and this session is about {offer.thing}"
            where = "the default namespace" if namespace_id is None else f"the namespace {shown(namespace_id)}"
            option = "without --namespace-id" if namespace_id is None else f"with --namespace-id {shown(namespace_id)}"
            return f"the device asks for jobs in {where}: start ghostjob certify {option}, or change the device"
        return None

    def _comes_and_goes(self) -> str | None:
        number = sum(self._ends.values())
        if number < AGAIN or self.is_there:
            return None
        most = max(self._ends, key=lambda reason: self._ends[reason])
        return f"the device has connected and left {number} times: {ENDS.get(most, shown(most))}"

    def _is_by_another_id(self) -> str | None:
        there = [name for name, client in self._clients.items() if client.is_connected] or [*self._strangers]
        if self._has_come or not there:
            return None
        thing = self._offer.thing
        return (
            f"a client is connected as {shown(there[-1])}: a device is known by the client id {thing}; set that,"
            " at least for the connection that its Jobs client uses"
        )

    def _is_silent(self) -> str | None:
        offer = self._offer
        if not self._is_connected:
            return None
        topics = " or ".join(notifications(offer.thing, offer.namespace_id))
        return (
            f"the device is connected, and neither subscribes to {topics} nor asks for its jobs:"
            " has its Jobs client been started?"
        )

    def _is_gone(self) -> str | None:
        if not self._clients:
            return None
        return f"the device was connected, and is gone: {ENDS.get(self._last_end, shown(self._last_end))}"

    def _never_came(self) -> str:
        offer = self._offer
        places = [f"MQTT with TLS on port {offer.mqtts_port}"] if offer.mqtts_port is not None else []
        places += [f"MQTT without TLS on port {offer.mqtt_port}"] if offer.mqtt_port is not None else []
        places += [f"HTTPS on port {offer.data_port}"] if offer.data_port is not None else []
        network = "" if offer.host != "127.0.0.1" else "; if it is another machine, add --host 0.0.0.0"
        return (
            f"nothing has connected to {offer.host} ({', '.join(places)}): is the device on, does it use this address"
            f" and port, and does no firewall stand between{network}?"
        )


WRONG: Final = (
    Arrival._is_two,
    Arrival._is_refused,
    Arrival._is_on_wrong_topics,
    Arrival._asks_elsewhere,
    Arrival._is_by_another_id,
    Arrival._comes_and_goes,
)
"""What can be seen to be wrong; the first that is the case is told."""
MISSING: Final = (Arrival._is_silent, Arrival._is_gone, Arrival._never_came)
"""What is missing, when time is up."""


def _put(kept: dict[K, V], key: K, value: V, most: int) -> None:
    """At the end, where there is room for so many; the first goes for it."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
