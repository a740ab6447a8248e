"""MQTT sessions and retained messages that outlive their cloud: real clients before and after a sudden end.

A sudden end is a copy of the file as it is at that moment, and another cloud on the copy.
"""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.store.database import Batch, Database
from tests.simulator.cloud.mqtt.peers import V3, V5, Peer

GATEWAY = GatewaySettings(replay_per_second=None, connects_per_second=None)
Connect = Callable[..., Any]


class World:
    """A cloud on a file, and clients of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.peers: list[Peer] = []
        self.address = self.api = ""

    @asynccontextmanager
    async def cloud(self) -> AsyncIterator[None]:
        options = CloudSettings(
            api_port=0, mqtt_port=0, mqtts_port=None, data_port=None, state=self.path, gateway=GATEWAY
        )
        async with LocalCloud(options) as cloud:
            self.address, self.api = cloud.endpoints["mqtt"] or "", cloud.endpoints["api"] or ""
            yield
            for peer in self.peers:
                await asyncio.to_thread(peer.close)

    async def connect(self, name: str, *, present: bool = False, clean: bool = False, version: Any = V3) -> Peer:
        port = int(self.address.rpartition(":")[2])
        peer = await asyncio.to_thread(Peer, asyncio.get_running_loop(), port, name, version, clean=clean)
        self.peers.append(peer)
        assert await peer.next() == ("connected", present, "Success")
        return peer

    async def leave(self, peer: Peer) -> None:
        peer.client.disconnect()
        assert (await peer.next())[0] == "disconnected"

    def sudden_end(self) -> "World":
        """What would be there after SIGKILL at this moment."""
        after = self.path.with_name("after.db")
        for suffix in ("", "-wal"):
            shutil.copy(f"{self.path}{suffix}", f"{after}{suffix}")
        return World(after)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "state.db")


async def say(peer: Peer, topic: str, *texts: str, retain: bool = False) -> None:
    """Publish, and have it acknowledged."""
    for text in texts:
        peer.client.publish(topic, text, 1, retain=retain)
        assert await peer.next() == ("published", "Success")


async def test_what_was_acknowledged_reaches_a_session_that_lasts_after_a_sudden_end(world: World):
    async with world.cloud():
        reader, writer = await world.connect("reader"), await world.connect("writer", clean=True)
        await reader.subscribe("mail/+")
        await world.leave(reader)
        await say(writer, "mail/a", "1", "2", "3")
        after = world.sudden_end()
    async with after.cloud():
        reader, writer = await after.connect("reader", present=True), await after.connect("writer", clean=True)
        assert [(await reader.next())[1] for _ in range(3)] == [b"1", b"2", b"3"]
        await say(writer, "mail/b", "4")
        assert await reader.next() == ("mail/b", b"4", 1), "its subscriptions are there too"


async def test_a_message_comes_again_unless_it_was_acknowledged(world: World):
    async with world.cloud():
        reader, writer = await world.connect("reader"), await world.connect("writer", clean=True)
        reader.client.manual_ack_set(True)
        await reader.subscribe("mail")
        acknowledged: list[int] = []
        reader.client.on_message = lambda client, _, message: (
            acknowledged.append(client.ack(message.mid, 1)) if message.payload == b"1" else None,
            reader._put(message.payload),
        )
        await say(writer, "mail", "1", "2")
        assert [await reader.next() for _ in range(2)] == [b"1", b"2"]
        await say(writer, "elsewhere", "the acknowledgement came before this")
        await reader.subscribe("something")  # and its answer waits for what came before
        after = world.sudden_end()
    async with after.cloud():
        reader = await after.connect("reader", present=True)
        assert await reader.next() == ("mail", b"2", 1)


async def test_a_notification_is_as_durable_as_what_it_tells_of(world: World):
    async with world.cloud(), aiohttp.ClientSession(world.api) as operator:
        device = await world.connect("pump")
        await device.subscribe("$aws/things/pump/jobs/notify")
        await world.leave(device)
        await operator.post("/things/pump")
        arn = "arn:aws:iot:us-east-1:000000000000:thing/pump"
        async with operator.put("/jobs/fw", json={"targets": [arn], "document": "{}"}) as created:
            assert created.status == 200
        after = world.sudden_end()
    async with after.cloud():
        device = await after.connect("pump", present=True)
        topic, told, _ = await device.next()
        assert topic == "$aws/things/pump/jobs/notify"
        assert b'"jobId":"fw"' in told


async def test_what_is_retained_outlives_a_sudden_end_until_it_is_taken_away(world: World):
    async with world.cloud():
        writer = await world.connect("writer", clean=True)
        await say(writer, "lamp", "on", retain=True)
        await say(writer, "fan", "on", retain=True)
        await say(writer, "fan", "", retain=True)
        after = world.sudden_end()
    async with after.cloud():
        reader = await after.connect("reader", clean=True)
        await reader.subscribe("fan", "lamp")
        assert await reader.next() == ("lamp", b"on", 1)
        await reader.subscribe("end")
        assert reader.heard.empty()


async def test_a_session_that_a_clean_start_ended_does_not_come_back(world: World):
    async with world.cloud():
        reader, writer = await world.connect("reader"), await world.connect("writer", clean=True)
        await reader.subscribe("mail")
        await world.leave(reader)
        await say(writer, "mail", "1")
        await world.connect("reader", clean=True)
        after = world.sudden_end()
    async with after.cloud():
        await after.connect("reader", present=False)


@pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
async def test_an_orderly_end_and_several_lives_lose_nothing_either(world: World, version: Any):
    async with world.cloud():
        reader = await world.connect("reader")
        await reader.subscribe("mail")
        await world.leave(reader)
    for number in range(3):
        world.peers.clear()
        async with world.cloud():
            writer = await world.connect("writer", clean=True, version=version)
            await say(writer, "mail", f"{number}", f"{number} again")
    world.peers.clear()
    async with world.cloud():
        reader = await world.connect("reader", present=True)
        heard = [(await reader.next())[1].decode() for _ in range(6)]
        assert heard == ["0", "0 again", "1", "1 again", "2", "2 again"]


async def test_nobody_is_promised_a_message_before_it_is_on_the_disk(world: World, monkeypatch: pytest.MonkeyPatch):
    may, write = threading.Semaphore(100), Database.write

    def gated(database: Database, batch: Batch) -> None:
        may.acquire()
        write(database, batch)

    monkeypatch.setattr(Database, "write", gated)
    async with world.cloud():
        reader, writer = await world.connect("reader"), await world.connect("writer", clean=True)
        await reader.subscribe("mail")
        await world.leave(reader)
        await say(writer, "mail", "1")
        while may.acquire(blocking=False):
            pass
        try:
            writer.client.publish("mail", "2", 1)
            other = await world.connect("other", clean=True)  # a session that does not last waits for nothing
            await other.subscribe("mail")
            await say(other, "elsewhere", "x")
            assert writer.heard.empty()
        finally:  # whatever failed: a cloud that may not write never ends
            may.release(100)
        assert await writer.next() == ("published", "Success")


async def test_a_group_outlives_a_sudden_end_with_what_waits_for_it(world: World):
    async with world.cloud():
        members = [await world.connect(name) for name in ("one", "two")]
        writer = await world.connect("writer", clean=True)
        for member in members:
            await member.subscribe("$share/g/mail/+")
            await world.leave(member)
        await say(writer, "mail/a", "1", "2")
        after = world.sudden_end()
    async with after.cloud():
        writer = await after.connect("writer", clean=True)
        await say(writer, "mail/b", "3")
        two = await after.connect("two", present=True)
        assert [(await two.next())[1] for _ in range(3)] == [b"1", b"2", b"3"]
        one = await after.connect("one", present=True)
        await say(one, "elsewhere", "nothing came before this")


async def test_what_a_member_had_not_acknowledged_at_a_sudden_end_is_the_groups_again(world: World):
    async with world.cloud():
        one, writer = await world.connect("one"), await world.connect("writer", clean=True)
        one.client.manual_ack_set(True)
        await one.subscribe("$share/g/mail")
        two = await world.connect("two")
        await two.subscribe("$share/g/mail")
        await world.leave(two)
        await say(writer, "mail", "1")
        assert await one.next() == ("mail", b"1", 1)
        after = world.sudden_end()
        twice = World(world.path.with_name("twice.db"))
    async with after.cloud():
        two = await after.connect("two", present=True)
        assert await two.next() == ("mail", b"1", 1)
        await say(two, "elsewhere", "paho acknowledges what came before it hears of this")
        await two.subscribe("something")  # and its answer waits for the acknowledgement to be kept
        for suffix in ("", "-wal"):
            shutil.copy(f"{after.path}{suffix}", f"{twice.path}{suffix}")
    async with twice.cloud():
        for name in ("one", "two"):
            member = await twice.connect(name, present=True)
            await say(member, "elsewhere", "nothing came before this")
