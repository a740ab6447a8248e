"""A certificate for a pull request: what failed, and what shows it; every cell in a table; how to play one again."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from simulator.certify.certificate import (
    Bricked,
    CellOutcome,
    CellResult,
    Certificate,
    Evidence,
    alike,
    came_back,
    explained,
)
from simulator.certify.evidence import lines, telling
from simulator.report.markdown import LARGEST, Page, block, code, prose, table

MARKS: Final[dict[CellOutcome, str]] = {
    "failed": "❌ failed",
    "inconclusive": "❔ inconclusive",
    "passed": "✅ passed",
    "not-applicable": "➖ not applicable",
}
"""The worst first."""
TABLE: Final = 20_000
NOT_SEEN: Final = 5_000
AGAIN: Final = 3_000
"""Bytes that each of these may take, so that no evidence leaves it out."""
MOST_LINES: Final = 40
MOST_EVIDENCE: Final = 14
LONGEST_LINE: Final = 200
SHORT: Final = 160
"""Lines of a device that was not met, entries of a cell, characters of a line, and of a sentence in the table."""


def markdown(certificate: Certificate) -> str:
    """The text of `summary.md`, short enough for a comment on GitHub whatever a device has sent."""
    tail = "\n\n".join((_table(certificate), *_not_seen(certificate), *_again(certificate)))
    unplayed = certificate.not_played
    page = Page(LARGEST - len(tail.encode()) - 2)
    page.add(f"## {MARKS[certificate.outcome]}: {prose(certificate.thing, 128)}")
    page.add(prose(certificate.why, 800))
    page.add(_facts(certificate))
    if certificate.not_met is not None:
        told = (*certificate.not_met.why.splitlines(), *_nearest(certificate.not_met.evidence))
        page.add(block(told[:MOST_LINES], LONGEST_LINE))
    if certificate.bricked is not None:
        page.add(_bricked(certificate.bricked))
    for warning in certificate.warnings:
        page.add(prose(f"⚠️ {warning}", 800))
    for outcome in ("failed", "inconclusive"):
        told_of = [_told(cell) for cell in certificate.with_outcome(outcome) if cell.why not in unplayed]
        if left := page.add_while(told_of, keep=2_500):
            page.add(f"… and {left} more {outcome}: what shows it is in `junit.xml` and `certificate.json`.")
    for why, cells in unplayed.items():
        page.add(f"### ❔ {len(cells)} of {len(certificate.cells)} cells {prose(why)}")
    return f"{page.text()}\n{tail}\n"


def _facts(certificate: Certificate) -> str:
    counts = ", ".join(
        f"{len(found)} {name.replace('-', ' ')}" for name in MARKS if (found := certificate.with_outcome(name))
    )
    namespace = f" in namespace {prose(certificate.namespace_id, 64)}" if certificate.namespace_id else ""
    return (
        f"{counts or 'no cell was played'}{namespace}; {certificate.seconds:.0f} s, "
        f"of which the device took {certificate.device_share:.0%}; ghostjob {prose(certificate.version, 32)}"
    )


def _bricked(bricked: Bricked) -> str:
    head = f"### ❌ not brought back to work after {code(bricked.cell, 128)}"
    return "\n\n".join((head, prose(bricked.why, 800), block(_nearest(bricked.evidence))))


def _told(cell: CellResult) -> str:
    """A cell that did not pass, with what shows it; what it did not come to has no evidence."""
    parts = [f"### {MARKS[cell.outcome]}: {code(cell.id, 128)}", prose(cell.why, 800)]
    parts.append(f"What it is to show: {prose(cell.shows, 400)}")
    if told := came_back(cell):
        parts.append(prose(told, 400))
    if cell.evidence:
        parts.append(block(_nearest(cell.evidence)))
    if findings := list(explained(cell)):
        parts.append("\n".join(f"- {prose(line, 400)}" for line in findings))
    return "\n\n".join(parts)


def _nearest(evidence: Sequence[Evidence]) -> Iterator[str]:
    """What is most telling of it, in lines that still name their entry when they are cut off."""
    for line in lines(telling(evidence, MOST_EVIDENCE)):
        head, bracket, entry = line.rpartition("  [")
        yield f"{head[:LONGEST_LINE]}{bracket}{entry}"


def _table(certificate: Certificate) -> str:
    cells = [cell for outcome in MARKS for cell in certificate.with_outcome(outcome)]
    rows: list[tuple[str, str, str, str]] = []
    left = TABLE
    for cell in cells:
        row = (MARKS[cell.outcome], code(cell.id, 128), _took(cell), _in_short(cell))
        left -= len(" | ".join(row).encode()) + 2 * sum(each.count("|") for each in row) + 5
        if left < 0:
            break
        rows.append(row)
    text = table(("outcome", "cell", "took", "what it shows, or why not"), rows) if rows else "No cell was played."
    more = len(cells) - len(rows)
    return text + (f"\n\n… and {more} more cells, which are in `certificate.json`." if more else "")


def _took(cell: CellResult) -> str:
    return f"{cell.seconds:.1f} s" if cell.seconds else ""


def _in_short(cell: CellResult) -> str:
    return prose(cell.shows if cell.outcome in ("passed", "failed") else cell.why, SHORT)


def _not_seen(certificate: Certificate) -> Iterator[str]:
    if certificate.not_seen:
        page = Page(NOT_SEEN)
        page.add("Not judged, since it cannot be seen from outside:")
        for why, invariants in alike(certificate.not_seen.items()):
            page.add(f"- {', '.join(code(each, 64) for each in invariants)}: {prose(why, 300)}")
        yield page.text().rstrip()


def _again(certificate: Certificate) -> Iterator[str]:
    """How to play one cell again: the first that did not pass."""
    bad = (*certificate.with_outcome("failed"), *certificate.with_outcome("inconclusive"))
    if bad:
        line = shlex.join(again(certificate, bad[0].id))
        yield f"To play one of them again:\n\n{block([line], AGAIN)}"


def again(certificate: Certificate, cell: str) -> tuple[str, ...]:
    """The command line that plays one cell again, as far as the certificate tells."""
    words = ["ghostjob", "certify", "--thing", certificate.thing]
    if certificate.namespace_id is not None:
        words += ["--namespace-id", certificate.namespace_id]
    for probe in certificate.probes:
        words += ["--probe", probe]
    if certificate.seed is not None:
        words += ["--seed", str(certificate.seed)]
    words += [*certificate.options, "--only", cell]
    return (*words, "--", *certificate.command) if certificate.command else tuple(words)
