"""What is carried along of the verdict: as small as may be, and judged as the judge does."""

import pickle
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

import pytest

from simulator.engines.explore.monitors import Watched
from tests.simulator.engines.explore.told import Played, Step, differences, played, watched_by

GOOD = ("reference", "start-next", "describe-update", "poller")
SCENARIOS = (
    "main",
    "delete-in-write",
    "delete-in-self-test",
    "delete-while-asking-to-leap",
    "messages-lost",
    "messages-duplicated",
    "messages-reordered",
    "power-lost-before-the-report",
    "power-lost-while-undoing",
    "recreated-identically",
    "recreated-at-once",
    "stale-update-after-recreation",
    "stale-reads",
    "policy-leap-when-unreachable",
    "policy-finish-after-switch",
    "self-test-fails-in-the-only-slot",
    "two-in-progress-head-deleted",
)
BAD = (
    "works-on-although-told",
    "reports-success-for-a-gone-job",
    "leaps-without-asking",
    "acts-on-the-hint-alone",
    "keys-on-job-id-alone",
    "sends-no-expected-version",
    "keeps-an-update-in-silence",
    "reports-success-of-what-it-took-back",
    "commits-before-it-tests",
    "skips-the-self-test",
    "applies-twice-after-reconnect",
    "forgets-the-journal-on-reboot",
    "recovers-without-undoing",
    "crashes-on-an-empty-head",
)
PLAYS = [
    *((scenario, GOOD[number % len(GOOD)], number) for number, scenario in enumerate(SCENARIOS)),
    *((SCENARIOS[(number * 5 + each) % len(SCENARIOS)], model, each) for number, model in enumerate(BAD) for each in (1, 2)),
    ("main", "applies-twice-after-reconnect", 1),
]


@pytest.mark.parametrize(("scenario", "model", "seed"), PLAYS)
def test_a_path_is_judged_as_the_judge_does_after_every_step(scenario: str, model: str, seed: int):
    for watcher, steps in played(scenario, model, seed):
        assert list(differences(watcher, steps)) == []


def test_the_plays_violate_all_that_is_judged():
    pass
