"""What only people, or a clock, could tell apart: outcomes that are one once their words, or their waits, are blank.

Our agent decides nothing by words and by waits: states that differ in no more do the same, up to their words (a test
holds that of all that is met). So a mutation that changes no more than words, wherever it makes a difference, leads
nowhere that our agent does not go; and one that changes waits is for the virtual engine, which has time.
"""

from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

from agent.core.events import Tell
from agent.core.state import DevicePolicy
from tests.explore.mutations.changes import WORDS

Difference: TypeAlias = Literal["", "words", "waits", "deeds"]
DIFFERENCES: Final[tuple[Difference, ...]] = ("", "words", "waits", "deeds")
"""Each is more than those before it."""
TOLD: Final = WORDS | {"safe", "told_waiting"}
"""Fields of which it counts at most that there are words."""
WAITS: Final = frozenset({"after_seconds", "spread_seconds", "attempt", "waits"})
"""Fields that say how long somebody waits, or how often one has waited."""
DETAILS: Final = frozenset({"reason", "stdout", "cause", "progress", "waiting", "version"})
"""Keys of statusDetails that are for people."""
SOME: Final = "…"
"""For any words at all."""


def difference(one: Any, other: Any) -> Difference:
    """What tells two outcomes of a step apart."""
    if one == other:
        return ""
    if isinstance(one, Exception) or isinstance(other, Exception):
        return "deeds"
    if _blank(one) == _blank(other):
        return "words"
    return "waits" if _blank(one, without_waits=True) == _blank(other, without_waits=True) else "deeds"


def worse(one: Difference, other: Difference) -> Difference:
    """The one that is more."""
    return max(one, other, key=DIFFERENCES.index)


def wordless(part: Any) -> Any:
    """A state, an event or an outcome, of which words and waits are blank."""
    return _blank(part, without_waits=True)


@lru_cache(maxsize=1 << 16)
def _blank(part: Any, *, without_waits: bool = False) -> Any:
    """The same with no words; what is told is left out, and so are details for people."""
    if isinstance(part, tuple):
        return tuple(_blank(each, without_waits=without_waits) for each in part if not isinstance(each, Tell))
    if not is_dataclass(part) or isinstance(part, DevicePolicy):
        return part
    return type(part), *(_blank_field(field.name, getattr(part, field.name), without_waits) for field in fields(part))


def _blank_field(name: str, value: Any, without_waits: bool) -> Any:
    if name in TOLD and isinstance(value, str):
        return value and SOME
    if name in WAITS and without_waits:
        return None
    if name == "status_details":
        return tuple(pair for pair in value or () if pair[0] not in DETAILS)
    return _blank(value, without_waits=without_waits)
