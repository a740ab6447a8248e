"""The embedded cloud, where it does not come up, and where it does not stay."""

import asyncio
import os
import signal

import pytest

from agent.errors import InputError
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.service import Fault
from simulator.controller.hand import Hand
from simulator.controller.local_http import LocalHttp
from simulator.engines import embedded
from simulator.engines.embedded import EmbeddedCloud
from simulator.processes import ProcessLostError
from simulator.trace import Entry, JobCreated
from tests.within import within


async def test_a_cloud_that_does_not_listen_in_time_is_told_of_in_one_line_and_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded, "START_LIMIT_SECONDS", 0)
    with pytest.raises(InputError, match="the embedded cloud did not listen within 0 s"):
        async with EmbeddedCloud(lambda _: None):
            pass


async def test_a_scenario_may_have_more_faults_than_fit_on_a_command_line():
    faults = tuple(Fault(do="lose", messages=("notify",), job=f"fw-{number}") for number in range(4000))
    async with EmbeddedCloud(lambda _: None, settings=CloudSettings(faults=faults)) as cloud:
        assert cloud.endpoints["mqtt"]


@pytest.mark.parametrize(
    ("end", "how"), [(signal.SIGKILL, "killed by signal 9"), (signal.SIGTERM, "exit code 0")], ids=["killed", "ended"]
)
async def test_who_plays_with_a_cloud_that_is_gone_is_told_at_once(end: signal.Signals, how: str):
    async def play() -> None:
        async with EmbeddedCloud(lambda _: None) as cloud:
            os.kill(cloud._process.pid, end)
            await asyncio.Event().wait()

    with pytest.raises(ProcessLostError, match=rf"the local cloud ended before the run did \({how}\)"):
        await within(play(), 60)


async def test_what_is_wrong_with_who_hears_its_trace_ends_the_play_too():
    def hear(entry: Entry) -> None:
        if isinstance(entry.event, JobCreated):
            raise InputError("no room for that")

    async def play() -> None:
        async with EmbeddedCloud(hear) as cloud, Hand(LocalHttp(cloud.endpoints["api"] or "")) as hand:
            await hand.create_thing("lamp")
            await hand.create_job("fw", ["lamp"], {}, None)
            await asyncio.Event().wait()

    with pytest.raises(InputError, match="no room for that"):
        await within(play(), 60)


async def test_things_of_the_settings_are_there_from_the_beginning():
    settings = CloudSettings(things=("lamp", "pump"))
    async with (
        EmbeddedCloud(lambda _: None, settings=settings) as cloud,
        Hand(LocalHttp(cloud.endpoints["api"] or "")) as hand,
    ):
        await hand.create_job("fw", ["pump", "lamp"], {}, None)
        assert {seen.thing for seen in await hand.executions("fw")} == {"lamp", "pump"}
