"""What is to be seen after a choice, and whether it is what is seen.

The explorer calls tokens anew after every step, and an engine never does; so they are compared by whose they are. What
only one of the two tells is nobody's fault: receipts and subscriptions, and a journal's writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from agent.device_events import JournalWritten, RequestSent
from agent.values import Answer
from simulator.cloud.device_api.fault_injection import ANSWERS
from simulator.cloud.settings.service import MessageKind
from simulator.engines.explore.device import MOST_ATTEMPTS
from simulator.engines.explore.net import Message
from simulator.engines.explore.tokens import Tokens
from simulator.trace import AnswerDelivered, ClientSubscribed, CloudEvent, CloudListening
from simulator.trace.flash_events import DeviceAccount

Told: TypeAlias = CloudEvent | DeviceAccount
UNCOMPARED: Final = (AnswerDelivered, ClientSubscribed, CloudListening, JournalWritten)
TOKENS: Final = ("client_token", "learned_from")


@dataclass(slots=True)
class Names:
    """What the explorer calls the tokens of one device of an engine."""

    _called: dict[str, str] = field(default_factory=dict)

    def same(self, expected: Told, seen: Told) -> bool:
        """Whether that is the event that was expected; a request's token is learned here."""
        if isinstance(expected, RequestSent) and isinstance(seen, RequestSent):
            self._called[seen.client_token] = expected.client_token
        return plain(expected) == plain(self._renamed(seen))

    def become(self, tokens: Tokens) -> None:
        """What they are called after the step; of two that had one name it is the later that counts from now on."""
        latest = {called: token for token, called in self._called.items()}
        self._called = {latest[called]: becomes for called, becomes in tokens if called in latest}

    def _renamed(self, seen: Told) -> Told:
        changed: dict[str, Any] = {}
        for name in TOKENS:
            if token := getattr(seen, name, None):
                changed[name] = self._called.get(token, f"unknown {token}")
        return replace(seen, **changed) if changed else seen


def plain(event: Told) -> Told:
    """The event without what the two cannot have alike: nonces, numbers of answers, for how long one was held."""
    changed: dict[str, Any] = {}
    if (details := getattr(event, "details", None)) is not None:
        pairs = details.items() if isinstance(details, Mapping) else details
        changed["details"] = tuple(sorted(pair for pair in pairs if pair[0] != "nonce"))
    if (attempt := getattr(event, "attempt", None)) is not None:
        changed["attempt"] = min(attempt, MOST_ATTEMPTS + 1)
    changed |= {name: value for name, value in (("number", None), ("late_seconds", 0.0)) if hasattr(event, name)}
    return replace(event, **changed) if changed else event


def compared(events: Sequence[Told]) -> list[Told]:
    """Those that both tell."""
    return [event for event in events if not isinstance(event, UNCOMPARED)]


def kinds_of(messages: Sequence[Message]) -> list[MessageKind]:
    """What messages in flight are, as the network calls them."""
    return [kind_of(message) for message in messages]


def kind_of(message: Message) -> MessageKind:
    """What a message is, as the network calls it."""
    kind: Any = message.name.partition(" ")[0]
    return ANSWERS[kind] if isinstance(message.body, Answer) else kind


def first_difference(expected: Sequence[Told], seen: Sequence[Told], names: Names) -> tuple[str, str] | None:
    """What was expected, and what is seen in its place; None as long as nothing else than that is seen."""
    for number, event in enumerate(seen):
        if number >= len(expected):
            return "nothing more", brief(event)
        if not names.same(expected[number], event):
            return brief(expected[number]), brief(event)
    return None


def brief(event: Told) -> str:
    """An event in a line."""
    told = {name: getattr(event, name) for name in event.__dataclass_fields__ if name not in ("type", "thing", "slots")}
    return " ".join((event.type, *(f"{name}={value}" for name, value in told.items() if value not in (None, "", ()))))
