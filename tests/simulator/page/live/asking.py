"""Who asks a live page, byte by byte: a raw client, and what presses come to."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from simulator.page.live.server import PageServer
from simulator.page.orders import JobOffered, Offered, Order, Refused
from simulator.page.picture import Picture
from tests.within import within

TOKEN = "0123456789abcdef0123456789abcdef"
SECONDS = 10.0


class Pressed:
    """Controls that note what was pressed; `goes` holds them up until it is set."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.begun = asyncio.Event()
        self.goes = asyncio.Event()
        self.goes.set()

    def offered(self) -> Offered:
        return Offered(jobs=(JobOffered(job="fw", namespace=None, may=("force-delete",)),), also=("pause",))

    async def carry_out(self, order: Order) -> str:
        self.begun.set()
        await self.goes.wait()
        if order.job == "gone":
            raise Refused("gone is not there any more.")
        if order.job == "fault":
            raise ZeroDivisionError("a fault of ours")
        self.orders.append(order)
        return f"{order.do} {order.job}: done."


class Answer(NamedTuple):
    """Of one request."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Page:
    """A page that is served, and who asks it."""

    def __init__(self, server: PageServer, picture: Picture, controls: Pressed) -> None:
        self.server, self.picture, self.controls = server, picture, controls
        address = urlsplit(server.url)
        assert address.hostname
        assert address.port
        self.host, self.port = address.hostname, address.port
        self.authority = f"{self.host}:{self.port}"

    async def connect(self, *, keeps_little: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection, be it one that keeps little of what is not read yet."""
        made = socket.socket()
        if keeps_little:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, (self.host, self.port))
        return await asyncio.open_connection(sock=made, limit=1 << (16 if keeps_little else 24))

    async def ask(self, head: str, body: bytes = b"", **headers: str | None) -> Answer:
        """`head` is method and path; a header of None is left out."""
        reader, writer = await self.connect()
        writer.write(self.request(head, body, **headers))
        try:
            return await within(_answer(reader), SECONDS)
        finally:
            writer.close()

    def request(self, head: str, body: bytes = b"", **headers: str | None) -> bytes:
        """As bytes."""
        sent: dict[str, str | None] = {"Host": self.authority, "Connection": "close"}
        if head.startswith("POST"):
            sent |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{head} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items() if value is not None)]
        return "\r\n".join([*lines, "", ""]).encode() + body

    async def order(self, **members: Any) -> Answer:
        return await self.ask(f"POST /{TOKEN}/orders", json.dumps(members).encode())

    async def look(self, *, keeps_little: bool = False) -> "Look":
        """Somebody who looks."""
        reader, writer = await self.connect(keeps_little=keeps_little)
        writer.write(self.request(f"GET /{TOKEN}/stream", Connection="keep-alive"))
        status, headers = await within(_head(reader), SECONDS)
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        return Look(reader, writer)


class Look:
    """A stream that is read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._left = bytearray()

    async def next(self) -> tuple[str, Any]:
        """The next event: its name, and its data."""
        seen = 0
        while (end := self._left.find(b"\n\n", max(seen - 1, 0))) < 0:
            seen = len(self._left)
            if not (chunk := await self._chunk()):
                raise EOFError("the stream has ended")
            self._left += chunk
        event, self._left = bytes(self._left[:end]), self._left[end + 2 :]
        if event == b":":
            return await self.next()
        name, data = event.split(b"\n", 1)
        return name.removeprefix(b"event: ").decode(), json.loads(data.removeprefix(b"data: "))

    async def until(self, name: str, member: str, value: object) -> None:
        """Until an event of that name says so."""
        while True:
            came, data = await within(self.next(), SECONDS)
            if came == name and data.get(member) == value:
                return

    def leave(self) -> None:
        self._writer.transport.abort()

    async def _chunk(self) -> bytes:
        size = int(await within(self._reader.readline(), SECONDS) or b"0", 16)
        return (await self._reader.readexactly(size + 2))[:-2]


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[Page]:
    """A page of nothing yet."""
    picture, controls = Picture("main", "force delete in mid-write", "run"), Pressed()
    async with PageServer(picture, controls, token=TOKEN, **options) as server:
        yield Page(server, picture, controls)


async def _answer(reader: asyncio.StreamReader) -> Answer:
    status, headers = await _head(reader)
    return Answer(status, headers, await reader.read())


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if line)
    return int(lines[0].split()[1]), {name.lower(): value for name, value in headers.items()}
