"""What the page says of a search through every order of events, beside the picture of one of them."""

from collections.abc import Iterator
from typing import Final

from simulator.page.english import count, seconds
from simulator.verdict import Verdict
from simulator.verdict.explored import DOUBTS, Explored

AXIS_NOTE: Final = "Each choice takes a second here: time is only the order of what happens."


def story_of_search(explored: Explored) -> tuple[str, ...]:
    """How far it went, what it found, and which way is drawn below."""
    if explored.walks:
        return (f"{explored.walks:,} random walks were made, of {explored.transitions:,} choices.", *_found(explored))
    how_far = "All that can happen within the bounds was tried" if explored.complete else _stopped(explored)
    return (f"{how_far}: {explored.states:,} states, {explored.transitions:,} transitions.", *_found(explored))


def _stopped(explored: Explored) -> str:
    return f"The search was stopped by {explored.stopped_by} before it was complete"


def _found(explored: Explored) -> Iterator[str]:
    wrong = [each for each in explored.findings if each.sort not in DOUBTS]
    sorts = [each.sort for each in explored.findings]
    if wrong:
        first = wrong[0]
        choices = count(len(first.way), "choice")
        yield f"The shortest way to what is wrong takes {choices}: {first.invariant}, {first.why}."
    if nobody := sorts.count("undecidable"):
        yield f"{count(nobody, 'outcome')} could not have been told by any device, and nobody is to blame."
    if left_open := sorts.count("undecided"):
        yield f"{count(left_open, 'outcome')} stayed open: more would have to be told than is in this world."
    if explored.shown:
        yield f"Drawn here is {explored.shown}."


def facts_of_search(verdict: Verdict, explored: Explored) -> Iterator[tuple[str, str]]:
    """Names with values."""
    yield "engine", verdict.engine
    yield "states", f"{explored.states:,}"
    yield "transitions", f"{explored.transitions:,}"
    yield "depth", count(explored.depth, "choice")
    if verdict.version is not None:
        yield "ghostjob", verdict.version
    if verdict.seconds is not None:
        yield "took", seconds(verdict.seconds)
