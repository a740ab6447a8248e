"""A local cloud, and a hand on it by each of the three carriers."""

from collections.abc import AsyncIterator

import pytest

from simulator.cloud.jobs import JobsSettings
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from simulator.controller.hand import Carrier, Hand
from simulator.controller.in_process import InProcess
from simulator.controller.local_http import LocalHttp
from simulator.controller.through_boto3 import ThroughBoto3

CARRIERS = ("in-process", "local", "boto3")


@pytest.fixture
async def cloud() -> AsyncIterator[LocalCloud]:
    settings = JobsSettings(deletion_seconds=0.4, deletions_at_once=2)
    options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None, cloud=settings)
    async with LocalCloud(options) as cloud:
        yield cloud


def carrier_to(cloud: LocalCloud, name: str) -> Carrier:
    url = cloud.endpoints["api"]
    assert url
    match name:
        case "in-process":
            return InProcess(cloud.core.control_plane())
        case "local":
            return LocalHttp(url)
        case _:
            return ThroughBoto3(url, region="us-east-1")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    # boto3's own retries would hide what the service refuses.
    for name, value in (("ACCESS_KEY_ID", "t"), ("SECRET_ACCESS_KEY", "t"), ("MAX_ATTEMPTS", "1")):
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture(params=CARRIERS)
async def carrier(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def hand(carrier: str, cloud: LocalCloud) -> AsyncIterator[Hand]:
    async with Hand(carrier_to(cloud, carrier)) as ready:
        yield ready
