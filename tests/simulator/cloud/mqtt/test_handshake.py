"""TLS that our own code puts on accepted connections, on both event loops."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvloop

from simulator.certificate_files import client_context, server_context
from simulator.certs import make_certificates
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.shells import Gateway, handshake
from simulator.cloud.notices.refusals import Notice
from tests.within import within

from .packets import connect, text
from .peers import WAIT, Jobs

BOTH = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


@dataclass
class World:
    """A gateway with a TLS listener; `heard` is set once something was told."""

    gateway: Gateway
    port: int
    heard: asyncio.Event


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["lamp"])
    return directory


def play(run: Any, certs: Path, story: Callable[[World], Coroutine[Any, Any, None]]) -> list[Notice]:
    """A story with a TLS listener, and what was told."""
    told: list[Notice] = []

    async def whole() -> None:
        heard = asyncio.Event()

        def tell(notice: Notice) -> None:
            told.append(notice)
            heard.set()

        gateway = Gateway(Jobs(), GatewaySettings(connects_per_second=None), tell=tell)
        try:
            port = await gateway.listen("127.0.0.1", 0, tls=server_context(certs))
            await within(story(World(gateway, port, heard)), WAIT)
        finally:
            await within(gateway.close(), WAIT)

    run(whole())
    return told


def lamp(certs: Path) -> ssl.SSLContext:
    return client_context(certs / "ca.pem", certs / "lamp.pem", certs / "lamp.key")


async def connects(port: int, tls: ssl.SSLContext, name: str = "lamp") -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost")
    try:
        writer.write(connect(4, rest=text(name)))  # with the last of the handshake, in TLS 1.3
        assert await reader.readexactly(4) == b"\x20\x02\0\0"
    finally:
        writer.close()


@BOTH
def test_who_holds_a_certificate_comes_in_and_nothing_is_told(run: Any, certs: Path):
    async def story(world: World) -> None:
        port = world.port
        await asyncio.gather(*(connects(port, lamp(certs), f"lamp-{number}") for number in range(5)))

    assert play(run, certs, story) == []


@BOTH
def test_who_only_looks_whether_the_port_is_open_is_not_told_of(run: Any, certs: Path):
    async def story(world: World) -> None:
        port = world.port
        for _ in range(3):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
        await connects(port, lamp(certs))

    assert play(run, certs, story) == []


@BOTH
@pytest.mark.parametrize(
    ("said", "code"),
    [(connect(5), "tls-failed"), (b"GET / HTTP/1.1\r\n\r\n", "tls-failed"), (b"\x16\x03\x01\0\x05hello", "tls-failed")],
    ids=["MQTT", "HTTP", "no hello"],
)
def test_who_speaks_no_tls_is_told_of_and_others_come_in(run: Any, certs: Path, said: bytes, code: str):
    async def story(world: World) -> None:
        port = world.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        await connects(port, lamp(certs))

    [notice] = play(run, certs, story)
    assert (notice.code, notice.action, notice.address) == (code, "tls", "127.0.0.1")


@BOTH
def test_who_has_no_certificate_is_told_of(run: Any, certs: Path):
    async def story(world: World) -> None:
        with contextlib.suppress(OSError, EOFError):
            await connects(world.port, ssl.create_default_context(cafile=certs / "ca.pem"))
        await world.heard.wait()

    [notice] = play(run, certs, story)
    assert notice.code == "certificate-missing"


@BOTH
def test_a_listener_that_closes_does_not_wait_for_who_says_nothing(run: Any, certs: Path):
    async def story(world: World) -> None:
        silent = [await asyncio.open_connection("127.0.0.1", world.port) for _ in range(2)]
        silent[1][1].write(b"\x16\x03\x01")
        await world.gateway.close()
        for reader, writer in silent:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()

    assert play(run, certs, story) == []


@BOTH
def test_a_client_that_resets_once_its_first_byte_is_seen_is_told_as_one_that_hangs_up(
    run: Any, certs: Path, monkeypatch: pytest.MonkeyPatch
):
    first_byte, faults = handshake._first_byte, list[object]()

    async def story(world: World) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        client = socket.create_connection(("127.0.0.1", world.port))

        async def then_it_resets(accepted: socket.socket) -> bytes:
            first = await first_byte(accepted)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            return first

        monkeypatch.setattr(handshake, "_first_byte", then_it_resets)
        client.sendall(b"\x16\x03\x01")
        await world.heard.wait()

    [told] = play(run, certs, story)
    assert (told.code, told.why) == ("tls-failed", "the client hung up before the handshake was done")
    assert not faults
