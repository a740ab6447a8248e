"""Every shipped scenario with every device model, in virtual time: who breaks what, and where.

Each pair is played once a session, whoever asks.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from simulator.devices.models import MODELS
from simulator.engines.virtual import judged
from simulator.scenario import Scenario, load
from simulator.trace import Entry, RunEnded, device_source
from simulator.verdict import Judge, Verdict

A_FLEET = 24
"""So many are a fleet, where a scenario is made for one."""
LEAST_QUOTA = 20
"""Requests a second that a handful of devices needs for anything to go on at all."""

parsed = cache(load)


class Verdicts(NamedTuple):
    """On one run: with the devices' own accounts, and from the wire alone."""

    whole: Verdict
    wire: Verdict


class Escape(NamedTuple):
    """On one run of a bad model: the verdict, that of a judge who does not look for what it breaks, how it ended.

    Where the whole verdict finds nothing, a judge who looks for less cannot either: it is not asked. Nor is it about a
    model that breaks several, of which nobody wants to know what one of them alone finds.
    """

    whole: Verdict
    blind: Verdict
    ended: str

    @property
    def succeeded(self) -> bool:
        """Whether nothing else was found against it."""
        return self.ended == "finished" and not violated(self.blind)


@cache
def judged_twice(scenario: str, model: str = "reference", seed: int = 1) -> Verdicts:
    """The verdicts on a shipped scenario played by `model`."""
    wire = Judge()

    def overhear(entry: Entry) -> None:
        if not entry.source.startswith(device_source("")):
            wire.feed(entry)

    whole = judged(*with_few(parsed(scenario).cast(model)), seed, sink=overhear)
    return Verdicts(whole, wire.verdict())


@cache
def judged_blindly(scenario: str, model: str, seed: int = 1) -> Escape:
    """The verdicts on a shipped scenario played by a bad model."""
    trace: list[Entry] = []
    whole = judged(*with_few(parsed(scenario).cast(model)), seed, sink=trace.append)
    (ended,) = (entry.event.why for entry in trace if isinstance(entry.event, RunEnded))
    is_asked = len(MODELS[model].breaks) == 1 and violated(whole)
    return Escape(whole, _blindly(trace, model) if is_asked else whole, ended)


def _blindly(trace: list[Entry], model: str) -> Verdict:
    judge = Judge(skip=MODELS[model].breaks)
    for entry in trace:
        judge.feed(entry)
    return judge.verdict()


def with_few(scenario: Scenario) -> tuple[Scenario, int]:
    """The scenario, and for how many devices: one a group, or a part of the fleet that it is made for."""
    devices = max(len(scenario.devices), min(scenario.play_with - 10, A_FLEET))
    return with_fewer(scenario, devices), devices


def with_fewer(scenario: Scenario, devices: int) -> Scenario:
    """The same for fewer devices than it is made for: the account's quota is less, too, about in proportion."""
    quota = scenario.cloud.requests_per_second
    if quota is None or devices >= scenario.play_with:
        return scenario
    cloud = replace(scenario.cloud, requests_per_second=max(LEAST_QUOTA, quota * devices // scenario.play_with))
    return scenario.model_copy(update={"cloud": cloud})


def played(scenario: str, model: str = "reference", seed: int = 1) -> Verdict:
    """The verdict on a shipped scenario played by `model`."""
    is_bad = bool(MODELS[model].breaks)
    return judged_blindly(scenario, model, seed).whole if is_bad else judged_twice(scenario, model, seed).whole


def violated(verdict: Verdict) -> set[str]:
    return {invariant.id for invariant in verdict.invariants if invariant.outcome == "violated"}


def broken_by(model: str, scenarios: Iterable[str], seed: int = 1) -> dict[str, frozenset[str]]:
    """The invariants that a model violates, by scenario; those where it violates none are left out."""
    found = {scenario: frozenset(violated(played(scenario, model, seed))) for scenario in scenarios}
    return {scenario: invariants for scenario, invariants in found.items() if invariants}
