"""Topic filters: which are valid, what they match, and who subscribed to what matches a topic.

Filters without wildcards stand in one dict. The others are found by the text before their first wildcard: a topic has
few such prefixes, and the filters of one device share two or three of them. Below a prefix they stand by their shape,
which is where their wildcards are, and then by what they want of the other levels: however many filters there are, a
topic looks each shape up once. With eight levels, as AWS has them, there are some five hundred shapes at most.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

S = TypeVar("S")
Subscribers: TypeAlias = dict[S, tuple[int, int]]
"""Subscribers of one filter, with QoS and options."""

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


class _Shape(NamedTuple):
    """Of what follows a prefix: how many levels, whether `#` follows them, and which of them are literal."""

    levels: int
    is_open: bool
    literal: tuple[int, ...]


def _shaped(rest: str) -> tuple[_Shape, tuple[str, ...]]:
    """The shape of what follows a prefix, and its literal levels."""
    levels = rest.split("/")
    is_open = levels[-1] == "#"
    if is_open:
        levels.pop()
    literal = tuple(at for at, level in enumerate(levels) if level != "+")
    return _Shape(len(levels), is_open, literal), tuple(levels[at] for at in literal)


class _Index(Generic[S]):
    """Filters of one QoS, and who subscribed to each."""

    __slots__ = ("exact", "wild")

    def __init__(self) -> None:
        self.exact: dict[str, Subscribers[S]] = {}
        self.wild: dict[str, dict[_Shape, dict[tuple[str, ...], Subscribers[S]]]] = {}

    def add(self, text: str, subscriber: S, what: tuple[int, int]) -> None:
        prefix = _prefix(text)
        if prefix is None:
            self.exact.setdefault(text, {})[subscriber] = what
        else:
            shape, literal = _shaped(text[len(prefix) :])
            alike = self.wild.setdefault(prefix, {}).setdefault(shape, {})
            alike.setdefault(literal, {})[subscriber] = what

    def remove(self, text: str, subscriber: S) -> None:
        prefix = _prefix(text)
        if prefix is None:
            found = self.exact.get(text, {})
            found.pop(subscriber, None)
            if not found:
                self.exact.pop(text, None)
            return
        shape, literal = _shaped(text[len(prefix) :])
        shapes = self.wild.get(prefix, {})
        alike = shapes.get(shape, {})
        found = alike.get(literal, {})
        found.pop(subscriber, None)
        if not found:
            alike.pop(literal, None)
        if not alike:
            shapes.pop(shape, None)
        if not shapes:
            self.wild.pop(prefix, None)

    def matching(self, topic: str) -> Iterator[Subscribers[S]]:
        """Of each filter that matches, who subscribed to it."""
        if topic in self.exact:
            yield self.exact[topic]
        if not self.wild:
            return
        position = 0
        while True:
            # A leading wildcard does not match a topic that begins with $ (MQTT 5, 4.7.2).
            shapes = self.wild.get(topic[:position]) if position or not topic.startswith("$") else None
            if shapes:
                rest = topic[position:].split("/")
                for (count, is_open, literal), alike in shapes.items():
                    # AWS deviates from the standard: `a/#` does not match `a` (Developer Guide, "MQTT").
                    if len(rest) > count if is_open else len(rest) == count:
                        found = alike.get(tuple([rest[at] for at in literal]))
                        if found is not None:
                            yield found
            position = topic.find("/", position) + 1
            if not position:
                return


class Subscriptions(Generic[S]):
    """Who subscribed to what; values are (QoS, options).

    There is an index for either QoS, so that whoever has several filters that match a topic is found once, and with
    the higher of their QoS, by putting whole dicts over one another: 20,000 subscriptions cost half a millisecond.
    """

    __slots__ = ("_by_qos", "_gone")

    def __init__(self) -> None:
        self._by_qos: tuple[_Index[S], _Index[S]] = (_Index(), _Index())
        self._gone: dict[S, list[str]] = {}
        """Who is not found any more, and where he still stands."""

    def __bool__(self) -> bool:
        return any(index.exact or index.wild for index in self._by_qos)

    def add(self, text: str, subscriber: S, qos: int, options: int = 0) -> None:
        """Subscribe, or change a subscription's QoS, which is 0 or 1."""
        self._by_qos[1 - qos].remove(text, subscriber)
        self._by_qos[qos].add(text, subscriber, (qos, options))

    def remove(self, text: str, subscriber: S) -> None:
        """Unsubscribe; no matter if there was no such subscription."""
        for index in self._by_qos:
            index.remove(text, subscriber)

    def leave(self, subscriber: S, texts: Iterable[str]) -> None:
        """A subscriber goes for good: no topic finds it any more, and `clear_up` takes it out where it stands."""
        self._gone[subscriber] = list(texts)

    def clear_up(self, count: int) -> bool:
        """Take those who went out of so many places; whether there are more."""
        while count > 0 and self._gone:
            subscriber, texts = next(iter(self._gone.items()))
            while texts and count > 0:
                self.remove(texts.pop(), subscriber)
                count -= 1
            if not texts:
                del self._gone[subscriber]
        return bool(self._gone)

    def matching(self, topic: str) -> Subscribers[S]:
        """Each subscriber once, with the highest QoS that its matching filters grant."""
        found: Subscribers[S] = {}
        for index in self._by_qos:
            for each in index.matching(topic):
                found.update(each)
        if self._gone and found:
            return {subscriber: what for subscriber, what in found.items() if subscriber not in self._gone}
        return found


def _prefix(text: str) -> str | None:
    """The whole levels before the first wildcard; None if there is none."""
    first = min((at for at in (text.find("+"), text.find("#")) if at >= 0), default=-1)
    return None if first < 0 else text[:first]
