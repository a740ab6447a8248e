"""Random commands, on a live service and on its value, step by step: what comes of each is the same, and what is then.

Some jobs have more things than a command does at once, so that deletions, cancellations and rollouts are cut off by
other commands, and by time. `GHOSTJOB_EXAMPLES=2000 pytest tests/properties` plays more, other ones each time.
"""

import os
from typing import Final, Literal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agent.values import NEXT, Describe, GetPending, JobDocument, StartNext, Status, Update
from simulator.cloud.jobs import (
    AbortCriterion,
    EventKind,
    Jobs,
    JobsError,
    JobsSettings,
    JobUpdate,
    MaintenanceWindow,
    NewJob,
    Outcome,
    RetryCriterion,
    Rollout,
    Schedule,
    Service,
    step,
)
from simulator.cloud.jobs.commands import (
    AssociateTargets,
    CancelExecution,
    CancelJob,
    ClockMoved,
    Command,
    CreateJob,
    DeleteExecution,
    DeleteJob,
    DeviceRequest,
    ThingDeleted,
    ThingMoved,
    Tick,
    UpdateJob,
)

GROUP: Final = "group"
OTHER: Final = "other"
MANY: Final = tuple(f"t{number}" for number in range(34))
BEGIN: Final = 1_000_000.0
NOTHING: Final[frozenset[EventKind]] = frozenset()
ALL_EVENTS: Final[frozenset[EventKind]] = frozenset({"JOB", "JOB_EXECUTION"})

things = st.sampled_from([*MANY[:3], MANY[-1]])
job_ids = st.sampled_from(["j0", "j1", "j2"])
namespaces = st.sampled_from([None, None, None, "lab"])
statuses = st.sampled_from([Status.IN_PROGRESS, Status.SUCCEEDED, Status.FAILED, Status.REJECTED])
minutes = st.sampled_from([None, 1, 3])
schedules = st.sampled_from(
    [
        *[None] * 6,
        Schedule(BEGIN + 100, BEGIN + 400, "CANCEL"),
        Schedule(None, BEGIN + 300, "STOP_ROLLOUT", (MaintenanceWindow("0/2 * ? * * *", 1),)),
    ]
)
moves: st.SearchStrategy[Literal["joined", "left"]] = st.sampled_from(["joined", "left"])
new_jobs = st.builds(
    NewJob,
    job_ids,
    st.sampled_from([MANY[:2], MANY[:1], MANY, MANY, MANY[:26]]),
    st.just(JobDocument("{}")),
    st.just((GROUP,)),
    namespace_id=namespaces,
    target_selection=st.sampled_from(["SNAPSHOT", "CONTINUOUS"]),
    rollout=st.sampled_from([None, None, Rollout(maximum_per_minute=30)]),
    abort=st.sampled_from([(), (), (AbortCriterion("FAILED", 50, 1),)]),
    timeout_minutes=minutes,
    retries=st.sampled_from([(), (RetryCriterion("ALL", 2),)]),
    schedule=schedules,
)
requests = st.one_of(
    st.builds(GetPending, namespace_id=namespaces),
    st.builds(StartNext, step_timeout_minutes=minutes, namespace_id=namespaces),
    st.builds(Describe, st.sampled_from([NEXT, "j0", "j1"]), namespace_id=namespaces),
    st.builds(Update, job_ids, statuses, namespace_id=namespaces, step_timeout_minutes=minutes),
    st.builds(Update, job_ids, statuses),
)
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(CreateJob, new_jobs),
    st.builds(CreateJob, new_jobs),
    st.builds(DeviceRequest, things, requests),
    st.builds(DeviceRequest, things, requests),
    st.builds(UpdateJob, job_ids, st.just(JobUpdate(timeout_minutes=2)), namespaces),
    st.builds(AssociateTargets, job_ids, st.just((OTHER,)), st.sampled_from([("new",), MANY]), st.none(), namespaces),
    st.builds(CancelJob, job_ids, st.booleans()),
    st.builds(CancelExecution, things, job_ids, st.booleans(), st.sampled_from([None, None, 1, 2])),
    st.builds(DeleteJob, job_ids, st.sampled_from([True, True, False]), namespaces),
    st.builds(DeleteExecution, things, job_ids, st.sampled_from([1, 1, 2]), st.booleans(), namespaces),
    st.builds(
        ThingMoved, st.sampled_from(["joined", "left"]), things, st.just((GROUP,)), st.sampled_from([(), (OTHER,)])
    ),
    st.builds(ThingDeleted, things),
    st.builds(Tick, st.sampled_from([None, 1, 4, 16, 30])),
    st.builds(Tick, st.sampled_from([None, 1, 4, 16, 30])),
    st.builds(ClockMoved, st.sampled_from([-100.0, 100.0])),
)
services = st.tuples(
    st.builds(
        JobsSettings,
        deletion_seconds=st.sampled_from([0.0, 3.0]),
        removal_delay_seconds=st.sampled_from([0.0, 0.0, 30.0]),
        while_deleting=st.sampled_from(["gone", "answers", "answers-and-lists", "terminal"]),
        stale_reads_seconds=st.sampled_from([0.0, 15.0]),
        schedule_lead_seconds=st.just(0),
        requests_per_second=st.sampled_from([1, 200]),
    ),
    st.sampled_from([NOTHING, ALL_EVENTS]),
).map(lambda made_with: Service(*made_with))
passing = st.sampled_from([0.0, 0.0, 0.25, 1.0, 10.0, 45.0, 130.0])


def done(jobs: Jobs, command: Command, now: float) -> Outcome | str:
    """What came of it, or why it was refused."""
    try:
        return jobs.do(command, now)
    except JobsError as refusal:
        return refusal.message


def stepped(service: Service, command: Command, now: float) -> tuple[Service, Outcome | str]:
    """The same, of a value."""
    try:
        return step(service, command, now)
    except JobsError as refusal:
        return service, refusal.message


EXAMPLES: Final = int(os.environ.get("GHOSTJOB_EXAMPLES", "0"))


@settings(
    max_examples=EXAMPLES or 100,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, *([Phase.shrink] if EXAMPLES else [])),
    suppress_health_check=list(HealthCheck),
)
@given(services, new_jobs, st.lists(st.tuples(passing, commands), min_size=10, max_size=40))
def test_a_live_service_and_its_value_go_the_same_way(
    service: Service, first: NewJob, script: list[tuple[float, Command]]
):
    live, now = Jobs.of(service), BEGIN
    for seconds, command in [(0.0, CreateJob(first)), *script]:
        now += seconds + (command.by if isinstance(command, ClockMoved) else 0.0)
        told = done(live, command, now)
        assert isinstance(told, str) or not told.failures
        service, the_same = stepped(service, command, now)
        assert the_same == told
        assert service == live.value()
        assert hash(service) == hash(live.value())
        assert Jobs.of(service).next_due() == live.next_due()
