"""The embedded cloud, where it does not come up."""

import pytest

from agent.errors import InputError
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.service import Fault
from simulator.engines import embedded
from simulator.engines.embedded import EmbeddedCloud


async def test_a_cloud_that_does_not_listen_in_time_is_told_of_in_one_line_and_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded, "START_LIMIT_SECONDS", 0)
    with pytest.raises(InputError, match="the embedded cloud did not listen within 0 s"):
        async with EmbeddedCloud(lambda _: None):
            pass


async def test_a_scenario_may_have_more_faults_than_fit_on_a_command_line():
    faults = tuple(Fault(do="lose", messages=("notify",), job=f"fw-{number}") for number in range(4000))
    async with EmbeddedCloud(lambda _: None, settings=CloudSettings(faults=faults)) as cloud:
        assert cloud.endpoints["mqtt"]
