"""`junit.xml` and `summary.md` of a search: a case for each invariant and each place; a page for a pull request."""

from collections.abc import Iterator

from simulator.report.exploration import did
from simulator.report.junit import Case, Result, Suite, xml
from simulator.report.markdown import LARGEST, Page, block, code, prose, table
from simulator.report.run_files import KEPT, MARKS, RESULTS
from simulator.verdict import InvariantVerdict, Verdict
from simulator.verdict.explored import DOUBTS, Explored, ExploredFinding, ExploredPlace

LINES = 60
"""Choices of a way that stand on a page."""


def junit_of_exploration(verdict: Verdict) -> str:
    """The text of `junit.xml`. What was stopped before it was complete is an error, as what is undecided is."""
    explored = _explored(verdict)
    properties = [
        ("engine", verdict.engine),
        ("world", explored.world),
        *((f"bound.{each.kind}", str(each.bound)) for each in explored.bounds),
        ("states", str(explored.states)),
        ("transitions", str(explored.transitions)),
        ("complete", str(explored.complete).lower()),
        ("outcome", verdict.outcome),
        ("why", verdict.why),
    ]
    cases = [
        *(_of_invariant(each, explored) for each in verdict.invariants),
        *map(_of_place, explored.places),
        _of_the_search(verdict, explored),
    ]
    name = f"ghostjob explore {verdict.scenario}"
    return xml(Suite(name, f"ghostjob.explore.{verdict.scenario}", verdict.seconds or 0.0, cases, properties))


def _explored(verdict: Verdict) -> Explored:
    assert verdict.explored is not None, "of a search"
    return verdict.explored


def _of_invariant(invariant: InvariantVerdict, explored: Explored) -> Case:
    found = [each for each in explored.findings if each.invariant == invariant.id]
    told = [f"{invariant.outcome.replace('-', ' ')}, opportunities: {invariant.opportunities}"]
    text = "\n".join((*told, *(line for each in found for line in _told(each))))
    message = found[0].why if found else told[0]
    return Case(invariant.id, RESULTS[invariant.outcome], 0.0, invariant.outcome, message, text)


def _told(finding: ExploredFinding) -> Iterator[str]:
    yield f"{finding.sort}: {finding.why}"
    yield from (f"{number:>4} {choice}" for number, choice in enumerate((*finding.way, *finding.loop), 1))
    if finding.schedule:
        yield f"again: ghostjob replay {finding.schedule}"


def _of_place(place: ExploredPlace) -> Case:
    if place.way is not None:
        return Case(f"place: {place.id}", "passed", 0.0, "place", f"reached in {len(place.way)} choices")
    if place.why:
        return Case(f"place: {place.id}", "not-applicable", 0.0, "place", place.why)
    return Case(f"place: {place.id}", "inconclusive", 0.0, "place", "within these bounds there is no way there")


def _of_the_search(verdict: Verdict, explored: Explored) -> Case:
    result: Result = "passed" if explored.complete else "inconclusive"
    message = "complete within its bounds" if explored.complete else f"stopped by {explored.stopped_by}"
    return Case("the search", result, verdict.seconds or 0.0, verdict.outcome, message)


def markdown_of_exploration(verdict: Verdict) -> str:
    """The text of `summary.md`, short enough for a comment on GitHub."""
    explored, page = _explored(verdict), Page(LARGEST)
    page.add(f"## {MARKS[verdict.outcome]} {verdict.outcome}: every order of {prose(verdict.scenario, 128)}")
    page.add(prose(verdict.why, 800))
    page.add(prose(f"Explored is {explored.world}.", 800))
    bounds = [(code(each.kind), str(each.bound), str(each.most)) for each in explored.bounds]
    if bounds:
        page.add(table(("trouble", "at most", "spent"), bounds))
    if left := page.add_while([_finding(each) for each in explored.findings], KEPT):
        page.add(f"… and {left} more, of which `verdict.json` tells.")
    page.add(table(("invariant", "outcome"), map(_row, verdict.invariants)))
    _add_cells(page, explored)
    return page.text()


def _finding(finding: ExploredFinding) -> str:
    mark = MARKS["inconclusive" if finding.sort in DOUBTS else "failed"]
    lines = list(_told(finding))
    more = [f"and {len(lines) - LINES} more lines"] if len(lines) > LINES else []
    argued = [prose(f"{finding.argument} {finding.avoid}", 1_000)] if finding.argument else []
    head = f"### {mark} {finding.sort}: {code(finding.invariant)}, after {len(finding.way)} choices"
    return "\n\n".join((head, *argued, block([*lines[:LINES], *more], 300)))


def _row(invariant: InvariantVerdict) -> tuple[str, str]:
    mark = MARKS[RESULTS[invariant.outcome]]
    seen = "not looked at" if invariant.outcome == "not-exercised" else invariant.outcome
    return code(invariant.id), f"{mark} {seen}"


def _add_cells(page: Page, explored: Explored) -> None:
    rows = [(code(cell.kind), cell.phase, str(cell.times), prose(did(cell, explored), 200)) for cell in explored.cells]
    while rows and not page.add(table(("disruption", "while it is", "times", "what the device did"), rows)):
        rows = rows[: len(rows) // 2]
