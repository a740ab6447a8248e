"""The jobs that somebody may do something to, and what the next one is."""

from agent.values import ExecutionKey
from simulator.engines.jobs_there import KEPT, JobsThere, JobThere
from simulator.engines.next_job import next_jobs
from simulator.scenario import Group, JobSpec
from simulator.trace import (
    CLOUD,
    CloudEvent,
    DeletionAccepted,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
)


def there(*events: CloudEvent | DeletionAccepted) -> JobsThere:
    jobs = JobsThere()
    for number, event in enumerate(events, 1):
        jobs.feed(Entry(CLOUD, number, float(number), event))
    return jobs


def key(job: str) -> ExecutionKey:
    return ExecutionKey(None, job, 1, 0)


def test_a_job_is_open_until_all_its_executions_are_over():
    began = JobCreated("fw"), ExecutionQueued("a", key("fw")), ExecutionQueued("b", key("fw"))
    assert there(*began).standing("fw") == "open"
    one = ExecutionChanged("a", key("fw"), "SUCCEEDED", 2, "device")
    assert there(*began, one).standing("fw") == "open"
    assert there(*began, one, ExecutionRemoved("b", key("fw"), "QUEUED")).standing("fw") == "over"


def test_a_job_that_is_cancelled_is_so_until_nobody_is_at_work_on_it_or_it_is_made_again():
    began = JobCreated("fw"), ExecutionQueued("a", key("fw")), ExecutionQueued("b", key("fw"))
    cancelled = *began, DeletionAccepted("fw", "cancel-job"), ExecutionChanged("a", key("fw"), "CANCELED", 2, "service")
    assert there(*cancelled).standing("fw") == "cancelled"
    assert there(*cancelled, ExecutionChanged("b", key("fw"), "SUCCEEDED", 2, "device")).standing("fw") == "over"
    assert there(*cancelled, JobDeletionBegan("fw", True)).standing("fw") == "going"
    assert there(*cancelled, JobDeleted("fw"), *began).standing("fw") == "open"


def test_a_job_that_is_deleted_goes_and_is_gone_and_is_there_again_when_it_was_created_again():
    went = JobCreated("fw", "lab"), ExecutionQueued("a", key("fw")), JobDeletionBegan("fw", True)
    assert there(*went).all() == (JobThere("fw", "lab", "going"),)
    gone = *went, ExecutionRemoved("a", key("fw"), "IN_PROGRESS"), JobDeleted("fw")
    assert there(*gone).standing("fw") == "gone"
    again = *gone, JobCreated("fw", "lab"), ExecutionQueued("a", key("fw"))
    assert there(*again).standing("fw") == "open"


def test_of_many_that_are_over_the_last_are_remembered_and_of_open_ones_all():
    events: list[CloudEvent] = [JobCreated("open"), ExecutionQueued("a", key("open"))]
    events += [JobCreated(f"over-{number}") for number in range(100)]
    names = [each.job for each in there(*events).all()]
    assert names[0] == "open"
    assert names[-1] == "over-99"
    assert len(names) <= KEPT + 2


def test_the_next_update_is_of_another_version_and_has_a_name_of_its_own_in_each_namespace():
    groups = Group(group="a"), Group(group="b", namespace="lab"), Group(group="c")
    made = JobSpec(id="fw", to=("a",), version="2.0"), JobSpec(id="fw-7-lab", to=("b",), version="11.4-rc")
    told = [(job.id, job.to, job.namespace, job.version) for job in next_jobs(made, groups)]
    assert told == [("fw-8", ("a", "c"), None, "12.0"), ("fw-8-lab", ("b",), "lab", "12.0")]
    assert [job.id for job in next_jobs(made, groups, "mine")] == ["mine", "mine-lab"]
    assert max(len(job.id) for job in next_jobs(made, groups, "m" * 64)) == 64
