"""A search through every order of events, for a terminal: the bounds, the answer, the table, and what was found.

In a file each sentence is one line, for grep; on a terminal it breaks between words. Nothing is wider than 80 columns
that need not be.
"""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, TypeAlias

from simulator.report.ladder import Step, ladder
from simulator.trace import Entry
from simulator.verdict import Verdict
from simulator.verdict.explored import DOUBTS, Explored, ExploredBound, ExploredCell, ExploredFinding

WIDEST: Final = 80
KIND_WIDTH, PHASE_WIDTH, TIMES_WIDTH = 17, 12, 10
OUTCOMES: Final = {"passed": "passed", "failed": "FAILED", "inconclusive": "INCONCLUSIVE"}
SORTS: Final = {
    "violated": "VIOLATED",
    "stuck": "STUCK",
    "cycle": "FOR EVER",
    "undecidable": "undecidable",
    "undecided": "undecided",
}
DiagramOf: TypeAlias = Callable[[ExploredFinding], tuple[Sequence[Entry], Sequence[Step]]]
"""What was told before the first choice of a finding's way, and at each."""


def opening(world: str, bounds: Iterable[str], leaves_out: Iterable[str]) -> Iterator[str]:
    """What is about to be explored, before it begins."""
    yield from wrapped(f"explored is {world}.", "")
    may = list(bounds)
    yield "In every order there is, at most:" if may else "Nothing befalls it: the bounds are all 0."
    yield from (line for each in may for line in wrapped(each, "  - "))
    yield "That leaves out:"
    yield from (line for each in leaves_out for line in wrapped(each, "  - "))


def progress_line(depth: int, states: int, waiting: int, seconds: float, mebibytes: float, violations: int) -> str:
    """How far it is, in a line that fits a terminal."""
    speed = f"{states / seconds:,.0f}/s, " if seconds >= 0.1 else ""
    found = f", {violations} violated" if violations else ""
    return f"depth {depth}: {states:,} states, {waiting:,} to go, {speed}{mebibytes:,.0f} MiB, {seconds:.0f} s{found}"


def walking_line(walks: int, steps: int, seconds: float, stumbled: int) -> str:
    """How far random walks are, in a line that fits a terminal."""
    speed = f"{walks / seconds:,.0f}/s, " if seconds >= 0.1 else ""
    found = f", {stumbled:,} of them went wrong" if stumbled else ""
    return f"{walks:,} walks, {steps:,} choices, {speed}{seconds:.0f} s{found}"


def answer(verdict: Verdict, diagram_of: DiagramOf) -> Iterator[str]:
    """All that is said when it is over."""
    explored = verdict.explored
    assert explored is not None, "of a search"
    yield ""
    yield from _how_far(explored, verdict.seconds or 0.0)
    yield from _table(explored)
    yield from _places(explored)
    yield from _findings(explored.findings, diagram_of)
    yield from _invariants(verdict)
    yield from wrapped(f"{OUTCOMES[verdict.outcome]}: {verdict.why}", "")


def _how_far(explored: Explored, seconds: float) -> Iterator[str]:
    if explored.walks:
        yield from wrapped(f"{explored.walks:,} random walks, {explored.transitions:,} choices, {seconds:.1f} s", "")
        return
    is_all = "complete within the bounds" if explored.complete else f"not complete: stopped by {explored.stopped_by}"
    yield from wrapped(
        f"{is_all}: {explored.states:,} states, {explored.transitions:,} transitions, depth {explored.depth}, "
        f"{seconds:.1f} s",
        "",
    )
    yield from (_share(bound, explored.states) for bound in explored.bounds)
    if explored.lost is not None:
        count, choices = explored.lost.states, _counted(len(explored.lost.way))
        yield from wrapped(f"from {count:,} of them every way home ends with a failure; the nearest: {choices}", "  ")


def _share(bound: ExploredBound, states: int) -> str:
    """How much of a bound was used, by how many of the states."""
    shares = ", ".join(
        f"{spent}: {100 * count / max(states, 1):.0f} %" for spent, count in enumerate(bound.states) if count
    )
    return f"  {bound.kind:<{KIND_WIDTH}}up to {bound.bound}; of the states have spent {shares}"


def _table(explored: Explored) -> Iterator[str]:
    """Phase and disruption, and what the device did there."""
    if not explored.cells:
        return
    yield ""
    head = f"  {'disruption':<{KIND_WIDTH}}{'while it is':<{PHASE_WIDTH}}{'times':>{TIMES_WIDTH - 2}}"
    yield f"{head}  what the device did"
    yield "  " + "─" * (WIDEST - 2)
    for kind, of_kind in groupby(explored.cells, key=lambda cell: cell.kind):
        name = kind
        for cell in of_kind:
            head = f"  {name:<{KIND_WIDTH}}{cell.phase:<{PHASE_WIDTH}}{cell.times:>{TIMES_WIDTH - 2},}  "
            yield from wrapped(did(cell, explored), head)
            name = ""
    yield ""


def did(cell: ExploredCell, explored: Explored) -> str:
    """What the device did there, and whether that led home, as far as the search knows."""
    if cell.home is not None:
        return cell.did
    rest = "no way home from there" if explored.complete else "its way home was not seen before the search stopped"
    return "; ".join(filter(None, (cell.did, rest)))


def _places(explored: Explored) -> Iterator[str]:
    for place in explored.places:
        if place.way is not None:
            yield from wrapped(f"reached {place.id}: in {len(place.way)} choices", "  ")
        elif place.why:
            yield from wrapped(f"not known of {place.id}: {place.why}", "  ")
        else:
            yield from wrapped(f"NOT reached {place.id}: within these bounds there is no way there", "  ")


def _findings(findings: Sequence[ExploredFinding], diagram_of: DiagramOf) -> Iterator[str]:
    """Each in a sentence, and the first of each sort and invariant, which is the shortest, with its diagram.

    What is undecided is nobody's fault and comes with nearly every search: it has no diagram here.
    """
    drawn: set[tuple[str, str]] = set()
    for finding in findings:
        yield from _finding(finding)
        if finding.sort != "undecided" and (which := (finding.sort, finding.invariant)) not in drawn:
            drawn.add(which)
            yield from _diagram(*diagram_of(finding), len(finding.way))
            if finding.sort not in DOUBTS:
                yield f"  what that means, and what to do: ghostjob explain {finding.invariant}"
        yield ""


def _finding(finding: ExploredFinding) -> Iterator[str]:
    said = (
        f"{SORTS[finding.sort]} {finding.invariant}: {finding.why}; {_choices(finding)}, {finding.times:,} times in all"
    )
    yield from wrapped(said, "")
    if finding.argument:
        yield from wrapped(f"why nobody is to blame: {finding.argument}", "  ")
        yield from wrapped(f"what avoids it: {finding.avoid}", "  ")


def _choices(finding: ExploredFinding) -> str:
    loop = f" and a loop of {len(finding.loop)}" if finding.loop else ""
    return _counted(len(finding.way)) + loop


def _counted(choices: int) -> str:
    return "1 choice" if choices == 1 else f"{choices} choices"


def _diagram(before: Sequence[Entry], steps: Sequence[Step], way: int) -> Iterator[str]:
    lines = ladder(steps, before)
    for line in lines:
        if line.startswith(f"{way + 1:>4} "):
            yield "     and from here round and round:"
        yield line


def _invariants(verdict: Verdict) -> Iterator[str]:
    held = [each.id for each in verdict.invariants if each.outcome == "held"]
    unseen = [each.id for each in verdict.invariants if each.outcome == "not-exercised"]
    assert verdict.explored is not None, "of a search"
    so_far = "" if verdict.explored.complete else " so far"
    if held:
        yield from wrapped(f"in every state{so_far} held: {', '.join(held)}", "")
    if unseen:
        yield from wrapped(f"not looked at here: {', '.join(unseen)}", "")


def wrapped(text: str, head: str, width: int = WIDEST) -> Iterator[str]:
    """A sentence that goes on below its first word."""
    yield from textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    ) or [head.rstrip()]
