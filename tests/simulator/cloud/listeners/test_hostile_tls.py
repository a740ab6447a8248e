"""Handshakes as no client makes them, on every port, with TLS and without: each is told of, and others are served."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

import aiohttp
import pytest
import uvloop

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.serving import odd_names_unheard
from simulator.cloud.settings.cloud import CloudSettings
from simulator.trace import ClientRefused, CloudEvent
from tests.simulator.cloud.mqtt.packets import connect, text
from tests.simulator.cloud.mqtt.peers import WAIT
from tests.within import within

NAME: Final = "name-of-the-server"
MUTATIONS: Final = 150
"""Handshakes for each port."""


class World:
    """A cloud with every port, and what was told."""

    def __init__(self, cloud: LocalCloud, certs: Path, told: list[CloudEvent]) -> None:
        self.cloud, self.certs, self.told = cloud, certs, told

    @property
    def codes(self) -> set[str]:
        return {event.code for event in self.told if isinstance(event, ClientRefused)}

    def port(self, name: str) -> int:
        return int((self.cloud.endpoints[name] or "").rpartition(":")[2])

    def lamp(self) -> ssl.SSLContext:
        return client_context(self.certs / "ca.pem", self.certs / "lamp.pem", self.certs / "lamp.key")

    async def says(self, name: str, raw: bytes) -> bytes:
        """Say that and no more: what is answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port(name))
        try:
            writer.write(raw)
            writer.write_eof()
            return await within(reader.read(), WAIT)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def others_are_served(self) -> None:
        ca = ssl.create_default_context(cafile=self.certs / "ca.pem")
        async with aiohttp.ClientSession() as http:
            for scheme in ("http", "https"):
                async with http.get(f"{scheme}://localhost:{self.port('api')}/things", ssl=ca) as answer:
                    assert answer.status == 200
            url = f"https://localhost:{self.port('data')}/topics/lamp/state"
            async with http.post(url, data=b"on", ssl=self.lamp()) as answer:
                assert answer.status == 200
        for name, tls in (("mqtt", None), ("mqtts", self.lamp())):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self.port(name), ssl=tls, server_hostname=tls and "localhost"
            )
            writer.write(connect(4, rest=text("lamp")))
            assert await within(reader.readexactly(4), WAIT) == b"\x20\x02\0\0"
            writer.write(b"\xe0\0")
            await within(reader.read(), WAIT)
            writer.close()


Story: TypeAlias = Callable[[World], Coroutine[Any, Any, None]]
Play: TypeAlias = Callable[[Story], None]


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["lamp"])
    return directory


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("foreign")
    make_certificates(directory, ["lamp"])
    return directory


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def play(
    request: pytest.FixtureRequest,
    certs: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Play]:
    """Have a story with a cloud; no error is logged, and nothing is written."""

    async def whole(story: Story) -> None:
        told: list[CloudEvent] = []
        gateway = GatewaySettings(connects_per_second=None)
        options = CloudSettings(api_port=0, mqtt_port=0, mqtts_port=0, data_port=0, certs=certs, gateway=gateway)
        async with odd_names_unheard(), LocalCloud(options, told.append) as cloud:
            world = World(cloud, certs, told)
            await story(world)
            await world.others_are_served()

    yield lambda story: request.param(whole(story))
    assert [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []
    assert capfd.readouterr().err == ""


def hello(name: str = NAME, alpn: tuple[str, ...] = ()) -> bytes:
    """A ClientHello."""
    context = ssl.create_default_context()
    if alpn:
        context.set_alpn_protocols(list(alpn))
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(back, there, server_hostname=name).do_handshake()
    return there.read()


TLS_PORTS = pytest.mark.parametrize("port", ["api", "mqtts", "data"])


@TLS_PORTS
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"\xff" * len(NAME), id="no ASCII"),
        pytest.param(b"\0" * len(NAME), id="zeros"),
        pytest.param("ü".encode() * (len(NAME) // 2), id="UTF-8"),
        pytest.param(b"..%s" % (b"." * (len(NAME) - 2)), id="dots"),
        pytest.param(b"a\n\r\x1b[31m" + b"b" * (len(NAME) - 8), id="control characters"),
    ],
)
def test_odd_server_names_are_no_traceback(play: Play, port: str, name: bytes):
    async def story(world: World) -> None:
        raw = hello().replace(NAME.encode(), name)
        assert name in raw
        await world.says(port, raw)

    play(story)


@TLS_PORTS
def test_mutated_handshakes_do_not_disturb_others(play: Play, port: str):
    async def story(world: World) -> None:
        rng, whole = Random(f"handshakes to {port}"), hello(alpn=("x-amzn-mqtt-ca", "http/1.1"))
        for _ in range(MUTATIONS):
            raw = bytearray(whole)
            for _ in range(rng.randint(1, 8)):
                raw[rng.randrange(len(raw))] = rng.randrange(256)
            if rng.random() < 0.3:
                del raw[rng.randrange(1, len(raw)) :]
            if rng.random() < 0.2:
                raw += rng.randbytes(rng.randrange(1, 500))
            await world.says(port, bytes(raw))

    play(story)


@pytest.mark.parametrize("port", ["mqtts", "data"])
def test_a_certificate_of_another_ca_is_told_of(play: Play, port: str, foreign: Path, certs: Path):
    async def story(world: World) -> None:
        tls = client_context(certs / "ca.pem", foreign / "lamp.pem", foreign / "lamp.key")

        def tries() -> None:
            plain = socket.create_connection(("127.0.0.1", world.port(port)))
            with contextlib.suppress(OSError), tls.wrap_socket(plain, server_hostname="localhost") as wrapped:
                assert wrapped.recv(1) == b""

        await asyncio.to_thread(tries)
        await world.others_are_served()
        assert "certificate-foreign" in world.codes

    play(story)


@pytest.mark.parametrize(
    ("port", "said", "code"),
    [
        pytest.param("mqtts", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "tls-failed", id="HTTP on MQTT's port with TLS"),
        pytest.param("mqtts", connect(5), "tls-failed", id="MQTT on its port with TLS"),
        pytest.param("data", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "tls-failed", id="HTTP on the data port"),
        pytest.param("mqtt", hello(), "not-mqtt", id="TLS on MQTT's port without"),
        pytest.param("mqtt", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "not-mqtt", id="HTTP on MQTT's port without"),
        pytest.param("mqtt", b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n", "not-mqtt", id="PROXY on MQTT's port"),
        pytest.param("mqtt", b"\r\n\r\n\0\r\nQUIT\n\x21\x11", "not-mqtt", id="PROXY 2 on MQTT's port"),
        pytest.param("api", b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n\r\n", "not-http", id="PROXY on the API port"),
        pytest.param("api", connect(5), "not-http", id="MQTT on the API port"),
    ],
)
def test_one_protocol_on_the_port_of_another_is_told_of(play: Play, port: str, said: bytes, code: str):
    async def story(world: World) -> None:
        await world.says(port, said)
        await world.others_are_served()
        assert code in world.codes

    play(story)


@TLS_PORTS
def test_a_handshake_that_stops_half_way_ends(play: Play, port: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.cloud.mqtt.shells.handshake.HANDSHAKE_SECONDS", 0.1)
    monkeypatch.setattr("simulator.cloud.mqtt.shells.handshake.SILENT_SECONDS", 0.1)
    whole = hello()

    async def story(world: World) -> None:
        for said in (b"", whole[:1], whole[:50], whole):
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port(port))
            writer.write(said)
            with contextlib.suppress(ConnectionError):
                await within(reader.read(), WAIT)
            writer.close()
        monkeypatch.undo()

    play(story)
