"""A whole run comes to the same verdict in whatever order its entries come, from the wire alone as well."""

import random
from collections.abc import Iterator

import pytest

from simulator.engines.virtual import judged
from simulator.scenario import load
from simulator.trace import Entry, read, write_line
from simulator.verdict import Verdict
from tests.simulator.verdict.tale import from_the_wire, judge


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
