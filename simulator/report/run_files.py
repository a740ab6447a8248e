"""`junit.xml` and `summary.md` of a run: a case for each invariant and each place; a page for a pull request."""

from collections.abc import Iterator
from typing import Final

from simulator.report.junit import Case, Result, Suite, xml
from simulator.report.markdown import LARGEST, Page, block, code, prose, table
from simulator.report.summary import EntriesOf, found_by_device
from simulator.verdict import InvariantVerdict, Reached, Verdict

RESULTS: Final[dict[str, Result]] = {
    "held": "passed",
    "violated": "failed",
    "undecided": "inconclusive",
    "not-exercised": "not-applicable",
}
"""Of an invariant: nothing happened that could have broken what was not exercised."""
MARKS: Final = {
    "passed": "✅",
    "failed": "❌",
    "inconclusive": "❔",
    "not-applicable": "➖",
}
KEPT: Final = 16_000
"""Bytes of a page that evidence leaves to the tables."""
LINES: Final = 24
"""Of what shows a violation, on a page."""


def nothing(_: str) -> tuple[()]:
    """No entry of any trace."""
    return ()


def junit_of_run(verdict: Verdict, entries_of: EntriesOf = nothing) -> str:
    """The text of `junit.xml`. What a run was to show and did not is an error, as what is undecided is."""
    properties = [
        *(("ghostjob.version", version) for version in [verdict.version] if version is not None),
        ("engine", verdict.engine),
        *(("seed", str(seed)) for seed in [verdict.seed] if seed is not None),
        ("devices", str(verdict.devices)),
        ("outcome", verdict.outcome),
        ("why", verdict.why),
    ]
    return xml(
        Suite(
            f"ghostjob run {verdict.scenario}",
            f"ghostjob.run.{verdict.scenario}",
            verdict.seconds or 0.0,
            [*_of_invariants(verdict, entries_of), *_of_places(verdict), _of_the_run(verdict)],
            properties,
            verdict.started_at,
        )
    )


def _of_invariants(verdict: Verdict, entries_of: EntriesOf) -> Iterator[Case]:
    for invariant in verdict.invariants:
        result = RESULTS[invariant.outcome]
        told = [f"{invariant.outcome.replace('-', ' ')}, opportunities: {invariant.opportunities}"]
        found = invariant.violations or invariant.doubts
        message = f"{found[0].thing}: {found[0].message}" if found else told[0]
        text = "\n".join((*told, *_found(invariant, entries_of)))
        yield Case(invariant.id, result, 0.0, invariant.outcome, message, text)


def _found(invariant: InvariantVerdict, entries_of: EntriesOf) -> Iterator[str]:
    found = invariant.violations or invariant.doubts
    for line in found_by_device(invariant.id, found, "", entries_of):
        yield line.plain.removeprefix("  ")


def _of_places(verdict: Verdict) -> Iterator[Case]:
    for place in verdict.reached:
        message = f"reached by {place.devices} of {place.of} devices"
        yield Case(f"place: {place.id}", _arrived(place, verdict), 0.0, "place", message)


def _arrived(place: Reached, verdict: Verdict) -> Result:
    """Whether some are enough, the verdict knows: it names the first place that too few reached."""
    if place.of == 0:
        return "not-applicable"
    is_short = place.devices == 0 or verdict.why.startswith(f"'{place.id}' was reached by ")
    return "inconclusive" if is_short else "passed"


def _of_the_run(verdict: Verdict) -> Case:
    """Whether it could show what it was to show; it fails by invariants alone, which are cases of their own."""
    result: Result = "inconclusive" if verdict.outcome == "inconclusive" else "passed"
    return Case("the run", result, verdict.seconds or 0.0, verdict.outcome, verdict.why)


def markdown_of_run(verdict: Verdict, entries_of: EntriesOf = nothing) -> str:
    """The text of `summary.md`, short enough for a comment on GitHub."""
    page = Page(LARGEST)
    page.add(f"## {MARKS[verdict.outcome]} {verdict.outcome}: {prose(verdict.scenario, 128)}")
    page.add(prose(verdict.why, 800))
    seconds = f", {verdict.seconds:.1f} s" if verdict.seconds is not None else ""
    page.add(
        f"{verdict.devices} devices, {verdict.recovered} recovered from a loss; {prose(verdict.engine, 32)}{seconds}"
    )
    told = [each for each in verdict.invariants if each.violations or each.doubts]
    parts = [_told(each, entries_of) for each in sorted(told, key=lambda each: each.outcome != "violated")]
    if left := page.add_while(parts, KEPT):
        page.add(f"… and {left} more invariants, of which `verdict.json` tells.")
    page.add(table(("invariant", "outcome", "opportunities"), map(_row, verdict.invariants)))
    _add_places(page, verdict)
    return page.text()


def _told(invariant: InvariantVerdict, entries_of: EntriesOf) -> str:
    head = f"### {MARKS[RESULTS[invariant.outcome]]} {invariant.outcome}: {code(invariant.id)}"
    lines = list(_found(invariant, entries_of))
    more = [f"and {len(lines) - LINES} more lines"] if len(lines) > LINES else []
    explained = f"What that means, and what to do: {code(f'ghostjob explain {invariant.id}')}"
    return "\n\n".join((head, block([*lines[:LINES], *more], 300), explained))


def _row(invariant: InvariantVerdict) -> tuple[str, str, str]:
    mark = MARKS[RESULTS[invariant.outcome]]
    return code(invariant.id), f"{mark} {invariant.outcome.replace('-', ' ')}", str(invariant.opportunities)


def _add_places(page: Page, verdict: Verdict) -> None:
    rows = [
        (code(place.id, 128), MARKS[_arrived(place, verdict)], f"{place.devices} of {place.of} devices")
        for place in verdict.reached
    ]
    while rows and not page.add(table(("place", "", "reached by"), rows)):
        rows = rows[: len(rows) // 2]
