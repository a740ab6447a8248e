"""Publishing and retained messages over HTTP, by boto3, beside MQTT clients of either version."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from paho.mqtt.enums import MQTTProtocolVersion

from tests.fidelity.proofs import proves
from tests.simulator.cloud.mqtt.peers import V3, V5, Peer

from .cloud_process import running_cloud
from .conftest import Cloud


@pytest.fixture(scope="module")
def data(cloud: Cloud) -> Iterator[Any]:
    client = boto3.client("iot-data", endpoint_url=cloud.api, region_name="us-east-1")
    yield client
    client.close()


async def subscribed(cloud: Cloud, version: MQTTProtocolVersion, topic: str) -> Peer:
    peer = await asyncio.to_thread(Peer, asyncio.get_running_loop(), cloud.mqtt[1], f"{topic}-{version}", version)
    assert (await peer.next())[0] == "connected"
    await peer.subscribe(topic)
    return peer


PAIRS = [("deviceName", "alpha"), ("count", "45"), ("deviceName", "béta")]
PROPERTIES = {
    "contentType": "application/json; charset=utf-8",
    "responseTopic": "answers/of me",
    "correlationData": "AAH/",
    "payloadFormatIndicator": "UTF8_DATA",
    "messageExpiry": 600,
}


@proves("http-publishes-with-properties")
@pytest.mark.parametrize("spell", [list, json.dumps], ids=["a list", "a JSON string"])
async def test_properties_reach_clients_of_version_5_and_the_payload_everybody(cloud: Cloud, data: Any, spell: Any):
    topic = f"props/{spell.__name__}"
    new, old = await subscribed(cloud, V5, topic), await subscribed(cloud, V3, topic)
    more = PROPERTIES | {"userProperties": spell([{name: value} for name, value in PAIRS])}
    await asyncio.to_thread(data.publish, topic=topic, qos=1, payload=b'{"on":1}', **more)
    for peer in (new, old):
        assert await peer.next() == (topic, b'{"on":1}', 1)
    told = new.messages[0].properties
    assert told.ContentType == PROPERTIES["contentType"]
    assert told.ResponseTopic == PROPERTIES["responseTopic"]
    assert told.CorrelationData == b"\x00\x01\xff"
    assert told.PayloadFormatIndicator == 1
    assert 0 < told.MessageExpiryInterval <= 600
    assert told.UserProperty == PAIRS
    for peer in (new, old):
        await asyncio.to_thread(peer.close)


@proves("http-publishes-with-properties")
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"messageExpiry": 0}, id="an expiry of nothing"),
        pytest.param({"messageExpiry": 604_801}, id="more than seven days"),
        pytest.param({"responseTopic": "a/+"}, id="a response topic with a wildcard"),
        pytest.param({"responseTopic": "a/b/c/d/e/f/g/h/i"}, id="a response topic that is too deep"),
        pytest.param({"correlationData": "no base64!"}, id="correlation data that is no base64"),
        pytest.param({"payloadFormatIndicator": "TEXT"}, id="a payload format that is none"),
        pytest.param({"payloadFormatIndicator": "UTF8_DATA", "payload": b"\xff"}, id="text that is none"),
        pytest.param({"contentType": "x" * 1025}, id="a content type that is too long"),
        pytest.param({"userProperties": '{"a":"b"}'}, id="user properties that are no array"),
        pytest.param({"userProperties": '["a"]'}, id="an array of what are no objects"),
        pytest.param({"userProperties": '[{"a":1}]'}, id="a value that is no text"),
        pytest.param({"userProperties": json.dumps([{"a": "\0"}])}, id="a text that MQTT cannot carry"),
    ],
)
def test_what_is_no_property_is_refused(data: Any, wrong: dict[str, Any]):
    with pytest.raises(ClientError, match="InvalidRequestException"):
        data.publish(topic="props/refused", **wrong)


@proves("retained-messages-are-read-over-http")
async def test_a_retained_message_is_read_with_what_it_carries(cloud: Cloud, data: Any):
    before = time.time() - 2
    await asyncio.to_thread(data.publish, topic="kept/over http", qos=1, retain=True, payload=b"\0on", **RETAINED)
    told = await asyncio.to_thread(data.get_retained_message, topic="kept/over http")
    assert (told["topic"], told["payload"], told["qos"]) == ("kept/over http", b"\0on", 1)
    assert json.loads(told["userProperties"]) == [{"deviceName": "alpha"}, {"deviceName": "beta"}]
    assert before <= told["lastModifiedTime"] / 1000 <= time.time()
    late = await subscribed(cloud, V5, "kept/over http")
    assert await late.next() == ("kept/over http", b"\0on", 1)
    assert late.messages[0].properties.UserProperty == [("deviceName", "alpha"), ("deviceName", "beta")]
    late.client.publish("kept/over http", b"", 0, retain=True)
    assert {await late.next(), await late.next()} == {("kept/over http", b"", 0), ("published", "Success")}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        await asyncio.to_thread(data.get_retained_message, topic="kept/over http")
    await asyncio.to_thread(late.close)


RETAINED: dict[str, Any] = {"userProperties": '[{"deviceName": "alpha"}, {"deviceName": "beta"}]'}


@proves("retained-messages-are-read-over-http")
def test_retained_topics_are_listed_in_pages_without_payloads():
    with running_cloud() as endpoints:
        client = boto3.client("iot-data", endpoint_url=endpoints["api"], region_name="us-east-1")
        for name in ("c", "a", "e/f", "b"):
            client.publish(topic=f"list/{name}", retain=True, payload=name.encode())
        pages = list(client.get_paginator("list_retained_messages").paginate(PaginationConfig={"PageSize": 3}))
        client.close()
    assert [[each["topic"] for each in page["retainedTopics"]] for page in pages] == [
        ["list/a", "list/b", "list/c"],
        ["list/e/f"],
    ]
    assert all(set(each) == {"topic", "payloadSize", "qos", "lastModifiedTime"} for each in pages[0]["retainedTopics"])
    assert pages[1]["retainedTopics"][0]["payloadSize"] == 3


def test_a_retained_message_is_read_after_a_restart(tmp_path: Any):
    state = ("--state", str(tmp_path / "state.db"))
    for start in range(2):
        with running_cloud(*state) as endpoints:
            client = boto3.client("iot-data", endpoint_url=endpoints["api"], region_name="us-east-1")
            if not start:
                client.publish(topic="kept", retain=True, payload=b"on", **RETAINED)
            told = client.get_retained_message(topic="kept")
            assert (told["payload"], json.loads(told["userProperties"])[1]) == (b"on", {"deviceName": "beta"})
            client.close()
