"""How the core calls the nonces in statusDetails by which a write of ours is known again.

The shell mints them, and puts one of these names in the place of each before the core sees it (`agent.correlation`): so
no state counts them, and none tells one life of the agent from another.
"""

from typing import Final

from agent.values import StatusDetails

OURS: Final = "ours"
"""Written in this life of the agent: a claim, or how far a step is."""
OTHER: Final = "other"
"""Written by an agent like this one, in another life, or on another device."""
REPORTS: Final = ("report-a", "report-b")
"""Two terminal reports, since more do not stand on record: the one that is open, and the one of the last execution."""


def mark_in(details: StatusDetails | None) -> str | None:
    """Whose write statusDetails are; None if no agent like this one wrote them."""
    return dict(details or ()).get("nonce")


def new_report(finished: str) -> str:
    """What a new report is called while that of the last execution is called `finished`."""
    return REPORTS[finished == REPORTS[0]]
