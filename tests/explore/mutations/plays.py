"""What comes of a mutation in the shipped scenarios, played in virtual time: there are waits, numbers, and stale reads.

Of each, all that our agent meets is kept, as of a world (see `trying`): where a mutation only changes words, it need
not be played.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Final, NamedTuple

from agent.core import step
from simulator.engines.virtual import judged
from simulator.scenario import Scenario, load, shipped
from simulator.verdict import Verdict
from tests.explore.mutations.meetings import OURS, Meeting, Meetings, cast, differing
from tests.explore.mutations.switched import Mutation, switched
from tests.explore.mutations.trying import NOTHING, Caught
from tests.explore.mutations.words import Difference, worse
from tests.simulator.devices.models.playing import with_few

OWN: Final = Path(__file__).with_name("scenarios")
"""Some that only switched-off rules need."""
SEED: Final = 1


class Play(NamedTuple):
    """A scenario that our agent passes, what it meets there, and what of it is `new`."""

    scenario: Scenario
    met: frozenset[Meeting]
    new: frozenset[Meeting]


class TriedInTime(NamedTuple):
    """By which scenario it is caught, and what is the most that it changes in any."""

    caught: Caught | None
    differs: Difference


def plays() -> Iterator[Play]:
    """All of them."""
    meetings, before = Meetings(), frozenset[Meeting]()
    for name in (*shipped(), *sorted(map(str, OWN.glob("*.yaml")))):
        scenario = load(name)
        with cast(meetings.step):
            verdict = _played(scenario)
        assert verdict.passed, f"our agent does not pass {name}: {verdict.why}"
        met = meetings.taken()
        yield Play(scenario, met, met - before)
        before |= met


def tried_in_time(mutation: Mutation, those: Sequence[Play]) -> TriedInTime:
    """In one scenario after the other, until it is caught."""
    worst, others = NOTHING, dict[Meeting, Difference]()
    for play in those:
        others |= differing([mutation], play.new)
        differs = reduce(worse, (others[each] for each in play.met & others.keys()), NOTHING)
        worst = worse(worst, differs)
        if differs not in ("waits", "deeds"):
            continue
        with switched(mutation), cast(step):
            verdict = _played(play.scenario)
        if not verdict.passed:
            return TriedInTime(_caught(verdict), worst)
    return TriedInTime(None, worst)


def _played(scenario: Scenario) -> Verdict:
    return judged(*with_few(scenario.cast(OURS)), SEED)


def _caught(verdict: Verdict) -> Caught:
    scenario = f"scenario {verdict.scenario}"
    for each in verdict.invariants:
        if each.outcome == "violated":
            return Caught(each.id, each.violations[0].message, scenario, (), 0)
    return Caught("reaches its places", verdict.why, scenario, (), 0)
