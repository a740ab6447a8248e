"""Shared subscriptions: `$share/NAME/FILTER` has each message go to one member of a group, chosen at random.

AWS has them for both versions of MQTT (Developer Guide, "MQTT": Shared Subscriptions). Subscriptions of the same name
and filter are one group. A message of QoS 1 that no member can take now waits for the group, if a member's session
lasts; it goes to whoever can take it first. What was sent to a member and not acknowledged when its connection ended
goes to another.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from simulator.cloud.mqtt.filters import SHARED, Subscriptions, is_valid_filter
from simulator.cloud.mqtt.session import Session

Draw: TypeAlias = Callable[[int], int]
LONGEST_NAME: Final = 128
"""Characters of a share name (Developer Guide, ditto)."""


class SharedFilter(NamedTuple):
    """The parts of `$share/NAME/FILTER`."""

    name: str
    filter: str

    @property
    def prefix(self) -> str:
        """What stands before the filter, and in policies before the topic."""
        return f"{SHARED}{self.name}/"


def split(text: str) -> SharedFilter | None:
    """The parts of a shared subscription's filter; None if it is no valid one."""
    name, slash, rest = text.removeprefix(SHARED).partition("/")
    if not name or not slash or len(name) > LONGEST_NAME or "+" in name or "#" in name or not is_valid_filter(rest):
        return None
    return SharedFilter(name, rest)


@dataclass(slots=True, eq=False)
class SharedSubscription:
    """The members of one shared subscription in the order in which they came, and what waits for any of them.

    `queue` is a session that nobody connects to: no client id begins with `$share/`.
    """

    text: str
    what: SharedFilter
    queue: Session
    members: dict[Session, int] = field(default_factory=dict)
    """With the QoS that each was granted."""

    @property
    def may_wait(self) -> bool:
        """Whether a message may wait for it: a member's session lasts, and takes messages of QoS 1."""
        return any(qos and session.expiry_seconds for session, qos in self.members.items())


class SharedSubscriptions:
    """Every shared subscription of one broker. `draw` gives a number below the one it is given, by chance."""

    def __init__(self, draw: Draw, lasts_seconds: int) -> None:
        self._draw = draw
        self._lasts_seconds = lasts_seconds
        self.by_text: dict[str, SharedSubscription] = {}
        self.index: Subscriptions[SharedSubscription] = Subscriptions()

    def add(self, text: str, session: Session, qos: int) -> None:
        """Add a member, or change its QoS. `text` has been found valid."""
        group = self.by_text.get(text)
        if group is None:
            what = split(text)
            assert what is not None, "only valid filters come here"
            group = self.by_text[text] = SharedSubscription(
                text, what, Session(text, expiry_seconds=self._lasts_seconds)
            )
            self.index.add(what.filter, group, 1)
        group.members[session] = qos

    def remove(self, text: str, session: Session) -> SharedSubscription | None:
        """Take a member away; the group, if that was its last."""
        group = self.by_text.get(text)
        if group is None or group.members.pop(session, None) is None or group.members:
            return None
        del self.by_text[text]
        self.index.remove(group.what.filter, group)
        return group

    def by_chance(self, group: SharedSubscription) -> Iterator[Session]:
        """The members in an order of chance, which costs what is taken of it."""
        left = list(group.members)
        while left:
            at = self._draw(len(left)) if len(left) > 1 else 0
            left[at], left[-1] = left[-1], left[at]
            yield left.pop()
