"""The story of a certification in up to five sentences: what its cells came to."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from simulator.certify.certificate import CellResult, Certificate
from simulator.page.english import count, listed
from simulator.page.story import SENTENCES, Material, what_they_knew


def story_of_cells(certificate: Certificate, of_it: Material, *, is_over: bool) -> tuple[str, ...]:
    """What the cells came to, by the certificate, and how long the device took to find out, by the trace."""
    if certificate.not_met is not None:
        return (_not_met(certificate),)
    played = [cell for cell in certificate.cells if cell.invariants]
    told = [_cells_played(certificate, len(played), is_over=is_over)]
    if played:
        told.append(_what_they_came_to(played))
    failed = next((cell for cell in played if cell.outcome == "failed"), None)
    if failed is not None:
        told.append(f"The first that failed is {failed.id}, in which {failed.shows or 'it was to hold'}.")
    if certificate.bricked is not None:
        told.append(f"After {certificate.bricked.cell} it could not be brought back to work.")
    helped = [cell for cell in played if cell.afterwards is not None and cell.afterwards.left.startswith("by-")]
    if helped and certificate.bricked is None:
        told.append(f"After {count(len(helped), 'cell')} it had to be helped back to work, first after {helped[0].id}.")
    knew = what_they_knew(of_it)
    return (*told, *([knew] if knew is not None else []))[:SENTENCES]


def _what_they_came_to(played: Sequence[CellResult]) -> str:
    outcomes = Counter(cell.outcome for cell in played)
    if len(outcomes) == 1:
        return f"{'All of them' if len(played) > 1 else 'It'} {CAME_TO[played[0].outcome]}."
    return f"{listed([f'{number} {CAME_TO[outcome]}' for outcome, number in outcomes.most_common()])}."


def _not_met(certificate: Certificate) -> str:
    """Why there are no cells: it failed before them, or nothing is known of it."""
    if certificate.outcome == "failed":
        return f"{certificate.thing} failed its first job, which nobody disturbed, so no cell was played."
    return f"{certificate.thing} was never put to the test."


def _cells_played(certificate: Certificate, played: int, *, is_over: bool) -> str:
    thing = certificate.thing
    if not played:
        return (
            f"{thing} was put through no cell." if is_over else f"{thing} does a job that nobody disturbs: its first."
        )
    what = "in each, its job was deleted at another point, or under another condition"
    if played == 1:
        what = "its job was deleted under it"
    return f"{thing} has been put through {count(played, 'cell')}{'' if is_over else ' so far'}: {what}."


CAME_TO: Final = {
    "passed": "passed",
    "failed": "failed",
    "inconclusive": "could not show it",
    "not-applicable": "did not apply",
}
"""What cells did, by their outcome."""
