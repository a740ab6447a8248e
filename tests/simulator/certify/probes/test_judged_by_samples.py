"""From end to end: somebody's device on the local cloud, sampled while it works, and judged by both."""

import asyncio
import json
import os
import queue
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from simulator.certify.probes import Sampling, probe_of
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from simulator.controller.hand import Hand
from simulator.controller.in_process import InProcess
from simulator.scenario import Bounds
from simulator.trace import CLOUD, ENGINE, PROBE, Entry, Recorder, RunEnded, RunStarted
from simulator.verdict import InvariantVerdict, Judge, Verdict
from tests.simulator.certify.probes.bench import THING, AnOffer, Kept

READY_SECONDS = 0.3
WAIT = 60


class Pump:
    """Somebody's device, with paho alone; what runs is in a file, and on a topic."""

    def __init__(self, endpoint: str, version: Path) -> None:
        self._told: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._version = version
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, THING)
        self._client.on_message = lambda _, __, message: self._told.put((message.topic, json.loads(message.payload)))
        self._client.on_connect = lambda *_: self._told.put(("connected", None))
        host, _, port = endpoint.rpartition(":")
        self._client.connect(host, int(port))
        self._client.loop_start()
        self._until("connected")

    def ask(self, what: str, **body: Any) -> Any:
        self._client.publish(f"$aws/things/{THING}/jobs/{what}", json.dumps(body), qos=1)
        return self._until(f"{what}/accepted")

    def runs(self, version: str) -> None:
        beside = self._version.with_suffix(".new")
        beside.write_text(version)
        os.replace(beside, self._version)
        self._client.publish(f"dut/{THING}/version", version, qos=1).wait_for_publish(WAIT)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _until(self, topic: str) -> Any:
        while not (told := self._told.get(timeout=WAIT))[0].endswith(topic):
            pass
        return told[1]


def does_as_it_says(pump: Pump) -> None:
    pump.ask("start-next")
    pump.runs("2.0")
    pump.ask("fw/update", status="SUCCEEDED")


def says_what_it_does_not(pump: Pump) -> None:
    pump.ask("start-next")
    pump.ask("fw/update", status="SUCCEEDED")
    time.sleep(READY_SECONDS)  # it has all the time that the bound gives
    pump.runs("1.0")


async def judged(behave: Callable[[Pump], None], probe: str, path: Path) -> tuple[Verdict, Kept]:
    judge, kept = Judge(), Kept()
    settings = CloudSettings(api_port=None, mqtt_port=0, mqtts_port=None, data_port=None)
    engine = Recorder(ENGINE, time.monotonic, judge.feed)
    bounds = Bounds(ready_seconds=READY_SECONDS).model_dump(mode="json")
    engine.record(RunStarted("it", "certify", (THING,), bounds, versions={"fw": ("2.0",), "before": ("1.0",)}))

    def see(entry: Entry) -> None:
        kept.append(entry)
        judge.feed(entry)

    async with LocalCloud(settings, Recorder(CLOUD, time.monotonic, judge.feed).record) as cloud:
        hand = Hand(InProcess(cloud.core.control_plane()))
        await hand.create_thing(THING)
        pump = await asyncio.to_thread(Pump, cloud.endpoints["mqtt"] or "", path)
        async with Sampling(THING, [probe_of(probe, AnOffer(), cloud.overhear)], see) as sampling:
            await asyncio.to_thread(pump.runs, "1.0")
            await sampling.until(lambda sample: sample.version == "1.0", WAIT)
            await hand.create_job("fw", [THING], {}, None)
            await asyncio.to_thread(behave, pump)
            await sampling.until(lambda sample: sample.version == "2.0", 2 * READY_SECONDS)
            await sampling.now()
        await asyncio.to_thread(pump.close)
    engine.record(RunEnded("finished"))
    return judge.verdict(), kept


@pytest.mark.parametrize("probe", ["file:{file}", "cmd:cat {file}", "mqtt:dut/{{thing}}/version"])
@pytest.mark.parametrize(("behave", "outcome"), [(does_as_it_says, "held"), (says_what_it_does_not, "violated")])
async def test_a_success_is_held_against_what_runs(
    probe: str, behave: Callable[[Pump], None], outcome: str, tmp_path: Path
):
    verdict, kept = await judged(behave, probe.format(file=tmp_path / "version"), tmp_path / "version")
    (found,) = [each for each in verdict.invariants if each.id == "accounted-for"]
    assert found.outcome == outcome, verdict.model_dump_json(indent=1)
    assert {each.id for each in verdict.invariants if each.violations} <= {"accounted-for"}
    assert all(event in [entry.id for entry in kept] for event in _shown(found) if event.startswith(PROBE))


def _shown(found: InvariantVerdict) -> list[str]:
    return [event for violation in found.violations for event in violation.events]
