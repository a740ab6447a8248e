"""The verdict so far, device by device, is the judge's own; and it accuses no correct device on the way."""

from collections.abc import Callable

import pytest

from simulator.trace import Entry
from simulator.verdict import Judge
from simulator.verdict.interim import Interim
from tests.simulator.page.samples import run

SCENARIOS = ["main", "delete-while-powerless", "greengrass-beside-delete", "recreated-at-once"]


def looked(interim: Interim, between: Callable[[], object] = lambda: None) -> None:
    """A round."""
    left = interim.begin()
    while left:
        left = interim.look()
        between()


@pytest.mark.parametrize("model", [None, "recovers-without-undoing", "hammering"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_whole_round_finds_what_the_judge_finds(scenario: str, model: str | None):
    judge = Judge()
    interim = Interim(judge)
    assert not interim.begin()
    assert not interim.has_looked
    entries = run(scenario, model, 4).entries
    for number, entry in enumerate(entries, 1):
        judge.feed(entry)
        if number % 97 == 0 or number == len(entries):
            looked(interim)
            assert interim.has_looked
            assert interim.verdict() == judge.verdict()
    assert interim.verdict() == run(scenario, model, 4).verdict


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_entries_may_come_while_it_looks_and_nobody_correct_is_accused(scenario: str):
    judge = Judge()
    interim = Interim(judge)
    coming = iter(run(scenario, None, 4).entries)

    def some_more() -> None:
        for entry in [each for _, each in zip(range(5), coming, strict=False)]:
            judge.feed(entry)
            fed.append(entry)

    fed: list[Entry] = []
    some_more()
    while len(fed) < len(run(scenario, None, 4).entries):
        looked(interim, some_more)
        assert interim.verdict().outcome != "failed"
    looked(interim)
    assert interim.verdict().outcome == "passed"
