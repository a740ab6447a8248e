"""A document on its way through unmodified clients: made with boto3 or the AWS CLI, heard by paho-mqtt as bytes."""

import json
import queue
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from .conftest import Cloud
from .forked import Forked, aws_cli

WAIT = 20
TEXT = '{"zeta": 1E3,\r\n\t"alpha" : [1.10, -0, 12345678901234567890, "\\u00e9\\/\\ud83d\\ude00 é😀"] , "n": null }\n'
Create = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def targets(cloud: Cloud) -> list[str]:
    iot = boto3.client("iot", endpoint_url=cloud.api, region_name="us-east-1")
    return [iot.create_thing(thingName="dev-7")["thingArn"]]


@pytest.fixture(scope="module")
def with_boto3(cloud: Cloud, targets: list[str]) -> Create:
    iot = boto3.client("iot", endpoint_url=cloud.api, region_name="us-east-1")
    return lambda job_id, text: iot.create_job(jobId=job_id, targets=targets, document=text)


@pytest.fixture(scope="module")
def with_the_cli(
    cloud: Cloud, aws: str, targets: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Create]:
    options = ["--endpoint-url", cloud.api, "--output", "json", "iot"]
    runner = Forked(*aws_cli(aws), [*options, "list-things"], tmp_path_factory.mktemp("aws"))

    def create(job_id: str, text: str) -> None:
        # Not `file://…`: of a file's line ends the AWS CLI itself makes its own.
        arguments = ("--job-id", job_id, "--targets", *targets, "--document", text)
        done = runner.run([*options, "create-job", *arguments], {})
        assert done.code == 0, done.stderr

    yield create
    runner.close()


@pytest.mark.parametrize("way", ["with_boto3", "with_the_cli"])
def test_a_document_is_heard_byte_for_byte(cloud: Cloud, way: str, request: pytest.FixtureRequest):
    create: Create = request.getfixturevalue(way)
    job_id = way.replace("_", "-")
    heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
    subscribed: queue.Queue[Any] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, f"dev-7-{job_id}")
    client.on_message = lambda _, __, message: heard.put((message.topic, message.payload))
    client.on_subscribe = lambda *arguments: subscribed.put(arguments[3])
    client.connect(*cloud.mqtt)
    client.loop_start()
    try:
        client.subscribe("$aws/things/dev-7/jobs/#", 1)
        subscribed.get(timeout=WAIT)
        create(job_id, TEXT)
        client.publish(f"$aws/things/dev-7/jobs/{job_id}/get", b"{}", 1)
        while not (message := heard.get(timeout=WAIT))[0].endswith("/get/accepted"):
            pass
    finally:
        client.disconnect()
        client.loop_stop()
    _, _, document = message[1].partition(b'"jobDocument":')
    assert document.startswith(TEXT.encode())
    assert json.loads(message[1])["execution"]["jobDocument"] == json.loads(TEXT)


def test_an_operator_gets_the_text_of_a_job_and_of_a_template_made_of_it(cloud: Cloud, with_boto3: Create):
    iot = boto3.client("iot", endpoint_url=cloud.api, region_name="us-east-1")
    made = with_boto3("text", TEXT)
    iot.create_job_template(jobTemplateId="text", jobArn=made["jobArn"], description="the same again")
    assert iot.get_job_document(jobId="text")["document"] == TEXT
    assert iot.describe_job_template(jobTemplateId="text")["document"] == TEXT
    data = boto3.client("iot-jobs-data", endpoint_url=cloud.api, region_name="us-east-1")
    told = data.describe_job_execution(thingName="dev-7", jobId="text")["execution"]
    assert told["jobDocument"] == TEXT
