"""A certificate on a terminal: each cell, what did not pass and what shows it, what was not judged, the outcome."""

import shlex
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.certify.certificate import (
    CellOutcome,
    CellResult,
    Certificate,
    Evidence,
    NotMet,
    alike,
    came_back,
    explained,
)
from simulator.certify.evidence import TURNS, lines, telling
from simulator.certify.markdown import again
from simulator.certify.output import FILES
from simulator.engines.output import TRACE
from simulator.report.hanging import hanging
from simulator.report.next_steps import NextStep, to_the_page
from simulator.report.plain import plain
from simulator.report.summary import WORDS

STYLES: Final[dict[CellOutcome, tuple[str, str]]] = {
    "passed": WORDS["passed"],
    "failed": WORDS["failed"],
    "inconclusive": WORDS["inconclusive"],
    "not-applicable": ("not applicable", "dim"),
}
SHOWN: Final = 12
"""Entries of one cell; the files have the others."""
LONGEST: Final = 2_000
"""Characters of a line."""


def print_certificate(
    certificate: Certificate, console: Console, out: Path | None = None, *, has_trace: bool = True
) -> None:
    """Print it; in a file a sentence is one line, for grep; on a terminal it breaks between words.

    `out` is the directory in which it is kept, as it is reached from here; `has_trace`: with that of the whole session.
    """
    for part in parts(certificate, out, cells_last=console.is_terminal, has_trace=has_trace):
        if isinstance(part, Text) and console.is_terminal:
            console.print(hanging(part))
        else:
            console.print(part, soft_wrap=isinstance(part, Text))


def parts(
    certificate: Certificate, out: Path | None = None, *, cells_last: bool = False, has_trace: bool = True
) -> Iterator[RenderableType]:
    """From top to bottom; the outcome is the last line. `cells_last`: the cells are right above that, where it is seen
    that all of them are; else they come first.
    """
    unplayed = certificate.not_played
    played = [cell for cell in certificate.cells if cell.why not in unplayed]
    if certificate.not_met is not None:
        yield from (_line(f"    {line}", "dim") for line in certificate.not_met.why.splitlines()[1:])
        yield from _last(certificate.not_met.evidence)
    at_it = [cell for cell in played if cell.outcome != "not-applicable"]
    if at_it and not cells_last:
        yield _cells(at_it)
    for why, left_out in alike((cell.id, cell.why) for cell in played if cell.outcome == "not-applicable"):
        yield _line(f"not applicable: {', '.join(left_out)}: {why}", "dim")
    for cell in played:
        if cell.outcome in ("failed", "inconclusive"):
            yield from _told(cell, out)
    if out is None and any(cell.outcome == "failed" for cell in played):
        yield _line("to keep all that happened, for `ghostjob trace`: --out DIR", "dim")
    for why, cells in unplayed.items():
        what = _unplayed(certificate.not_met) or why
        is_all = not played and len(cells) > 1
        which = f"all {len(cells)} cells" if is_all else ", ".join(cell.id for cell in cells)
        yield _line(f"{what}: {which}", STYLES["inconclusive"][1])
    if (bricked := certificate.bricked) is not None:
        yield _line(f"after {bricked.cell} it could not be brought back to work: {bricked.why}", STYLES["failed"][1])
        yield from _last(bricked.evidence)
    for why, invariants in alike(certificate.not_seen.items()):
        yield _line(f"not judged: {', '.join(invariants)}: {why}", "dim")
    for warning in certificate.warnings:
        yield _line(warning, STYLES["inconclusive"][1])
    if at_it and cells_last:
        yield _cells(at_it)
    if out is not None:
        yield _line(f"kept in {out}: {_kept(certificate, has_trace=has_trace)}", "dim")
    yield _line(f"{certificate.seconds:.1f} s, {certificate.device_share:.0%} of which the device took", "dim")
    yield Text.assemble(WORDS[certificate.outcome], f": {plain(certificate.why, LONGEST)}")


def _kept(certificate: Certificate, *, has_trace: bool) -> str:
    names = ", ".join(name for name in FILES if has_trace or name != TRACE)
    return f"{names}, and each play in cells/" if any(cell.directory for cell in certificate.cells) else names


def _unplayed(not_met: NotMet | None) -> str:
    """Of a device for which there are no cells; why not, the last line tells."""
    if not_met is None:
        return ""
    return "not played, as it failed its first job, which nobody disturbed" if not_met.failed else "not played"


def _line(text: str, style: str) -> Text:
    """A line without what a terminal would obey."""
    return Text(plain(text, LONGEST), style)


def _last(evidence: tuple[Evidence, ...]) -> Iterator[Text]:
    yield from (_line(f"    {line}", "dim") for line in list(lines(evidence))[-SHOWN:])


def _cells(cells: Sequence[CellResult]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("outcome", no_wrap=True)
    table.add_column("cell", overflow="fold")
    table.add_column("took", justify="right", no_wrap=True)
    for cell in cells:
        took = f"{cell.seconds:.1f} s" if cell.seconds else ""
        table.add_row(Text(*STYLES[cell.outcome]), Text(cell.id), took)
    return table


def _told(cell: CellResult, out: Path | None) -> Iterator[Text]:
    word, style = STYLES[cell.outcome]
    yield Text.assemble((f"{cell.id} {word}", style), f": {plain(cell.why, LONGEST)}")
    yield _line(f"    what it is to show: {cell.shows}", "dim")
    pointed_at = sum(each.pointed_at or each.type in TURNS for each in cell.evidence)
    for line in lines(telling(cell.evidence, min(pointed_at or SHOWN, SHOWN))):
        yield _line(f"    {line}", "dim")
    if told := came_back(cell):
        yield _line(f"    {told}", style)
    yield from (_line(f"    {line}", "dim") for line in explained(cell))
    if cell.directory is not None:
        where = cell.directory if out is None else (out / cell.directory).as_posix()
        yield _line(f"    all that happened: ghostjob trace {shlex.quote(where)}", "dim")


def next_steps(certificate: Certificate, out: Path | None = None, kept: Collection[str] = ()) -> tuple[NextStep, ...]:
    """What explains the first cell that did not pass, shows what happened in it, and plays it again."""
    order = ("failed", "inconclusive")
    cells = [cell for cell in certificate.cells if cell.outcome in order and cell.evidence]
    first = min(cells, key=lambda cell: order.index(cell.outcome), default=None)
    return (*_of_cell(certificate, first, out), *to_the_page(None if out is None else out.as_posix(), kept))


def _of_cell(certificate: Certificate, cell: CellResult | None, out: Path | None) -> Iterator[NextStep]:
    if cell is None:
        return
    for invariant in cell.invariants:
        if invariant.violations or (invariant.doubts and cell.outcome == "inconclusive"):
            yield NextStep("what to do", f"ghostjob explain {invariant.id}")
            break
    if cell.directory is not None and out is not None:
        yield NextStep("around it", f"ghostjob trace {shlex.quote((out / cell.directory).as_posix())}")
    yield NextStep("again", shlex.join(again(certificate, cell.id)))
