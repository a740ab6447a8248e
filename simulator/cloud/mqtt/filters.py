"""Topic filters: which are valid, what they match, and who subscribed to what matches a topic.

Filters without wildcards stand in one dict. The others are found by the text before their first wildcard: a topic has
few such prefixes, and the filters of one device share two or three of them.
"""

from typing import Final, Generic, TypeVar

S = TypeVar("S")

SHARED: Final = "$share/"


def is_valid_filter(text: str) -> bool:
    """Whether the wildcards stand where they may (MQTT 5, 4.7.1)."""
    if not text:
        return False
    levels = text.split("/")
    return all(
        level == "+" or (level == "#" and index == len(levels) - 1) or not ("+" in level or "#" in level)
        for index, level in enumerate(levels)
    )


def matches(levels: tuple[str, ...], topic: list[str]) -> bool:
    """Whether the filter of `levels` matches. AWS deviates from the standard: `a/#` does not match `a`
    (Developer Guide, "MQTT")."""
    for index, level in enumerate(levels):
        if level == "#":
            return len(topic) > index
        if index >= len(topic) or (level not in ("+", topic[index])):
            return False
    return len(levels) == len(topic)


class Subscriptions(Generic[S]):
    """Who subscribed to what; values are (QoS, options)."""

    __slots__ = ("_exact", "_wild")

    def __init__(self) -> None:
        self._exact: dict[str, dict[S, tuple[int, int]]] = {}
        self._wild: dict[str, dict[tuple[str, ...], dict[S, tuple[int, int]]]] = {}

    def add(self, text: str, subscriber: S, qos: int, options: int = 0) -> None:
        """Subscribe, or change a subscription's QoS."""
        prefix = _prefix(text)
        if prefix is None:
            self._exact.setdefault(text, {})[subscriber] = (qos, options)
        else:
            levels = tuple(text[len(prefix) :].split("/"))
            self._wild.setdefault(prefix, {}).setdefault(levels, {})[subscriber] = (qos, options)

    def remove(self, text: str, subscriber: S) -> None:
        """Unsubscribe; no matter if there was no such subscription."""
        prefix = _prefix(text)
        if prefix is None:
            held = self._exact.get(text, {})
            held.pop(subscriber, None)
            if not held:
                self._exact.pop(text, None)
            return
        levels = tuple(text[len(prefix) :].split("/"))
        patterns = self._wild.get(prefix, {})
        held = patterns.get(levels, {})
        held.pop(subscriber, None)
        if not held:
            patterns.pop(levels, None)
        if not patterns:
            self._wild.pop(prefix, None)

    def matching(self, topic: str) -> dict[S, tuple[int, int]]:
        """Each subscriber once, with the highest QoS that its matching filters grant."""
        exact = self._exact.get(topic)
        found = dict(exact) if exact else {}
        if self._wild:
            self._add_wild(topic, found)
        return found

    def _add_wild(self, topic: str, found: dict[S, tuple[int, int]]) -> None:
        position = 0
        while True:
            # A leading wildcard does not match a topic that begins with $ (MQTT 5, 4.7.2).
            patterns = self._wild.get(topic[:position]) if position or not topic.startswith("$") else None
            if patterns:
                rest = topic[position:].split("/")
                for levels, held in patterns.items():
                    if matches(levels, rest):
                        for subscriber, granted in held.items():
                            if subscriber not in found or found[subscriber][0] < granted[0]:
                                found[subscriber] = granted
            position = topic.find("/", position) + 1
            if not position:
                return


def _prefix(text: str) -> str | None:
    """The whole levels before the first wildcard; None if there is none."""
    first = min((at for at in (text.find("+"), text.find("#")) if at >= 0), default=-1)
    return None if first < 0 else text[:first]
