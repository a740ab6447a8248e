"""Who gets which message: whoever subscribed, once, at the lower of both QoS.

A message that few hear is given to them at once; what many hear goes in turns (`fan_out`). Of a shared subscription one
member gets it (`sharing`).
"""

from collections.abc import Callable
from typing import Final

from simulator.cloud.contained import contained
from simulator.cloud.mqtt.client import Client
from simulator.cloud.mqtt.context import BrokerContext
from simulator.cloud.mqtt.fan_out import AT_ONCE, MOST_OWED, FanOut, Owed
from simulator.cloud.mqtt.filters import SHARED, Subscriptions
from simulator.cloud.mqtt.packets import NO_LOCAL, RETAIN_AS_PUBLISHED, Extra
from simulator.cloud.mqtt.retained import RetainedStore
from simulator.cloud.mqtt.session import Message, Session
from simulator.cloud.mqtt.shared_subscriptions import Draw
from simulator.cloud.mqtt.sharing import Sharing
from simulator.cloud.notices.refusals import Notice

CLEARED_AT_ONCE: Final = 100
"""Places in the index of subscriptions, of sessions that are over: a tenth of a millisecond."""


class Router:
    """Every subscription of one broker, and what is retained."""

    def __init__(self, context: BrokerContext, draw: Draw, at_once: int = AT_ONCE) -> None:
        self.context = context
        self.connected: dict[Session, Client] = {}
        """Who is connected with each session; those that nobody is connected with are not here."""
        self.subscriptions: Subscriptions[Session] = Subscriptions()
        self.retained = RetainedStore(context.settings.retained_messages)
        self.fan_out = FanOut(context.scheduler, self._give, self._tell_too_much, at_once)
        self.sharing = Sharing(context, self.fan_out, self.connected, draw)
        self.overheard: dict[str, list[Callable[[bytes], None]]] = {}
        """Who in this process hears what is published on a topic, without being anybody's client."""
        self._is_clearing_up = False
        """Whether the places of who went are going to be looked at."""

    # ── messages ──────────────────────────────────────────────────────────────────────────────────────────────

    def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int = 1,
        origin: Session | None = None,
        extra: Extra | None = None,
        *,
        after: int = 0,
    ) -> None:
        """Give a message to every subscriber, once, at the lower of both QoS; QoS 1 waits for persistent sessions.

        It leaves when the commit `after` is done.
        """
        if (network := self.context.network) is None or topic[0] != "$":
            self.publish_now(topic, payload, qos, origin, extra, after)
        else:
            self.context.carry(
                network, topic, payload, lambda _: self.publish_now(topic, payload, qos, origin, extra, after)
            )

    def publish_now(
        self, topic: str, payload: bytes, qos: int, origin: Session | None, extra: Extra | None, after: int
    ) -> None:
        """The same, whatever faults the network has."""
        now = extra if extra is None or not extra.retain else extra._replace(retain=False)
        found = self.subscriptions.matching(topic)
        several: dict[tuple[int, int], Owed] = {}  # one for all who get it alike
        for session, what in found.items():
            owed = several.get(what)
            if owed is None:
                carried = extra if what[1] & RETAIN_AS_PUBLISHED else now
                message = Message(topic, payload, None, carried, self.context.now)
                owed = several[what] = Owed(message, min(qos, what[0]), after)
            if what[1] & NO_LOCAL and session is origin:
                continue
            if len(found) <= self.fan_out.at_once and session not in self.fan_out.owed:
                self._give(session, owed)
            elif owed.qos or session in self.connected:
                self.fan_out.owe(session, owed)
                if owed.qos:
                    self.context.note(session)
        if self.sharing.groups.by_text:
            self.sharing.give(topic, payload, now, qos, after)
        if self.overheard and topic in self.overheard:
            for hear in tuple(self.overheard[topic]):
                contained("overhearing", hear, payload)

    def overhear(self, topic: str, hear: Callable[[bytes], None]) -> Callable[[], None]:
        """Have `hear` called with every message on a topic, first with the one that is retained; the result ends it."""
        hearers = self.overheard.setdefault(topic, [])
        hearers.append(hear)

        def stop() -> None:
            hearers.remove(hear)
            if not hearers:
                self.overheard.pop(topic, None)

        if (kept := self.retained.on(topic, self.context.now)) is not None:
            hear(kept[0].payload)
        return stop

    def _give(self, session: Session, owed: Owed) -> None:
        """Give a message to a session, or to the group whose queue it is."""
        message, level, after = owed
        client = self.connected.get(session)
        if client is not None:
            client.deliver(message, level, after)
        elif session.client_id.startswith(SHARED):
            self.sharing.give_owed(session, owed)
        elif level:
            self.context.commits.newest = max(self.context.commits.newest, after)
            session.store(message)
            self.context.note(session)
            if session.lost is not None:
                self.context.tell_lost(session)

    def _tell_too_much(self, session: Session, owed: Owed) -> None:
        why = f"{MOST_OWED} messages that many hear are owed to it already: the oldest goes"
        resource = f"topic/{owed.message.topic}"
        self.context.tell(Notice("queue-full", "iot:Receive", resource, why, session.client_id))

    def retain(self, topic: str, payload: bytes, qos: int, extra: Extra, since: float | None = None) -> bool:
        """Keep a message for those who subscribe to its topic later; False if there is no room.

        `since` is of one that was kept before, and need not be noted.
        """
        context = self.context
        has_room = self.retained.keep(topic, payload, qos, extra, context.now if since is None else since)
        if context.persistence is not None and has_room and since is None:
            kept = self.retained.on(topic, context.now)
            context.persistence.retained(topic, kept and kept[0], qos)
        return has_room

    # ── subscriptions ─────────────────────────────────────────────────────────────────────────────────────────

    def is_heard(self, topic: str) -> bool:
        """Whether anybody would get a message."""
        return bool(self.subscriptions.matching(topic))

    def subscribe(self, session: Session, text: str, qos: int, options: int) -> None:
        """Add a subscription to a session, or change it."""
        session.filters[text] = (qos, options)
        if text.startswith(SHARED):
            self.sharing.groups.add(text, session, qos)
        else:
            self.subscriptions.add(text, session, qos, options)
        self.context.note(session)

    def unsubscribe(self, session: Session, text: str) -> bool:
        """Whether there was such a subscription; it is gone now."""
        if session.filters.pop(text, None) is None:
            return False
        self.fan_out.settle(session)
        if text.startswith(SHARED):
            self.sharing.leave(text, session)
        else:
            self.subscriptions.remove(text, session)
        self.context.note(session)
        return True

    def forget(self, session: Session) -> None:
        """A session is over, and its subscriptions with it."""
        self.fan_out.take(session)
        for text in session.filters:
            if text.startswith(SHARED):
                self.sharing.leave(text, session)
        if plain := [text for text in session.filters if not text.startswith(SHARED)]:
            self.subscriptions.leave(session, plain)
            if not self._is_clearing_up:  # many may go at once, each with many filters
                self._is_clearing_up = True
                self.fan_out.when_caught_up(self._clear_up)

    def _clear_up(self) -> None:
        self._is_clearing_up = self.subscriptions.clear_up(CLEARED_AT_ONCE)
        if self._is_clearing_up:
            self.fan_out.when_caught_up(self._clear_up)
