"""Stories of `no-lost-job`."""

from dataclasses import replace

from agent.device_events import PhaseChanged
from simulator.trace import ExecutionChanged
from tests.simulator.verdict.stories.scenes import LAB, at_work, lost_in_write, silently_at_work
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, NEXT, Tale


@story("no-lost-job", "held", opportunities=1)
def takes_what_waits(tale: Tale) -> None:
    at_work(tale)


@story("no-lost-job", "held", opportunities=1)
def was_not_connected(tale: Tale) -> None:
    tale.queue(FW)
    tale.wait(20)
    tale.connect()
    tale.wait(4)
    tale.work_through(FW, "1.0")


@story("no-lost-job", "held")
def another_namespace_had_the_head(tale: Tale) -> None:
    at_work(tale)
    tale.queue(replace(NEXT, namespace_id="lab"))
    tale.wait(20)
    tale.step(FW, "write")
    tale.leap(FW, "1.0")
    tale.report(FW)
    tale.take(replace(NEXT, namespace_id="lab"))


@story("no-lost-job", "held")
def was_busy_recovering(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(NEXT)
    tale.wait(4.5)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.undo(FW, "write", "download")
    tale.take(NEXT)


@story("no-lost-job", "held")
def was_busy_recovering_from_a_cancellation(tale: Tale) -> None:
    at_work(tale)
    tale.cloud(ExecutionChanged(tale.thing, FW, "CANCELED", 5, "service"))
    tale.queue(NEXT)
    tale.wait(6)
    tale.update(FW, code="InvalidStateTransition", status="CANCELED")
    tale.undo(FW, "download")
    tale.take(NEXT)


@story("no-lost-job", "violated", "execution.queued")
def never_takes_it(tale: Tale) -> None:
    tale.connect()
    tale.queue(FW)
    tale.wait(6)


@story("no-lost-job", "violated", "execution.queued")
def takes_it_too_late(tale: Tale) -> None:
    tale.connect()
    tale.queue(FW)
    tale.wait(6)
    tale.take(FW)


@story("no-lost-job", "violated", "execution.changed", "phase.changed")
def forgets_what_it_took(tale: Tale) -> None:
    at_work(tale)
    tale.device(PhaseChanged("idle", "executing"))
    tale.wait(6)


@story("no-lost-job", "undecided")
def the_end_comes_before_the_bound(tale: Tale) -> None:
    tale.connect()
    tale.queue(FW)
    tale.wait(4)


@story("no-lost-job", "not-exercised")
def is_safe_and_takes_nothing(tale: Tale) -> None:
    tale.connect()
    tale.device(PhaseChanged("safe", "recovering"))
    tale.queue(FW)
    tale.wait(20)


@story("no-lost-job", "not-exercised")
def never_has_a_job(tale: Tale) -> None:
    tale.connect()


@story("no-lost-job", "violated", "execution.changed", "step.finished")
def forgets_what_it_took_and_never_says_that_it_idles(tale: Tale) -> None:
    silently_at_work(tale)
    for _ in range(2):
        tale.wait(6)
        tale.ask(None, request="get-pending")


@story("no-lost-job", "held", opportunities=1)
def does_nothing_more_be_it_dead_or_not(tale: Tale) -> None:
    silently_at_work(tale)
    tale.wait(12)


@story("no-lost-job", "violated", "execution.changed", "phase.changed")
def idles_until_it_is_stopped_at_the_end(tale: Tale) -> None:
    at_work(tale)
    tale.device(PhaseChanged("idle", "executing"))
    tale.wait(6)
    tale.disconnect("CLIENT_INITIATED_DISCONNECT", planned=True)


@story("no-lost-job", "held", opportunities=1)
def is_long_in_a_step(tale: Tale) -> None:
    silently_at_work(tale)
    tale.begin(FW, "write")
    tale.wait(20)


@story("no-lost-job", "held", opportunities=1)
def leaves_to_another_client_what_that_one_took(tale: Tale) -> None:
    tale.queue(FW)
    tale.connect()
    tale.device(PhaseChanged("idle", "starting"))
    tale.cloud(ExecutionChanged(tale.thing, FW, "IN_PROGRESS", 2, "device"))
    tale.wait(20)


@story("no-lost-job", "violated", "execution.queued")
def says_that_it_is_safe_without_a_sign_of_it(tale: Tale) -> None:
    tale.connect()
    tale.hardware("1.0")
    tale.device(PhaseChanged("safe", "idle"))
    tale.queue(FW)
    tale.wait(20)


@story("no-lost-job", "violated", "execution.queued")
def lets_its_own_wait_on_a_thing_that_it_shares(tale: Tale) -> None:
    tale.shares(tale.thing, None)
    tale.connect()
    tale.queue(FW)
    tale.wait(20)


@story("no-lost-job", "undecided")
def waits_while_anothers_job_is_at_the_head(tale: Tale) -> None:
    tale.shares(tale.thing, None)
    tale.connect()
    tale.queue(LAB, FW)
    tale.wait(8)
    tale.cloud(ExecutionChanged(tale.thing, LAB, "IN_PROGRESS", 2, "device"))
    tale.wait(8)
    tale.remove(LAB)
    tale.wait(1)


@story("no-lost-job", "violated", "execution.queued")
def waits_on_when_anothers_job_is_over(tale: Tale) -> None:
    waits_while_anothers_job_is_at_the_head(tale)
    tale.wait(8)


@story("no-lost-job", "not-exercised")
def has_nothing_to_do_with_anothers_job(tale: Tale) -> None:
    tale.shares(tale.thing, None)
    tale.connect()
    tale.queue(LAB)
    tale.wait(20)
