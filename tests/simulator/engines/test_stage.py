"""How many executions a play still waits for."""

from simulator.engines.stage import Stage
from simulator.trace import CONTROLLER, DeletionAccepted, Entry


def accepted(do: str) -> Entry:
    return Entry(CONTROLLER, 1, 0.0, DeletionAccepted("fw", do))


def test_a_job_that_is_deleted_while_another_of_its_id_is_refused_is_waited_for_no_more():
    stage = Stage()
    stage.ask_for("fw", 10)
    stage.ask_for("fw", 4)  # asks for another of that id
    stage.feed(accepted("delete-job"))
    stage.ask_for("fw", -4)  # which is refused, since there is one still
    assert stage.to_come == 0


def test_the_deletion_of_one_execution_ends_no_rollout():
    stage = Stage()
    stage.ask_for("fw", 10)
    stage.feed(accepted("delete-job-execution"))
    assert stage.to_come == 10
