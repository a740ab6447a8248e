"""A cloud that begins again on its file, as its clients see it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from tests.simulator.cloud.mqtt.peers import V5, Peer

ARN = "arn:aws:iot:us-east-1:000000000000"
PATHS = (
    "/things/pump",
    "/thing-groups/pumps",
    "/thing-groups/pumps/things",
    f"/tags?resourceArn={ARN}:thinggroup/pumps",
    "/event-configurations",
)
IMAGE = "${aws:iot:s3-presigned-url:https://s3.amazonaws.com/firmware/image.bin}"


@pytest.fixture
def options(tmp_path: Path) -> CloudSettings:
    (tmp_path / "files" / "firmware").mkdir(parents=True)
    (tmp_path / "files" / "firmware" / "image.bin").write_bytes(b"image")
    return CloudSettings(
        api_port=0,
        mqtt_port=0,
        mqtts_port=None,
        data_port=None,
        state=tmp_path / "state.db",
        files=tmp_path / "files",
    )


@asynccontextmanager
async def cloud(options: CloudSettings) -> AsyncIterator[tuple[aiohttp.ClientSession, int]]:
    """The control plane, and the port of MQTT."""
    async with LocalCloud(options) as running, aiohttp.ClientSession(running.endpoints["api"]) as session:
        yield session, int((running.endpoints["mqtt"] or "").rpartition(":")[2])


async def call(session: aiohttp.ClientSession, method: str, path: str, **body: Any) -> dict[str, Any]:
    async with session.request(method, path, json=body or None) as response:
        assert response.status == 200, await response.text()
        return dict(json.loads(await response.text() or "{}"))


async def ask(port: int, topic: str) -> dict[str, Any]:
    """What a device is answered."""
    peer = await asyncio.to_thread(Peer, asyncio.get_running_loop(), port, "pump", V5)
    try:
        assert (await peer.next())[0] == "connected"
        peer.client.publish(f"$aws/things/pump/jobs/{topic}", "{}")
        assert (await peer.next())[0] == "published"
        return dict(json.loads((await peer.next())[1]))
    finally:
        await asyncio.to_thread(peer.close)


async def test_registry_groups_tags_and_event_configurations_are_there_again(options: CloudSettings):
    group = {"thingGroupName": "pumps", "thingName": "pump"}
    async with cloud(options) as (session, _):
        await call(session, "POST", "/things/pump", attributePayload={"attributes": {"floor": "2"}})
        await call(session, "POST", "/thing-groups/pumps", tags=[{"Key": "site", "Value": "north"}])
        await call(session, "PUT", "/thing-groups/addThingToThingGroup", **group)
        await call(session, "PATCH", "/event-configurations", eventConfigurations={"JOB": {"Enabled": True}})
        wanted = [await call(session, "GET", path) for path in PATHS]
    async with cloud(options) as (session, _):
        found = [await call(session, "GET", path) for path in PATHS]
        assert found == wanted
        assert found[2]["things"] == ["pump"]
        assert found[4]["eventConfigurations"]["JOB"] == {"Enabled": True}


async def test_an_execution_goes_on_where_it_was_with_the_same_document(options: CloudSettings):
    async with cloud(options) as (session, port):
        await call(session, "POST", "/things/pump")
        await call(session, "PUT", "/jobs/fw", targets=[f"{ARN}:thing/pump"], document='{"é":"\\ud83d\\ude00"}')
        before = await ask(port, "start-next")
    async with cloud(options) as (_, port):
        after = await ask(port, "$next/get")
        assert after["execution"] == before["execution"]
        assert after["execution"]["jobDocument"] == {"é": "😀"}


async def test_a_url_that_a_device_was_given_holds_beyond_the_cloud_that_gave_it(options: CloudSettings):
    async with cloud(options) as (session, port):
        await call(session, "POST", "/things/pump")
        document = json.dumps({"url": IMAGE})
        role = {"roleArn": "arn:aws:iam::000000000000:role/reader", "expiresInSec": 600}
        await call(
            session, "PUT", "/jobs/fw", targets=[f"{ARN}:thing/pump"], document=document, presignedUrlConfig=role
        )
        given = URL((await ask(port, "$next/get"))["execution"]["jobDocument"]["url"], encoded=True)
    async with cloud(options) as (session, _), session.get(given.relative()) as response:
        assert (response.status, await response.read()) == (200, b"image")


async def test_what_was_done_in_slices_when_it_ended_is_gone_on_with(options: CloudSettings):
    things = [f"t{number:03}" for number in range(100)]
    async with LocalCloud(options) as running:
        call = running.core.control_plane().call
        call("UpdateIndexingConfiguration", {"thingIndexingConfiguration": {"thingIndexingMode": "REGISTRY"}})
        for name in (*things, "busy"):
            call("CreateThing", {"thingName": name})
        for number in range(30):
            call("CreateJob", {"jobId": f"j{number}", "targets": [f"{ARN}:thing/busy"], "document": "{}"})
        call("CreateDynamicThingGroup", {"thingGroupName": "all", "queryString": "thingName:t*"})
        call("DeleteThing", {"thingName": "busy"})
        running.core.close()  # nothing more is done in the time that closing takes
        assert call("DescribeThingGroup", {"thingGroupName": "all"})["status"] == "BUILDING"
        assert _pending(running) > 0
    async with LocalCloud(options) as again:
        call = again.core.control_plane().call
        turns = 0
        while _pending(again) or call("DescribeThingGroup", {"thingGroupName": "all"})["status"] != "ACTIVE":
            turns += 1
            await asyncio.sleep(0)
        assert turns
        assert again.core.registry.groups.things_in("all", recursive=False) == tuple(things)
        assert {each.status.value for each in again.core.jobs.executions_of_thing("busy")} == {"REMOVED"}


def _pending(cloud: LocalCloud) -> int:
    return sum(not each.status.is_terminal for each in cloud.core.jobs.executions_of_thing("busy"))


async def test_things_of_the_settings_are_made_once_and_stay_as_they_were_left(options: CloudSettings):
    named = options.model_copy(update={"things": ("pump", "lamp")})
    async with cloud(named) as (session, _):
        made = await call(session, "GET", "/things/pump")
        await call(session, "PATCH", "/things/pump", attributePayload={"attributes": {"model": "x"}})
    async with cloud(named) as (session, _):
        found, lamp = await call(session, "GET", "/things/pump"), await call(session, "GET", "/things/lamp")
    assert (found["thingId"], found["attributes"]) == (made["thingId"], {"model": "x"})
    assert lamp["thingName"] == "lamp"
