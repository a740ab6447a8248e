"""What a device does about its jobs, event by event."""

import json
from collections.abc import Callable
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from agent.account import ExecutionGone, ExecutionLeft, HintReceived, RequestSent
from agent.core import Machine, start, step
from agent.core.events import (
    Answered,
    BeginStep,
    Connected,
    Disconnected,
    Event,
    Hinted,
    JournalFailed,
    Remember,
    SetTimer,
    StepAdvanced,
    StepEnded,
    StepRestored,
    StopStep,
    Tell,
    TimerFired,
    UndoStep,
    Verified,
    Verify,
)
from agent.core.machine import act
from agent.core.recovering import give_way
from agent.core.state import (
    Executing,
    Gated,
    Idle,
    Policy,
    Recovering,
    Reporting,
    Safe,
    Starting,
    Suspect,
    record_of,
)
from agent.plan import Abilities
from agent.values import (
    Describe,
    ErrorCode,
    Execution,
    ExecutionState,
    ExecutionTold,
    JobDocument,
    JobMentioned,
    NextChanged,
    PendingChanged,
    Rejected,
    StartNext,
    Status,
    Update,
    UpdateAccepted,
)

from .driver import LEAP, NOW, Driver, execution, key

OTHER = key("other")


# ── taking work ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_connected_device_takes_the_head_of_the_default_queue_by_start_next():
    device = Driver()
    device.connect()
    assert isinstance(device.request, StartNext)
    device.tell(execution(key()))
    assert isinstance(device.phase, Executing)
    assert [begun.step.name for begun in device.all(BeginStep)] == ["download"]


def test_after_connecting_to_an_empty_queue_it_asks_once_more_and_then_polls():
    device = Driver()
    device.connect()
    device.tell(None)
    assert device.timer("ask-again").after_seconds == device.policy.ask_again
    device.fire("ask-again")
    device.tell(None)
    assert device.timer("poll").after_seconds == device.policy.poll
    assert len(device.requests) == 2


def test_an_empty_answer_after_a_list_that_had_work_is_asked_again_with_back_off():
    device = Driver()
    device.connect()
    device.tell(None)
    device.list(key())
    device.tell(None)
    first = device.timer("ask-again").after_seconds
    device.fire("ask-again")
    device.tell(None)
    assert device.timer("ask-again").after_seconds > first


def test_in_a_namespace_nothing_begins_before_claim_and_confirmation():
    device = Driver(Policy(namespace_id="lab"))
    ours = key(namespace_id="lab")
    device.connect()
    assert device.request == Describe("$next", device.request.client_token, "lab")
    device.tell(execution(ours, Status.QUEUED, 1))
    claim = device.request
    assert isinstance(claim, Update)
    assert (claim.status, claim.expected_version, claim.namespace_id) == (Status.IN_PROGRESS, 1, "lab")
    device.accept(2)
    assert isinstance(device.phase, Starting)
    assert not device.all(BeginStep)
    device.tell(execution(ours, version=2))
    assert isinstance(device.phase, Executing)


@pytest.mark.parametrize(
    "confirmation",
    [
        pytest.param(execution(key(namespace_id="lab", queued_at=NOW + 5), version=2), id="queued at another time"),
        pytest.param(execution(key(namespace_id="lab", number=2), version=2), id="another execution number"),
        pytest.param(execution(key(namespace_id="lab"), Status.QUEUED, 1), id="queued again within the second"),
        pytest.param(execution(key(namespace_id="lab"), version=7), id="another version than the claim made"),
        pytest.param(execution(key(namespace_id="lab"), version=2, document=JobDocument.of({})), id="another document"),
    ],
)
def test_a_claim_that_another_incarnation_accepted_begins_nothing(confirmation: Execution):
    device = Driver(Policy(namespace_id="lab"))
    device.connect()
    device.tell(execution(key(namespace_id="lab"), Status.QUEUED, 1))
    device.accept(2)
    device.tell(confirmation)
    assert isinstance(device.phase, Idle)
    assert not device.all(BeginStep)
    device.fire("ask-again")
    assert isinstance(device.request, Describe)


def test_a_document_that_is_no_plan_is_rejected_with_the_reason():
    device = Driver()
    device.connect()
    device.tell(execution(key(), document=JobDocument.of({"operation": ["dance"]})))
    report = device.request
    assert isinstance(report, Update)
    assert report.status is Status.REJECTED
    assert "operation" in dict(report.status_details or ())["reason"]
    device.accept()
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["rejected"]


# ── working ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_whole_update_reports_each_step_asks_before_the_leap_and_ends_succeeded():
    device = Driver.reporting()
    assert isinstance(device.phase, Reporting)
    device.accept(6)
    kinds = [(sent.request, sent.status) for sent in device.told(RequestSent)]
    assert kinds == [
        ("start-next", None),
        *[("update", "IN_PROGRESS")] * 3,
        ("describe", None),
        *[("update", "IN_PROGRESS")] * 2,
        ("describe", None),
        ("update", "SUCCEEDED"),
        ("start-next", None),
    ]
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["succeeded"]


def test_every_update_says_which_version_it_expects():
    device = Driver.reporting()
    versions = [request.expected_version for request in device.requests if isinstance(request, Update)]
    assert versions == [2, 3, 4, 5, 6, LEAP]


def test_a_step_does_not_begin_before_the_report_of_the_last_one_is_accepted():
    device = Driver.working()
    device.step_done()
    assert isinstance(device.phase, Gated)
    assert len(device.all(BeginStep)) == 1
    device.accept()
    assert len(device.all(BeginStep)) == 2


def test_progress_made_while_a_report_is_under_way_is_reported_after_it():
    device = Driver.working()
    device.advance(10)
    device.advance(50)
    assert len([r for r in device.requests if isinstance(r, Update)]) == 1
    device.accept()
    assert isinstance(device.request, Update)
    assert dict(device.request.status_details or ())["progress"] == "50"


@pytest.mark.parametrize("reports", ["steps", "end"])
def test_a_policy_that_wants_no_progress_reports_none(reports: str):
    device = Driver.working(reports=reports)
    device.advance(50)
    assert not [request for request in device.requests if isinstance(request, Update)]


def test_a_failed_step_is_undone_and_then_reported():
    device = Driver.working()
    device(StepEnded(0, "failed", "no such image"))
    assert device.all(UndoStep)[0].step.name == "download"
    device(StepRestored(0, True))
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert "no such image" in dict(device.request.status_details or ())["reason"]
    assert not device.told(ExecutionGone)


HANDLERS = JobDocument.of(
    {
        "version": "1.0",
        "steps": [
            {"action": {"name": name, "type": "runHandler", "input": {"handler": f"{name}.sh"}}}
            for name in ("first", "second")
        ],
    }
)


def at_a_handler() -> Driver:
    device = Driver()
    device.connect()
    device.tell(execution(key(), document=HANDLERS))
    device.tell(execution(key(), document=None))
    return device


def test_a_document_whose_first_step_nobody_knows_is_rejected():
    device = at_a_handler()
    device(StepEnded(0, "refused", "there is no handler first.sh"))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.REJECTED
    assert dict(device.request.status_details or ())["reason"] == "first: there is no handler first.sh"
    device.answer(UpdateAccepted(NOW))
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["rejected"]


def test_a_document_of_which_a_step_was_done_fails_at_one_that_nobody_knows():
    device = at_a_handler()
    device.step_done()
    device.accept(3)
    device.tell(execution(key(), version=3, document=None))
    device(StepEnded(1, "refused", "there is no handler second.sh"))
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED


def test_a_step_that_takes_too_long_is_stopped_and_fails():
    device = Driver.working()
    device.fire("step")
    assert device.all(StopStep) == [StopStep(0)]
    assert isinstance(device.phase, Recovering)


# ── doubting ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("hint", "then"),
    [
        pytest.param(lambda d: d.list(key()), Executing, id="still listed: go on"),
        pytest.param(lambda d: d.list(), Suspect, id="empty list: ask, do not abort"),
        pytest.param(lambda d: d.list(OTHER), Suspect, id="only another job listed: ask"),
        pytest.param(lambda d: d.list(key(queued_at=NOW + 9)), Suspect, id="same id, queued later: ask"),
        pytest.param(lambda d: d.head(key()), Executing, id="still the head: go on"),
        pytest.param(lambda d: d.head(None), Suspect, id="no head: ask"),
        pytest.param(lambda d: d.head(OTHER), Suspect, id="another head: ask"),
        pytest.param(lambda d: d.head(None, "lab"), Executing, id="another namespace's head: none of ours"),
        pytest.param(lambda d: d.list(namespace_id="lab"), Executing, id="another namespace's list: none of ours"),
    ],
)
def test_executing_device_hears(hint, then):
    device = Driver.working()
    hint(device)
    assert isinstance(device.phase, then)
    assert not device.all(StopStep), "a hint alone stops nothing"
    if then is Suspect:
        assert isinstance(device.request, Describe)
        assert device.request.job_id == "fw"


def test_a_message_on_the_documented_topic_is_a_hint_like_any_other():
    device = Driver(Policy(namespace_id="lab"))
    device.connect()
    device.tell(execution(key(namespace_id="lab"), Status.QUEUED, 1))
    device.accept(2)
    device.tell(execution(key(namespace_id="lab"), version=2))
    device.hint(JobMentioned("lab", "fw"))
    assert isinstance(device.phase, Suspect)


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        pytest.param(Rejected(NOW, ErrorCode.RESOURCE_NOT_FOUND), "gone", id="no such execution"),
        pytest.param(ExecutionTold(NOW, execution(key(queued_at=NOW + 9))), "replaced", id="queued at another time"),
        pytest.param(ExecutionTold(NOW, execution(key(number=2))), "replaced", id="another execution number"),
    ],
)
def test_a_device_told_that_its_execution_is_gone_stops_undoes_and_asks_for_the_next(answer, end):
    device = Driver.working()
    device.list()
    device.answer(answer)
    assert [gone.end for gone in device.told(ExecutionGone)] == [end]
    assert device.all(StopStep) == [StopStep(0)]
    device(StepEnded(0, "stopped"))
    device(StepRestored(0, True))
    device(Verified(True))
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["recovered"]
    assert isinstance(device.request, StartNext)


def test_still_there_once_is_enough_when_no_list_omits_it():
    device = Driver.working()
    device.head(None)
    device.tell(execution(key(), document=None))
    assert isinstance(device.phase, Executing)


def test_still_there_is_asked_again_while_a_list_omits_it():
    device = Driver.working()
    device.list()
    for _ in range(device.policy.confirmations - 1):
        device.tell(execution(key(), document=None))
        assert isinstance(device.phase, Suspect)
        device.fire("retry")
    device.tell(execution(key(), document=None))
    assert isinstance(device.phase, Executing)


def test_an_answer_to_a_question_older_than_the_last_hint_does_not_clear():
    device = Driver.working()
    device.head(None)
    device.head(OTHER)
    device.tell(execution(key(), document=None))
    assert isinstance(device.phase, Suspect)
    device.tell(execution(key(), document=None))
    assert isinstance(device.phase, Executing)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(execution(key(), Status.QUEUED, 1, None), id="back in QUEUED"),
        pytest.param(execution(key(), Status.IN_PROGRESS, 1, None), id="a version below ours"),
    ],
)
def test_a_read_older_than_our_own_writes_is_asked_again_before_it_is_believed(told: Execution):
    device = Driver.working()
    device.head(None)
    for _ in range(device.policy.confirmations - 1):
        device.tell(told)
        assert isinstance(device.phase, Suspect)
        device.fire("retry")
    device.tell(told)
    assert [gone.end for gone in device.told(ExecutionGone)] == ["replaced"]


@pytest.mark.parametrize(
    ("status", "end"),
    [(Status.CANCELED, "cancelled"), (Status.TIMED_OUT, "timed-out"), (Status.REMOVED, "removed")],
)
def test_terminal_state_reached_names_no_status_so_an_update_asks_for_it(status: Status, end: str):
    device = Driver.working()
    device.list()
    device.refuse(ErrorCode.TERMINAL_STATE_REACHED)
    assert isinstance(device.request, Update)
    assert not device.told(ExecutionGone)
    device.refuse(ErrorCode.INVALID_STATE_TRANSITION, status)
    assert [gone.end for gone in device.told(ExecutionGone)] == [end]


def test_a_step_that_ends_while_suspect_is_followed_by_none_until_the_answer():
    device = Driver.working(reports="end")
    device.head(None)
    device.step_done()
    assert len(device.all(BeginStep)) == 1
    device.tell(execution(key(), document=None))
    assert [begun.step.name for begun in device.all(BeginStep)] == ["download", "write"]


def test_after_a_reconnection_the_execution_in_hand_is_asked_about():
    device = Driver.working()
    device(Disconnected())
    device.connect()
    assert isinstance(device.phase, Suspect)
    assert isinstance(device.request, Describe)
    assert device.request.job_id == "fw"


# ── the leap ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_leap_needs_an_answer_of_the_very_execution():
    device = Driver.before_the_leap()
    assert isinstance(device.request, Describe)
    assert device.all(BeginStep)[-1].step.name == "self-test"
    device.tell(execution(key(), version=LEAP, document=None))
    assert device.all(BeginStep)[-1].step.name == "commit"


def test_a_hint_before_the_leap_makes_the_answer_under_way_too_old():
    device = Driver.before_the_leap()
    stale = device.request.client_token
    device.list(key())
    device(Answered(ExecutionTold(NOW, execution(key(), version=LEAP), stale)))
    assert device.all(BeginStep)[-1].step.name == "self-test"
    device.tell(execution(key(), version=LEAP, document=None))
    assert device.all(BeginStep)[-1].step.name == "commit"


@pytest.mark.parametrize("choice", ["proceed", "give-up"])
def test_unreachable_at_the_leap_the_policy_decides_after_the_deadline(choice: str):
    device = Driver.before_the_leap(leap_when_unreachable=choice)
    device(Disconnected())
    device.fire("leap")
    if choice == "proceed":
        assert device.all(BeginStep)[-1].step.name == "commit"
    else:
        assert [undo.step.name for undo in device.all(UndoStep)] == ["self-test"]


def test_gone_before_the_leap_undoes_in_reverse_order():
    device = Driver.before_the_leap()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(StepRestored(4, True))
    assert device.all(UndoStep)[-1].step.name == "reboot"
    device.reboot("1.0")
    for index in (2, 1, 0):
        device(StepRestored(index, True))
    undone = [undo.step.name for undo in device.all(UndoStep)]
    assert undone == ["self-test", "reboot", "switch", "write", "download"]
    assert device.all(Verify)


def test_gone_during_the_leap_finishes_forward_and_tells_with_the_next_job():
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert not device.all(StopStep)
    device.step_done()
    device(Verified(True))
    assert not device.all(UndoStep)
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["kept"]
    assert isinstance(device.request, StartNext)
    assert dict(device.request.status_details or ())["kept"] == "2.0"


def test_gone_after_a_leap_that_ended_while_asking_does_not_leap_again():
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device.list()
    device.step_done()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(Verified(True))
    begun = [effect.step.name for effect in device.all(BeginStep)]
    assert begun == ["download", "write", "switch", "reboot", "self-test", "commit"]
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["kept"]


# ── reporting ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_terminal_report_without_an_answer_is_repeated_under_the_same_nonce():
    device = Driver.reporting()
    first = device.request
    device.fire("request")
    device.fire("retry")
    again = device.request
    assert isinstance(first, Update)
    assert isinstance(again, Update)
    assert first.client_token != again.client_token
    assert first.status_details == again.status_details


@pytest.mark.parametrize(
    ("code", "status"),
    [(ErrorCode.INVALID_STATE_TRANSITION, Status.SUCCEEDED), (ErrorCode.VERSION_MISMATCH, Status.SUCCEEDED)],
)
def test_our_own_status_in_a_refusal_means_that_the_report_was_accepted(code: ErrorCode, status: Status):
    device = Driver.reporting()
    device.refuse(code, status)
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["succeeded"]
    assert not device.all(UndoStep)


def test_a_report_refused_because_the_job_is_gone_keeps_the_update_and_owes_an_account_of_it():
    device = Driver.reporting()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(Verified(True))
    assert device.machine.unaccounted == "2.0"
    device.tell(execution(key("next"), version=2))
    device.step_done()
    assert isinstance(device.request, Update)
    assert dict(device.request.status_details or ())["kept"] == "2.0"


def test_a_version_mismatch_on_the_report_is_resynchronised_not_abandoned():
    device = Driver.reporting()
    device.refuse(ErrorCode.VERSION_MISMATCH, Status.IN_PROGRESS, version=9)
    assert isinstance(device.request, Describe)
    device.tell(execution(key(), version=9, document=None))
    assert isinstance(device.request, Update)
    assert device.request.expected_version == 9
    assert isinstance(device.phase, Reporting)


def test_a_version_mismatch_with_our_own_nonce_is_our_own_write():
    device = Driver.working()
    device.step_done()
    mine = dict(device.request.status_details or ())["nonce"]  # type: ignore[union-attr]  # it is an update
    device.refuse(ErrorCode.VERSION_MISMATCH, Status.IN_PROGRESS, version=3, nonce=mine)
    assert isinstance(device.phase, Executing)
    assert device.phase.work.version_number == 3


def test_a_version_mismatch_while_executing_asks_about_the_execution():
    device = Driver.working()
    device.advance(50)
    device.refuse(ErrorCode.VERSION_MISMATCH, Status.IN_PROGRESS, version=9)
    assert isinstance(device.phase, Suspect)
    device.tell(execution(key(), version=9, document=None))
    assert isinstance(device.phase, Executing)
    assert device.phase.work.version_number == 9


def test_a_report_that_the_service_cannot_read_ends_safe_rather_than_in_a_loop():
    device = Driver.reporting()
    device.refuse(ErrorCode.INVALID_REQUEST)
    assert isinstance(device.phase, Safe)


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", [code for code in ErrorCode if not code.is_permanent])
def test_a_passing_refusal_is_asked_again_later_each_time(code: ErrorCode):
    device = Driver()
    device.connect()
    waits = []
    for _ in range(4):
        device.refuse(code)
        waits.append(device.timer("retry").after_seconds)
        device.fire("retry")
    assert waits == sorted(set(waits))
    assert len(device.requests) == 5


@pytest.mark.parametrize("code", [code for code in ErrorCode if code.is_permanent])
def test_a_refusal_for_good_is_not_asked_again(code: ErrorCode):
    device = Driver()
    device.connect()
    device.refuse(code)
    device.fire("retry")
    device.fire("request")
    assert len(device.requests) == 1


def test_back_off_grows_to_its_ceiling_and_carries_its_jitter_as_data():
    device = Driver(Policy(retry_first=1, retry_growth=2, retry_ceiling=4, retry_spread=0.5))
    device.connect()
    for _ in range(4):
        device.fire("request")
        device.fire("retry")
    waits = [(timer.after_seconds, timer.spread_seconds) for timer in device.all(SetTimer) if timer.name == "retry"]
    assert waits == [(1, 0.5), (2, 1), (4, 2), (4, 2)]


def test_only_the_first_answer_to_the_newest_token_counts():
    device = Driver()
    device.connect()
    token = device.request.client_token
    device.tell(None)
    device(Answered(ExecutionTold(NOW, execution(key()), token)))
    assert isinstance(device.phase, Idle)


def test_a_device_that_cannot_undo_ends_safe_and_takes_no_job():
    device = Driver.working()
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(StepEnded(0, "stopped"))
    device(StepRestored(0, False))
    assert isinstance(device.phase, Safe)
    before = len(device.requests)
    device.list(OTHER)
    device.connect()
    assert len(device.requests) == before


# ── properties ────────────────────────────────────────────────────────────────────────────────────────────────

_KEYS = st.builds(key, st.sampled_from(["fw", "other"]), queued_at=st.sampled_from([NOW, NOW + 9]))
_EXECUTIONS = st.builds(execution, _KEYS, st.sampled_from(list(Status)), st.integers(1, 6))
_STATES = st.none() | st.builds(ExecutionState, st.sampled_from(list(Status)), st.integers(1, 6))
_ANSWERS = st.one_of(
    st.builds(ExecutionTold, st.just(NOW), st.none() | _EXECUTIONS),
    st.builds(UpdateAccepted, st.just(NOW), st.none(), _STATES),
    st.builds(lambda code, state: Rejected(NOW, code, state=state), st.sampled_from(list(ErrorCode)), _STATES),
)
_EVENTS = st.one_of(
    st.builds(Connected),
    st.builds(Disconnected),
    st.builds(Answered, _ANSWERS),
    st.builds(Hinted, st.builds(NextChanged, st.just(NOW), st.none(), st.none() | _EXECUTIONS)),
    st.builds(
        Hinted, st.builds(lambda e: PendingChanged(NOW, None, e, ()), st.lists(_EXECUTIONS, max_size=2).map(tuple))
    ),
    st.builds(TimerFired, st.sampled_from(["request", "retry", "ask-again", "poll", "step", "leap"])),
    st.builds(StepAdvanced, st.integers(0, 2), st.integers(0, 100)),
    st.builds(StepEnded, st.integers(0, 2), st.sampled_from(["done", "failed", "stopped", "stale", "refused"])),
    st.builds(StepRestored, st.integers(0, 2), st.booleans()),
    st.builds(Verified, st.booleans()),
)


@settings(max_examples=300)
@given(st.lists(_EVENTS, max_size=40))
def test_no_order_of_events_breaks_the_core_and_the_leap_is_never_taken_unasked(events: list[Event]):
    machine: Machine = start(Policy())
    asked_about: object = None
    for event in events:
        if isinstance(event, Answered) and machine.asked is not None and machine.asked.token is not None:
            event = Answered(replace(event.answer, client_token=machine.asked.token))
            asked_about = machine.asked.about
        before = machine.phase
        machine, effects = step(machine, event)
        assert hash(machine) == hash(machine)
        for effect in effects:
            if isinstance(effect, BeginStep) and not effect.step.reversible and not isinstance(before, Recovering):
                assert isinstance(event, Answered), "only an answer opens the gate"
                assert asked_about == effect.execution


def test_a_rule_that_is_played_by_itself_is_on_record_before_its_effects():
    device = Driver.working()
    assert isinstance(device.phase, Executing)
    work = device.phase.work
    machine, effects = act(device.machine, lambda turn: give_way(turn, work, "gone", running=True))
    assert isinstance(machine.phase, Recovering)
    assert effects.index(Remember(record_of(machine))) < effects.index(StopStep(work.done))


def test_a_rule_that_changes_nothing_writes_nothing_down():
    device = Driver.working()
    assert act(device.machine, lambda turn: turn.tell(HintReceived("notify", None))) == (
        device.machine,
        (Tell(HintReceived("notify", None)),),
    )


def test_a_failure_past_the_leap_says_which_version_stays():
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device(StepEnded(5, "failed", "no"))
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert dict(device.request.status_details or ()).items() >= {"kept": "2.0", "reason": "commit: no"}.items()


# ── a journal that cannot be written ──────────────────────────────────────────────────────────────────────────


def test_a_step_that_could_not_be_recorded_is_not_begun_and_the_job_fails_with_the_reason():
    device = Driver.working()
    device.step_done()
    device(JournalFailed("disk full", withheld=True))
    assert [undo.step.name for undo in device.all(UndoStep)] == ["download"]
    device(StepRestored(0, True))
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert dict(device.request.status_details or ())["reason"] == "the journal cannot be written: disk full"


def test_a_leap_that_could_not_be_recorded_is_taken_back():
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device(JournalFailed("disk full", withheld=True))
    assert [undo.step.name for undo in device.all(UndoStep)] == ["self-test"]


def finishing() -> Driver:
    """On trial, told that its job is gone, with the policy of finishing: the self-test runs on."""
    device = Driver.on_trial(point_of_no_return="finish-after-switch")
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert isinstance(device.phase, Recovering)
    return device


def test_finishing_turns_round_at_a_step_that_could_not_be_recorded_while_there_is_a_way_back():
    device = finishing()
    device.step_done()
    assert device.all(BeginStep)[-1].step.name == "commit"
    device(JournalFailed("disk full", withheld=True))
    assert [undo.step.name for undo in device.all(UndoStep)] == ["self-test"]


def test_finishing_goes_on_with_the_step_that_runs_although_the_journal_cannot_be_written():
    device = finishing()
    device(JournalFailed("disk full"))
    assert not device.all(UndoStep)
    device.step_done()
    assert device.all(BeginStep)[-1].step.name == "commit"


def test_finishing_past_the_leap_ends_safe_at_a_step_that_could_not_be_recorded():
    device = Driver(Policy(abilities=Abilities("single")))
    device.connect()
    device.tell(execution(key()))
    device.step_done()
    device.accept(3)
    device.tell(execution(key(), version=3, document=None))
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device.step_done()
    assert device.all(BeginStep)[-1].step.name == "reboot"
    device(JournalFailed("disk full", withheld=True))
    assert device.phase == Safe("the journal cannot be written: disk full")


# ── work that failed by itself, and cannot be put right ───────────────────────────────────────────────────────


def stuck() -> Driver:
    """The first step failed and could not be undone; the report of that is under way."""
    device = Driver.working()
    device(StepEnded(0, "failed", "disk full"))
    device.undone(ok=False)
    return device


def not_whole() -> Driver:
    """The commit failed, and nothing is left that would boot; the report of that is under way."""
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device(StepEnded(device.all(BeginStep)[-1].index, "failed", "flash worn out"))
    device(Verified(False))
    return device


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(stuck, "download: disk full; could not undo download", id="a step that cannot be undone"),
        pytest.param(not_whole, "commit: flash worn out; the hardware is not whole", id="hardware that is not whole"),
    ],
)
def test_work_that_failed_beyond_repair_is_reported_with_both_reasons_before_the_device_is_safe(
    broken: Callable[[], Driver], reason: str
):
    device = broken()
    assert isinstance(device.phase, Reporting)
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert dict(device.request.status_details or ())["reason"] == reason
    device.answer(UpdateAccepted(NOW))
    assert device.phase == Safe(reason.partition("; ")[2])
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["safe"]
    before = len(device.requests)
    device.list(OTHER)
    device.connect()
    assert len(device.requests) == before


def test_a_failure_beyond_repair_is_told_off_line_as_soon_as_there_is_a_connection():
    device = Driver.working()
    device(Disconnected("gone"))
    device(StepEnded(0, "failed", "disk full"))
    device.undone(ok=False)
    device.connect()
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    device.answer(UpdateAccepted(NOW))
    assert device.phase == Safe("could not undo download")


def test_a_failure_beyond_repair_is_told_after_a_restart_too_and_the_device_is_safe_after_that():
    device = stuck()
    told = device.request
    device.reboot("1.0")
    assert isinstance(device.phase, Reporting)
    device.connect()
    device.tell(execution(key(), version=2))
    assert replace(device.request, client_token=None) == replace(told, client_token=None)
    device.answer(UpdateAccepted(NOW))
    assert device.phase == Safe("could not undo download")
    device.reboot("1.0")
    assert device.phase == Safe("could not undo download")


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        pytest.param(Rejected(NOW, ErrorCode.RESOURCE_NOT_FOUND), "gone", id="its job was deleted"),
        pytest.param(
            Rejected(NOW, ErrorCode.INVALID_STATE_TRANSITION, state=ExecutionState(Status.TIMED_OUT, 3)),
            "timed-out",
            id="its time was up",
        ),
    ],
)
def test_a_failure_beyond_repair_of_an_execution_that_ended_meanwhile_leaves_the_device_safe(
    answer: Rejected, end: str
):
    device = stuck()
    device.answer(answer)
    assert [gone.end for gone in device.told(ExecutionGone)] == [end]
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["safe"]
    assert device.phase == Safe("could not undo download")
    assert len(device.all(UndoStep)) == 1


# ── claims in a namespace, and presigned URLs ─────────────────────────────────────────────────────────────────


def claimed(document: JobDocument) -> Driver:
    """In namespace lab, an execution described, claimed, and about to be confirmed."""
    device = Driver(Policy(namespace_id="lab"))
    device.connect()
    device.tell(execution(key(namespace_id="lab"), Status.QUEUED, version=1, document=document))
    device.accept(2)
    return device


def test_a_claim_is_confirmed_by_a_document_that_was_signed_anew_and_the_fresh_urls_are_used():
    signed = [f'{{"operation": "update", "version": "2.0", "url": "https://x/f?X-Amz-Signature={n}"}}' for n in "12"]
    first, second = (JobDocument.of(json.loads(text)) for text in signed)
    device = claimed(first)
    device.tell(execution(key(namespace_id="lab"), version=2, document=second))
    (begun,) = device.all(BeginStep)
    assert dict(begun.step.args)["url"] == "https://x/f?X-Amz-Signature=2"


def test_a_claimed_document_whose_fresh_urls_make_no_plan_is_rejected():
    url = "https://x/f?X-Amz-Signature="
    first, second = (
        JobDocument.of({"operation": "update", "version": "2.0", "url": url + n}) for n in ("1", "2" * 9000)
    )
    device = claimed(first)
    device.tell(execution(key(namespace_id="lab"), version=2, document=second))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.REJECTED
