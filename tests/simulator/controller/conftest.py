"""A local cloud, and each of the two hands that reach it."""

from collections.abc import AsyncIterator

import pytest

from simulator.cloud.jobs import JobsSettings
from simulator.cloud.local import CloudOptions, LocalCloud
from simulator.controller.boto3_hand import Boto3Hand
from simulator.controller.hands import Hand
from simulator.controller.local_hand import LocalHand


@pytest.fixture
async def cloud() -> AsyncIterator[LocalCloud]:
    settings = JobsSettings(deletion_seconds=0.4, deletions_at_once=2)
    options = CloudOptions(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None, jobs=settings)
    async with LocalCloud(options) as cloud:
        yield cloud


@pytest.fixture(params=["local", "boto3"])
async def hand(
    request: pytest.FixtureRequest, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Hand]:
    url = cloud.endpoints["api"]
    assert url
    if request.param == "boto3":
        # boto3's own retries would hide what the service refuses.
        for name, value in (("ACCESS_KEY_ID", "t"), ("SECRET_ACCESS_KEY", "t"), ("MAX_ATTEMPTS", "1")):
            monkeypatch.setenv(f"AWS_{name}", value)
    opened = LocalHand(url) if request.param == "local" else Boto3Hand(url, region="us-east-1")
    async with opened as ready:
        yield ready
