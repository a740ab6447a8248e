"""What looks violated and is nobody's fault: outcomes that even a perfect device cannot avoid, each with the argument.

A device knows what the wire tells it. Where two pasts tell it the very same and ask different deeds of it, whatever it
does is wrong in one of them. Such an outcome is shown, with the argument and with what an operator does to avoid it,
and accuses nobody. A row here needs a proof; what is only hard is not in it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from agent.values import ExecutionKey
from simulator.engines.explore.choice import Choice
from simulator.trace import Entry, ExecutionQueued


class Undecidable(NamedTuple):
    """`applies` tells, of the path to a violation and its trace, whether this is why; it may break `invariants`."""

    id: str
    invariants: frozenset[str]
    argument: str
    avoid: str
    applies: Callable[[Sequence[Choice], Iterable[Entry]], bool]


def _repeats(path: Sequence[Choice]) -> bool:
    """Whether a request, or an answer, was there a second time, or overtaken by another."""
    return any(choice.do in ("arrive twice", "deliver twice", "delay") for choice in path)


def _alike(path: Sequence[Choice], entries: Iterable[Entry]) -> bool:
    """Whether two incarnations on one thing have all in common that the wire tells of either."""
    known: set[tuple[str, ExecutionKey]] = set()
    for entry in entries:
        if isinstance(event := entry.event, ExecutionQueued):
            name = event.thing, event.execution
            if name in known:
                return _repeats(path)
            known.add(name)
    return False


UNDECIDABLE: Final = (
    Undecidable(
        "incarnations-alike",
        frozenset(
            {
                "no-ghost-work",
                "no-ghost-update",
                "no-cross-incarnation",
                "no-double-apply",
                "no-false-abort",
                "no-lost-job",
                "accounted-for",
                "stops-in-time",
                "asks-before-leap",
            }
        ),
        "An execution is known by its namespace, its job id, its execution number and the second in which it was "
        "queued. A job that was deleted and made again within one second has all four in common with the one before, "
        "and a message that arrives twice or late, such as a start-next, then means either. The device has been told "
        "the same in both cases, so no rule of its own can tell which of the two it works for.",
        "Wait a second between the deletion of a job and the use of its id for another, or take a new id.",
        _alike,
    ),
)
"""Each with its proof."""


def why_undecidable(invariant: str, path: Sequence[Choice], entries: Iterable[Entry]) -> Undecidable | None:
    """The row that says why nobody is to blame for a violation; None: somebody is."""
    told = tuple(entries)
    return next((row for row in UNDECIDABLE if invariant in row.invariants and row.applies(path, told)), None)
