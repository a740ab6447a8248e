"""Brings a case to the cloud over a connection of its own, and sees what becomes of that."""

import asyncio
import base64
import ssl
import struct
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from socket import SO_LINGER, SOL_SOCKET
from typing import Final, Literal, TypeAlias, cast

from simulator.certificate_files import client_context
from simulator.cloud.mqtt.codec import frame
from simulator.cloud.mqtt.packets import Malformed
from tests.hostile.mutations import BYTE_LEVEL, Case, thing_of
from tests.hostile.victim import Victim
from tests.within import within

PINGREQ: Final = b"\xc0\0"
PINGRESP: Final = b"\xd0\0"
DISCONNECT: Final = b"\xe0\0"
PATIENCE_SECONDS: Final = 0.1
"""How long an answer is waited for where a half-closed connection cannot be had; then we hang up."""
CLOSED_SECONDS: Final = 20.0
"""Whoever has hung up is gone by then: the bound on what a connection may take, not a measure of speed."""
MOST_HEARD: Final = 1 << 20
FROM_SERVERS: Final = frozenset({2, 3, 4, 9, 11, 13, 14})
"""Packet types that a client of QoS 0 and 1 may hear."""

Outcome: TypeAlias = Literal["answered", "closed", "stuck", "unreadable", "unreachable"]
"""A PINGREQ after it was answered; the connection was ended; or it was neither; or what came was no MQTT."""


class Talk(asyncio.Protocol):
    """One connection: what was heard, and whether it is over."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once anything was heard, or it is over."""
        self._answered = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if not self.first.done():
            self.first.set_result(None)
        if len(self.heard) < MOST_HEARD:
            self.heard += data
            if not self._answered.is_set() and PINGRESP in self.heard:
                self._answered.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._answered.set()
        for each in (self.first, self.over):
            if not each.done():
                each.set_result(None)

    def hang_up(self) -> None:
        """Say that nothing more comes, and hear the rest, where that is possible."""
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        with suppress(OSError):  # the other end was faster
            self.transport.write_eof()

    async def answers(self, seconds: float) -> None:
        """Until a sign of life, the end, or so long."""
        with suppress(TimeoutError):
            await within(self._answered.wait(), seconds)

    async def ends(self, seconds: float) -> bool:
        """Whether it is over by then."""
        if not self.over.done():
            await asyncio.wait((self.over,), timeout=seconds)
        return self.over.done()


@dataclass(slots=True)
class Carriers:
    """To one victim."""

    victim: Victim
    _contexts: dict[str, ssl.SSLContext]
    _hello: bytes

    @classmethod
    def to(cls, victim: Victim) -> "Carriers":
        return cls(victim, {}, client_hello())

    async def bring(self, case: Case) -> Outcome:
        """Send it, ask for a sign of life, hang up, and wait for the end."""
        try:
            talk = await self._open(case)
        except (OSError, ssl.SSLError):
            return "unreachable"
        try:
            return await self._talk(case, talk)
        finally:
            talk.transport.abort()

    async def _talk(self, case: Case, talk: Talk) -> Outcome:
        for segment in self._framed(case):
            if talk.transport.is_closing():
                break
            talk.transport.write(segment)
            await asyncio.sleep(0)
        if case.aborts:
            reset(talk.transport)
        else:
            if case.carrier != "plain":
                await talk.answers(PATIENCE_SECONDS)
            if case.carrier == "websocket" and not talk.transport.is_closing():
                talk.transport.write(CLOSE_FRAME)
            talk.hang_up()
        if not await talk.ends(CLOSED_SECONDS):
            return "stuck"
        if case.carrier in ("plain", "tls") and not case.aborts and not is_readable(talk.heard):
            return "unreadable"
        return "answered" if PINGRESP in talk.heard else "closed"

    async def _open(self, case: Case) -> Talk:
        loop = asyncio.get_running_loop()
        if case.carrier in ("tls", "no-tls"):
            host, port = self.victim.address("mqtts")
            tls = self._tls(thing_of(case.number)) if case.carrier == "tls" else None
            name = "localhost" if tls else None
            return (await loop.create_connection(Talk, host, port, ssl=tls, server_hostname=name))[1]
        host, port = self.victim.address("mqtt" if case.carrier == "plain" else "api")
        return (await loop.create_connection(Talk, host, port))[1]

    def _tls(self, thing: str) -> ssl.SSLContext:
        if thing not in self._contexts:
            certs = self.victim.certs
            assert certs is not None, "cases with TLS need a cloud with TLS"
            self._contexts[thing] = client_context(certs / "ca.pem", certs / f"{thing}.pem", certs / f"{thing}.key")
        return self._contexts[thing]

    def _framed(self, case: Case) -> list[bytes]:
        """The segments as they go, with a PINGREQ at the end."""
        rng = Random(case.number)
        if case.carrier in ("plain", "tls"):
            return [*case.segments, PINGREQ]
        if case.carrier == "no-tls":
            return [rng.choice(BYTE_LEVEL)(rng, self._hello), *case.segments]
        head = upgrade(rng)
        if case.carrier == "no-http":
            head = rng.choice(BYTE_LEVEL)(rng, head)
        frames = [websocket_frame(rng, each) for each in (*case.segments, PINGREQ)]
        return [head, *frames, CLOSE_FRAME] if rng.random() < 0.2 else [head, *frames]


def is_readable(heard: bytes | bytearray) -> bool:
    """Whether it is packets of a server, one after the other; the last may be cut off."""
    offset = 0
    try:
        while found := frame(heard, offset, MOST_HEARD):
            first, _, offset = found
            if first >> 4 not in FROM_SERVERS:
                return False
    except Malformed:
        return False
    return True


def reset(transport: asyncio.BaseTransport) -> None:
    """End a connection with a RST, whatever is under way."""
    with suppress(OSError):  # it is over already
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    cast("asyncio.Transport", transport).abort()


def upgrade(rng: Random | None = None) -> bytes:
    """How a client begins MQTT over WebSocket."""
    key = base64.b64encode((rng or Random(0)).randbytes(16)).decode()
    return (
        "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    ).encode()


def websocket_header(size: int, opcode: int = 2, *, final: bool = True, reserved: int = 0) -> bytes:
    """Of a frame of a client's, with a mask of zeros (RFC 6455, 5.2)."""
    first = (0x80 if final else 0) | reserved << 4 | opcode
    if size < 126:
        said = bytes((0x80 | size,))
    elif size < 65536:
        said = b"\xfe" + size.to_bytes(2, "big")
    else:
        said = b"\xff" + size.to_bytes(8, "big")
    return bytes((first,)) + said + bytes(4)


CLOSE_FRAME: Final = websocket_header(2, 8) + (1000).to_bytes(2, "big")


def websocket_frame(rng: Random, raw: bytes, opcode: int = 2) -> bytes:
    """A frame, now and then with something wrong."""
    if rng.random() < 0.85:
        return websocket_header(len(raw), opcode) + raw
    return rng.choice(
        (
            websocket_header(len(raw), rng.randrange(16)) + raw,
            websocket_header(len(raw), opcode, reserved=rng.randrange(8)) + raw,
            websocket_header(len(raw), opcode, final=False) + raw + websocket_header(0, 0),
            websocket_header(len(raw) + rng.choice((1, 100, 1 << 20, 1 << 33)), opcode) + raw,
            bytes((0x82, len(raw) & 0x7F)) + raw,
            websocket_header(len(raw), 1) + raw,
            websocket_header(len(raw), 9) + raw,
        )
    )


def client_hello() -> bytes:
    """How a client begins TLS."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    talk = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        talk.do_handshake()
    return outgoing.read()
