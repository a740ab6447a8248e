"""The broker as the HTTP API sees it: what is published goes to MQTT's subscribers, what is retained is read."""

from collections.abc import Callable
from heapq import nsmallest

from simulator.cloud.api.publishing import Publication, RetainedMessage
from simulator.cloud.mqtt.packets import Extra
from simulator.cloud.mqtt.properties import Properties, encoded, user_properties
from simulator.cloud.mqtt.router import Router
from simulator.cloud.mqtt.session import Message as Kept


class HttpMessages:
    """A `simulator.cloud.api.publishing.Broker`. `clock` gives epoch seconds, `now` the broker's time."""

    def __init__(self, router: Router, clock: Callable[[], float], now: Callable[[], float]) -> None:
        self._router = router
        self._clock = clock
        self._now = now

    def publish(self, message: Publication) -> bool:
        """Retain it, if it says so, and give it to all subscribers; False: there is no room to retain it."""
        extra = _extra(message)
        if message.retain:
            assert extra is not None, "a message that is to be retained carries that"
            if not self._router.retain(message.topic, message.payload, message.qos, extra):
                return False
        self._router.publish(message.topic, message.payload, message.qos, None, extra)
        return True

    def retained(self, topic: str) -> RetainedMessage | None:
        """What is kept on a topic, or None."""
        kept = self._router.retained.on(topic, self._router.context.now)
        return None if kept is None else self._shown(*kept)

    def retained_after(self, topic: str | None, count: int) -> list[RetainedMessage]:
        """So many of what is kept, by topic, those after `topic`; None: from the first."""
        found = self._router.retained.all(self._router.context.now)
        wanted = (each for each in found if topic is None or each[0].topic > topic)
        return [self._shown(*each) for each in nsmallest(count, wanted, key=lambda each: each[0].topic)]

    def _shown(self, message: Kept, qos: int) -> RetainedMessage:
        users = () if message.extra is None else tuple(user_properties(message.extra.properties))
        return RetainedMessage(message.topic, message.payload, qos, users, self._clock() + message.since - self._now())


def _extra(message: Publication) -> Extra | None:
    properties = encoded(
        Properties(
            message.is_utf8,
            message.content_type,
            message.response_topic,
            message.correlation_data,
            message.user_properties,
        )
    )
    extra = Extra(properties, message.expiry_seconds, message.retain)
    return None if extra == Extra() else extra
