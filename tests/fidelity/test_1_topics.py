"""Section 1: which client may publish, subscribe and receive what, through the real gateway and its bytes."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from simulator.cloud.api import Backing, ControlPlane
from simulator.cloud.arns import AccountRegion
from simulator.cloud.device_api.service import DeviceApi
from simulator.cloud.jobs import Jobs, JobsSettings, Outcome
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.registry import Registry
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text
from tests.simulator.cloud.mqtt.peers import Bare

from .proofs import proves

NOW: Final = 1_700_000_000.0
PING: Final = b"\xc0\0"
NS: Final = "namespace-aws-gg-deployment"


class Cloud:
    """A gateway before the service. The thing T has the jobs J, first of its queue, `get`, and Greengrass's G."""

    def __init__(self) -> None:
        jobs = Jobs(JobsSettings())
        self.opened: list[Bare] = []
        self.device_api = DeviceApi(jobs, lambda: NOW)
        self.gateway = Gateway(self.device_api, GatewaySettings(connects_per_second=None))
        ids = iter(range(1000))
        registry = Registry(lambda: f"id-{next(ids)}")
        plane = ControlPlane(Backing(jobs, registry, AccountRegion(), lambda: NOW, self._publish))
        self.operator, self.aws = plane, plane.in_the_hand_of_aws()

    def _publish(self, outcome: Outcome) -> None:
        for topic, payload in self.device_api.publications(outcome):
            self.gateway.broker.publish(topic, payload)

    def create(self, job_id: str, namespace_id: str | None = None) -> None:
        arn = self.operator.call("CreateThing", {"thingName": "T"})["thingArn"]
        more = {"namespaceId": namespace_id} if namespace_id else {}
        plane = self.aws if namespace_id else self.operator
        plane.call("CreateJob", {"jobId": job_id, "targets": [arn], "document": "{}", **more})

    async def connect(self, name: str, version: int = 5) -> Bare:
        port = await self.gateway.listen("127.0.0.1", 0)
        made = Bare(*await asyncio.open_connection("127.0.0.1", port))
        self.opened.append(made)
        made.send(connect(version, rest=text(name)))
        assert (await made.packet())[0] == 0x20
        return made


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    made = Cloud()
    for job_id in ("J", "get"):
        made.create(job_id)
    made.create("G", "aws-gg-deployment")
    yield made
    for each in made.opened:
        each.close()
    await made.gateway.close()


def told(body: bytes) -> tuple[str, dict[str, Any]]:
    """Topic and payload of a PUBLISH of QoS 0 in version 5."""
    length = int.from_bytes(body[:2], "big")
    return body[2 : 2 + length].decode(), json.loads(body[3 + length :])


def row(topic: str, *cells: object, why: str = "") -> Any:
    return pytest.param(topic, *cells, id=f"{topic} {why}".strip())


# A row: what a client publishes below $aws/things/T/jobs/, the end of the topic it is answered on, and a part of that.
REQUESTS: Final = [
    row("get", "get/accepted", {"inProgressJobs": []}),
    row("start-next", "start-next/accepted", {"execution": {"jobId": "J"}}),
    row("J/get", "J/get/accepted", {"execution": {"jobId": "J"}}),
    row("gone/get", "gone/get/rejected", {"code": "ResourceNotFound"}),
    row("$next/get", "$next/get/accepted", {"execution": {"jobId": "J"}}, why="has $next in its answer"),
    row("J/update", "J/update/accepted", {}, why="with a status"),
    row("gone/update", "gone/update/rejected", {"code": "ResourceNotFound"}, why="with a status"),
    row("get/get", "get/get/accepted", {"execution": {"jobId": "get"}}, why="describes the job get"),
    row("start-next/get", "start-next/get/rejected", {"code": "ResourceNotFound"}, why="describes a job start-next"),
    row(f"G/{NS}/get", f"G/{NS}/get/accepted", {"execution": {"jobId": "G"}}),
    row(f"$next/{NS}/get", f"$next/{NS}/get/accepted",
        {"execution": {"jobId": "G"}}, why="sees its own namespace alone"),
    row(f"G/{NS}/update", f"G/{NS}/update/accepted", {}, why="with a status"),
    row("$next/update", "$next/update/rejected", {"code": "InvalidTopic"}, why="is no operation"),
    row("nonsense", "nonsense/rejected", {"code": "InvalidTopic"}),
    row("J/nonsense", "J/nonsense/rejected", {"code": "InvalidTopic"}),
    row("J/get/more", "J/get/more/rejected", {"code": "InvalidTopic"}),
]  # fmt: skip


@proves(
    "request-topics-are-answered",
    "next-is-answered-as-next",
    "topics-are-told-apart-by-their-levels",
    "unknown-job-topics-are-rejected",
    "namespaced-topics-of-clients",
)
@pytest.mark.parametrize(("topic", "answer_topic", "answer"), REQUESTS)
async def test_a_client_publishes_a_request_and_is_answered(
    cloud: Cloud, topic: str, answer_topic: str, answer: dict[str, Any]
):
    device = await cloud.connect("T")
    payload = b'{"status":"IN_PROGRESS"}' if topic.endswith("update") else b'{"clientToken":"c"}'
    device.send(publish(f"$aws/things/T/jobs/{topic}", payload))
    first, body = await device.packet()
    heard_on, heard = told(body)
    assert (first, heard_on) == (0x30, f"$aws/things/T/jobs/{answer_topic}")
    for key, expected in answer.items():
        part = heard[key]
        assert part.items() >= expected.items() if isinstance(expected, dict) else part == expected


SERVICES_OWN: Final = [
    "$aws/things/T/jobs/get/accepted",
    "$aws/things/T/jobs/get/rejected",
    "$aws/things/T/jobs/start-next/accepted",
    "$aws/things/T/jobs/J/get/accepted",
    "$aws/things/T/jobs/$next/get/rejected",
    "$aws/things/T/jobs/J/update/accepted",
    "$aws/things/T/jobs/notify",
    "$aws/things/T/jobs/notify-next",
    "$aws/things/T/jobs/notify-namespace-aws-gg-deployment",
    "$aws/things/T/jobs/notify-next-namespace-aws-gg-deployment",
    "$aws/things/T/jobs/G/namespace-aws-gg-deployment/update/accepted",
    *(f"$aws/events/job/J/{word}" for word in ("completed", "canceled", "deleted", "deletion_in_progress")),
    *(f"$aws/events/jobExecution/J/{word}" for word in ("succeeded", "failed", "timed_out", "removed", "deleted")),
    "$aws/events/presence/connected/T",
    "$aws/events/subscriptions/subscribed/T",
]
"""Where only the service publishes."""


@proves("service-topics-take-no-publication")
@pytest.mark.parametrize("topic", SERVICES_OWN)
async def test_a_client_publishes_nothing_where_the_service_does(cloud: Cloud, topic: str):
    five, three, listener = [await cloud.connect(name, version) for name, version in (("5", 5), ("3", 4), ("all", 5))]
    listener.send(subscribe(topic, options=0))
    assert (await listener.packet())[1][-1:] == b"\0"
    five.send(publish(topic, b"{}", qos=1), PING)
    assert await five.packet() == (0x40, b"\0\x07" + bytes((Reason.TOPIC_NAME_INVALID,)))
    three.send(publish(topic, b"{}", 4))
    assert await three.rest() == b"", "it is disconnected"
    listener.send(PING)
    assert (await listener.packet())[0] == 0xD0, "and nobody heard of it"


@proves("job-topics-may-be-subscribed")
@pytest.mark.parametrize(
    "topic",
    [
        *SERVICES_OWN,
        "$aws/things/T/jobs/get/+",
        "$aws/things/T/jobs/start-next/+",
        "$aws/things/T/jobs/J/get/+",
        "$aws/things/T/jobs/J/update/+",
        "$aws/things/T/jobs/+/update/accepted",
        "$aws/things/T/jobs/+/get/+",
        "$aws/things/T/jobs/J/notify-namespace-aws-gg-deployment/",
        "$aws/things/T/jobs/#",
        "$aws/events/#",
    ],
)
async def test_a_client_subscribes_to_what_the_service_publishes(cloud: Cloud, topic: str):
    device = await cloud.connect("T")
    device.send(subscribe(topic))
    assert (await device.packet())[1][-1:] == b"\1"


async def _heard(cloud: Cloud, *filters: str) -> list[str]:
    """Below jobs/, what a subscriber hears of when one job is created by default, and one in the namespace."""
    device = await cloud.connect("T")
    device.send(subscribe(*(f"$aws/things/T/jobs/{each}" for each in filters), options=0))
    await device.packet()
    cloud.create("K")
    cloud.create("H", "aws-gg-deployment")
    device.send(PING)
    heard = []
    while (packet := await device.packet())[0] != 0xD0:
        heard.append(told(packet[1])[0].removeprefix("$aws/things/T/jobs/"))
    return heard


@proves("namespaced-topics-of-clients")
@pytest.mark.parametrize(
    ("filters", "heard"),
    [
        pytest.param(["notify"], ["notify"], id="notify tells of the default namespace alone"),
        pytest.param(
            ["notify-namespace-aws-gg-deployment"],
            ["notify-namespace-aws-gg-deployment"],
            id="notify-namespace-NS of its own",
        ),
        pytest.param(["notify-namespace-other"], [], id="another namespace hears nothing"),
        pytest.param(["+"], ["notify", "notify-namespace-aws-gg-deployment"], id="a wildcard hears both"),
    ],
)
async def test_a_notification_goes_to_the_topic_of_its_namespace(cloud: Cloud, filters: list[str], heard: list[str]):
    assert await _heard(cloud, *filters) == heard


@proves("longest-job-topics-fit")
async def test_the_longest_topics_are_within_the_limits(cloud: Cloud):
    device = await cloud.connect("T")
    thing, job, namespace = "t" * 128, "j" * 64, "aws-gg-deployment"
    longest = f"$aws/things/{thing}/jobs/{job}/namespace-{namespace}/update/accepted"
    assert (longest.count("/"), len(longest) <= 256) == (7, True)
    device.send(subscribe(longest), publish(longest.removesuffix("/accepted"), b'{"status":"IN_PROGRESS"}'))
    assert (await device.packet())[1][-1:] == b"\1"
    topic, answer = told((await device.packet())[1])
    assert (topic, answer["code"]) == (longest.replace("accepted", "rejected"), "ResourceNotFound")
