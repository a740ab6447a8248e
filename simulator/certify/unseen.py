"""What cannot be judged of a device from outside, and why: that no certificate claims more than was seen."""

from collections.abc import Mapping
from typing import Final

WHY: Final[Mapping[str, str]] = {
    "bootable": "what its flash holds at an instant is not on the wire, and a probe sees only whether it runs",
    "asks-before-leap": "the moment at which it cannot go back any more is inside the device",
    "no-false-abort": "whether it gave a job up is inside the device; a report of FAILED may have any reason",
    "no-double-apply": "how often it commits a version is inside the device",
    "accounted-for": "which version runs is not on the wire: what it says of itself may be old",
    "tests-before-commit": "its self-test and its commit are inside the device",
}
"""Of each invariant that may be out of sight."""
IF_STEPS: Final = "yes, if it reports its steps"
NO_STEPS: Final = "it does not report its steps, so the wire does not show when it begins one"
IN_PART: Final = "held or undecided only"


def not_seen(seen: Mapping[str, str], *, reports_steps: bool) -> dict[str, str]:
    """Of each invariant that cannot be seen to be violated, why not. `seen` is `SEEN_FROM_THE_WIRE`, or its like."""
    reasons: dict[str, str] = {}
    for invariant, answer in seen.items():
        if answer.startswith(("no", IN_PART)):
            reasons[invariant] = WHY[invariant]
        elif answer == IF_STEPS and not reports_steps:
            reasons[invariant] = NO_STEPS
    return reasons
