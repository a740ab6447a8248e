"""WebSockets as no client makes them: frames of 8 GiB, fragments and pings without end, and who does not read."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
import pytest

from simulator.cloud.listeners.websockets import LARGEST_MESSAGE
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.settings.cloud import CloudSettings
from simulator.trace import ClientRefused, CloudEvent
from tests.simulator.cloud.mqtt.packets import connect, subscribe, text
from tests.simulator.cloud.mqtt.peers import WAIT
from tests.within import within

BINARY, CONTINUES, PING, PONG, CLOSE = 2, 0, 9, 10, 8
UPGRADE: Final = (
    b"GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
AT_MOST: Final = 32 << 20
"""Bytes by which the process may grow, of everything that a client sends."""


def frame(
    kind: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0, claims: int | None = None
) -> bytes:
    """A frame whose mask changes nothing; `claims` is how long it says that it is."""
    size = len(payload) if claims is None else claims
    first = bytes((final << 7 | reserved << 4 | kind,))
    if size < 126:
        return first + bytes((0x80 | size,)) + bytes(4) + payload
    if size < 1 << 16:
        return first + b"\xfe" + size.to_bytes(2, "big") + bytes(4) + payload
    return first + b"\xff" + size.to_bytes(8, "big") + bytes(4) + payload


class World:
    """A cloud, and what was told."""

    def __init__(self, cloud: LocalCloud, told: list[CloudEvent]) -> None:
        self.cloud, self.told = cloud, told

    async def open(self, *said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = (self.cloud.endpoints["api"] or "").removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(UPGRADE)
        assert b"101" in await within(reader.readuntil(b"\r\n\r\n"), WAIT)
        for each in said:
            writer.write(each)
        return reader, writer

    async def is_served(self) -> None:
        async with aiohttp.ClientSession() as http, http.get(f"{self.cloud.endpoints['api']}/things") as answer:
            assert answer.status == 200

    @property
    def codes(self) -> list[str]:
        return [event.code for event in self.told if isinstance(event, ClientRefused)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    told: list[CloudEvent] = []
    settings = GatewaySettings(connects_per_second=None, publishes_per_second=None, payload_per_second=None)
    ports = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None, gateway=settings)
    async with LocalCloud(ports, told.append) as cloud:
        yield World(cloud, told)


def resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


CONNECTED: Final = frame(BINARY, connect(5))
PIECE: Final = bytes(60_000)


@pytest.mark.parametrize("before", [b"", CONNECTED], ids=["before CONNECT", "after it"])
@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        pytest.param(frame(BINARY, claims=8 << 30), PIECE, id="a frame of 8 GiB"),
        pytest.param(frame(BINARY, claims=1 << 63), PIECE, id="a frame of 2^63 bytes"),
        pytest.param(
            frame(BINARY, final=False), frame(CONTINUES, PIECE, final=False), id="a message of many fragments"
        ),
        pytest.param(frame(BINARY, b"a", reserved=4), frame(BINARY, PIECE, reserved=4), id="compressed frames"),
        pytest.param(frame(PING, claims=8 << 30), PIECE, id="a ping of 8 GiB"),
        pytest.param(frame(PING, final=False), frame(PING, final=False), id="a ping in fragments"),
        pytest.param(frame(CONTINUES, b"a"), frame(CONTINUES, PIECE), id="the rest of nothing"),
        pytest.param(frame(3, b"a"), frame(3, PIECE), id="a kind that there is not"),
    ],
)
async def test_no_frame_and_no_message_is_gathered_without_end(
    world: World, before: bytes, begins: bytes, goes_on: bytes
):
    size = resident()
    goes_on *= -(-len(PIECE) // len(goes_on))
    reader, writer = await world.open(before, begins)
    try:
        for _ in range(4 * LARGEST_MESSAGE // len(goes_on)):
            writer.write(goes_on)
            await writer.drain()
        await within(reader.read(), WAIT)
    except ConnectionError:
        pass
    writer.close()
    assert resident() - size < AT_MOST
    assert world.codes[-1:] == ["malformed"]
    await world.is_served()


@pytest.mark.parametrize(
    "floods",
    [
        pytest.param(frame(PING, bytes(125)), id="pings"),
        pytest.param(frame(PONG, bytes(125)), id="pongs"),
        pytest.param(frame(PING), id="empty pings"),
        pytest.param(frame(BINARY), id="empty messages"),
        pytest.param(frame(CONTINUES, final=False), id="empty fragments"),
    ],
)
async def test_a_flood_of_small_frames_leaves_others_their_turns(world: World, floods: bytes):
    begins = frame(BINARY, final=False) if floods[0] & 0x0F == CONTINUES else b""
    size = resident()
    _, writer = await world.open(CONNECTED, begins)
    piece = floods * (65_536 // len(floods))

    async def flood() -> None:
        while True:
            writer.write(piece)
            await writer.drain()

    flooding = asyncio.create_task(flood())
    for _ in range(20):
        await within(world.is_served(), WAIT)
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    writer.transport.abort()
    assert resident() - size < AT_MOST


async def deaf(world: World, name: str = "deaf") -> socket.socket:
    """A client that subscribed to `a`, and never reads again."""
    host, _, port = (world.cloud.endpoints["api"] or "").removeprefix("http://").rpartition(":")
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)

    def begin() -> None:
        client.connect((host, int(port)))
        client.sendall(UPGRADE + frame(BINARY, connect(5, rest=text(name))) + frame(BINARY, subscribe("a")))

    await asyncio.to_thread(begin)
    gateway = world.cloud._gateway
    async with asyncio.timeout(WAIT):
        while not gateway.broker.router.subscriptions.matching("a"):  # noqa: ASYNC110 - the other side is a socket
            await asyncio.sleep(0)
    for _ in range(90):
        gateway.broker.publish("a", bytes(100_000))
        await asyncio.sleep(0)
    return client


async def test_who_does_not_read_and_is_told_to_go_is_gone(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.cloud.mqtt.shells.farewells.GRACE_SECONDS", 0.05)
    client = await deaf(world)
    gateway = world.cloud._gateway
    [connection] = gateway.broker.clients
    assert 0 < connection.waiting_bytes < 1 << 20
    connection.refuse(Reason.SESSION_TAKEN_OVER, "DUPLICATE_CLIENTID")
    await within(gateway.farewells.ended(), WAIT)
    [api] = [server for _, server in world.cloud._http._servers]
    async with asyncio.timeout(WAIT):
        while api.connections:  # noqa: ASYNC110 - aiohttp's own
            await asyncio.sleep(0)
    client.close()


async def test_a_cloud_stops_beside_who_does_not_read(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.cloud.mqtt.shells.farewells.GRACE_SECONDS", 0.05)
    monkeypatch.setattr("simulator.cloud.listeners.http_ports.GRACE_SECONDS", 0.05)
    client = await deaf(world)
    await within(world.cloud._close(), WAIT)
    client.close()


async def test_who_says_nothing_after_the_handshake_is_hung_up_on(world: World):
    reader, writer = await world.open()
    gateway = world.cloud._gateway
    gateway.broker.sweep(gateway.broker.context.now + 11)
    await within(reader.read(), WAIT)
    assert world.codes == ["connect-timeout"]
    writer.close()
