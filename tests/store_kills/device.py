"""A device: one MQTT connection, nothing between it and the bytes, and everything that it hears written down."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from tests.bench.load import connect_packet
from tests.store_kills.ledger import Ledger

CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9
Packet = tuple[int, int, bytes]


class Lost(Exception):  # noqa: N818 - it says what the connection is
    """The connection is no more: whether what was asked happened, nobody knows."""


def _packet(first: int, body: bytes) -> bytes:
    length = bytes((len(body),)) if len(body) < 128 else bytes((len(body) & 127 | 128, len(body) >> 7))
    return bytes((first,)) + length + body


def _text(value: str) -> bytes:
    return len(value).to_bytes(2, "big") + value.encode()


class Device:
    """Asks with `qos`, one request after the other; with QoS 1 an answer counts once the PUBACK is there too.

    With another `name` than its thing it is a second device of it.
    """

    def __init__(
        self, name: str, thing: str, qos: int, ledger: Ledger, ends: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        self.name = name
        self.thing = thing
        self.ledger = ledger
        self.news = asyncio.Event()
        self._qos = qos
        self._reader, self._writer = ends
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[tuple[bool, dict[str, Any]]]] = {}
        self._acknowledged: dict[int, asyncio.Future[None]] = {}
        self._is_lost = False

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, thing: str, qos: int, ledger: Ledger, address: str, *, name: str | None = None
    ) -> AsyncIterator["Device"]:
        """On line while the context lasts. Raises Lost."""
        host, _, port = address.rpartition(":")
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            raise Lost from None
        device = cls(name or thing, thing, qos, ledger, (reader, writer))
        listening = None
        try:
            writer.write(connect_packet(device.name))
            await device._expect(CONNACK)
            topics = (f"$aws/things/{thing}/jobs/notify", f"$aws/things/{thing}/jobs/notify-next")
            writer.write(_packet(0x82, b"\x00\x01" + b"".join(_text(topic) + b"\x01" for topic in topics)))
            await device._expect(SUBACK)
            listening = asyncio.create_task(device._listen())
            yield device
        finally:
            writer.close()
            if listening is not None:
                await listening

    async def ask(self, topic: str, **body: Any) -> tuple[bool, dict[str, Any]]:
        """Whether the request was accepted, and the answer. Raises Lost."""
        number = next(self._numbers)
        token, loop = f"{self.name}-{number}", asyncio.get_running_loop()
        answer = self._answers[token] = loop.create_future()
        payload = json.dumps(body | {"clientToken": token}).encode()
        name = _text(f"$aws/things/{self.thing}/jobs/{topic}")
        if self._is_lost:
            raise Lost
        if self._qos:
            acknowledged = self._acknowledged[number] = loop.create_future()
            self._writer.write(_packet(0x32, name + number.to_bytes(2, "big") + payload))
            await acknowledged
        else:
            self._writer.write(_packet(0x30, name + payload))
        found = await answer
        self.ledger.answers += 1
        return found

    async def _expect(self, kind: int) -> None:
        found, _, _ = await self._next()
        assert found == kind, found

    async def _next(self) -> Packet:
        try:
            first, length = await self._reader.readexactly(2)
            if length & 128:
                length = length & 127 | (await self._reader.readexactly(1))[0] << 7
            return first >> 4, first & 15, await self._reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            raise Lost from None

    async def _listen(self) -> None:
        try:
            while True:
                kind, flags, body = await self._next()
                if kind == PUBACK:
                    self._acknowledged.pop(int.from_bytes(body[:2], "big")).set_result(None)
                elif kind == PUBLISH:
                    self._hear(flags >> 1 & 3, body)
        except Lost:
            self._is_lost = True
            self.news.set()
            for waiting in (*self._answers.values(), *self._acknowledged.values()):
                if not waiting.done():
                    waiting.set_exception(Lost())
                    waiting.exception()  # perhaps nobody waits for it any more

    def _hear(self, qos: int, body: bytes) -> None:
        end = 2 + int.from_bytes(body[:2], "big")
        topic, told = body[2:end].decode(), body[end:]
        if qos:
            self._writer.write(_packet(0x40, told[:2]))
            told = told[2:]
        message = json.loads(told)
        if topic.endswith(("/accepted", "/rejected")):
            self._answers.pop(message["clientToken"]).set_result((topic.endswith("/accepted"), message))
            return
        if topic.endswith("/notify"):
            self.ledger.told_list(self.thing, message["jobs"])
        else:
            self.ledger.told_execution(self.thing, message.get("execution"))
        self.news.set()
