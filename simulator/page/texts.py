"""What the pages that ship say of an invariant and of a place, in a sentence."""

import re
from functools import cache
from typing import Final

from simulator.docs.topics import Topic, found, topics
from simulator.verdict import INVARIANTS

ABOUT: Final = {invariant.id: f"broken by a device that {invariant.broken_by}" for invariant in INVARIANTS}
CODE: Final = re.compile(r"`([^`]*)`")


def about_invariant(name: str) -> str:
    """What breaks it; empty of one that this version does not know."""
    return ABOUT.get(name, "")


@cache
def about_place(name: str) -> str:
    """What a device did there; `name` as a verdict has it, such as `deleted-in-step fw write`."""
    topic = next(iter(found(f"must_reach.place.{name.split()[0]}", _pages())), None)
    return "" if topic is None else " ".join(CODE.sub(r"\1", topic.text.partition(": ")[2]).split())


@cache
def _pages() -> tuple[Topic, ...]:
    return topics()
