"""What samples make of what the wire alone says of an invariant: where they show something at all."""

from collections.abc import Callable
from typing import Final, TypeAlias

from simulator.verdict.findings import Ruling, Subject
from simulator.verdict.invariants.probed_life import rule_alive, rule_bootable
from simulator.verdict.invariants.probed_versions import (
    rule_accounted_for,
    rule_double_apply,
    rule_ghost_work,
    rule_stops,
    rule_tested,
)
from simulator.verdict.samples import Samples

ProbedRule: TypeAlias = Callable[[Samples, Subject, Ruling], Ruling]

PROBED: Final[dict[str, ProbedRule]] = {
    "bootable": rule_bootable,
    "no-ghost-work": rule_ghost_work,
    "stops-in-time": rule_stops,
    "no-double-apply": rule_double_apply,
    "accounted-for": rule_accounted_for,
    "alive": rule_alive,
    "tests-before-commit": rule_tested,
}
"""The invariants of which samples show something, by their names."""
