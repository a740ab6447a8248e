"""What is learned from a job that nobody disturbed, and what is said where there is nothing to learn."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.certify.draft import undisturbed
from simulator.certify.learning import SPARE_SECONDS, Learned, NotLearned, learn
from simulator.certify.names import Names
from simulator.engines.judged import JudgedPlay
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.trace import Entry
from tests.simulator.certify.cloud_account import FIND, JOB, PUMP, CloudAccount
from tests.simulator.certify.devices import DEVICES, learned


def done(account: CloudAccount) -> Learned:
    return learn(account.entries, PUMP, JOB)


def hinted(*filters: str) -> CloudAccount:
    """A device that is there, and is told of its job."""
    account = CloudAccount()
    account.connect(*(filters or FIND))
    account.queue()
    account.wait(0.1)
    return account


def worked(account: CloudAccount, *steps: str, key: str = "step", gap: float = 1.0) -> CloudAccount:
    """It reports each step, and its success."""
    for step in steps:
        account.update("IN_PROGRESS", details={key: step})
        account.wait(gap)
    account.update("SUCCEEDED")
    return account


# ── what is learned ───────────────────────────────────────────────────────────────────────────────────────────


def test_one_that_takes_by_start_next_and_names_its_steps():
    account = CloudAccount()
    account.connect(*FIND)
    account.ask("start-next", finds=False, client_token="a")
    account.wait(5)
    account.queue()
    account.wait(0.25)
    account.ask("start-next", client_token="b", details={"fw": "1.0"})
    account.update("IN_PROGRESS", details={"step": "download", "progress": "10"}, expected_version=2)
    account.wait(2)
    account.update("IN_PROGRESS", details={"step": "write"})
    account.wait(3)
    account.update("SUCCEEDED", details={"version": "1.0.1"})
    found = done(account)
    assert (found.carrier, found.takes_by, found.clients) == ("mqtt", "start-next", (PUMP,))
    assert found.asks_on_connect == ("start-next",)
    assert found.listens == ("notify", "notify-next")
    assert (found.take_seconds, found.work_seconds, found.longest_gap_seconds) == (0.25, 5.0, 3.0)
    assert (found.step_key, found.steps) == ("step", ("download", "write"))
    assert [report.status for report in found.reports] == ["IN_PROGRESS"] * 3 + ["SUCCEEDED"]
    assert (found.sends_tokens, found.sends_expected_version, found.polls_seconds) == (True, True, None)
    assert found.versions == ("1.0", "1.0.1")


def test_one_that_describes_the_job_and_takes_it_by_an_update():
    account = hinted()
    account.ask("describe")
    account.update("IN_PROGRESS")
    found = done(worked(account, "flash"))
    assert (found.takes_by, found.sends_tokens, found.sends_expected_version) == ("describe-update", False, False)
    assert len(found.progress) == 1


def test_one_that_takes_what_a_notification_brought_without_reading_it():
    account = hinted()
    account.update("IN_PROGRESS")
    found = done(worked(account))
    assert (found.takes_by, found.progress, found.step_key) == ("update", (), None)


def test_one_that_reports_nothing_between_the_beginning_and_the_end():
    account = hinted()
    account.ask("start-next")
    account.wait(40)
    account.update("SUCCEEDED")
    found = done(account)
    assert (found.steps, found.progress, found.longest_gap_seconds) == ((), (), 40)


@pytest.mark.parametrize(
    ("key", "values", "found"),
    [
        pytest.param("phase", ("erase", "write"), "phase", id="another word"),
        pytest.param("progress", ("10", "20"), None, id="numbers are no steps"),
        pytest.param("progress", ("10%", "20%"), None, id="nor are percents"),
        pytest.param("note", ("busy", "busy"), None, id="what never changes is none"),
        pytest.param("fwVersion", ("one", "two"), None, id="a version is none"),
        pytest.param("step", ("only",), "step", id="the usual word, once"),
        pytest.param("message", ("block 1", "block 2"), None, id="text that counts"),
    ],
)
def test_steps_are_what_changes_and_is_no_number(key: str, values: tuple[str, ...], found: str | None):
    account = hinted()
    account.ask("start-next")
    assert done(worked(account, *values, key=key)).step_key == found


def test_one_over_http_that_asks_every_thirty_seconds():
    account = CloudAccount()
    account.ask("describe", finds=False)
    account.wait(30)
    account.ask("describe", finds=False)
    account.wait(12)
    account.queue()
    account.wait(18)
    account.ask("describe")
    account.update("IN_PROGRESS")
    found = done(worked(account, "flash"))
    assert (found.carrier, found.listens, found.polls_seconds) == ("http", (), 30.0)
    assert found.take_seconds == 18


def test_one_that_listens_and_asks_all_the_same():
    account = CloudAccount()
    account.connect(*FIND)
    for _ in range(4):
        account.ask("start-next", finds=False)
        account.wait(2)
    account.queue()
    account.ask("start-next")
    assert done(worked(account)).polls_seconds == 2


def test_one_that_listens_over_mqtt_and_asks_over_http():
    account = CloudAccount()
    account.connect(*FIND, client="listener")
    account.connect()
    account.disconnect()
    account.queue()
    account.ask("start-next")
    assert done(worked(account)).carrier == "both"


@pytest.mark.parametrize(
    ("filters", "listens"),
    [
        pytest.param(("$aws/things/+/jobs/#",), ("notify", "notify-next"), id="wildcards"),
        pytest.param(("$aws/things/pump/jobs/notify",), ("notify",), id="the list alone"),
        pytest.param(("$share/all/$aws/things/pump/jobs/notify",), ("notify",), id="a shared subscription"),
        pytest.param(("#",), (), id="a wildcard that matches no $ topic"),
        pytest.param(("$aws/things/pump/jobs/+/notify-next",), (), id="a level too many"),
        pytest.param(("$aws/things/other/jobs/notify",), (), id="another thing"),
    ],
)
def test_what_it_listens_to_is_what_its_filters_match(filters: tuple[str, ...], listens: tuple[str, ...]):
    account = hinted(*filters)
    account.ask("start-next")
    assert done(worked(account)).listens == listens


def test_one_in_a_namespace_listens_to_the_topics_of_that():
    account = CloudAccount("lab")
    account.connect("$aws/things/pump/jobs/notify-next-namespace-lab", "$aws/things/pump/jobs/+/notify-namespace-lab/")
    account.queue()
    account.ask("describe")
    account.update("IN_PROGRESS")
    found = done(worked(account))
    assert (found.namespace_id, found.listens) == ("lab", ("notify-next", "notify-documented"))


@pytest.mark.parametrize(
    ("filters", "unheard"),
    [
        pytest.param(("jobs/notify-next", "jobs/#"), (), id="all"),
        pytest.param(("jobs/start-next/+", "jobs/+/update/+"), (), id="both answers of each request"),
        pytest.param(
            ("jobs/start-next/rejected", f"jobs/{JOB}/update/accepted"),
            ("jobs/+/update/rejected",),
            id="of updates what was accepted alone",
        ),
        pytest.param(("jobs/notify",), ("jobs/start-next/rejected", "jobs/+/update/rejected"), id="no answers"),
    ],
)
def test_one_that_may_not_hear_refusals_is_known_by_what_it_lacks(filters: tuple[str, ...], unheard: tuple[str, ...]):
    account = hinted(*(f"$aws/things/pump/{each}" for each in filters))
    account.ask("start-next")
    assert done(worked(account)).refusals_unheard == tuple(f"$aws/things/pump/{each}" for each in unheard)


def test_in_a_namespace_the_filters_that_it_lacks_are_of_that():
    account = CloudAccount("lab")
    account.connect(
        "$aws/things/pump/jobs/notify-next-namespace-lab", "$aws/things/pump/jobs/$next/namespace-lab/get/+"
    )
    account.queue()
    account.ask("describe")
    account.update("IN_PROGRESS")
    assert done(worked(account)).refusals_unheard == ("$aws/things/pump/jobs/+/namespace-lab/update/rejected",)


def test_one_that_asks_over_http_lacks_no_filters():
    account = CloudAccount()
    account.queue()
    account.ask("start-next")
    assert done(worked(account)).refusals_unheard == ()


def test_the_longer_of_two_times_counts():
    quick, slow = DEVICES["start-next"], DEVICES["slow"]
    both = quick.slower(replace(slow, polls_seconds=7.0, versions=("2",)))
    assert (both.take_seconds, both.work_seconds, both.longest_gap_seconds) == (5.0, 160.0, 40.0)
    assert (both.polls_seconds, both.versions, both.steps) == (7.0, ("2",), quick.steps)


def played(model: str) -> list[Entry]:
    scenario = undisturbed(Names("ghostjob"), None, 60)
    entries: list[Entry] = []
    scenario = scenario.model_copy(
        update={"devices": tuple(group.model_copy(update={"model": model}) for group in scenario.devices)}
    )
    with JudgedPlay(scenario, VirtualVenue(scenario, 1), 1, seed=1, also=(entries.append,)) as run:
        assert run_virtually(run.result()).verdict.outcome == "passed"
    return entries


@pytest.mark.parametrize(
    ("model", "takes_by"),
    [
        ("reference", "start-next"),
        ("start-next", "start-next"),
        ("describe-update", "describe-update"),
        ("poller", "describe-update"),
        ("greengrass-nucleus", "describe-update"),
        ("device-client", "start-next"),
    ],
)
def test_devices_that_are_known_are_learned_as_they_are(model: str, takes_by: str):
    found = learn(played(model), "thing-0", "ghostjob-0001-undisturbed")
    assert found.takes_by == takes_by
    tells_more = not model.startswith(("greengrass", "device-client"))
    assert found.steps[:2] == (("download", "write") if tells_more else ())
    assert found.sends_expected_version == tells_more


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", DEVICES)
def test_bounds_leave_a_device_all_the_time_that_it_may_need(name: str):
    device = DEVICES[name]
    bounds, turn = device.bounds(), device.polls_seconds or 0
    ready = bounds.ready_seconds + bounds.uninterruptible_seconds
    worst = device.work_seconds + device.work_seconds + turn + device.take_seconds
    assert ready > worst, "it may do all of its work, take it all back, and then wait for its turn"
    assert bounds.lost_job_seconds >= bounds.ready_seconds
    assert bounds.silence_seconds > device.work_seconds + turn
    assert bounds.detection_seconds > device.longest_gap_seconds


def test_a_device_with_steps_of_a_second_that_takes_nothing_more_is_found_within_a_minute_and_a_half():
    bounds = learned().bounds()
    assert bounds.ready_seconds + bounds.uninterruptible_seconds < 30
    assert bounds.silence_seconds < 90


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("patience", [5.0, 60.0])
def test_who_may_wait_for_what_will_not_come_is_granted_that_besides_and_not_twice(name: str, patience: float):
    usual, patient = DEVICES[name].bounds(), DEVICES[name].bounds(patience)
    for bound in ("ready_seconds", "lost_job_seconds"):
        assert getattr(patient, bound) == pytest.approx(getattr(usual, bound) + patience)
    assert patience + SPARE_SECONDS < patient.silence_seconds < usual.silence_seconds + patience
    same = {"ready_seconds", "lost_job_seconds", "silence_seconds"}
    assert patient.model_dump(exclude=same) == usual.model_dump(exclude=same)


def test_what_its_owner_wants_is_what_he_says_whatever_gets_lost():
    wanted = (("lost_job_seconds", 4.0), ("ready_seconds", 3.0), ("silence_seconds", 5.0))
    device = replace(learned(), required=wanted)
    patient = device.bounds(60.0).model_dump()
    assert {name: patient[name] for name, _ in wanted} == dict(wanted)
    assert device.usual_seconds == learned().usual_seconds > 3.0, "he does not say how long it needs"


SECONDS = st.floats(0, 1e6, allow_nan=False)


@given(take=SECONDS, work=SECONDS, gap=SECONDS, polls=st.none() | SECONDS)
def test_bounds_are_bounds_however_long_a_device_takes(take: float, work: float, gap: float, polls: float | None):
    device = learned(take_seconds=take, work_seconds=work, longest_gap_seconds=gap, polls_seconds=polls)
    for name, seconds in device.bounds().model_dump().items():
        assert 0 <= seconds <= 86_400, name


# ── nothing to learn ──────────────────────────────────────────────────────────────────────────────────────────


def never_queued(account: CloudAccount) -> None:
    account.connect(*FIND)


def never_came(account: CloudAccount) -> None:
    account.queue()
    account.wait(60)


def never_asked(account: CloudAccount) -> None:
    account.connect()
    account.queue()


def listens_elsewhere(account: CloudAccount) -> None:
    account.connect("$aws/things/pump/job/notify")
    account.ask("start-next", finds=False)
    account.wait(1)
    account.queue()
    account.wait(60)
    account.connect()


def does_not_answer_to_notifications(account: CloudAccount) -> None:
    account.connect(*FIND)
    account.queue()
    account.wait(60)
    account.connect()


def speaks_of_no_namespace(account: CloudAccount) -> None:
    account.key = replace(account.key, namespace_id="lab")
    account.connect(*FIND)
    account.queue()
    account.ask("start-next", finds=False, namespace_id=None)


def speaks_of_another_namespace(account: CloudAccount) -> None:
    account.connect(*FIND)
    account.queue()
    account.ask("start-next", finds=False, namespace_id="lab")


def is_refused(account: CloudAccount) -> None:
    account.connect(*FIND)
    account.queue()
    account.ask("start-next", code="InvalidJson")


def reads_and_does_not_take(account: CloudAccount) -> None:
    account.connect(*FIND)
    account.queue()
    account.wait(30)
    account.ask("describe")


def asks_before_and_never_since(account: CloudAccount) -> None:
    account.ask("describe", finds=False)
    account.queue()
    account.wait(30)
    account.ask("describe", finds=False)


def fails(account: CloudAccount) -> None:
    account.queue()
    account.ask("start-next")
    account.update("FAILED", details={"reason": "no such operation"})


def rejects(account: CloudAccount) -> None:
    account.queue()
    account.update("REJECTED", details={"reason": "x" * 500})


def stays_in_progress(account: CloudAccount) -> None:
    account.queue()
    account.ask("start-next")
    account.update("IN_PROGRESS", details={"step": "write"})
    account.wait(90)
    account.end_run()


def hears_and_is_silent(account: CloudAccount) -> None:
    account.connect(*FIND)
    account.queue()
    account.wait(60)
    account.end_run()


def is_out_of_step(account: CloudAccount) -> None:
    account.queue()
    account.ask("start-next")
    account.update("IN_PROGRESS", code="VersionMismatch", expected_version=1)
    account.update("SUCCEEDED", code="VersionMismatch", expected_version=1)


def reports_a_wrong_body(account: CloudAccount) -> None:
    account.queue()
    account.ask("start-next")
    account.update("SUCCEEDED", code="InvalidRequest")


def is_cancelled(account: CloudAccount) -> None:
    account.queue()
    account.ask("start-next")
    account.cancel()


def is_removed(account: CloudAccount) -> None:
    account.queue()
    account.ask("start-next")
    account.remove()


@pytest.mark.parametrize(
    ("tell", "failed", "says"),
    [
        (never_queued, False, "was never queued"),
        (never_came, False, "it never asked for a job, nor subscribed to anything: it is not connected"),
        (never_asked, False, "it is connected"),
        (
            listens_elsewhere,
            False,
            r"listens to \$aws/things/pump/job/notify, and not to \$aws/things/pump/jobs/notify-",
        ),
        (does_not_answer_to_notifications, False, "was told of its job, but asked for nothing in the 60 s since"),
        (speaks_of_no_namespace, False, "speaks of no namespace, and its job is in namespace lab; leave out"),
        (speaks_of_another_namespace, False, "speaks of namespace lab, and its job is in no namespace; give"),
        (is_refused, False, "its start-next was rejected with InvalidJson: the payload is no JSON"),
        (reads_and_does_not_take, False, "it was told of the job, and did not take it within 30 s"),
        (asks_before_and_never_since, False, "it asked, and not for the job"),
        (fails, True, 'reported FAILED for its first job with {"reason": "no such operation"}'),
        (rejects, True, "--document"),
        (hears_and_is_silent, False, "was told of its job, but asked for nothing in the 60 s since"),
        (
            stays_in_progress,
            False,
            'not end it in 90 s: its last report, 90 s before, was IN_PROGRESS with {"step": "write"};.*--first-job',
        ),
        (
            is_out_of_step,
            True,
            "2 of its updates were rejected, the last, to SUCCEEDED, with VersionMismatch: it expected",
        ),
        (reports_a_wrong_body, True, "InvalidRequest: a member of the payload"),
        (is_cancelled, False, "was CANCELED by the service"),
        (is_removed, False, "was removed by the service"),
    ],
)
def test_a_first_job_that_was_not_done_says_why(tell: Callable[[CloudAccount], None], failed: bool, says: str):
    account = CloudAccount()
    tell(account)
    with pytest.raises(NotLearned, match=says) as told:
        done(account)
    assert told.value.failed == failed
    assert len(str(told.value)) < 400


def test_what_others_do_is_not_learned_from():
    account = hinted()
    account.ask("start-next")
    worked(account, "flash")
    others = [
        Entry("device/pump", 1, 0.0, entry.event) for entry in account.entries if entry.event.type == "request.received"
    ]
    assert learn((*account.entries, *others), PUMP, JOB) == done(account)
