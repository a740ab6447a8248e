"""Stories of `asks-before-leap`."""

from agent.device_events import PhaseChanged
from tests.simulator.verdict.stories.scenes import at_work
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, Tale


@story("asks-before-leap", "held", opportunities=1)
def asks_and_leaps(tale: Tale) -> None:
    at_work(tale)
    tale.hint(FW)
    tale.leap(FW, "1.0")


@story("asks-before-leap", "held")
def is_hinted_in_another_namespace(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.hint(namespace_id="lab")
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "held", opportunities=1)
def finishes_a_second_leap_of_a_ghost(tale: Tale) -> None:
    at_work(tale)
    tale.leap(FW, "1.0")
    tale.learn_gone(FW)
    tale.device(PhaseChanged("recovering", "suspect", execution=FW))
    tale.begin(FW, "fuse", reversible=False)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def is_hinted_after_it_asked(tale: Tale) -> None:
    at_work(tale)
    token = tale.send("describe", FW)
    tale.hint(FW)
    tale.arrive(token, found=FW)
    tale.answer(token, found=FW, status="IN_PROGRESS")
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "violated", "device.connected", "step.started")
def leaps_after_reconnecting(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.disconnect()
    tale.connect()
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def takes_an_accepted_update_for_leave(tale: Tale) -> None:
    at_work(tale)
    tale.hint(FW)
    tale.update(FW)
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "not-exercised")
def never_leaps(tale: Tale) -> None:
    at_work(tale)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def calls_its_second_leap_a_recovery(tale: Tale) -> None:
    at_work(tale)
    tale.leap(FW, "1.0")
    tale.hint(FW)
    tale.device(PhaseChanged("recovering", "executing", execution=FW))
    tale.begin(FW, "fuse", reversible=False)


@story("asks-before-leap", "held", opportunities=2)
def does_an_interrupted_leap_again_after_asking_again(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.lose_power()
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)


@story("asks-before-leap", "violated", "device.connected", "step.started")
def does_an_interrupted_leap_again_without_asking(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.lose_power()
    tale.begin(FW, "commit", reversible=False)


@story("asks-before-leap", "held")
def leaps_unanswered_since_that_is_its_policy(tale: Tale) -> None:
    tale.leaps_unanswered(5)
    at_work(tale)
    tale.disconnect()
    tale.wait(5)
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def leaps_unanswered_before_its_policy_allows_that(tale: Tale) -> None:
    tale.leaps_unanswered(5)
    at_work(tale)
    tale.hint()
    tale.wait(4)
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def leaps_unanswered_although_its_policy_is_to_give_up(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.wait(6)
    tale.begin(FW, "switch", reversible=False)
