"""Random sequences of everything that devices, operators, groups and time do to jobs, on our service and on a model.

After each step both have given the same answer, published the same to each thing, told the same events and remember the
same. `GHOSTJOB_EXAMPLES=2000 pytest tests/properties` plays more sequences, other ones each time, and looks for the
shortest that fails.
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from agent.values import (
    NEXT,
    Answer,
    Describe,
    Execution,
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
from simulator.cloud.jobs import Jobs, JobsError, JobsSettings, NewJob, Outcome
from simulator.cloud.jobs.commands import (
    CancelExecution,
    CancelJob,
    CreateJob,
    DeleteExecution,
    DeleteJob,
    ThingDeleted,
    ThingMoved,
    UpdateJob,
)
from simulator.cloud.jobs.configuration import AbortCriterion, JobUpdate, RetryCriterion
from simulator.cloud.jobs.events import JobEvent

from .jobs_model import Job, Model, Rules, Told, told_by

THINGS: Final = ("t0", "t1")
NOBODYS: Final = "nobodys"
NAMESPACES: Final = (None, "lab", "aws-gg-deployment")
GROUP: Final = "arn:aws:iot:us-east-1:000000000000:thinggroup/g"
DOCUMENT: Final = JobDocument.of({"operation": "test"})

things = st.sampled_from(["t0", "t0", "t1"])
namespaces = st.sampled_from([*NAMESPACES, None])
picks = st.integers(0, 11)
"""Which of the jobs that there are; 11 is one that there is not."""
details = st.sampled_from([None, (), (("step", "write"),)])
numbers = st.sampled_from([None, None, None, None, 1, 2])
seldom = st.sampled_from([False, False, False, True])
mostly = st.sampled_from([True, True, True, False])
new_jobs = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["j0", "j1", "j2"]),
        "namespace": namespaces,
        "things": st.sampled_from([("t0",), ("t0",), THINGS, ("t1",), ()]),
        "group": seldom,
        "timeout": st.sampled_from([None, 1, 4]),
        "retries": st.sampled_from([{}, {"FAILED": 1}, {"ALL": 2}, {"FAILED": 1, "TIMED_OUT": 1}]),
        "abort": st.sampled_from([None, None, ("FAILED", 50.0, 2), ("ALL", 100.0, 1)]),
        "by_aws": mostly,
    }
)
rules = st.builds(
    Rules,
    deletion_seconds=st.sampled_from([0.0, 3.0, 20.0]),
    removal_delay_seconds=st.sampled_from([0.0, 0.0, 5.0, 90.0]),
    while_deleting=st.sampled_from(["gone", "reads-answer", "answers", "answers-and-lists", "terminal"]),
    deletions_at_once=st.sampled_from([1, 10]),
    pending_listed=st.sampled_from([2, 10]),
    head_across_namespaces=st.booleans(),
    documented_notify=st.sampled_from(["none", "added", "added-and-removed"]),
    forbidden_status=st.sampled_from(["InvalidStateTransition", "InvalidRequest"]),
    queued_deletion_needs_force=st.booleans(),
    wrong_namespace=st.sampled_from(["ResourceNotFound", "InvalidRequest"]),
)


class BothServices(RuleBasedStateMachine):
    """Ours, and the model; every step is taken by both."""

    @initialize(rules=rules, first=st.lists(new_jobs, min_size=1, max_size=3))
    def begin(self, rules: Rules, first: list[dict[str, Any]]) -> None:
        self.model = Model(rules)
        self.jobs = Jobs(JobsSettings(deletion_seconds_per_execution=0, **vars(rules)))
        self.jobs.event_kinds = frozenset({"JOB", "JOB_EXECUTION"})
        self.model.now = 1_000_000.0
        self.steps = 0
        for new in first:
            self.create(new)

    # ── devices ───────────────────────────────────────────────────────────────────────────────────────────────

    @rule(thing=things, namespace=namespaces)
    def get_pending(self, thing: str, namespace: str | None) -> None:
        self.ask(thing, GetPending(namespace_id=namespace), lambda: [self.model.get_pending(thing, namespace)])

    @rule(thing=things, namespace=namespaces)
    def describe_next(self, thing: str, namespace: str | None) -> None:
        request = Describe(NEXT, namespace_id=namespace)
        self.ask(thing, request, lambda: [self.model.describe_next(thing, namespace)])

    @rule(thing=things, namespace=namespaces, details=details, step=st.sampled_from([None, 1, 3]))
    def start_next(self, thing: str, namespace: str | None, details: Told | None, step: int | None) -> None:
        request = StartNext(None, details, step, namespace)
        self.ask(thing, request, lambda: [self.model.start_next(thing, namespace, details, step)])

    @rule(thing=things, pick=picks, ours=mostly, number=numbers, document=st.booleans())
    def describe(self, thing: str, pick: int, ours: bool, number: int | None, document: bool) -> None:
        thing, job_id = self.execution(thing, pick)
        namespace = self.namespace(job_id, ours)
        request = Describe(job_id, None, namespace, number, document)
        self.ask(thing, request, lambda: self.model.describe(thing, job_id, namespace, number, document))

    @rule(
        thing=things,
        pick=picks,
        status=st.sampled_from([*list(Status), *[Status.IN_PROGRESS] * 6, *[Status.FAILED] * 5, Status.SUCCEEDED]),
        expected=st.sampled_from(["none", "none", "none", "right", "wrong"]),
        more=st.fixed_dictionaries(
            {
                "number": numbers,
                "details": details,
                "step": st.sampled_from([None, None, None, -1, 1]),
                "include_state": st.booleans(),
                "include_document": st.booleans(),
            }
        ),
    )
    def update(self, thing: str, pick: int, status: Status, expected: str, more: dict[str, Any]) -> None:
        thing, job_id = self.execution(thing, pick)
        namespace, run = self.namespace(job_id, True), self.model.latest(thing, job_id)
        version = run.version if run else 1
        wanted = {"none": None, "right": version, "wrong": version + 1}[expected]
        more = more | {"expected": wanted}
        request = Update(
            job_id,
            status,
            namespace_id=namespace,
            status_details=more["details"],
            expected_version=wanted,
            execution_number=more["number"],
            include_state=more["include_state"],
            include_document=more["include_document"],
            step_timeout_minutes=more["step"],
        )
        self.ask(thing, request, lambda: self.model.update(thing, job_id, namespace, status.value, more))

    @rule(pick=st.integers(0, 5), step=st.sampled_from([None, -1, 1, 3]))
    def goes_on(self, pick: int, step: int | None) -> None:
        """A device does what it mostly does."""
        self.reports(pick, Status.IN_PROGRESS, step)

    @rule(pick=st.integers(0, 5), status=st.sampled_from([Status.FAILED, Status.FAILED, Status.SUCCEEDED]))
    def ends(self, pick: int, status: Status) -> None:
        self.reports(pick, status, None)

    def reports(self, pick: int, status: Status, step: int | None) -> None:
        thing, job_id = self.execution("t0", pick)
        namespace = self.namespace(job_id, True)
        request = Update(job_id, status, namespace_id=namespace, step_timeout_minutes=step)
        more = dict.fromkeys(("number", "details", "expected", "include_state", "include_document")) | {"step": step}
        self.ask(thing, request, lambda: self.model.update(thing, job_id, namespace, status.value, more))

    # ── the control plane ─────────────────────────────────────────────────────────────────────────────────────

    @rule(new=new_jobs)
    def create_job(self, new: dict[str, Any]) -> None:
        self.create(new)

    def create(self, new: dict[str, Any]) -> None:
        job_id, group, of = new["id"], new["group"], new["things"]
        job = Job(job_id, new["namespace"], group, new["timeout"], new["retries"], new["abort"])
        asked = NewJob(
            job_id,
            of,
            DOCUMENT,
            (GROUP,) if group else tuple(f"arn:aws:iot:us-east-1:000000000000:thing/{thing}" for thing in of),
            namespace_id=job.namespace,
            target_selection="CONTINUOUS" if group else "SNAPSHOT",
            timeout_minutes=job.timeout,
            retries=tuple(RetryCriterion(kind, times) for kind, times in new["retries"].items()),
            abort=() if job.abort is None else (AbortCriterion(*job.abort),),  # type: ignore[arg-type]  # it is a name
        )
        self.operate(
            lambda: self.jobs.do(CreateJob(asked, by_aws=new["by_aws"]), self.model.now),
            lambda: self.model.create(job, list(of), new["by_aws"]),
        )

    @rule(pick=picks, force=st.booleans())
    def cancel_job(self, pick: int, force: bool) -> None:
        job_id = self.job(pick)
        self.operate(
            lambda: self.jobs.do(CancelJob(job_id, force=force), self.model.now),
            lambda: self.model.cancel_job(job_id, force),
        )

    @rule(thing=things, pick=picks, force=st.booleans(), expected=st.sampled_from([None, None, 1, 2]))
    def cancel_execution(self, thing: str, pick: int, force: bool, expected: int | None) -> None:
        thing, job_id = self.execution(thing, pick)
        self.operate(
            lambda: self.jobs.do(
                CancelExecution(thing, job_id, force=force, expected_version=expected), self.model.now
            ),
            lambda: self.model.cancel_execution(thing, job_id, force, expected),
        )

    @rule(pick=picks, force=st.booleans(), ours=mostly, by_aws=mostly)
    def delete_job(self, pick: int, force: bool, ours: bool, by_aws: bool) -> None:
        job_id = self.job(pick)
        namespace = self.namespace(job_id, ours)
        self.operate(
            lambda: self.jobs.do(DeleteJob(job_id, force=force, namespace_id=namespace, by_aws=by_aws), self.model.now),
            lambda: self.model.delete_job(job_id, force, namespace, by_aws),
        )

    @rule(thing=things, pick=picks, number=st.sampled_from([1, 1, 2]), force=st.booleans(), by_aws=mostly)
    def delete_execution(self, thing: str, pick: int, number: int, force: bool, by_aws: bool) -> None:
        thing, job_id = self.execution(thing, pick)
        namespace = self.namespace(job_id, True)
        self.operate(
            lambda: self.jobs.do(
                DeleteExecution(*(thing, job_id), number=number, force=force, namespace_id=namespace, by_aws=by_aws),
                self.model.now,
            ),
            lambda: self.model.delete_execution(thing, job_id, number, force, namespace, by_aws),
        )

    @rule(pick=picks, minutes=st.sampled_from([1, 2]), by_aws=mostly)
    def update_job(self, pick: int, minutes: int, by_aws: bool) -> None:
        job_id = self.job(pick)
        namespace = self.namespace(job_id, True)
        update = JobUpdate(timeout_minutes=minutes)
        self.operate(
            lambda: self.jobs.do(UpdateJob(job_id, update, namespace_id=namespace, by_aws=by_aws), self.model.now),
            lambda: self.model.change_timeout(job_id, namespace, minutes, by_aws),
        )

    # ── the registry, and time ────────────────────────────────────────────────────────────────────────────────

    @rule(thing=things)
    def thing_joins(self, thing: str) -> None:
        self.operate(
            lambda: self.jobs.do(ThingMoved("joined", thing, (GROUP,)), self.model.now), lambda: self.model.joins(thing)
        )

    @rule(thing=things)
    def thing_leaves(self, thing: str) -> None:
        self.operate(
            lambda: self.jobs.do(ThingMoved("left", thing, (GROUP,)), self.model.now), lambda: self.model.leaves(thing)
        )

    @rule(thing=things)
    def thing_is_deleted(self, thing: str) -> None:
        self.operate(lambda: self.jobs.do(ThingDeleted(thing), self.model.now), lambda: self.model.is_deleted(thing))

    @rule(seconds=st.sampled_from([2.0, 10.0, 45.0, 200.0]))
    def time_passes(self, seconds: float) -> None:
        end = self.model.now + seconds
        while (due := self.jobs.next_due()) is not None and due <= end:
            self.model.until(due)
            self.heard(self.jobs.tick(due))
        self.model.until(end)
        self.heard(Outcome())

    # ── comparing ─────────────────────────────────────────────────────────────────────────────────────────────

    def job(self, pick: int) -> str:
        there = list(self.model.jobs)
        return there[pick % len(there)] if there and pick < 11 else NOBODYS

    def execution(self, thing: str, pick: int) -> tuple[str, str]:
        """Mostly the latest one that is pending, or another, or one that there is not."""
        pending = [run for run in self.model.runs if run.is_pending]
        if pick < 6 and pending:
            run = pending[-1 - pick // 3 % len(pending)]
            return run.thing, run.job.id
        return thing, self.job(pick)

    def namespace(self, job_id: str, is_its_own: bool) -> str | None:
        job = self.model.jobs.get(job_id)
        own = job.namespace if job else None
        return own if is_its_own else next(other for other in NAMESPACES if other != own)

    def ask(self, thing: str, request: Request, expect: Callable[[], list[Told]]) -> None:
        self.moment()
        would_do = expect()
        outcome = self.jobs.device_request(thing, request, self.model.now)
        assert outcome.answer is not None
        assert _answer(outcome.answer) in would_do
        self.heard(outcome)

    def operate(self, do: Callable[[], Outcome], expect: Callable[[], None]) -> None:
        self.moment()
        would_do = told_by(expect)
        if would_do:
            with pytest.raises(JobsError) as refusal:
                do()
            assert refusal.value.kind in would_do
        else:
            self.heard(do())

    def moment(self) -> None:
        """A second and a little passes, so that no two steps have the same fraction, and no two timers the same end."""
        self.steps += 1
        self.time_passes(1 + self.steps / 1024)

    def heard(self, outcome: Outcome) -> None:
        """Both published and told the same, and remember the same."""
        published: dict[str, list[Told]] = {}
        for thing, hint in outcome.hints:
            published.setdefault(thing, []).append(_hint(hint))
        assert published == {thing: hints for thing, hints in self.model.hints.items() if hints}
        assert Counter(map(_event, outcome.events)) == Counter(self.model.events)
        of_jobs = [event for event in map(_event, outcome.events) if event[0] == "job"]
        assert of_jobs == [event for event in self.model.events if event[0] == "job"]
        self.model.hints, self.model.events = {}, []
        self.remembered()

    def remembered(self) -> None:
        ours = {(job.job_id, job.status.value, job.namespace_id) for job in self.jobs.jobs()}
        assert ours == {(job.id, job.status, job.namespace) for job in self.model.jobs.values()}
        for job in self.model.jobs.values():
            runs = {(run.thing, run.number, *run.state, run.forced) for run in self.model.runs if run.job is job}
            found = {
                (e.thing, e.key.execution_number, e.status.value, e.version_number, e.status_details, e.force_canceled)
                for e in self.jobs.executions_of_job(job.id)
            }
            assert found == runs
            counted = Counter(run.status for run in self.model.runs if run.job is job)
            assert {status.value: n for status, n in self.jobs.counts(job.id).items() if n} == counted
        for thing in THINGS:
            newest_first = [(run.job.id, run.number) for run in reversed(self.model.runs) if run.thing == thing]
            found = [(e.key.job_id, e.key.execution_number) for e in self.jobs.executions_of_thing(thing)]
            assert found == newest_first


def _answer(answer: Answer) -> Told:
    match answer:
        case PendingListed():
            return "listed", _names(answer.in_progress), _names(answer.queued)
        case ExecutionTold():
            return "told", _execution(answer.execution)
        case UpdateAccepted():
            return "accepted", _state(answer.state), answer.document is not None
        case Rejected():
            return "rejected", answer.code.value, _state(answer.state)


def _hint(hint: Hint) -> Told:
    match hint:
        case PendingChanged():
            return "notify", hint.namespace_id, _names(hint.in_progress), _names(hint.queued)
        case NextChanged():
            return "next", hint.namespace_id, _execution(hint.execution)
        case JobMentioned():
            return "mentioned", hint.namespace_id, hint.job_id


def _event(event: Any) -> Told:
    if isinstance(event, JobEvent):
        return "job", event.operation, event.job.job_id
    return ("execution", event.operation, event.execution.key.job_id, event.execution.thing, _number(event))


def _number(event: Any) -> int:
    return int(event.execution.key.execution_number)


def _names(listed: tuple[Execution, ...]) -> list[Told]:
    return [(execution.key.job_id, execution.key.execution_number) for execution in listed]


def _execution(told: Execution | None) -> Told | None:
    if told is None:
        return None
    key = told.key
    times = key.queued_at, told.started_at, told.last_updated_at
    left = told.approximate_seconds_before_timed_out
    what = key.job_id, key.execution_number, told.status.value, told.version_number
    return (*what, *times, told.status_details, left, told.document is not None)


def _state(state: Any) -> Told | None:
    return None if state is None else (state.status.value, state.version_number, state.status_details)


EXAMPLES: Final = int(os.environ.get("GHOSTJOB_EXAMPLES", "0"))

TestBothServices = BothServices.TestCase
TestBothServices.settings = settings(
    max_examples=EXAMPLES or 80,
    stateful_step_count=40,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, *([Phase.shrink] if EXAMPLES else [])),
    suppress_health_check=list(HealthCheck),
)
