"""Who is slow over HTTP, or leaves: heads, bodies and answers have a time limit, and nothing of it is a traceback."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import pytest
import uvloop

from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from simulator.trace import ClientRefused, CloudEvent
from tests.simulator.cloud.mqtt.peers import WAIT
from tests.within import within

HEAD = b"PUT /jobs/j HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LARGE = 8 << 20
UPGRADE = (
    b"GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
)


Story: TypeAlias = Callable[[LocalCloud], Coroutine[Any, Any, None]]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cloud without patience."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "UNREAD_SECONDS", "LINGER_SECONDS"):
        monkeypatch.setattr(f"simulator.cloud.api.wire.{name}", 0.1)


Play: TypeAlias = Callable[[Story], None]


@pytest.fixture
def told() -> list[CloudEvent]:
    return []


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest, tmp_path: Path, told: list[CloudEvent]) -> Play:
    """Have a story with a cloud of its own, on each of the event loops."""
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "large").write_bytes(bytes(LARGE))
    options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None, files=tmp_path)

    async def whole(story: Story) -> None:
        async with LocalCloud(options, told.append) as cloud:
            await story(cloud)

    return lambda story: request.param(whole(story))


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No error is logged, by whomever, and nothing is written."""
    yield
    assert [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []
    assert capfd.readouterr().err == ""


def codes(told: list[CloudEvent]) -> list[str]:
    """What clients were refused for."""
    return [event.code for event in told if isinstance(event, ClientRefused)]


def address(cloud: LocalCloud) -> tuple[str, int]:
    host, _, port = (cloud.endpoints["api"] or "").removeprefix("http://").rpartition(":")
    return host, int(port)


def url_of(cloud: LocalCloud) -> bytes:
    assert cloud._urls is not None
    return cloud._urls.url("s3://bucket/large", time.time(), 600).partition("/-/")[2].encode()


async def ended(cloud: LocalCloud, *said: bytes) -> bytes:
    """What is answered to somebody who says that and then nothing, until the cloud hangs up."""
    reader, writer = await asyncio.open_connection(*address(cloud))
    for each in said:
        writer.write(each)
        await asyncio.sleep(0)
    try:
        return await within(reader.read(), WAIT)
    finally:
        writer.close()


@pytest.mark.usefixtures("hasty", "quiet")
@pytest.mark.parametrize(
    "said",
    [
        pytest.param((), id="nothing"),
        pytest.param((b"GET / HT",), id="half a line"),
        pytest.param((b"GET /things HTTP/1.1\r\nHost: x\r\n",), id="half a head"),
        pytest.param(tuple(bytes((byte,)) for byte in b"GET /things HTTP/1.1\r\nHost:"), id="byte by byte"),
        pytest.param((b"GET /things HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /thi"), id="a second one that is half"),
        pytest.param((b"GET /things HTTP/1.1\r\nHost: x\r\n\r\n",), id="one request, and idle"),
    ],
)
def test_who_sends_no_whole_head_is_hung_up_on(play: Play, told: list[CloudEvent], said: tuple[bytes, ...]):
    async def story(cloud: LocalCloud) -> None:
        answer = await ended(cloud, *said)
        assert answer.count(b"HTTP/1.1 200") == (b"\r\n\r\n" in b"".join(said))

    play(story)
    is_half = said != () and b"\r\n\r\n" not in said[0]  # what comes while another is answered is not looked at
    assert codes(told) == (["http-timeout"] if is_half else [])


@pytest.mark.usefixtures("hasty", "quiet")
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param(b"Content-Length: 100\r\n\r\n", b"", id="nothing of a body"),
        pytest.param(b"Content-Length: 100\r\n\r\n", b'{"targets":', id="half a body"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n{", id="half a chunk"),
    ],
)
def test_who_sends_no_whole_body_is_told_and_hung_up_on(
    play: Play, told: list[CloudEvent], headers: bytes, body: bytes
):
    async def story(cloud: LocalCloud) -> None:
        answer = await ended(cloud, HEAD + headers, body)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"RequestTimeoutException" in answer

    play(story)
    assert codes(told) == ["http-timeout"]


@pytest.mark.usefixtures("hasty", "quiet")
def test_a_body_that_nobody_asked_for_is_not_awaited_for_long(play: Play):
    async def story(cloud: LocalCloud) -> None:
        answer = await ended(cloud, b"DELETE /-/files/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 403 ")

    play(story)


LEAVING: dict[str, Callable[[LocalCloud], bytes]] = {
    "a head": lambda _: HEAD,
    "a body": lambda _: HEAD + b"Content-Length: 100\r\n\r\n{",
    "a chunk": lambda _: HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    "an expected body": lambda _: HEAD + b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n",
    "a body of Greengrass": lambda _: b"PUT /-/greengrass/jobs/j HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    "a body for topics": lambda _: b"POST /topics/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    "a download": lambda cloud: b"GET /-/" + url_of(cloud) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a handshake of WebSocket": lambda _: UPGRADE,
    "a frame": lambda _: UPGRADE + b"\x82\xfe\x01\0mask" + bytes(10),
    "a message": lambda _: UPGRADE + b"\x02\x82maskaa",
    "many requests": lambda _: b"GET /things HTTP/1.1\r\nHost: x\r\n\r\n" * 50,
}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("how", ["ends", "resets"])
@pytest.mark.parametrize("where", list(LEAVING))
def test_who_leaves_in_the_middle_leaves_nothing_behind(play: Play, where: str, how: str):
    async def story(cloud: LocalCloud) -> None:
        client = socket.create_connection(address(cloud))
        if how == "resets":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.sendall(LEAVING[where](cloud))
        await others_are_served(cloud)
        client.close()
        await others_are_served(cloud)
        [api] = [server for _, server in cloud._http._servers]
        async with asyncio.timeout(WAIT):
            while api.connections:  # noqa: ASYNC110 - aiohttp's own
                await asyncio.sleep(0)

    play(story)


async def others_are_served(cloud: LocalCloud) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{cloud.endpoints['api']}/things") as answer:
        assert answer.status == 200


def deaf(cloud: LocalCloud, said: bytes) -> socket.socket:
    """A client that asks, and does not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(address(cloud))
    client.sendall(said)
    return client


@pytest.mark.usefixtures("hasty", "quiet")
def test_who_does_not_read_an_answer_is_cut_off(play: Play, told: list[CloudEvent]):
    async def story(cloud: LocalCloud) -> None:
        with deaf(cloud, LEAVING["a download"](cloud)):
            [api] = [server for _, server in cloud._http._servers]
            async with asyncio.timeout(WAIT):
                while not api.connections:  # noqa: ASYNC110 - aiohttp's own
                    await asyncio.sleep(0)
                while api.connections:  # noqa: ASYNC110
                    await asyncio.sleep(0)

    play(story)
    assert codes(told) == ["http-timeout"]


@pytest.mark.usefixtures("quiet")
def test_a_cloud_stops_beside_who_does_not_read(play: Play, monkeypatch: pytest.MonkeyPatch):
    async def story(cloud: LocalCloud) -> None:
        monkeypatch.setattr("simulator.cloud.listeners.http_ports.GRACE_SECONDS", 0.05)
        client = deaf(cloud, LEAVING["a download"](cloud))
        await others_are_served(cloud)
        [connection] = [
            each for _, server in cloud._http._servers for each in server.connections if each._request_in_progress
        ]
        transport: Any = connection.transport
        await within(cloud._http.close(), WAIT)
        async with asyncio.timeout(WAIT):
            while transport.get_write_buffer_size():  # noqa: ASYNC110
                await asyncio.sleep(0)
        client.close()

    play(story)


@pytest.mark.usefixtures("quiet")
def test_heads_without_end_are_not_gathered(play: Play):
    async def story(cloud: LocalCloud) -> None:
        reader, writer = await asyncio.open_connection(*address(cloud))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: x\r\n" % number for number in range(200)))
        assert (await within(reader.read(), WAIT))[8:].startswith(b" 400 ")
        writer.close()

    play(story)
