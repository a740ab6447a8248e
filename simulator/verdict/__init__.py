"""The verdict: what held, worked out from a trace and nothing else, while it happens or from the file afterwards.

    judge = Judge()
    for entry in trace.read(lines):
        judge.feed(entry)
    print(judge.verdict().model_dump_json())

Each invariant is judged for each device on its own, from the device's account and the cloud's account of it. Neither
the order in which the two are fed nor the difference between their clocks changes the outcome. What a device's own
hardware and network saw counts; what its agent says of itself does not excuse it.

A verdict is a fold, and no entry is kept. What one client of a thing told, and what the cloud told of the thing, is
folded into a `testimony` and a `record`; an invariant is a monitor beside them, fed by the entry that comes in:

    reads[type of event](state, moment)    what it must remember, and what it has found, changes in place
    rule(state, subject) -> ruling         what that comes to, by all that is known when the verdict is asked for

All of these states are values (`state`): compared, hashed, pickled, and a twin shares nothing with another. What they
hold is bounded, whatever a peer does: beside each thing that can grow stands how many are remembered. Of what is
forgotten nobody is accused; where it could have decided an outcome, that is undecided.

Of a device that is not ours there is no account: what the wire shows of it is judged (see `simulator.verdict.wire`),
and so it is if a device does not tell of all that it asks. SEEN_FROM_THE_WIRE says how much that is. Its probes show
more (see `simulator.verdict.samples`): SEEN_WITH_A_PROBE.
"""

from typing import Final

from simulator.verdict.explored import Explored
from simulator.verdict.findings import Finding, Invariant
from simulator.verdict.invariants import INVARIANTS
from simulator.verdict.judge import Judge
from simulator.verdict.model import (
    Doubt,
    InvariantVerdict,
    PlaceToReach,
    Reached,
    RecoverySeconds,
    RunOutcome,
    Verdict,
    Violation,
)

SEEN_FROM_THE_WIRE: Final[dict[str, str]] = {
    "bootable": "no",
    "no-ghost-work": "yes, if it reports its steps",
    "no-ghost-update": "yes",
    "stops-in-time": "yes, if it reports its steps",
    "asks-before-leap": "no",
    "no-cross-incarnation": "yes, if it could not have heard of the later one",
    "no-false-abort": "no",
    "no-lost-job": "yes",
    "no-double-apply": "no",
    "accounted-for": "held or undecided only, if it reports its version",
    "ready-in-time": "yes",
    "no-hammering": "yes",
    "alive": "yes",
    "tests-before-commit": "no",
}
"""Whether a device that gives no account can be seen to break an invariant."""

SEEN_WITH_A_PROBE: Final[dict[str, str]] = SEEN_FROM_THE_WIRE | {
    "bootable": "yes, if its power was cut and restored",
    "no-ghost-work": "yes, if it reports its steps, or comes to run the deleted version",
    "stops-in-time": "yes, if it reports its steps, or comes to run the deleted version",
    "no-double-apply": "held or undecided only",
    "accounted-for": "yes",
    "tests-before-commit": "yes, if it boots what it vouched for only then",
}
"""The same of one that has a probe which says whether it is alive, and which version it runs."""

__all__ = [
    "INVARIANTS",
    "SEEN_FROM_THE_WIRE",
    "SEEN_WITH_A_PROBE",
    "Doubt",
    "Explored",
    "Finding",
    "Invariant",
    "InvariantVerdict",
    "Judge",
    "PlaceToReach",
    "Reached",
    "RecoverySeconds",
    "RunOutcome",
    "Verdict",
    "Violation",
]
