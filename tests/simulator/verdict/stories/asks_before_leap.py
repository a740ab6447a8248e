"""Stories of `asks-before-leap`."""

from agent.device_events import DeviceBooted, ExecutionLeft, PhaseChanged
from tests.simulator.verdict.stories.scenes import at_work
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, FW_AGAIN, Tale


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


def overwrites_its_only_slot(tale: Tale) -> None:
    """With leave, while version 1.0 runs."""
    tale.device(DeviceBooted("1.0"))
    at_work(tale)
    tale.ask(FW)
    tale.begin(FW, "write", reversible=False)


@story("asks-before-leap", "held", opportunities=1)
def reboots_unanswered_into_what_it_wrote_over_its_only_slot(tale: Tale) -> None:
    overwrites_its_only_slot(tale)
    tale.disconnect()
    tale.connect()
    tale.disconnect()
    tale.finish(FW, "write")
    tale.begin(FW, "reboot", reversible=False)


@story("asks-before-leap", "held", opportunities=1)
def writes_once_more_unanswered_when_its_only_slot_does_not_boot(tale: Tale) -> None:
    overwrites_its_only_slot(tale)
    tale.lose_power(version="recovery")
    tale.begin(FW, "write", reversible=False)


@story("asks-before-leap", "violated", "device.connected", "step.started")
def writes_once_more_unanswered_though_its_only_slot_is_as_it_was(tale: Tale) -> None:
    overwrites_its_only_slot(tale)
    tale.lose_power(version="1.0")
    tale.begin(FW, "write", reversible=False)


@story("asks-before-leap", "violated", "device.connected", "step.started")
def commits_once_more_without_asking_what_is_still_on_trial(tale: Tale) -> None:
    at_work(tale)
    tale.lose_power(version="2.0", on_trial=True)
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.lose_power(version="2.0", on_trial=True)
    tale.begin(FW, "commit", reversible=False)


@story("asks-before-leap", "held", opportunities=1)
def commits_once_more_without_asking_what_is_not_on_trial_any_more(tale: Tale) -> None:
    at_work(tale)
    tale.lose_power(version="2.0", on_trial=True)
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.lose_power(version="2.0")
    tale.begin(FW, "commit", reversible=False)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def takes_it_anew_and_writes_without_asking(tale: Tale) -> None:
    overwrites_its_only_slot(tale)
    tale.finish(FW, "write")
    tale.take(FW)
    tale.hint()
    tale.begin(FW, "write", reversible=False)


def finds_what_another_wrote(tale: Tale, version: str) -> None:
    """Of an execution that is over; and nothing was asked of the next one since the network came back."""
    overwrites_its_only_slot(tale)
    tale.finish(FW, "write")
    tale.lose_power(version=version)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.device(ExecutionLeft(FW, "kept"))
    tale.queue(FW_AGAIN)
    tale.take(FW_AGAIN)
    tale.disconnect()
    tale.connect()


@story("asks-before-leap", "held", opportunities=1)
def tests_unanswered_what_another_execution_wrote_over_its_only_slot(tale: Tale) -> None:
    finds_what_another_wrote(tale, "2.0")
    tale.begin(FW_AGAIN, "self-test", reversible=False)


@story("asks-before-leap", "violated", "device.connected", "step.started")
def writes_unanswered_once_more_what_another_execution_wrote(tale: Tale) -> None:
    finds_what_another_wrote(tale, "2.0")
    tale.begin(FW_AGAIN, "write", reversible=False)


@story("asks-before-leap", "violated", "device.connected", "step.started")
def tests_unanswered_what_another_execution_wrote_and_does_not_run(tale: Tale) -> None:
    finds_what_another_wrote(tale, "1.0")
    tale.begin(FW_AGAIN, "self-test", reversible=False)


@story("asks-before-leap", "violated", "device.connected", "step.started")
def runs_a_program_unanswered_behind_firmware(tale: Tale) -> None:
    overwrites_its_only_slot(tale)
    tale.disconnect()
    tale.connect()
    tale.begin(FW, "fuse", reversible=False)
