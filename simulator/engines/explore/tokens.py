"""Names of what is minted: a few, given anew after every step, so that worlds that differ in names alone are one.

    client token          1     of the newest attempt, while its answer would be heard
                          2, …  of what else is in flight, in the order in which it first stands there
    nonce of a report     1000, 1001, …  as the device's journal has them: they are known again in another life
    any other nonce       1-    of the agent that runs, by which no more is known than whose write it was
                          0-    of all that was before: nobody can tell one from another any more

What a step mints it calls otherwise, where such a name is taken: see `FRESH`. When the step is done, what names are
called now follows from the device (`Names`), then from its net (`Tokens`), and the service and what is watched are
told. So equal worlds are equal, whatever came before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, TypeAlias

from agent.core.events import Publish, Tell
from agent.correlation import Correlation
from agent.device_events import RequestSent
from agent.values import (
    Answer,
    Execution,
    ExecutionState,
    ExecutionTold,
    Hint,
    NextChanged,
    Rejected,
    Request,
    StartNext,
    StatusDetails,
    Update,
    UpdateAccepted,
)

AWAITED: Final = 1
"""The token of the newest attempt while its answer would be heard; at no other time is there one of that name."""
FRESH: Final = 48
"""From here on tokens are called that a step mints while the other name is taken."""
PLACES: Final = 64
"""All tokens are below, so that a mask of bits can tell which are known."""
LAST: Final = PLACES - 1
"""That which no step mints: see `accounts.AGAIN`."""
REPORTS: Final = 1_000
OURS, OTHERS = "1-", "0-"

Tokens: TypeAlias = tuple[tuple[str, str], ...]
"""Every token that can still be heard of at one side, and what it is called from now on."""


class Names(NamedTuple):
    """What a device calls its own: its life (0: no agent runs), the nonces of its reports, the token it waits for."""

    life: int = 0
    reports: tuple[str, ...] = ()
    awaited: str = ""

    @property
    def next(self) -> "Names":
        """What it calls them from now on."""
        reports = tuple(str(REPORTS + number) for number, _ in enumerate(self.reports))
        return Names(min(self.life, 1), reports, str(AWAITED) if self.awaited else "")

    def nonce(self, nonce: str) -> str:
        """What a nonce is called from now on; what the device does not know is somebody else's for ever."""
        if nonce in self.reports:
            return str(REPORTS + self.reports.index(nonce))
        return OURS if self.life and nonce == f"{self.life}-" else OTHERS

    def details(self, details: StatusDetails) -> StatusDetails:
        """Details with their nonce, if they have any, called so."""
        for key, text in details:
            if key == "nonce" and (called := self.nonce(text)) != text:
                return tuple((key, called if key == "nonce" else text) for key, text in details)
        return details


STRANGER: Final = Names()
"""Knows nothing."""


@dataclass(frozen=True, slots=True)
class Numbered(Correlation):
    """Tokens are numbers, of which the caller knows the next; `prefix` is that of a life."""

    @property
    def token(self) -> str:
        """The client token of the newest attempt."""
        return str(self.sent)

    @property
    def _next(self) -> str:
        return str(self.sent + 1)

    def _publish(self, effect: Publish) -> tuple[Correlation, Tell, Publish]:
        """With no more in its nonce than whose it is, unless it is a report's."""
        after, told, published = Correlation._publish(self, effect)
        request = published.request
        if isinstance(request, StartNext | Update) and request.status_details and isinstance(told.event, RequestSent):
            details = self._shortened(request.status_details)
            request = replace(request, status_details=details)
            told, published = Tell(replace(told.event, details=details)), replace(published, request=request)
        return after, told, published

    def _shortened(self, details: StatusDetails) -> StatusDetails:
        reports = dict(self.reports).values()
        return tuple((key, self.prefix if key == "nonce" and text not in reports else text) for key, text in details)


def place_of(token: str) -> int:
    """Of a token, as a mask."""
    return 1 << int(token)


def token_of(body: Request | Answer | Hint) -> str:
    """That of a request or an answer; empty if it has none."""
    return getattr(body, "client_token", None) or ""


def with_token(body: Any, token: str) -> Any:
    """The same message with another."""
    return body if token_of(body) == token else _with(body, client_token=token)


def with_nonce(body: Any, names: Names, namespace: str | None) -> Any:
    """A message of a device in that namespace, with the nonce in it called as the device calls it now.

    What another agent of its thing wrote is not its own, whatever that calls it.
    """
    match body:
        case StartNext(status_details=details) | Update(status_details=details) if details:
            return _replaced(body, "status_details", details, names.details)
        case ExecutionTold(execution=Execution() as told) | NextChanged(execution=Execution() as told):
            known = names if told.key.namespace_id == namespace else STRANGER
            return _replaced(body, "execution", told, lambda told: _told_as(told, known))
        case UpdateAccepted(state=ExecutionState() as state) | Rejected(state=ExecutionState() as state):
            return _replaced(body, "state", state, lambda state: _told_as(state, names))
        case _:
            return body


def _told_as(told: Any, names: Names) -> Any:
    return _replaced(told, "status_details", told.status_details, names.details)


def _replaced(whole: Any, field: str, part: Any, changed: Callable[[Any], Any]) -> Any:
    """With that part of it changed; the very same if that changes nothing."""
    after = changed(part)
    return whole if after is part else _with(whole, **{field: after})


def _with(whole: Any, **more: Any) -> Any:
    """With something changed; answers are tuples, all else is not."""
    return whole._replace(**more) if hasattr(whole, "_replace") else replace(whole, **more)


def places_of(tokens: Tokens) -> int:
    """Of all tokens that can still be heard of, before they are called otherwise."""
    return sum(place_of(token) for token, _ in tokens)


def unchanged(tokens: Tokens) -> int:
    """Of those that keep their names."""
    return sum(place_of(token) for token, called in tokens if token == called)
