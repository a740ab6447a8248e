"""How many executions a play still waits for."""

import pytest

from simulator.engines.stage import Stage
from simulator.trace import CLOUD, CONTROLLER, DeletionAccepted, Entry, JobDeletionBegan

BEGAN = Entry(CLOUD, 1, 0.0, JobDeletionBegan("fw", forced=True))


def accepted(do: str) -> Entry:
    return Entry(CONTROLLER, 1, 0.0, DeletionAccepted("fw", do))


def test_a_job_that_is_deleted_while_another_of_its_id_is_refused_is_waited_for_no_more():
    stage = Stage()
    stage.ask_for("fw", 10)
    stage.ask_for("fw", 4)  # asks for another of that id
    stage.feed(BEGAN)
    stage.ask_for("fw", -4)  # which is refused, since there is one still
    assert stage.to_come == 0


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        pytest.param(BEGAN, 0, id="a deletion of the job, whoever asked for it"),
        pytest.param(accepted("cancel-job"), 0, id="a cancellation"),
        pytest.param(accepted("delete-job-execution"), 10, id="not the deletion of one execution"),
    ],
)
def test_what_ends_a_rollout(entry: Entry, left: int):
    stage = Stage()
    stage.ask_for("fw", 10)
    stage.feed(entry)
    assert stage.to_come == left
