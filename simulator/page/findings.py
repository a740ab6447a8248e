"""What was found in a cell of a certification, with the packets that show it; its trace is elsewhere."""

from typing import Final

from simulator.certify.certificate import CellResult
from simulator.page.data import Found, Shown
from simulator.verdict import Doubt, Violation

FOUND: Final = 12
"""Of one invariant, so many devices with all that shows it; of the others there is a count."""


def found_in_cell(cell: CellResult, each: Violation | Doubt) -> Found:
    """What the certificate has of it."""
    evidence = {told.id: Shown(id=told.id, at=told.at, text=told.text) for told in cell.evidence if told.text}
    return Found(
        thing=each.thing,
        job=each.job,
        message=f"{each.message} (in {cell.id})",
        events=tuple(evidence[event] for event in each.events if event in evidence),
    )
