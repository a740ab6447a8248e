"""The Jobs service, table by table: transitions, error codes, notifications, deletion, namespaces."""

from dataclasses import dataclass, field

import pytest

from agent.values import (
    Describe,
    ErrorCode,
    ExecutionTold,
    GetPending,
    Hint,
    JobDocument,
    JobMentioned,
    NextChanged,
    PendingChanged,
    PendingListed,
    Rejected,
    Request,
    StartNext,
    Status,
    Update,
    UpdateAccepted,
)
from simulator.cloud.jobs import Jobs, JobsError, JobsSettings, JobStatus, NewJob, Outcome
from simulator.cloud.jobs.commands import CancelJob, CreateJob, DeleteExecution, DeleteJob

DOCUMENT = JobDocument.of({"a": 1})
T = "thing"


@dataclass
class Service:
    """One thing's jobs, a second apart; `heard` is what the last command published, in short."""

    jobs: Jobs = field(
        default_factory=lambda: Jobs(
            JobsSettings(deletion_seconds=5, deletion_seconds_per_execution=0, documented_notify="none")
        )
    )
    now: float = 1000.25
    heard: list[str] = field(default_factory=list)

    def did(self, outcome: Outcome) -> Outcome:
        self.heard = [_short(hint) for thing, hint in outcome.hints if thing == T]
        return outcome

    def create(self, *job_ids: str, ns: str | None = None) -> "Service":
        for job_id in job_ids:
            self.now += 1
            self.did(self.jobs.do(CreateJob(NewJob(job_id, (T,), DOCUMENT, namespace_id=ns)), self.now))
        return self

    def ask(self, request: Request) -> object:
        self.now += 1
        return self.did(self.jobs.device_request(T, request, self.now)).answer

    def update(self, job_id: str, status: Status = Status.IN_PROGRESS, **more) -> object:
        return self.ask(Update(job_id, status, **more))

    def delete(self, job_id: str, ns: str | None = None, force: bool = True) -> None:
        self.now += 1
        self.did(self.jobs.do(DeleteJob(job_id, force=force, namespace_id=ns), self.now))

    def cancel(self, job_id: str, force: bool = False) -> None:
        self.now += 1
        self.did(self.jobs.do(CancelJob(job_id, force=force), self.now))


def _short(hint: Hint) -> str:
    where = f"@{hint.namespace_id}" if hint.namespace_id else ""
    match hint:
        case PendingChanged():
            return f"notify{where} [{' '.join(key.job_id for key in hint.listed)}]"
        case NextChanged():
            return f"next{where} {hint.execution.key.job_id if hint.execution else '-'}"
        case JobMentioned():
            return f"mentioned{where} {hint.job_id}"


# ── notifications ─────────────────────────────────────────────────────────────────────────────────────────────


def _running(*job_ids: str) -> Service:
    service = Service().create(*job_ids)
    service.update(job_ids[0])
    return service


@pytest.mark.parametrize(
    ("before", "event", "heard"),
    [
        pytest.param(
            lambda: Service(), lambda s: s.create("a"), ["notify [a]", "next a"], id="created, queue was empty"
        ),
        pytest.param(
            lambda: Service().create("a"), lambda s: s.create("b"), ["notify [a b]"], id="created, queue non-empty"
        ),
        pytest.param(lambda: Service().create("a", "b"), lambda s: s.update("a"), [], id="head QUEUED→IN_PROGRESS"),
        pytest.param(
            lambda: Service().create("a", "b"), lambda s: s.update("b"), ["next b"], id="non-head QUEUED→IN_PROGRESS"
        ),
        pytest.param(lambda: _running("a", "b"), lambda s: s.update("a"), [], id="IN_PROGRESS→IN_PROGRESS"),
        pytest.param(
            lambda: _running("a", "b"),
            lambda s: s.update("a", Status.SUCCEEDED),
            ["notify [b]", "next b"],
            id="head → terminal",
        ),
        pytest.param(
            lambda: _running("a"), lambda s: s.update("a", Status.FAILED), ["notify []", "next -"], id="last → terminal"
        ),
        pytest.param(
            lambda: _running("a", "b"),
            lambda s: s.update("b", Status.REJECTED),
            ["notify [a]"],
            id="non-head → terminal",
        ),
        pytest.param(
            lambda: _running("a", "b"),
            lambda s: s.cancel("a", force=True),
            ["notify [b]", "next b"],
            id="head cancelled",
        ),
        pytest.param(
            lambda: _running("a", "b"), lambda s: s.delete("a"), ["notify [b]", "next b"], id="head force-deleted"
        ),
        pytest.param(
            lambda: _running("a"), lambda s: s.delete("a"), ["notify []", "next -"], id="the only one force-deleted"
        ),
        pytest.param(lambda: _running("a", "b"), lambda s: s.delete("b"), ["notify [a]"], id="non-head deleted"),
        pytest.param(
            lambda: (s := _running("a", "b"), s.update("a", Status.SUCCEEDED))[0],
            lambda s: s.delete("a"),
            [],
            id="terminal execution deleted",
        ),
        pytest.param(lambda: _running("a"), lambda s: s.ask(StartNext()), [], id="start-next of the job at the head"),
    ],
)
def test_what_each_event_publishes(before, event, heard):
    service = before()
    event(service)
    assert service.heard == heard


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        pytest.param(
            lambda s: s.create("x", ns="lab"),
            ["notify@lab [x]"],
            id="a namespaced job behind a default one: no notify-next",
        ),
        pytest.param(
            lambda s: (s.create("x", ns="lab"), s.delete("a")),
            ["notify []", "next -", "next@lab x"],
            id="the default one goes: the namespace hears of its head",
        ),
    ],
)
def test_the_head_is_one_per_thing_across_namespaces(event, heard):
    service = _running("a")
    event(service)
    assert service.heard == heard


def test_with_a_head_for_each_namespace_neither_hears_of_the_other():
    service = Service(Jobs(JobsSettings(head_across_namespaces=False, documented_notify="none")))
    service.create("a")
    service.create("x", ns="lab")
    assert service.heard == ["notify@lab [x]", "next@lab x"]


def test_the_documented_topic_mentions_the_job_when_the_list_changes():
    service = Service(Jobs(JobsSettings()))
    service.create("x", ns="lab")
    assert service.heard == ["notify@lab [x]", "next@lab x", "mentioned@lab x"]


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────

TERMINAL = [status for status in Status if status.is_terminal]
DEVICE_SETS = [Status.IN_PROGRESS, Status.SUCCEEDED, Status.FAILED, Status.REJECTED]


@pytest.mark.parametrize("start", [Status.QUEUED, Status.IN_PROGRESS])
@pytest.mark.parametrize("to", list(Status))
def test_what_a_device_may_set(start: Status, to: Status):
    service = Service().create("a") if start is Status.QUEUED else _running("a")
    answer = service.update("a", to)
    if to in DEVICE_SETS:
        assert isinstance(answer, UpdateAccepted)
        assert service.jobs.execution(T, "a").status is to
    else:
        assert isinstance(answer, Rejected)
        assert answer.code is ErrorCode.INVALID_STATE_TRANSITION


@pytest.mark.parametrize("to", DEVICE_SETS)
def test_nothing_leads_out_of_a_terminal_state(to: Status):
    service = _running("a")
    service.cancel("a", force=True)
    answer = service.update("a", to)
    assert isinstance(answer, Rejected)
    assert answer.code is ErrorCode.INVALID_STATE_TRANSITION
    assert answer.state is not None
    assert answer.state.status is Status.CANCELED


@pytest.mark.parametrize(
    ("request_", "code", "has_state"),
    [
        pytest.param(Update("nope", Status.IN_PROGRESS), ErrorCode.RESOURCE_NOT_FOUND, False, id="no such job"),
        pytest.param(
            Update("a", Status.IN_PROGRESS, execution_number=2),
            ErrorCode.RESOURCE_NOT_FOUND,
            False,
            id="another number",
        ),
        pytest.param(
            Update("a", Status.IN_PROGRESS, namespace_id="lab"),
            ErrorCode.RESOURCE_NOT_FOUND,
            False,
            id="another namespace",
        ),
        pytest.param(
            Update("a", Status.IN_PROGRESS, expected_version=9), ErrorCode.VERSION_MISMATCH, True, id="another version"
        ),
        pytest.param(
            Update("done", Status.IN_PROGRESS, expected_version=9),
            ErrorCode.VERSION_MISMATCH,
            True,
            id="version before transition",
        ),
        pytest.param(Update("done", Status.IN_PROGRESS), ErrorCode.INVALID_STATE_TRANSITION, True, id="terminal"),
        pytest.param(Describe("nope"), ErrorCode.RESOURCE_NOT_FOUND, False, id="describe: no such job"),
        pytest.param(Describe("done"), ErrorCode.TERMINAL_STATE_REACHED, False, id="describe: terminal"),
        pytest.param(
            Describe("a", namespace_id="lab"), ErrorCode.RESOURCE_NOT_FOUND, False, id="describe: another namespace"
        ),
    ],
)
def test_refusals(request_: Request, code: ErrorCode, has_state: bool):
    service = Service().create("a", "done")
    service.update("done", Status.SUCCEEDED)
    answer = service.ask(request_)
    assert isinstance(answer, Rejected)
    assert answer.code is code
    assert (answer.state is not None) is has_state


def test_every_accepted_update_is_a_version_and_replaces_the_details():
    service = Service().create("a")
    assert service.jobs.execution(T, "a").version_number == 1
    service.update("a", status_details=(("x", "1"), ("y", "2")))
    service.update("a", status_details=(("x", "3"),))
    service.update("a")
    execution = service.jobs.execution(T, "a")
    assert (execution.version_number, execution.status_details) == (4, (("x", "3"),))


def test_start_next_starts_the_head_once():
    service = Service().create("a", "b")
    first, second = service.ask(StartNext("c1", (("k", "v"),))), service.ask(StartNext("c2", (("k", "w"),)))
    assert isinstance(first, ExecutionTold)
    assert isinstance(second, ExecutionTold)
    assert first.execution == second.execution
    assert first.execution is not None
    assert (first.execution.version_number, first.execution.status_details) == (2, (("k", "v"),))


def test_in_progress_goes_before_queued_and_lists_are_capped():
    service = Service().create(*(f"j{number}" for number in range(12)))
    service.update("j11")
    answer = service.ask(GetPending())
    assert isinstance(answer, PendingListed)
    assert [execution.key.job_id for execution in answer.in_progress] == ["j11"]
    assert [execution.key.job_id for execution in answer.queued] == [f"j{number}" for number in range(9)]


def test_what_is_told_says_when_it_is_and_where_nothing_is_says_nothing():
    assert Service().ask(Describe("$next", "c")) == ExecutionTold(1001, None, "c")
    assert Service().ask(GetPending("c")) == PendingListed(1001, (), (), "c")


# ── deletion ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("prepare", "force", "error"),
    [
        pytest.param(lambda s: s.update("a"), True, None, id="IN_PROGRESS, forced"),
        pytest.param(lambda s: s.update("a"), False, "InvalidStateTransition", id="IN_PROGRESS, not forced"),
        pytest.param(lambda s: s.update("a", Status.SUCCEEDED), False, None, id="COMPLETED"),
        pytest.param(lambda s: s.cancel("a"), False, None, id="CANCELED"),
        pytest.param(lambda s: s.delete("a"), True, "InvalidStateTransition", id="being deleted already"),
    ],
)
def test_which_jobs_may_be_deleted(prepare, force: bool, error: str | None):
    service = Service().create("a")
    prepare(service)
    if error is None:
        service.delete("a", force=force)
        assert service.jobs.job("a").status is JobStatus.DELETION_IN_PROGRESS
    else:
        with pytest.raises(JobsError) as caught:
            service.delete("a", force=force)
        assert caught.value.kind == error


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Describe("a"), ErrorCode.RESOURCE_NOT_FOUND),
        (Update("a", Status.SUCCEEDED), ErrorCode.RESOURCE_NOT_FOUND),
        (Update("a", Status.SUCCEEDED, expected_version=2), ErrorCode.RESOURCE_NOT_FOUND),
        (Describe("$next"), None),
        (StartNext(), None),
    ],
)
@pytest.mark.parametrize("removal_delay", [0.0, 3.0], ids=["record gone at once", "record still there"])
def test_a_device_meets_the_same_absence_as_soon_as_deletion_began(request_: Request, expected, removal_delay: float):
    service = Service(
        Jobs(JobsSettings(deletion_seconds=5, deletion_seconds_per_execution=0, removal_delay_seconds=removal_delay))
    )
    service.create("a")
    service.update("a")
    service.delete("a")
    answer = service.ask(request_)
    if expected is None:
        assert isinstance(answer, ExecutionTold)
        assert answer.execution is None
    else:
        assert isinstance(answer, Rejected)
        assert (answer.code, answer.state) == (expected, None)


def test_the_id_is_free_when_the_deletion_is_over_and_not_before():
    service = _running("a")
    service.delete("a")
    due = service.jobs.next_due()
    assert due == service.now + 5
    with pytest.raises(JobsError, match="already exists"):
        service.create("a")
    service.did(service.jobs.tick(due - 0.001))
    assert service.jobs.job("a").status is JobStatus.DELETION_IN_PROGRESS
    service.did(service.jobs.tick(due))
    with pytest.raises(JobsError, match="does not exist"):
        service.jobs.job("a")
    assert service.jobs.next_due() is None
    service.now = due
    service.create("a")
    execution = service.jobs.execution(T, "a")
    assert (execution.version_number, execution.key.execution_number) == (1, 1)


def test_an_eleventh_deletion_is_refused_across_namespaces():
    service = Service(Jobs(JobsSettings(deletion_seconds=60, deletion_seconds_per_execution=0)))
    for number in range(11):
        service.create(f"j{number}", ns="lab" if number % 2 else None)
    for number in range(10):
        service.delete(f"j{number}", ns="lab" if number % 2 else None)
    with pytest.raises(JobsError) as caught:
        service.delete("j10")
    assert caught.value.kind == "LimitExceeded"


def test_cancelling_leaves_what_is_in_progress_unless_forced():
    service = Service()
    service.jobs.do(CreateJob(NewJob("a", (T, "other"), DOCUMENT)), service.now)
    service.update("a")
    service.cancel("a")
    assert [execution.status for execution in service.jobs.executions_of_job("a")] == [
        Status.IN_PROGRESS,
        Status.CANCELED,
    ]
    assert isinstance(service.update("a", Status.SUCCEEDED), UpdateAccepted)
    with pytest.raises(JobsError) as caught:
        service.cancel("a")
    assert caught.value.kind == "InvalidRequest"


def test_a_snapshot_job_is_completed_when_its_last_execution_ends():
    service = Service()
    service.jobs.do(CreateJob(NewJob("a", (T, "other"), DOCUMENT)), service.now)
    service.update("a", Status.SUCCEEDED)
    assert service.jobs.job("a").status is JobStatus.IN_PROGRESS
    service.jobs.device_request("other", Update("a", Status.FAILED), service.now)
    assert service.jobs.job("a").status is JobStatus.COMPLETED
    assert {status: count for status, count in service.jobs.counts("a").items() if count} == {
        Status.SUCCEEDED: 1,
        Status.FAILED: 1,
    }


def test_in_a_namespace_of_awss_only_its_own_services_create_and_delete():
    jobs, new = Jobs(JobsSettings()), NewJob("fw", (T,), DOCUMENT, namespace_id="aws-gg-deployment")
    with pytest.raises(JobsError, match="reserved"):
        jobs.do(CreateJob(new), 1000)
    jobs.do(CreateJob(new, by_aws=True), 1000)
    with pytest.raises(JobsError, match="reserved"):
        jobs.do(DeleteExecution(T, "fw", number=1, force=True, namespace_id="aws-gg-deployment"), 1001)
    with pytest.raises(JobsError, match="reserved"):
        jobs.do(DeleteJob("fw", force=True, namespace_id="aws-gg-deployment"), 1001)
    with pytest.raises(JobsError, match="does not exist in this namespace"):
        jobs.do(DeleteJob("fw", force=True), 1001)
    jobs.do(DeleteJob("fw", force=True, namespace_id="aws-gg-deployment", by_aws=True), 1001)
    assert jobs.job("fw").status is JobStatus.DELETION_IN_PROGRESS
