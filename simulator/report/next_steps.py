"""What to do once the verdict is known: which command explains it, shows what happened, or opens the run as a page."""

import shlex
from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

from simulator.report.plain import plain
from simulator.verdict import INVARIANTS, Doubt, Verdict, Violation

BROKEN_BY: Final = {invariant.id: invariant.broken_by for invariant in INVARIANTS}
PAGE: Final = "report.html"
WIDEST: Final = 13
"""Characters of what a step is for."""
DEPTH: Final = WIDEST + 4
"""Where the rest of a line begins."""


class NextStep(NamedTuple):
    """What it is for, in a word or two, and what is to be read, typed or opened."""

    what: str
    how: str


def next_steps(
    verdict: Verdict,
    directory: str | None,
    kept: Collection[str] = (),
    elsewhere: Callable[[str], int | None] = lambda thing: None,
) -> tuple[NextStep, ...]:
    """From what it means to what to look at.

    `directory` is where the trace is kept, as it is reached from here, and `kept` are the names of files there;
    `elsewhere` knows the shard of the fleet in which a thing plays, if the trace is another's.
    """
    return (*_meaning(verdict), *_around(verdict, directory, elsewhere), *to_the_page(directory, kept))


def lines(steps: Collection[NextStep]) -> Iterator[str]:
    """A line each, indented below the verdict; where they are from a trace they are fit to be seen."""
    for step in steps:
        yield f"  {step.what:<{WIDEST}}  {plain(step.how, 1000)}"


def _found(verdict: Verdict) -> tuple[str, Violation | Doubt] | None:
    """The invariant that the verdict's sentence is about, and of whom."""
    for invariant in verdict.invariants:
        found = invariant.violations if verdict.outcome == "failed" else invariant.doubts
        if found:
            return invariant.id, found[0]
    return None


def _unreached(verdict: Verdict) -> str | None:
    """The place that the verdict's sentence is about."""
    named = (place.id for place in verdict.reached if verdict.why.startswith(f"'{place.id}' was reached by "))
    return next(named, None)


def _meaning(verdict: Verdict) -> Iterator[NextStep]:
    if verdict.outcome == "passed":
        return
    if (place := _unreached(verdict)) is not None:
        yield NextStep("what it means", f"ghostjob explain place.{place.split()[0]}")
    elif (found := _found(verdict)) is not None:
        name = found[0]
        if verdict.outcome == "failed" and name in BROKEN_BY:
            yield NextStep("in words", f"{name} is broken by a device that {BROKEN_BY[name]}")
        yield NextStep("what to do", f"ghostjob explain {name}")
    else:
        yield NextStep("what it means", "ghostjob explain 3")


def _around(verdict: Verdict, directory: str | None, elsewhere: Callable[[str], int | None]) -> Iterator[NextStep]:
    if verdict.outcome == "passed":
        return
    found = _found(verdict) if _unreached(verdict) is None else None
    events = found[1].events if found is not None else ()
    shard = None if found is None else elsewhere(found[1].thing.partition("@")[0])
    if shard is not None:
        yield NextStep("to see it", f"the same with --shard {shard} --out DIR keeps the trace that has it, and a page")
    elif directory is None:
        yield NextStep("to see it", "the same with --out DIR keeps the trace, and a page to look at: DIR/report.html")
    else:
        entry = events[0] if events else "ID"
        yield NextStep("around it", f"ghostjob trace {shlex.quote(directory)} {shlex.quote(entry)}")


def to_the_page(directory: str | None, kept: Collection[str]) -> Iterator[NextStep]:
    """Where the page is, if it was kept."""
    if directory is not None and PAGE in kept:
        yield NextStep("as a page", f"{directory}/{PAGE}")
