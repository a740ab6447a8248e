"""Correct devices play every shipped scenario, and the wire alone accuses them of nothing; bad ones it catches."""

import random
from collections.abc import Iterator

import pytest

from simulator.devices.models.designs import DESIGNS
from simulator.engines.virtual import judged
from simulator.scenario import load, shipped
from simulator.trace import Entry, read, write_line
from simulator.verdict import SEEN_FROM_THE_WIRE, Verdict
from tests.simulator.devices.models.playing import judged_twice, violated
from tests.simulator.verdict.tale import from_the_wire, judge

CORRECT = ("reference", *DESIGNS)

CAUGHT = [
    ("reports-success-for-a-gone-job", "delete-in-write", "no-ghost-update"),
    ("device-client-old", "delete-in-self-test", "no-hammering"),
    ("rests-after-a-success", "two-in-progress-other-deleted", "no-lost-job"),
    ("greengrass-nucleus", "main", "alive"),
    ("greengrass-nucleus", "main", "ready-in-time"),
]


@pytest.mark.parametrize("scenario", shipped())
@pytest.mark.parametrize("model", CORRECT)
def test_a_correct_device_is_accused_of_nothing_from_the_wire(model: str, scenario: str):
    verdicts = judged_twice(scenario, model)
    assert violated(verdicts.wire) - violated(verdicts.whole) == set()


def test_all_that_can_be_seen_from_the_wire_is_exercised_by_the_shipped_scenarios():
    verdicts = [judged_twice(scenario).wire for scenario in shipped()]
    seen = {each.id for verdict in verdicts for each in verdict.invariants if each.opportunities}
    assert seen == {name for name, how in SEEN_FROM_THE_WIRE.items() if how != "no"}


@pytest.mark.parametrize(("model", "scenario", "broken"), CAUGHT)
def test_a_bad_device_is_caught_from_the_wire(model: str, scenario: str, broken: str):
    assert broken in violated(judged_twice(scenario, model).wire)


# ── a whole run, fed in other ways ────────────────────────────────────────────────────────────────────────────


def whole_run(model: str) -> list[Entry]:
    scenario, entries = load("main").cast(model), list[Entry]()
    judged(scenario, len(scenario.devices), 1, sink=entries.append)
    return entries


def shuffled(entries: list[Entry], rng: random.Random) -> Iterator[Entry]:
    """In another order, in which each source's own stays."""
    sources: dict[str, list[Entry]] = {}
    for entry in reversed(entries):
        sources.setdefault(entry.source, []).append(entry)
    while sources:
        source = rng.choice(list(sources))
        yield sources[source].pop()
        if not sources[source]:
            del sources[source]


def outcomes(verdict: Verdict) -> dict[str, tuple[str, int]]:
    return {each.id: (each.outcome, each.opportunities) for each in verdict.invariants}


@pytest.mark.parametrize("model", ["reference", "device-client-old"])
def test_a_run_is_judged_alike_however_it_is_fed(model: str):
    entries = whole_run(model)
    rng = random.Random(7)
    shifts = {entry.source: rng.uniform(-1e6, 1e6) for entry in entries}
    for told in (entries, from_the_wire(entries)):
        straight = judge(told)
        assert judge(list(shuffled(told, rng))) == straight
        assert judge(list(read(write_line(entry) for entry in told))) == straight
        moved = [entry._replace(at=entry.at + shifts[entry.source]) for entry in told]
        assert outcomes(judge(moved)) == outcomes(straight)
