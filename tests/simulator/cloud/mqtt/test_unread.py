"""Clients that do not read: what waits for them is bounded, and who is told to go is gone."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.certificate_files import client_context, server_context
from simulator.certs import make_certificates
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.client import SLOW_READER_BYTES, Client
from simulator.cloud.mqtt.commit_barrier import CommitBarrier
from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.mqtt.session import MOST_QUEUED_BYTES, Message, Session
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.notices.refusals import Notice
from tests.within import within

from .packets import connect, publish, subscribe, text
from .peers import WAIT, Bare, BareConnect, Jobs, transport_of

PAYLOAD = bytes(100_000)
AT_MOST = SLOW_READER_BYTES + 2 * len(PAYLOAD)
"""Bytes that may wait in a transport: one message may go beyond the bound, and one is on its way."""
PINGS = 400_000
"""Twice the bound of bytes, in answers."""


@pytest.fixture
def settings() -> GatewaySettings:
    return GatewaySettings(connects_per_second=None, publishes_per_second=None, payload_per_second=None)


class Deaf:
    """A client that subscribed to `a`, and never reads again; the kernel keeps little for it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        self.socket.connect(("127.0.0.1", port))

    def subscribe(self, name: str, qos: int) -> None:
        self.socket.sendall(connect(5, rest=text(name)) + subscribe("a", options=qos))
        assert self.socket.recv(1) == b"\x20"

    def drain(self) -> bytes:
        """What there is until the end."""
        self.socket.settimeout(WAIT)
        read = b""
        while piece := self.socket.recv(1 << 20):
            read += piece
        return read


@pytest.fixture
async def deaf(port: int, gateway: Gateway) -> AsyncIterator[tuple[Deaf, Client]]:
    made = Deaf(port)
    await asyncio.to_thread(made.subscribe, "dev", 1)
    await until(lambda: bool(gateway.broker.router.subscriptions.matching("a")))
    [connection] = gateway.broker.clients
    yield made, connection
    made.socket.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT):
        while not is_so():  # noqa: ASYNC110 - the other side is a socket
            await asyncio.sleep(0)


def waits(connection: Client) -> int:
    return transport_of(connection).get_write_buffer_size()


async def published(gateway: Gateway, times: int, payload: bytes = PAYLOAD) -> None:
    for _ in range(times):
        gateway.broker.publish("a", payload)
        await asyncio.sleep(0)


async def test_what_waits_for_it_is_bounded_for_qos_1(gateway: Gateway, deaf: tuple[Deaf, Client]):
    _, connection = deaf
    await published(gateway, 90)  # fewer than may be unacknowledged
    assert waits(connection) <= AT_MOST


async def test_redelivery_writes_nothing_to_who_has_not_read(gateway: Gateway, deaf: tuple[Deaf, Client]):
    _, connection = deaf
    await published(gateway, 90)
    before = waits(connection)
    for _ in range(10):
        connection.protocol.last_heard = gateway.broker.context.now + 30
        gateway.broker.sweep(gateway.broker.context.now + 30)
        await asyncio.sleep(0)
    assert waits(connection) <= before


async def test_once_it_reads_it_gets_everything_in_order(gateway: Gateway, deaf: tuple[Deaf, Client]):
    client, _ = deaf
    for number in range(60):
        gateway.broker.publish("a", bytes((number,)) * 80_000)
        await asyncio.sleep(0)

    def read() -> list[int]:
        client.socket.settimeout(WAIT)
        stream = client.socket.makefile("rb")
        heard: list[int] = []
        while len(heard) < 60:
            first, length, shift = stream.read(1)[0], 0, 0
            while True:
                byte = stream.read(1)[0]
                length, shift = length | (byte & 0x7F) << shift, shift + 7
                if not byte & 0x80:
                    break
            body = stream.read(length)
            if first >> 4 == 3:
                assert first == 0x32, "nothing came twice"
                heard.append(body[-1])
        return heard

    assert await asyncio.to_thread(read) == list(range(60))


async def test_redelivery_to_who_reads_is_written_piece_by_piece(gateway: Gateway, deaf: tuple[Deaf, Client]):
    client, connection = deaf
    reading = asyncio.create_task(asyncio.to_thread(client.drain))
    await published(gateway, 90)
    [session] = gateway.broker.router.connected
    await until(lambda: len(session.in_flight or ()) == 90 and not connection.waiting_bytes)
    connection.protocol.last_heard = gateway.broker.context.now + 30
    gateway.broker.sweep(gateway.broker.context.now + 30)
    assert connection.waiting_bytes <= AT_MOST
    connection.end("CLIENT_ERROR")
    await reading


async def test_messages_that_wait_for_it_are_bounded_in_bytes(
    gateway: Gateway, deaf: tuple[Deaf, Client], told: list[Notice]
):
    await published(gateway, MOST_QUEUED_BYTES // len(PAYLOAD) + 100)
    [session] = gateway.broker.router.connected
    assert sum(len(each.payload) for each in session.waiting or ()) <= MOST_QUEUED_BYTES
    assert {notice.code for notice in told} == {"queue-full"}
    assert f"{MOST_QUEUED_BYTES} bytes" in told[0].why


def test_messages_for_who_is_away_are_bounded_in_bytes():
    session = Session("dev")
    for _ in range(MOST_QUEUED_BYTES // len(PAYLOAD) + 10):
        session.store(Message("a", PAYLOAD, None, None, 0.0))
    assert sum(len(each.payload) for each in session.stored or ()) <= MOST_QUEUED_BYTES
    assert [code for code, *_ in session.take_lost()] == ["queue-full"] * 10


async def test_who_asks_while_a_commit_is_awaited_is_not_read_for_ever(gateway: Gateway, port: int):
    client = Bare(*await asyncio.open_connection("127.0.0.1", port))
    client.send(connect(5))
    assert (await client.packet())[0] == 0x20
    [connection] = gateway.broker.clients
    connection.wait_for(1)
    client.send(b"\xc0\0" * PINGS)
    await until(lambda: connection.held_bytes > SLOW_READER_BYTES)
    gateway.broker.context.commits.commit(1)
    assert await within(client.reader.readexactly(2 * PINGS), WAIT) == b"\xd0\0" * PINGS
    client.close()


def test_what_is_held_for_one_comes_out_once():
    class Ends:
        heard = b""

        def let_go(self, raw: bytes) -> None:
            self.heard += raw

    held, ends = CommitBarrier(), Ends()
    held.hold(ends, 1, b"1")
    held.hold(ends, 2, b"2")
    held.commit(1)
    held.commit(2)
    assert ends.heard == b"12"


# ── who is told to go ─────────────────────────────────────────────────────────────────────────────────────────


async def _silent(gateway: Gateway, connection: Client) -> None:
    gateway.broker.sweep(gateway.broker.context.now + 2000)


async def _taken_over(gateway: Gateway, connection: Client) -> None:
    connection.refuse(Reason.SESSION_TAKEN_OVER, "DUPLICATE_CLIENTID")


async def _no_longer_welcome(gateway: Gateway, connection: Client) -> None:
    connection.refuse(Reason.NOT_AUTHORIZED, "AUTH_ERROR")


@pytest.mark.parametrize("told_to_go", [_silent, _taken_over, _no_longer_welcome])
async def test_who_does_not_read_and_is_told_to_go_is_gone(
    gateway: Gateway,
    deaf: tuple[Deaf, Client],
    told_to_go: Callable[..., Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("simulator.cloud.mqtt.shells.farewells.GRACE_SECONDS", 0.05)
    _, connection = deaf
    await published(gateway, 90)
    transport = transport_of(connection)
    assert transport.get_write_buffer_size() > 0
    await told_to_go(gateway, connection)
    await within(gateway.farewells.ended(), WAIT)
    assert transport.get_write_buffer_size() == 0


async def test_who_reads_gets_what_was_written_before_it_was_told_to_go(gateway: Gateway, deaf: tuple[Deaf, Client]):
    client, connection = deaf
    await published(gateway, 3)
    connection.refuse(Reason.SERVER_SHUTTING_DOWN, "SERVER_INITIATED_DISCONNECT")
    read = await asyncio.to_thread(client.drain)
    assert read.count(PAYLOAD) == 3
    assert read.endswith(b"\xe0\x01\x8b")
    await within(gateway.farewells.ended(), WAIT)


async def test_a_gateway_closes_beside_who_does_not_read(
    gateway: Gateway, deaf: tuple[Deaf, Client], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("simulator.cloud.mqtt.shells.farewells.GRACE_SECONDS", 0.05)
    _, connection = deaf
    await published(gateway, 90)
    transport = transport_of(connection)
    await within(gateway.close(), WAIT)
    assert transport.get_write_buffer_size() == 0


async def test_who_answers_no_close_of_tls_is_gone(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.cloud.mqtt.shells.farewells.GRACE_SECONDS", 0.05)
    make_certificates(tmp_path, ["dev"])
    gateway.broker.context.settings = replace(gateway.broker.context.settings, connects_per_second=None)
    port = await gateway.listen("127.0.0.1", 0, tls=server_context(tmp_path))
    lamp = client_context(tmp_path / "ca.pem", tmp_path / "dev.pem", tmp_path / "dev.key")

    def connected() -> ssl.SSLSocket:
        wrapped = lamp.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
        wrapped.sendall(connect(5) + subscribe("a"))
        assert wrapped.recv(1) == b"\x20"
        return wrapped

    client = await asyncio.to_thread(connected)
    await until(lambda: bool(gateway.broker.router.subscriptions.matching("a")))
    await published(gateway, 80)
    [connection] = gateway.broker.clients
    transport = transport_of(connection)
    assert transport.get_write_buffer_size() <= AT_MOST
    connection.refuse(Reason.KEEP_ALIVE_TIMEOUT, "MQTT_KEEP_ALIVE_TIMEOUT")
    await within(gateway.farewells.ended(), WAIT)
    client.close()


# ── who sends much at once ────────────────────────────────────────────────────────────────────────────────────


async def test_packets_that_come_at_once_leave_others_their_turns(
    gateway: Gateway, port: int, monkeypatch: pytest.MonkeyPatch
):
    gateway.broker.context.scheduler.turn_seconds = 0.0
    client = Bare(*await asyncio.open_connection("127.0.0.1", port))
    client.send(connect(5))
    assert (await client.packet())[0] == 0x20
    [connection] = gateway.broker.clients
    gateway.broker.receive(connection, b"\xc0\0" * 100, 0.0)
    assert connection.protocol.unsent == 0
    assert connection.protocol.unread[connection.protocol._offset :] == b"\xc0\0" * 99
    assert await within(client.reader.readexactly(200), WAIT) == b"\xd0\0" * 100
    client.send(b"\xc0\0")
    assert await client.packet() == (0xD0, b"")
    client.close()


@pytest.mark.parametrize("is_reset", [False, True])
async def test_who_leaves_is_heard_out(
    gateway: Gateway, service: Jobs, bare: BareConnect, monkeypatch: pytest.MonkeyPatch, is_reset: bool
):
    gateway.broker.context.scheduler.turn_seconds = 0.0
    watcher, _ = await bare(name="watcher"), await bare(name="leaving")
    watcher.send(subscribe("a", options=0))
    assert (await watcher.packet())[0] == 0x90
    _, connection = gateway.broker.clients
    gateway.broker.receive(connection, b"".join(publish("a", b"%d" % number) for number in range(50)) + b"\xe0\0", 0.0)
    if is_reset:
        transport_of(connection).abort()
    heard = [(await watcher.packet())[1][4:] for _ in range(50)]
    assert heard == [b"%d" % number for number in range(50)]
    assert await within(service.gone.get(), WAIT) == ("leaving", "CLIENT_INITIATED_DISCONNECT")
    await asyncio.sleep(0)
    assert connection not in gateway.broker.clients


async def test_who_is_told_to_go_is_not_heard_out(
    gateway: Gateway, bare: BareConnect, told: list[Notice], monkeypatch: pytest.MonkeyPatch
):
    gateway.broker.context.scheduler.turn_seconds = 0.0
    client = await bare()
    [connection] = gateway.broker.clients
    gateway.broker.receive(connection, publish("a") * 50, 0.0)
    connection.refuse(Reason.NOT_AUTHORIZED, "AUTH_ERROR")
    assert await client.rest() == b"\xe0\x01\x87"
    assert told == []
