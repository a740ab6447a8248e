"""A fault of ours stays where it happened: whatever is called in the background is called by way of this.

A timer's call that raises ends what it should have set again, and a loop over many ends at the one that raises. So
each of many is called alone, a timer is set again before anything else is done, and the fault stands in the log, with
its traceback: the first of its kind at once, those like it once a minute, with their number.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from agent.log import get_logger

QUIET_SECONDS: Final = 60.0
"""For so long a fault like one that was told is only counted: a sweep that always fails does so every second."""
MOST_KINDS: Final = 256
"""So many are remembered: what a loop says of a fault may have an address in it."""
_log = get_logger("ghostjob.cloud")


@dataclass(slots=True)
class _Told:
    at: float
    more: int = 0


_told: dict[tuple[str, str], _Told] = {}
"""By what was done, which is one of a few words of ours, and the kind of the fault."""


def contained(during: str, act: Callable[..., object], *arguments: object) -> bool:
    """Do it; whether it came to its end. `during` says in the log what was done."""
    try:
        act(*arguments)
    except Exception as error:  # whatever it is: others have their turn
        tell_fault(during, error)
        return False
    return True


def contained_steps(during: str, steps: Iterator[None]) -> Iterator[None]:
    """The same for what is done in steps: after one that fails there are no more."""
    try:
        yield from steps
    except Exception as error:  # whatever it is: others have their turn
        tell_fault(during, error)


def tell_fault(during: str, error: BaseException | None, **about: object) -> None:
    """Have a fault in the log, or counted."""
    now, kind = time.monotonic(), (during, type(error).__name__)
    told = _told.get(kind)
    if told is not None and now - told.at < QUIET_SECONDS:
        told.more += 1
        return
    times = None if told is None else told.more + 1
    if told is None and len(_told) >= MOST_KINDS:
        del _told[next(iter(_told))]
    _told[kind] = _Told(now)
    said = {"during": during, "times": times, **about}
    _log.error("fault.contained", **{name: it for name, it in said.items() if it is not None}, exc_info=error)
