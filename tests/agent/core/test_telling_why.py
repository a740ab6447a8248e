"""What the service is told of work that waits, and of work that failed: a cause, in a word that machines can count."""

import pytest

from agent.causes import Cause
from agent.core import DevicePolicy
from agent.core.events import Answered, Booted, Disconnected, JournalFailed, StepAdvanced, StepEnded, Verified
from agent.core.record import Finished, Record
from agent.values import ErrorCode, JobDocument, Status, Update, UpdateAccepted
from tests.agent.core.driver import NOW, Driver, execution, key

BUSY = "unreachable: HTTP 503"


def told(device: Driver) -> dict[str, str]:
    """The statusDetails of the newest update, but for the nonce."""
    assert isinstance(device.request, Update)
    return {name: value for name, value in device.request.status_details or () if name != "nonce"}


# ── waiting ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_why_a_step_waits_is_reported_once_and_no_more_when_it_gets_on():
    device = Driver.working()
    device(StepAdvanced(0, 0, BUSY))
    assert told(device) == {"step": "download", "progress": "0", "waiting": BUSY}
    device.accept(3)
    count = len(device.requests)
    device(StepAdvanced(0, 0, BUSY))
    assert len(device.requests) == count, "what the service knows already is not reported"
    device.advance(5)
    assert told(device) == {"step": "download", "progress": "5"}
    assert isinstance(device.request, Update)
    assert device.request.expected_version == 3


def test_why_a_step_waits_goes_with_the_report_after_the_one_that_is_under_way():
    device = Driver.working()
    device.advance(5)
    device(StepAdvanced(0, 5, "bad-answer: broke off"))
    device(StepAdvanced(0, 5, BUSY))
    assert told(device) == {"step": "download", "progress": "5"}
    device.accept(3)
    assert told(device) == {"step": "download", "progress": "5", "waiting": BUSY}


@pytest.mark.parametrize("reports", ["steps", "end"])
def test_a_policy_that_wants_no_progress_reports_no_waiting(reports: str):
    device = Driver.working(reports=reports)
    count = len(device.requests)
    device(StepAdvanced(0, 0, BUSY))
    assert len(device.requests) == count


# ── failing ───────────────────────────────────────────────────────────────────────────────────────────────────


def failed_step(cause: str) -> Driver:
    device = Driver.working()
    device(StepEnded(0, "failed", "no", cause=cause))
    device.undone()
    return device


def late_step() -> Driver:
    device = Driver.working()
    device.fire("step")
    device(StepEnded(0, "stopped"))
    device.undone()
    return device


def unwritable_journal() -> Driver:
    device = Driver.working()
    device.step_done()
    device(JournalFailed("disk full", withheld=True))
    device.undone()
    return device


def other_document() -> Driver:
    device = Driver.working()
    device(StepEnded(0, "stale", "expired"))
    device.tell(execution(key(), document=JobDocument.of({"operation": "reboot"})))
    device.undone()
    return device


def refused_question() -> Driver:
    device = Driver.working()
    device.list()
    device.refuse(ErrorCode.INVALID_REQUEST)
    device(StepEnded(0, "stopped"))
    device.undone()
    return device


def fallen_back() -> Driver:
    device = Driver.switched()
    device.reboot("1.0")
    device.connect()
    for _ in range(4):
        device.undone()
    return device


def unanswered_leap() -> Driver:
    device = Driver.before_the_leap()
    device(Disconnected())
    device.fire("leap")
    for _ in range(5):
        device.undone()
    device.connect()
    return device


def interrupted_program() -> Driver:
    device = Driver()
    document = JobDocument.of({"operation": "run", "command": ["true"]})
    device.connect()
    device.tell(execution(key(), document=document))
    device.accept(3)
    device.tell(execution(key(), version=3, document=None))
    device.reboot("1.0", rebooted=False)
    device.connect()
    device.tell(execution(key(), version=3, document=document))
    return device


@pytest.mark.parametrize(
    ("device", "cause"),
    [
        pytest.param(lambda: failed_step(Cause.HASH_MISMATCH), Cause.HASH_MISMATCH, id="what the handler says"),
        pytest.param(lambda: failed_step(""), Cause.STEP_FAILED, id="a handler that does not say"),
        pytest.param(late_step, Cause.TIMEOUT, id="a step that takes too long"),
        pytest.param(unwritable_journal, Cause.DISK, id="a journal that cannot be written"),
        pytest.param(other_document, Cause.WRONG_CONTENT, id="another document"),
        pytest.param(refused_question, Cause.ACCESS_DENIED, id="a question that is refused"),
        pytest.param(fallen_back, Cause.ROLLED_BACK, id="new firmware that does not run"),
        pytest.param(unanswered_leap, Cause.NO_ANSWER, id="nobody answers before the leap"),
        pytest.param(interrupted_program, Cause.INTERRUPTED, id="a program that was interrupted"),
    ],
)
def test_a_report_of_a_failure_names_its_cause(device, cause: Cause):
    failing = device()
    failing(Verified(True))
    details = told(failing)
    assert isinstance(failing.request, Update)
    assert failing.request.status is Status.FAILED
    assert details["cause"] == cause
    assert details["reason"]
    assert len(details) < 10


def test_so_does_a_rejection():
    device = Driver()
    device.connect()
    device.tell(execution(key(), document=JobDocument.of({"operation": "run", "command": []})))
    assert told(device)["cause"] == Cause.MALFORMED_DOCUMENT


def test_and_a_success_names_none():
    device = Driver.reporting()
    assert told(device) == {"version": "2.0"}


def test_a_report_that_is_repeated_after_a_restart_names_the_same_cause():
    device = failed_step(Cause.SPACE)
    device(Verified(True))
    device.reboot("1.0")
    device.connect()
    device.tell(execution(key(), version=2))
    assert told(device)["cause"] == Cause.SPACE


def test_so_does_one_whose_answer_was_lost_with_the_record_of_the_work():
    last = Finished(key(), execution(key()).document.digest, Status.FAILED, "n-1", 2, "no", Cause.SPACE)  # type: ignore[union-attr]
    device = Driver(DevicePolicy())
    device(Booted(Record(finished=last), "1.0"))
    device.connect()
    device.tell(execution(key(), version=3, details=(("nonce", "n-0"),)))
    assert told(device) == {"reason": "no", "cause": Cause.SPACE}
    device(Answered(UpdateAccepted(NOW, device.request.client_token)))
