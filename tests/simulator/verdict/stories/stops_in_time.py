"""Stories of `stops-in-time`."""

from simulator.trace import ExecutionChanged
from tests.simulator.verdict.stories.scenes import at_work, lost_in_write, recovers_from_write, silently_at_work
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, Tale


@story("stops-in-time", "held", opportunities=1)
def stops_at_once(tale: Tale) -> None:
    recovers_from_write(tale)


@story("stops-in-time", "held")
def begins_a_step_within_the_bound(tale: Tale) -> None:
    lost_in_write(tale)
    tale.wait(1.8)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


@story("stops-in-time", "held")
def lets_a_long_step_end(tale: Tale) -> None:
    lost_in_write(tale)
    tale.wait(20)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")


@story("stops-in-time", "held")
def works_on_off_line(tale: Tale) -> None:
    lost_in_write(tale)
    tale.disconnect()
    tale.wait(4)
    tale.finish(FW, "write")
    tale.step(FW, "check")


@story("stops-in-time", "held")
def has_only_just_reconnected(tale: Tale) -> None:
    lost_in_write(tale)
    tale.disconnect()
    tale.wait(4)
    tale.connect()
    tale.finish(FW, "write")
    tale.step(FW, "check")


@story("stops-in-time", "held", opportunities=1)
def works_on_one_of_the_same_second(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW)
    tale.take(FW)
    tale.wait(4)
    tale.step(FW, "download")


@story("stops-in-time", "violated", "execution.removed", "step.started")
def begins_a_step_beyond_the_bound(tale: Tale) -> None:
    lost_in_write(tale)
    tale.wait(2.1)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


@story("stops-in-time", "violated", "execution.removed", "step.started")
def believes_an_answer_that_is_out_of_date(tale: Tale) -> None:
    lost_in_write(tale)
    tale.hint()
    tale.ask(FW)
    tale.wait(2.1)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


@story("stops-in-time", "violated", "execution.removed", "step.started")
def begins_a_step_long_after_reconnecting(tale: Tale) -> None:
    lost_in_write(tale)
    tale.disconnect()
    tale.wait(1)
    tale.connect()
    tale.wait(2.5)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


@story("stops-in-time", "undecided")
def begins_a_step_when_the_clocks_leave_it_open(tale: Tale) -> None:
    lost_in_write(tale)
    tale.wait(2.005)  # messages take 0.01 s each way, so the clocks are known to no better than that
    tale.finish(FW, "write")
    tale.begin(FW, "check")


@story("stops-in-time", "not-exercised")
def loses_nothing(tale: Tale) -> None:
    at_work(tale)


@story("stops-in-time", "not-exercised")
def loses_what_it_had_reported(tale: Tale) -> None:
    at_work(tale)
    tale.report(FW)
    tale.remove(FW, "SUCCEEDED")


@story("stops-in-time", "violated", "execution.removed", "step.started")
def never_said_what_it_took(tale: Tale) -> None:
    silently_at_work(tale)
    tale.remove(FW)
    tale.wait(2.1)
    tale.begin(FW, "write")


@story("stops-in-time", "not-exercised")
def was_taken_by_another_client_of_the_thing(tale: Tale) -> None:
    tale.queue(FW)
    tale.connect()
    tale.cloud(ExecutionChanged(tale.thing, FW, "IN_PROGRESS", 2, "device"))
    tale.remove(FW)
    tale.wait(4)
