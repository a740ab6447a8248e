"""What comes of a mutation in the shipped scenarios, played in virtual time: there are waits, numbers, and stale reads.

Of each, all that our agent meets is kept, as `trying` does of a world: where a mutation only changes words, it need not
be played.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent.core import step
from agent.core.events import Effect, Event
from simulator.devices.models import MODELS
from simulator.devices.models.model import Model
from simulator.engines.virtual import judged
from simulator.scenario import Scenario, load, shipped
from simulator.verdict import Verdict
from tests.explore.mutations.switched import Mutation, switched
from tests.explore.mutations.trying import NOTHING, Caught, Met, outcome_of
from tests.explore.mutations.words import Difference, difference, worse
from tests.simulator.devices.models.playing import with_few

OWN: Final = Path(__file__).with_name("scenarios")
"""Some that only switched-off rules need."""
OURS: Final = "reference"
SEED: Final = 1


class Play(NamedTuple):
    """A scenario that our agent passes, and all that it meets there."""

    scenario: Scenario
    met: Met


class TriedInTime(NamedTuple):
    """By which scenario it is caught, and what is the most that it changes in any."""

    caught: Caught | None
    differs: Difference


def plays() -> Iterator[Play]:
    """All of them."""
    for name in (*shipped(), *sorted(map(str, OWN.glob("*.yaml")))):
        met: Met = {}
        scenario = load(name)
        verdict = _played(scenario, met)
        assert verdict.passed, f"our agent does not pass {name}: {verdict.why}"
        yield Play(scenario, met)


def tried_in_time(mutation: Mutation, those: Sequence[Play]) -> TriedInTime:
    """In one scenario after the other, until it is caught."""
    worst = NOTHING
    for play in those:
        with switched(mutation):
            each = (difference(outcome_of(*state), outcome) for state, outcome in play.met.items())
            differs = reduce(worse, each, NOTHING)
            worst = worse(worst, differs)
            verdict = _played(play.scenario, {}) if differs in ("waits", "deeds") else None
        if verdict is not None and not verdict.passed:
            return TriedInTime(_caught(verdict), worst)
    return TriedInTime(None, worst)


def _played(scenario: Scenario, met: Met) -> Verdict:
    with _keeping(met):
        return judged(*with_few(scenario.cast(OURS)), SEED)


@contextmanager
def _keeping(met: Met) -> Iterator[None]:
    """Our agent, of which is kept what it meets; a function of its own, so nothing is remembered of another one."""

    def kept(state: Any, event: Event) -> tuple[Any, tuple[Effect, ...]]:
        met[state, event] = outcome = step(state, event)
        return outcome

    ours = MODELS[OURS]
    MODELS[OURS] = Model(kept)
    try:
        yield
    finally:
        MODELS[OURS] = ours


def _caught(verdict: Verdict) -> Caught:
    scenario = f"scenario {verdict.scenario}"
    for each in verdict.invariants:
        if each.outcome == "violated":
            return Caught(each.id, each.violations[0].message, scenario, (), 0)
    return Caught("reaches its places", verdict.why, scenario, (), 0)
