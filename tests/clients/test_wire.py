"""paho-mqtt, unmodified, as a device that tells nothing of itself: what its packets give away."""

import asyncio
import json
import queue
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from simulator.controller.hand import Hand
from simulator.controller.local_http import LocalHttp
from simulator.engines.embedded import EmbeddedCloud
from simulator.trace import ENGINE, AnswerDelivered, Entry, ExecutionRemoved, RunEnded, RunStarted
from simulator.verdict import Judge

THING = "lamp"
WAIT = 20


class Firmware:
    """A device on a thread of its own, that does what it is told to."""

    def __init__(self, endpoint: str) -> None:
        host, _, port = endpoint.rpartition(":")
        self.answers: queue.Queue[Any] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, THING)
        self.client.on_message = lambda _, __, message: self.answers.put(json.loads(message.payload))
        connected: queue.Queue[Any] = queue.Queue()
        self.client.on_connect = lambda *_: connected.put(None)
        self.client.connect(host, int(port))
        self.client.loop_start()
        connected.get(timeout=WAIT)

    def ask(self, what: str, qos: int, **body: Any) -> Any:
        self.client.publish(f"$aws/things/{THING}/jobs/{what}", json.dumps(body), qos)
        return self.answers.get(timeout=WAIT)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


async def haunt(qos: int) -> list[Entry]:
    """It works on after it was told that its execution is gone."""
    entries = [Entry(ENGINE, 1, 0.0, RunStarted("haunt", "live", (THING,)))]
    removed = asyncio.Event()

    def observe(entry: Entry) -> None:
        entries.append(entry)
        if isinstance(entry.event, ExecutionRemoved):
            removed.set()

    async with (
        EmbeddedCloud(observe, ("--deletion-seconds", "0")) as cloud,
        Hand(LocalHttp(cloud.endpoints["api"] or "")) as hand,
    ):
        await hand.create_thing(THING)
        device = await asyncio.to_thread(Firmware, cloud.endpoints["mqtt"] or "")
        await hand.create_job("fw", (THING,), {"operation": "update", "version": "2.0"}, None)
        told = await asyncio.to_thread(device.ask, "start-next", qos)
        assert told["execution"]["jobId"] == "fw"
        await hand.delete_job("fw", force=True, namespace_id=None)
        await removed.wait()
        for _ in range(3):
            told = await asyncio.to_thread(device.ask, "fw/update", qos, status="IN_PROGRESS")
            assert told["code"] == "ResourceNotFound"
        await asyncio.to_thread(device.close)
    return [*entries, Entry(ENGINE, 2, 1.0, RunEnded("finished"))]


def broken(entries: list[Entry]) -> set[str]:
    judge = Judge()
    for entry in entries:
        judge.feed(entry)
    return {each.id for each in judge.verdict().invariants if each.outcome == "violated"}


async def test_a_ghost_without_tokens_is_caught_by_what_it_acknowledged():
    entries = await haunt(qos=1)
    numbers = [entry.event.number for entry in entries if isinstance(entry.event, AnswerDelivered)]
    assert numbers == [1, 2, 3, 4]
    assert broken(entries) == {"no-ghost-update", "no-hammering"}


async def test_with_qos_0_nothing_proves_that_it_had_been_told():
    entries = await haunt(qos=0)
    delivered = [entry.event for entry in entries if isinstance(entry.event, AnswerDelivered)]
    assert [each.acknowledged for each in delivered] == [False] * 4
    assert broken(entries) == set()
