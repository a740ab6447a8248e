"""Retained messages over HTTP: GetRetainedMessage and ListRetainedMessages (API reference, "AWS IoT data").

They are the messages that MQTT clients get who subscribe later; to read them over HTTP needs no subscription.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Final

from simulator.cloud.api.api_errors import not_found
from simulator.cloud.api.backing import Parameters
from simulator.cloud.api.paging import Key, page_of_many, sized
from simulator.cloud.api.publishing import Broker, RetainedMessage

PATH: Final = "/retainedMessage"
LONGEST_PAGE: Final = 200


class RetainedMessages:
    """Both operations, by name."""

    def __init__(self, broker: Broker, page_size: int) -> None:
        self._broker = broker
        self._page_size = page_size
        self.operations: dict[str, Callable[[Parameters], Parameters]] = {
            "GetRetainedMessage": self._get,
            "ListRetainedMessages": self._list,
        }

    def _get(self, given: Parameters) -> Parameters:
        kept = self._broker.retained(given["topic"])
        if kept is None:
            raise not_found(f"No message is retained on topic {given['topic'][:256]}.")
        told = _summary(kept) | {"payload": b64encode(kept.payload).decode()}
        if kept.user_properties:
            text = json.dumps([{name: value} for name, value in kept.user_properties], separators=(",", ":"))
            told["userProperties"] = b64encode(text.encode()).decode()
        return told

    def _list(self, given: Parameters) -> Parameters:
        def walk(after: Key | None, count: int) -> Iterable[RetainedMessage]:
            return self._broker.retained_after(None if after is None else str(after[0]), count)

        operation = "ListRetainedMessages"
        wanted = sized(operation, given, min(self._page_size, LONGEST_PAGE))
        shown, token = page_of_many(operation, wanted, walk, lambda kept: (kept.topic,))
        return {
            "retainedTopics": [_summary(kept) | {"payloadSize": len(kept.payload)} for kept in shown],
            "nextToken": token,
        }


def _summary(kept: RetainedMessage) -> Parameters:
    return {"topic": kept.topic, "qos": kept.qos, "lastModifiedTime": round(kept.modified_at * 1000)}
