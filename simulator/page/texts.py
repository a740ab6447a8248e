"""What the pages that ship say of an invariant and of a place, in a sentence."""

import re
from functools import cache
from typing import Final

from simulator.docs import page
from simulator.verdict import INVARIANTS

ABOUT: Final = {invariant.id: f"broken by a device that {invariant.broken_by}" for invariant in INVARIANTS}
PLACE: Final = re.compile(r"^- \*\*`([a-z-]+)`\*\*: (.+(?:\n  \S.*)*)", re.MULTILINE)
"""Of a list: what is explained, and how, in a line or several."""


def about_invariant(name: str) -> str:
    """What breaks it; empty of one that this version does not know."""
    return ABOUT.get(name, "")


def about_place(name: str) -> str:
    """What a device did there; `name` as a verdict has it, such as `deleted-in-step fw write`. Empty of one unknown."""
    return _places().get(name.split()[0], "")


@cache
def _places() -> dict[str, str]:
    told = PLACE.findall(page("scenario"))
    return {name: " ".join(text.replace("`", "").split()) for name, text in told}
