"""A job document is its author's: whatever JSON text CreateJob takes comes back byte for byte, by every way out.

The real cloud, its HTTP and MQTT, and its file; `GHOSTJOB_EXAMPLES=1000` tries more of them.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from tests.simulator.cloud.mqtt.peers import V5, Peer

from .json_texts import json_texts

EXAMPLES: Final = os.environ.get("GHOSTJOB_EXAMPLES")
TARGETS: Final = ["arn:aws:iot:us-east-1:000000000000:thing/pump"]
THING: Final = "/things/pump/jobs"
DATA_PLANE: Final = {"Host": "data.jobs.iot.us-east-1.amazonaws.com"}


@settings(
    max_examples=int(EXAMPLES or 15),
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(json_texts(), min_size=1, max_size=8))
def test_whatever_json_text_a_job_has_comes_back_byte_for_byte(texts: list[str]):
    asyncio.run(make_and_look(texts))


async def make_and_look(texts: list[str]) -> None:
    documents = {f"job-{number}": text for number, text in enumerate(texts)}
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory, "state")
        options = CloudSettings(api_port=0, mqtt_port=0, mqtts_port=None, data_port=None, state=state)
        async with LocalCloud(options) as cloud, Ways(cloud) as ways:
            await ways.make(documents)
            await ways.look(documents)
        async with LocalCloud(options) as cloud, Ways(cloud) as ways:
            await ways.look(documents)
            await ways.take(documents)


class Ways:
    """An operator, and a device."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.session = aiohttp.ClientSession(cloud.endpoints["api"])
        self.port = int((cloud.endpoints["mqtt"] or "").rpartition(":")[2])

    async def __aenter__(self) -> "Ways":
        self.peer = await asyncio.to_thread(Peer, asyncio.get_running_loop(), self.port, "pump", V5)
        assert (await self.peer.next())[0] == "connected"
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.peer.close)
        await self.session.close()

    async def make(self, documents: Mapping[str, str]) -> None:
        await self.call("POST", "/things/pump", {})
        await self.peer.subscribe("$aws/things/pump/jobs/notify-next")
        for job_id, text in documents.items():
            await self.call("PUT", f"/jobs/{job_id}", {"targets": TARGETS, "document": text})
        _, heard, _ = await self.peer.next()
        assert_carries(heard, documents["job-0"])

    async def look(self, documents: Mapping[str, str]) -> None:
        for job_id, text in documents.items():
            assert (await self.call("GET", f"/jobs/{job_id}/job-document"))["document"] == text
            assert (await self.call("GET", f"{THING}/{job_id}", **DATA_PLANE))["execution"]["jobDocument"] == text
            assert_carries(await self.ask(f"{job_id}/get"), text)

    async def take(self, documents: Mapping[str, str]) -> None:
        first, *_ = documents.values()
        assert_carries(await self.ask("start-next"), first)
        update = {"status": "IN_PROGRESS", "includeJobDocument": True}
        assert_carries(await self.ask("job-0/update", update), first)
        assert (await self.call("POST", f"{THING}/job-0", update, **DATA_PLANE))["jobDocument"] == first
        template = {"description": "d", "jobArn": "arn:aws:iot:us-east-1:000000000000:job/job-0"}
        await self.call("PUT", "/job-templates/t", template)
        assert (await self.call("GET", "/job-templates/t"))["document"] == first

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        async with self.session.request(method, path, json=body, headers=headers) as response:
            told = await response.text()
            assert response.status == 200, told
            return dict(json.loads(told or "{}"))

    async def ask(self, topic: str, body: object = None) -> bytes:
        self.peer.client.publish(f"$aws/things/pump/jobs/{topic}", json.dumps(body or {}))
        while not isinstance((event := await self.peer.next())[1], bytes) or not event[0].endswith("/accepted"):
            assert "rejected" not in event[0], event
        return bytes(event[1])


def assert_carries(payload: bytes, text: str) -> None:
    """The payload is JSON, in which this very text is the job document."""
    json.loads(payload.decode())
    before, member, after = payload.partition(b'"jobDocument":')
    assert member, payload
    assert after.startswith(text.encode()), (before, text)
    assert after.removeprefix(text.encode()).lstrip()[:1] in (b"}", b",")
