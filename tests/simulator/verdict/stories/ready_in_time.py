"""Stories of `ready-in-time`."""

from simulator.trace import ExecutionChanged
from tests.simulator.verdict.stories.scenes import LAB, RNF, at_work, lost_in_write, recovers_from_write
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, FW_AGAIN, NEXT, Tale


@story("ready-in-time", "not-exercised")
def loses_nothing_when_anothers_job_is_removed(tale: Tale) -> None:
    tale.shares(tale.thing, None)
    tale.connect()
    tale.queue(LAB)
    tale.cloud(ExecutionChanged(tale.thing, LAB, "IN_PROGRESS", 2, "device"))
    tale.remove(LAB)
    tale.wait(20)


@story("ready-in-time", "held", opportunities=1)
def takes_the_next_in_time(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT)
    tale.wait(4)
    tale.take(NEXT)


@story("ready-in-time", "held")
def is_counted_from_when_the_next_is_there(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.wait(20)
    tale.queue(NEXT)
    tale.take(NEXT)


@story("ready-in-time", "held")
def is_counted_from_when_it_is_back(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(NEXT)
    tale.disconnect()
    tale.wait(20)
    tale.connect()
    tale.ask(FW, code=RNF)
    tale.finish(FW, "write", "stopped")
    tale.undo(FW, "write", "download")
    tale.take(NEXT)


@story("ready-in-time", "held", opportunities=2)
def loses_two_in_a_row(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.remove(NEXT)
    tale.learn_gone(NEXT)
    tale.undo(NEXT)
    tale.queue(FW_AGAIN)
    tale.take(FW_AGAIN)


@story("ready-in-time", "held", opportunities=1)
def goes_on_with_one_that_was_in_progress_all_along(tale: Tale) -> None:
    at_work(tale)
    tale.queue(NEXT)
    tale.cloud(ExecutionChanged(tale.thing, NEXT, "IN_PROGRESS", 2, "device"))
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.undo(FW, "download")
    tale.update(NEXT)
    tale.queue(FW_AGAIN)
    tale.update(NEXT, "SUCCEEDED")
    tale.wait(6)
    tale.take(FW_AGAIN)


def slow(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(NEXT)
    tale.wait(5.5)


@story("ready-in-time", "violated", "execution.removed", "execution.queued", "execution.changed")
def takes_the_next_too_late(tale: Tale) -> None:
    slow(tale)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.undo(FW, "write", "download")
    tale.take(NEXT)


@story("ready-in-time", "violated", "execution.removed", "execution.queued")
def never_takes_the_next(tale: Tale) -> None:
    slow(tale)


@story("ready-in-time", "violated", "execution.removed", "execution.changed")
def fails_the_next_without_having_begun(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT)
    tale.update(NEXT, "FAILED", details=(("reason", "busy with existing job"),))


@story("ready-in-time", "held", opportunities=1)
def rejects_a_document_that_it_cannot_read_and_takes_the_one_after(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT, FW_AGAIN)
    tale.update(NEXT, "REJECTED", details=(("reason", "no operation"),))
    tale.take(FW_AGAIN)


@story("ready-in-time", "not-exercised")
def fails_the_last_one_so_late_that_the_next_is_hit(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(FW_AGAIN)
    token = tale.send("update", FW, status="FAILED", expected_version=1)
    tale.arrive(token, found=FW_AGAIN)
    tale.cloud(ExecutionChanged(tale.thing, FW_AGAIN, "FAILED", 2, "device"))


@story("ready-in-time", "undecided")
def is_cut_short(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT)
    tale.wait(4)


@story("ready-in-time", "not-exercised")
def has_no_next(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.wait(20)


@story("ready-in-time", "not-exercised")
def loses_only_what_was_not_begun(tale: Tale) -> None:
    tale.connect()
    tale.queue(FW)
    tale.remove(FW, "QUEUED")
    tale.queue(NEXT)
    tale.take(NEXT)
