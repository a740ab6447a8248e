"""A TLS socket as a transport: what its protocol is told, and what the other side hears."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.transports.handshake import shake_hands
from simulator.certificate_files import client_context, server_context
from simulator.certs import make_certificates
from simulator.secure_wire import HIGH_BYTES, SecureWire
from tests.within import within

WAIT = 20


class Told(asyncio.Protocol):
    """A protocol that remembers what it is told; `stops` after its first bytes."""

    def __init__(self, stops: bool = False) -> None:
        self.told: asyncio.Queue[object] = asyncio.Queue()
        self.stops = stops

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.told.put_nowait(data)
        if self.stops:
            self.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that can

    def pause_writing(self) -> None:
        self.told.put_nowait("pause")

    def resume_writing(self) -> None:
        self.told.put_nowait("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.put_nowait(f"lost: {exc}")

    async def next(self) -> object:
        return await within(self.told.get(), WAIT)


@pytest.fixture
async def ends(tmp_path: Path) -> AsyncIterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """The server's and the client's, whose hands are shaken."""
    make_certificates(tmp_path, ["lamp"])
    ours, theirs = socket.socketpair()
    lamp = client_context(tmp_path / "ca.pem", tmp_path / "lamp.pem", tmp_path / "lamp.key")
    for each in (ours, theirs):
        each.setblocking(False)
    server = server_context(tmp_path).wrap_socket(ours, server_side=True, do_handshake_on_connect=False)
    client = lamp.wrap_socket(theirs, server_hostname="localhost", do_handshake_on_connect=False)
    await within(asyncio.gather(shake_hands(server), shake_hands(client)), WAIT)
    yield server, client
    for end in (server, client):
        end.close()


Ends = tuple[ssl.SSLSocket, ssl.SSLSocket]


def read(client: ssl.SSLSocket, most: int = 1 << 24) -> bytes:
    """What comes until so many bytes have, or the end."""
    client.settimeout(WAIT)
    client.suppress_ragged_eofs = False
    got = b""
    while len(got) < most and (piece := client.recv(65_536)):
        got += piece
    return got


async def test_who_writes_more_than_is_read_is_asked_to_wait_and_nothing_is_lost(ends: Ends):
    server, client = ends
    protocol = Told()
    wire, sent = SecureWire(server, protocol), b""
    while protocol.told.empty():
        piece = bytes((len(sent) // 1000 % 251,)) * 10_000
        wire.write(piece)
        sent += piece
    assert await protocol.next() == "pause"
    assert HIGH_BYTES < wire.get_write_buffer_size() <= HIGH_BYTES + 10_000
    got = await asyncio.to_thread(read, client, len(sent))
    assert got == sent
    assert await protocol.next() == "resume"
    assert wire.get_write_buffer_size() == 0


async def test_who_is_closed_gets_what_was_written_and_hears_that_nothing_follows(ends: Ends):
    server, client = ends
    protocol = Told()
    wire = SecureWire(server, protocol)
    payload = bytes(3_000_000)
    wire.write(payload)
    wire.close()
    wire.write(b"never")
    assert await asyncio.to_thread(read, client) == payload
    assert await protocol.next() == "pause"
    assert await protocol.next() == "lost: None"


async def test_the_last_words_reach_who_is_not_heard_out(tmp_path: Path):
    make_certificates(tmp_path, ["lamp"])
    lamp = client_context(tmp_path / "ca.pem", tmp_path / "lamp.pem", tmp_path / "lamp.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    for each in (ours, theirs):
        each.setblocking(False)
    server = server_context(tmp_path).wrap_socket(ours, server_side=True, do_handshake_on_connect=False)
    client = lamp.wrap_socket(theirs, server_hostname="localhost", do_handshake_on_connect=False)
    await within(asyncio.gather(shake_hands(server), shake_hands(client)), WAIT)
    protocol = Told()
    wire = SecureWire(server, protocol)
    wire.pause_reading()
    for _ in range(8):
        client.send(bytes(10_000))
    wire.write(b"go")
    wire.close()
    assert await protocol.next() == "lost: None"
    assert await asyncio.to_thread(read, client) == b"go"
    assert await asyncio.to_thread(socket.socket.recv, client, 1) == b"", "the connection ends, and is not reset"
    client.close()


async def test_who_is_cut_off_hears_nothing(ends: Ends):
    server, client = ends
    protocol = Told()
    SecureWire(server, protocol).abort()
    assert await protocol.next() == "lost: None"
    with pytest.raises(ssl.SSLEOFError):
        await asyncio.to_thread(read, client)


async def test_what_comes_while_nobody_reads_comes_afterwards_in_order(ends: Ends):
    server, client = ends
    protocol = Told(stops=True)
    wire = SecureWire(server, protocol)
    client.send(b"a")
    assert await protocol.next() == b"a"
    assert not wire.is_reading()
    for each in (b"b", b"c"):
        client.send(each)
    wire.resume_reading()
    assert await protocol.next() == b"b"
    wire.resume_reading()
    assert await protocol.next() == b"c"


async def test_the_rest_of_a_record_comes_although_the_socket_says_nothing(ends: Ends, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.secure_wire.RECORD_BYTES", 4)
    server, client = ends
    protocol = Told(stops=True)
    wire = SecureWire(server, protocol)
    client.send(b"12345678")
    assert await protocol.next() == b"1234"
    protocol.stops = False
    wire.resume_reading()
    assert await protocol.next() == b"5678"


async def test_a_peer_that_closes_is_gone(ends: Ends):
    server, client = ends
    protocol = Told()
    SecureWire(server, protocol)
    client.close()
    assert await protocol.next() == "lost: None"
