"""A run in which something does not go as the scenario has it: it is told, and the run goes on or ends in one line."""

import pytest

from agent.errors import InputError
from simulator.engines.virtual import judged
from simulator.scenario import Scenario, parse
from simulator.trace import DeletionRefused, Entry, ExecutionChanged, RunEnded
from simulator.verdict import Verdict


def scenario(more: str, jobs: str = '{id: fw, to: [all], version: "2.0"}') -> Scenario:
    return parse(f"name: x\ndevices: [{{group: all}}]\njobs: [{jobs}]\n{more}")


def played(it: Scenario) -> tuple[Verdict, list[Entry]]:
    entries: list[Entry] = []
    verdict = judged(it, 2, 1, sink=entries.append)
    return verdict, entries


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(
            "deletions: [{job: fw, when: {step: write, progress: 50}, hold: true, force: false}]",
            id="deleting without force what is in progress",
        ),
        pytest.param(
            "deletions: [{job: fw, do: cancel-job, when: {status: SUCCEEDED}}]", id="cancelling what is completed"
        ),
    ],
)
def test_what_the_service_refuses_is_told_and_the_run_goes_on(more: str):
    verdict, entries = played(scenario(more))
    events = [entry.event for entry in entries]
    assert [event.retry for event in events if isinstance(event, DeletionRefused)] == [False]
    assert [event.why for event in events if isinstance(event, RunEnded)] == ["finished"]
    assert verdict.passed


def test_a_technician_whom_nobody_answers_has_tried():
    by_hand = "updates: [{job: fw, status: FAILED, when: {step: write, progress: 50}}]"
    verdict, entries = played(scenario(f"{by_hand}\nfaults: [{{do: lose, messages: [update], status: FAILED}}]"))
    changed = [entry.event.status for entry in entries if isinstance(entry.event, ExecutionChanged)]
    assert set(changed) == {"IN_PROGRESS", "SUCCEEDED"}
    assert verdict.passed


def test_a_job_that_the_service_does_not_make_ends_the_run_in_one_line():
    twice = '{id: fw, to: [all], version: "2.0"}, {id: fw, to: [all], version: "2.0", after: {taken: fw}}'
    with pytest.raises(InputError, match="ResourceAlreadyExistsException") as ended:
        played(scenario("", twice))
    assert "\n" not in str(ended.value)
