"""Section 8: force delete."""

from simulator.cloud.jobs import JobsSettings

from .proofs import proves
from .world import World


def started(settings: JobsSettings | None = None) -> World:
    """A thing that executes the job fw, its only one."""
    world = World(settings)
    world.create_job("fw")
    world.device("start-next")
    world.taken()
    return world


@proves("force-deleted-execution-is-removed")
def test_a_force_deleted_execution_is_removed_and_the_device_sees_only_its_absence():
    world = started()
    world.operate("DeleteJob", jobId="fw", force=True)
    at = int(world.now)
    assert world.taken() == [("notify", {"timestamp": at, "jobs": {}}), ("notify-next", {"timestamp": at})]
    topic, answer = world.device("fw/get")
    assert (topic, answer["code"]) == ("fw/get/rejected", "ResourceNotFound")


@proves("deletion-removes-records-at-once")
def test_the_records_go_at_once_or_when_the_setting_says():
    world = started()
    world.operate("DeleteJob", jobId="fw", force=True)
    assert world.operate("DescribeJob", jobId="fw")["job"]["status"] == "DELETION_IN_PROGRESS"
    assert world.operate("ListJobExecutionsForJob", jobId="fw")["executionSummaries"] == []

    slow = started(JobsSettings(removal_delay_seconds=10))
    slow.operate("DeleteJob", jobId="fw", force=True)
    assert len(slow.operate("ListJobExecutionsForJob", jobId="fw")["executionSummaries"]) == 1
    assert slow.taken() == []
    slow.later(10)
    assert [topic for topic, _ in slow.taken()] == ["notify", "notify-next"]
