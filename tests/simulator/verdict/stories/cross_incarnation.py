"""Stories of `no-cross-incarnation`."""

from agent.device_events import ExecutionLeft, PhaseChanged
from simulator.trace import ExecutionChanged
from tests.simulator.verdict.stories.scenes import at_work, lost_in_write, recovers_from_write
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, FW_AGAIN, Tale


@story("no-cross-incarnation", "held", opportunities=1)
def keeps_two_incarnations_apart(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW_AGAIN)
    tale.take(FW_AGAIN)
    tale.update(FW_AGAIN)


@story("no-cross-incarnation", "held")
def asks_after_one_and_is_told_of_the_other(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(FW_AGAIN)
    tale.ask(FW, found=FW_AGAIN, status="QUEUED")


@story("no-cross-incarnation", "held")
def updates_the_second_of_the_same_second(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW)
    tale.take(FW)
    tale.update(FW)


def stale_update(tale: Tale, *, expected_version: int | None) -> None:
    at_work(tale)
    tale.update(FW)
    tale.remove(FW)
    tale.queue(FW_AGAIN)
    token = tale.send("update", FW, status="SUCCEEDED", expected_version=expected_version)
    tale.arrive(token, found=FW_AGAIN)
    tale.cloud(ExecutionChanged(tale.thing, FW_AGAIN, "SUCCEEDED", 2, "device"))
    tale.answer(token)
    tale.device(ExecutionLeft(FW, "succeeded"), PhaseChanged("idle", "reporting"))


@story("no-cross-incarnation", "violated", "execution.queued", "request.sent", "request.received", "request.answered")
def reports_the_first_without_a_version_and_ends_the_second(tale: Tale) -> None:
    stale_update(tale, expected_version=None)


@story("no-cross-incarnation", "violated", "execution.queued", "request.sent", "request.received", "request.answered")
def claims_the_second_though_the_head_had_named_it(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(FW_AGAIN)
    tale.ask(None, job_id="$next", found=FW_AGAIN, status="QUEUED")
    token = tale.send("update", FW, status="IN_PROGRESS", expected_version=1)
    tale.arrive(token, found=FW_AGAIN)
    tale.answer(token)


@story("no-cross-incarnation", "undecided")
def could_not_know_and_did_what_the_wire_offers(tale: Tale) -> None:
    stale_update(tale, expected_version=1)


@story("no-cross-incarnation", "undecided")
def updates_one_of_two_that_look_alike(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW)
    tale.remove(FW)
    tale.queue(FW)
    tale.update(FW)


@story("no-cross-incarnation", "not-exercised")
def sees_one_incarnation_only(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW)
