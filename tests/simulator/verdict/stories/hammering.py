"""Stories of `no-hammering`."""

from tests.simulator.verdict.stories.scenes import RNF, at_work, recovers_from_write
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, FW_AGAIN, Tale


def retries(tale: Tale, *gaps: float, code: str | None = None) -> None:
    """Puts one question again and again, `gaps` seconds after each refusal, or after each attempt without answer."""
    at_work(tale)
    for attempt, gap in enumerate((*gaps, 0.0), 1):
        token = tale.send("update", FW, status="IN_PROGRESS", expected_version=2, attempt=attempt)
        if code is not None:
            tale.arrive(token, code=code)
            tale.answer(token, code=code)
        tale.wait(gap)


@story("no-hammering", "held", opportunities=4)
def waits_longer_each_time(tale: Tale) -> None:
    retries(tale, 1.3, 2.2, 4.0, 4.1)


@story("no-hammering", "held", opportunities=2)
def waits_after_each_refusal(tale: Tale) -> None:
    retries(tale, 1.0, 2.0, code="RequestThrottled")


@story("no-hammering", "held", opportunities=1)
def asks_after_another_incarnation(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW_AGAIN)
    tale.take(FW_AGAIN)
    tale.ask(FW_AGAIN)


@story("no-hammering", "held", opportunities=1)
def claims_one_of_the_same_second(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.update(FW, code=RNF)
    tale.undo(FW, "download")
    tale.queue(FW)
    tale.take(FW)
    tale.update(FW)


@story("no-hammering", "held", opportunities=1)
def reports_the_same_of_one_of_the_same_second_where_no_refusal_names_a_version(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.update(FW, code="InvalidRequest", details=(("step", "download"),))
    tale.ask(FW, status="QUEUED")
    tale.undo(FW, "download")
    tale.take(FW)
    tale.update(FW, details=(("step", "download"),))


@story("no-hammering", "held", opportunities=2)
def claims_again_what_a_read_still_shows_where_no_refusal_names_a_version(tale: Tale) -> None:
    tale.connect()
    for _ in range(2):
        tale.ask(FW, status="QUEUED")
        tale.update(FW, code="InvalidRequest")


@story("no-hammering", "violated", "request.sent", "answer.received", "request.sent")
def repeats_a_report_that_cannot_be_read_after_asking(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    for _ in range(2):
        tale.update(FW, code="InvalidRequest", details=(("step", "write"),))
        tale.ask(FW)


@story("no-hammering", "held", opportunities=1)
def asks_again_of_what_has_taken_a_report_since_a_read_called_it_ended(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, code="TerminalStateReached")
    tale.update(FW)
    tale.ask(FW)


@story("no-hammering", "held", opportunities=2)
def repeats_its_report_to_learn_which_terminal_state(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, "SUCCEEDED", code="VersionMismatch", status="SUCCEEDED")
    tale.ask(FW, code="TerminalStateReached")
    tale.update(FW, "SUCCEEDED")


@story("no-hammering", "held", opportunities=2)
def asks_again_since_something_is_queued_under_the_id(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, code="TerminalStateReached")
    tale.update(FW, code="VersionMismatch", status="QUEUED")
    tale.ask(FW, found=FW_AGAIN, status="QUEUED")


@story("no-hammering", "held", opportunities=1)
def repeats_its_report_after_reconnecting(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, "SUCCEEDED", code="VersionMismatch", status="IN_PROGRESS")
    tale.send("describe", FW)
    tale.disconnect()
    tale.connect()
    tale.update(FW, "SUCCEEDED")


@story("no-hammering", "not-exercised")
def asks_for_the_head_at_every_hint(tale: Tale) -> None:
    tale.connect()
    for _ in range(5):
        tale.hint()
        tale.send("describe", job_id="$next")


@story("no-hammering", "not-exercised")
def begins_anew_after_reconnecting(tale: Tale) -> None:
    at_work(tale)
    tale.send("update", FW, status="SUCCEEDED", expected_version=2)
    tale.disconnect()
    tale.connect()
    tale.update(FW, "SUCCEEDED")


@story("no-hammering", "violated", "request.sent", "answer.received", "request.sent", "request.sent")
def repeats_what_was_refused_for_good(tale: Tale) -> None:
    at_work(tale)
    for _ in range(3):
        tale.ask(FW, code=RNF)
        tale.wait(20)


@story("no-hammering", "violated", "request.sent", "answer.received", "request.sent")
def repeats_a_version_mismatch(tale: Tale) -> None:
    at_work(tale)
    for _ in range(2):
        tale.update(FW, code="VersionMismatch", status="IN_PROGRESS")


@story("no-hammering", "violated", "request.sent", "request.sent")
def retries_too_soon(tale: Tale) -> None:
    retries(tale, 0.5)


@story("no-hammering", "violated", "request.sent", "answer.received", "request.sent")
def retries_at_once_when_throttled(tale: Tale) -> None:
    retries(tale, 0.2, code="RequestThrottled")


@story("no-hammering", "violated", "request.sent", "request.sent")
def retries_too_evenly(tale: Tale) -> None:
    retries(tale, 1.5, 1.5)


@story("no-hammering", "violated", "request.sent", "answer.received", "request.sent")
def counts_each_attempt_as_the_first(tale: Tale) -> None:
    at_work(tale)
    for _ in range(2):
        tale.ask(FW, code="InternalError")


@story("no-hammering", "held", opportunities=2)
def asks_once_more_after_a_power_cut(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.ask(FW, code=RNF)
    tale.lose_power()
    tale.ask(FW, code=RNF)


@story("no-hammering", "violated", "request.sent", "request.sent")
def tells_for_ever_what_is_known_already(tale: Tale) -> None:
    at_work(tale)
    for _ in range(16):
        tale.update(FW, details=(("progress", "50"), ("step", "write")))


@story("no-hammering", "not-exercised")
def tells_often_how_far_it_got(tale: Tale) -> None:
    at_work(tale)
    for percent in range(20):
        tale.update(FW, details=(("progress", f"{percent}"), ("step", "write")))


@story("no-hammering", "not-exercised")
def tells_now_and_then_that_it_still_is_where_it_was(tale: Tale) -> None:
    at_work(tale)
    for _ in range(20):
        tale.update(FW, details=(("progress", "50"), ("step", "write")))
        tale.wait(1.0)
