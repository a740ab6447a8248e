"""The controller, and its hand by each of its carriers, against a real local cloud."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from agent.errors import InputError
from agent.jitter import Jitter
from agent.values import JobDocument
from simulator.cloud.jobs import NewJob
from simulator.cloud.jobs.commands import CreateJob
from simulator.cloud.local import LocalCloud
from simulator.controller.controller import Controller, ControllerCommand
from simulator.controller.hand import Hand, Refused, check_endpoint, is_local
from simulator.trace import ControllerEvent, DeletionAccepted, DeletionRefused, DeletionRequested

DOCUMENT = {"operation": "update", "version": "2.0"}


@pytest.fixture
async def job(hand: Hand) -> str:
    for thing in ("a", "b"):
        await hand.create_thing(thing)
    await hand.create_job("fw", ["a", "b"], DOCUMENT, "lab")
    return "fw"


async def test_a_hand_sees_what_the_control_plane_tells(hand: Hand, job: str):
    described = await hand.describe_job(job)
    assert (described["status"], described["namespaceId"]) == ("IN_PROGRESS", "lab")
    assert json.loads(await hand.job_document(job)) == DOCUMENT
    assert [(each.thing, each.status) for each in await hand.executions(job)] == [("a", "QUEUED"), ("b", "QUEUED")]
    execution = await hand.execution("a", job)
    assert (execution.status, execution.execution_number, execution.details) == ("QUEUED", 1, {})
    with pytest.raises(Refused) as refused:
        await hand.delete_job(job, force=True, namespace_id=None)
    assert refused.value.code == "ResourceNotFoundException"


async def test_a_hand_sees_every_page_of_a_jobs_executions(hand: Hand, cloud: LocalCloud):
    things = tuple(f"t{number:03}" for number in range(501))
    cloud.core.jobs.do(CreateJob(NewJob("big", things, JobDocument("{}"))), time.time())
    cloud.core.jobs.tick(time.time())
    assert [each.thing for each in await hand.executions("big")] == list(things)


async def test_more_deletions_than_the_quota_wait_their_turn(hand: Hand):
    events: list[ControllerEvent] = []
    controller = Controller(hand, events.append, rng=Jitter("test"))
    await hand.create_thing("a")
    for number in range(4):
        await controller.create_job(f"fw-{number}", ["a"], DOCUMENT, None)
    await asyncio.gather(
        *(
            controller.carry_out(ControllerCommand("delete-job", f"fw-{number}", True, None), why="test")
            for number in range(4)
        )
    )
    assert {event.job_id for event in events if isinstance(event, DeletionAccepted)} == {f"fw-{n}" for n in range(4)}
    assert {event.code for event in events if isinstance(event, DeletionRefused)} == {"LimitExceededException"}
    for number in range(4):
        await controller.gone(f"fw-{number}")
    await controller.close()


async def test_what_is_deleted_and_why_is_recorded(hand: Hand, job: str):
    events: list[ControllerEvent] = []
    controller = Controller(hand, events.append, rng=Jitter("test"))
    await controller.carry_out(
        ControllerCommand("delete-job", job, True, "lab"), why="all 2 devices reported write 50%"
    )
    assert events == [DeletionRequested(job, True, "all 2 devices reported write 50%"), DeletionAccepted(job)]
    await controller.gone(job)
    await controller.close()


async def test_a_refusal_for_good_is_passed_on(hand: Hand, job: str):
    controller = Controller(hand, lambda event: None, rng=Jitter("test"))
    with pytest.raises(Refused, match="InvalidStateTransition"):
        await controller.carry_out(ControllerCommand("delete-job", job, False, "lab"), why="test")
    await controller.close()


async def test_executions_that_ended_meanwhile_are_not_cancelled(hand: Hand, job: str):
    controller = Controller(hand, lambda event: None, rng=Jitter("test"))
    await hand.cancel_execution("a", job, force=False)
    await controller.carry_out(ControllerCommand("cancel-execution", job, True, "lab"), why="test")
    assert {each.thing: each.status for each in await hand.executions(job)} == {"a": "CANCELED", "b": "CANCELED"}
    with pytest.raises(Refused):
        await hand.cancel_execution("a", job, force=True)


async def test_only_jobs_that_were_created_here_or_named_are_deleted(hand: Hand, job: str):
    controller = Controller(hand, lambda event: None, rng=Jitter("test"), named=["another"])
    with pytest.raises(InputError, match="neither created here nor named"):
        await controller.carry_out(ControllerCommand("delete-job", job, True, "lab"), why="test")
    assert (await hand.describe_job(job))["status"] == "IN_PROGRESS"
    await controller.close()


async def test_what_will_be_gone_is_saved_first(hand: Hand, job: str, tmp_path: Path):
    controller = Controller(hand, lambda event: None, rng=Jitter("test"), save_in=tmp_path / "gone")
    await controller.carry_out(ControllerCommand("delete-job", job, True, "lab"), why="test")
    saved = json.loads((tmp_path / "gone" / "fw-1.json").read_text())
    assert (saved["job"]["status"], json.loads(saved["document"])) == ("IN_PROGRESS", DOCUMENT)
    assert [each["thing"] for each in saved["executions"]] == ["a", "b"]
    await controller.close()


async def test_nothing_is_deleted_that_could_not_be_saved(hand: Hand, job: str, tmp_path: Path):
    (tmp_path / "file").write_text("")
    controller = Controller(hand, lambda event: None, rng=Jitter("test"), save_in=tmp_path / "file")
    with pytest.raises(InputError, match="nothing was deleted"):
        await controller.carry_out(ControllerCommand("delete-job", job, True, "lab"), why="test")
    assert (await hand.describe_job(job))["status"] == "IN_PROGRESS"
    await controller.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://localhost:4566", True),
        ("http://[::1]:4566", True),
        ("https://iot.eu-west-1.amazonaws.com", False),
        ("http://192.168.1.7:4566", False),
        ("http://localhost.example.com", False),
        (None, False),
    ],
)
def test_only_this_machine_is_local(url: str | None, expected: bool):
    assert is_local(url) is expected
    if expected:
        check_endpoint(url, allow_aws=False)
    else:
        check_endpoint(url, allow_aws=True)
        with pytest.raises(InputError, match="--allow-aws"):
            check_endpoint(url, allow_aws=False)


async def test_what_greengrass_made_is_deleted_by_greengrasss_hand_which_only_the_local_cloud_lends(
    hand: Hand, carrier: str
):
    controller = Controller(hand, lambda event: None, rng=Jitter("test"))
    await hand.create_thing("a")
    making = controller.create_job("deployment", ["a"], DOCUMENT, "aws-gg-deployment", "greengrass")
    if carrier == "boto3":
        with pytest.raises(InputError, match="greengrass's own hand"):
            await making
    else:
        await making
        await controller.carry_out(ControllerCommand("delete-job", "deployment", True, "aws-gg-deployment"), why="test")
        await controller.gone("deployment")
    await controller.close()
