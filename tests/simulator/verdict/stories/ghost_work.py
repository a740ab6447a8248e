"""Stories of `no-ghost-work`."""

from agent.device_events import PhaseChanged
from tests.simulator.verdict.stories.scenes import CANCELED, RNF, at_work, recovers_from_write
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, FW_AGAIN, Tale


@story("no-ghost-work", "held", opportunities=1)
def stops_and_undoes(tale: Tale) -> None:
    recovers_from_write(tale)


@story("no-ghost-work", "held")
def works_on_before_it_is_told(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    token = tale.send("describe", FW)
    tale.arrive(token, code=RNF)
    tale.step(FW, "write")
    tale.answer(token, code=RNF)


@story("no-ghost-work", "held")
def finishes_forward_past_the_leap(tale: Tale) -> None:
    at_work(tale)
    tale.leap(FW, "1.0")
    tale.learn_gone(FW)
    tale.device(PhaseChanged("recovering", "suspect", execution=FW))
    tale.step(FW, "clean-up")


@story("no-ghost-work", "held")
def finishes_a_leap_that_was_on_record_when_it_lost_its_memory(tale: Tale) -> None:
    at_work(tale)
    tale.step(FW, "write")
    tale.ask(FW, found=FW)
    tale.lose_power()
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.finish(FW, "commit")


@story("no-ghost-work", "held", opportunities=1)
def takes_one_of_the_same_second_anew(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW)
    tale.take(FW)
    tale.step(FW, "download")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def works_on_after_not_found(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def works_on_after_canceled(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, **CANCELED)
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def works_on_after_terminal_state(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, code="TerminalStateReached")
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def works_on_after_told_of_a_later_one(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, found=FW_AGAIN)
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def takes_a_late_answer_for_a_sign_of_life(tale: Tale) -> None:
    at_work(tale)
    early = tale.send("describe", FW)
    tale.arrive(early, found=FW)
    tale.remove(FW)
    tale.update(FW, code=RNF)
    tale.answer(early, found=FW, status="IN_PROGRESS")
    tale.step(FW, "write")


@story("no-ghost-work", "not-exercised")
def is_never_told(tale: Tale) -> None:
    at_work(tale)


@story("no-ghost-work", "held", opportunities=1)
def goes_forward_once_switched_since_that_is_its_policy(tale: Tale) -> None:
    tale.finishes_after_switch()
    at_work(tale)
    tale.step(FW, "switch")
    tale.learn_gone(FW)
    tale.step(FW, "self-test")
    tale.begin(FW, "commit", reversible=False)


@story("no-ghost-work", "held", opportunities=2)
def lost_power_before_it_could_write_down_that_it_was_told(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.ask(FW, code=RNF)
    tale.lose_power()
    tale.step(FW, "write")
    tale.ask(FW, code=RNF)


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def works_on_after_a_restart_though_told_long_before(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.ask(FW, code=RNF)
    tale.wait(1.5)
    tale.hardware("1.0")
    tale.lose_power()
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def calls_its_work_a_recovery(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.device(PhaseChanged("recovering", "suspect", execution=FW))
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def claims_an_answer_that_nobody_gave(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.update(FW, code=RNF)
    token = tale.send("describe", FW)
    tale.answer(token, found=FW, status="IN_PROGRESS")
    tale.step(FW, "write")
