"""The verdict: what held, worked out from a trace and nothing else, while it happens or from the file afterwards.

    judge = Judge()
    for entry in trace.read(lines):
        judge.feed(entry)
    print(judge.verdict().model_dump_json())

Each invariant is judged for each device on its own, from the device's account and the cloud's account of it. Neither
the order in which the two are fed nor the difference between their clocks changes the outcome.
"""

from simulator.verdict.findings import Finding, Invariant
from simulator.verdict.invariants import INVARIANTS
from simulator.verdict.judge import Judge
from simulator.verdict.model import (
    Explored,
    InvariantVerdict,
    PlaceToReach,
    Reached,
    RecoverySeconds,
    Verdict,
    Violation,
)

__all__ = [
    "INVARIANTS",
    "Explored",
    "Finding",
    "Invariant",
    "InvariantVerdict",
    "Judge",
    "PlaceToReach",
    "Reached",
    "RecoverySeconds",
    "Verdict",
    "Violation",
]
