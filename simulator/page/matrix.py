"""A certification as a grid: the points at which a job is deleted against the conditions, a cell for what is played."""

from simulator.certify.certificate import CellResult, Certificate
from simulator.page.data import Cell, Invariant, Matrix
from simulator.page.findings import FOUND, found_in_cell
from simulator.page.texts import about_invariant
from simulator.verdict.model import InvariantOutcome

WORST_FIRST: tuple[InvariantOutcome, ...] = ("violated", "undecided", "held", "not-exercised")


def matrix_of(certificate: Certificate, is_over: bool) -> Matrix:
    """In the order in which they are played; until all is over, what was not played is yet to be."""
    cells = certificate.cells
    return Matrix(
        points=tuple(dict.fromkeys(cell.point for cell in cells)),
        conditions=tuple(dict.fromkeys(cell.condition for cell in cells)),
        cells=tuple(_cell(cell, is_over) for cell in cells),
    )


def _cell(cell: CellResult, is_over: bool) -> Cell:
    is_pending = not is_over and cell.outcome == "inconclusive" and not cell.invariants
    return Cell(
        id=cell.id,
        point=cell.point,
        condition=cell.condition,
        outcome="pending" if is_pending else cell.outcome,
        why="" if is_pending else cell.why,
        seconds=cell.seconds,
        invariants=tuple((each.id, each.outcome) for each in cell.invariants),
        shows=cell.shows,
    )


def invariants_of(certificate: Certificate) -> tuple[Invariant, ...]:
    """Each over all cells: the worst that came of it, with what was found in which cell, and the packets of that."""
    names = dict.fromkeys(each.id for cell in certificate.cells for each in cell.invariants)
    return tuple(_over_all(name, certificate) for name in names)


def _over_all(name: str, certificate: Certificate) -> Invariant:
    told = [(cell, each) for cell in certificate.cells for each in cell.invariants if each.id == name]
    violations = [found_in_cell(cell, found) for cell, each in told for found in each.violations]
    doubts = [found_in_cell(cell, found) for cell, each in told for found in each.doubts]
    return Invariant(
        id=name,
        outcome=min((each.outcome for _, each in told), key=WORST_FIRST.index),
        opportunities=sum(each.opportunities for _, each in told),
        about=about_invariant(name),
        violations=tuple(violations[:FOUND]),
        doubts=tuple(doubts[:FOUND]),
        more=max(len(violations) - FOUND, 0) + max(len(doubts) - FOUND, 0),
    )
