"""Names for what is minted: client tokens, nonces, and lives of an agent, each called by the lowest free number.

A token is `LIFE-NUMBER`. Lives and numbers share one row of `PLACES` places, and a bit mask says which of them a part
of the world knows; what no part knows may be used again. That is how worlds that differ in names alone come to be one.
A number beyond the row stands at the same place in another row: the second and third that one step mints.
"""

from functools import lru_cache
from typing import Final

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
NOBODY: Final = 0


def lowest_free(known: int) -> int:
    """The lowest place that is not in the mask."""
    return (~known & (known + 1)).bit_length() - 1


@lru_cache(maxsize=4096)
def places_of(token: str) -> int:
    """The places of a token, as a mask: of its life, and of its number. What is no token of ours has none."""
    life, dash, number = token.partition("-")
    if not (dash and life.isdecimal() and number.isdecimal()):
        return NOBODY
    return 1 << int(life) % PLACES | 1 << int(number) % PLACES


def places_in_details(details: StatusDetails | None) -> int:
    """Of the nonce there."""
    return places_of(dict(details).get("nonce", "")) if details else NOBODY


@lru_cache(maxsize=65536)
def places_in(body: Request | Answer | Hint) -> int:
    """All that a message names."""
    known = places_of(getattr(body, "client_token", None) or "")
    match body:
        case StartNext(status_details=details) | Update(status_details=details):
            return known | places_in_details(details)
        case ExecutionTold(execution=execution) | NextChanged(execution=execution) if execution is not None:
            return known | places_in_details(execution.status_details)
        case UpdateAccepted(state=state) | Rejected(state=state) if state is not None:
            return known | places_in_details(state.status_details)
        case _:
            return known
