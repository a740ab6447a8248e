"""Stories of `no-ghost-update`."""

from tests.simulator.verdict.stories.scenes import CANCELED, RNF, at_work, recovers_from_write
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, Tale


@story("no-ghost-update", "held", opportunities=1)
def falls_silent_about_it(tale: Tale) -> None:
    recovers_from_write(tale)


@story("no-ghost-update", "held")
def had_an_update_in_flight(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    asked = tale.send("describe", FW)
    update = tale.send("update", FW, status="IN_PROGRESS", expected_version=2)
    for token in (asked, update):
        tale.arrive(token, code=RNF)
    for token in (asked, update):
        tale.answer(token, code=RNF)


@story("no-ghost-update", "held", opportunities=1)
def asks_by_update_which_terminal_state_it_was(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, code="TerminalStateReached")
    tale.update(FW, **CANCELED)
    tale.undo(FW, "download")


@story("no-ghost-update", "violated", "request.sent", "answer.received", "request.sent")
def reports_progress_of_a_ghost(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.update(FW, code=RNF)


@story("no-ghost-update", "violated", "request.sent", "answer.received", "request.sent", "request.sent")
def reports_the_end_of_a_canceled_one(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, **CANCELED)
    tale.update(FW, "SUCCEEDED", **CANCELED)
    tale.update(FW, "FAILED", **CANCELED)


@story("no-ghost-update", "violated", "request.sent", "answer.received", "request.sent")
def tries_another_version_on_a_canceled_one(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, code="VersionMismatch", status="CANCELED")
    tale.update(FW, "SUCCEEDED", **CANCELED)


@story("no-ghost-update", "not-exercised")
def updates_what_lives(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW)


@story("no-ghost-update", "held")
def asks_by_update_since_it_forgot_what_it_was_told(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.update(FW, code=RNF)
    tale.lose_power()
    tale.update(FW, code=RNF)
