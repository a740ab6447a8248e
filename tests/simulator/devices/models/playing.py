"""Every shipped scenario with every device model, in virtual time: who breaks what, and where."""

from functools import cache
from typing import NamedTuple

from simulator.engines.virtual import judged
from simulator.scenario import load, shipped
from simulator.trace import Entry, device_source
from simulator.verdict import Judge, Verdict

DEVICES_A_GROUP = 2


class Verdicts(NamedTuple):
    """On one run: with the devices' own accounts, and from the wire alone."""

    whole: Verdict
    wire: Verdict


@cache
def judged_twice(scenario: str, model: str = "reference", seed: int = 1) -> Verdicts:
    """The verdicts on a shipped scenario played by `model`, with every group filled."""
    parsed = load(scenario).cast(model)
    devices = max(DEVICES_A_GROUP * len(parsed.devices), parsed.play_with // 10)
    wire = Judge()

    def overhear(entry: Entry) -> None:
        if not entry.source.startswith(device_source("")):
            wire.feed(entry)

    whole = judged(parsed.with_fewer(devices), devices, seed, sink=overhear)
    return Verdicts(whole, wire.verdict())


def played(scenario: str, model: str = "reference", seed: int = 1) -> Verdict:
    """The verdict on a shipped scenario played by `model`."""
    return judged_twice(scenario, model, seed).whole


def violated(verdict: Verdict) -> set[str]:
    return {invariant.id for invariant in verdict.invariants if invariant.outcome == "violated"}


@cache
def broken_by(model: str) -> dict[str, frozenset[str]]:
    """The invariants that a model violates, by shipped scenario; those where it violates none are left out."""
    found = {scenario: frozenset(violated(played(scenario, model))) for scenario in shipped()}
    return {scenario: invariants for scenario, invariants in found.items() if invariants}
