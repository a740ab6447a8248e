"""What is minted has the lowest name that nobody knows, so that worlds that differ in names alone come to be one.

    client token          NUMBER
    nonce of a report     NUMBER     it is known again by itself, in another life too
    any other nonce       LIFE-      by which no more is known than whose write it was

Lives and numbers share one row of `PLACES` places, and a bit mask says which of them a part of the world knows. A
number takes the lowest that is free, a life the highest: so what a life is called does not depend on which answers are
awaited when it begins. What one step mints beyond its first number is at the same place in another row.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from agent.core.events import Publish, Tell
from agent.correlation import Correlation
from agent.device_events import RequestSent
from agent.values import (
    Answer,
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

PLACES: Final = 64
EVERY_PLACE: Final = (1 << PLACES) - 1


@dataclass(frozen=True, slots=True)
class Numbered(Correlation):
    """Tokens are numbers, of which the caller knows the next; `prefix` is `LIFE-`."""

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


def free_places(known: int) -> int:
    """Of the places that are not in the mask the lowest, and, `PLACES` times that, the highest."""
    lowest = (~known & (known + 1)).bit_length() - 1
    return lowest + PLACES * ((~known & EVERY_PLACE).bit_length() - 1)


@lru_cache(maxsize=4096)
def place_of(name: str) -> int:
    """The place of a token or nonce, as a mask; what is none of ours has none."""
    number = name.removesuffix("-")
    return 1 << int(number) % PLACES if number.isdecimal() else 0


def places_of(names: Iterable[str]) -> int:
    """The places of several."""
    known = 0
    for name in names:
        known |= place_of(name)
    return known


def places_in_details(details: StatusDetails | None) -> int:
    """Of the nonce there."""
    return place_of(dict(details).get("nonce", "")) if details else 0


@lru_cache(maxsize=65536)
def places_in(body: Request | Answer | Hint) -> int:
    """All that a message names."""
    known = place_of(getattr(body, "client_token", None) or "")
    match body:
        case StartNext(status_details=details) | Update(status_details=details):
            return known | places_in_details(details)
        case ExecutionTold(execution=execution) | NextChanged(execution=execution) if execution is not None:
            return known | places_in_details(execution.status_details)
        case UpdateAccepted(state=state) | Rejected(state=state) if state is not None:
            return known | places_in_details(state.status_details)
        case _:
            return known
