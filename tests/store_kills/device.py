"""A device: one MQTT connection, nothing between it and the bytes, and everything that it hears written down."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from tests.store_kills.facts import Fact
from tests.store_kills.ledger import Ledger

CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9
MAIL = "mail"
Packet = tuple[int, int, bytes]


class Lost(Exception):  # noqa: N818 - it says what the connection is
    """The connection is no more: whether what was asked happened, nobody knows."""


def _packet(first: int, body: bytes) -> bytes:
    length = bytes((len(body),)) if len(body) < 128 else bytes((len(body) & 127 | 128, len(body) >> 7))
    return bytes((first,)) + length + body


def _text(value: str) -> bytes:
    return len(value).to_bytes(2, "big") + value.encode()


def _connect(name: str, *, is_clean: bool) -> bytes:
    return _packet(0x10, _text("MQTT") + bytes((4, 2 if is_clean else 0)) + (1200).to_bytes(2, "big") + _text(name))


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
        self.was_present = False
        self._qos = qos
        self._reader, self._writer = ends
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[tuple[bool, dict[str, Any]]]] = {}
        self._acknowledged: dict[int, asyncio.Future[None]] = {}
        self._is_lost = False

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, thing: str, qos: int, ledger: Ledger, address: str, *, name: str | None = None, mail: bool = False
    ) -> AsyncIterator["Device"]:
        """On line while the context lasts; with `mail`, in a session that lasts, and for mail only. Raises Lost."""
        host, _, port = address.rpartition(":")
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            raise Lost from None
        device = cls(name or thing, thing, qos, ledger, (reader, writer))
        listening = None
        try:
            writer.write(_connect(device.name, is_clean=not mail))
            device.was_present = await device._connack()
            listening = asyncio.create_task(device._listen())
            topics = (f"$aws/things/{thing}/jobs/notify", f"$aws/things/{thing}/jobs/notify-next")
            await device._subscribe(*((MAIL,) if mail else topics))
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
        self.check()
        if self._qos:
            await self._sent(number, _packet(0x32, name + number.to_bytes(2, "big") + payload))
        else:
            self._writer.write(_packet(0x30, name + payload))
        found = await answer
        self.ledger.answers += 1
        return found

    def check(self) -> None:
        """Raises Lost if it is."""
        if self._is_lost:
            raise Lost

    async def send_mail(self, number: int) -> None:
        """Have a message acknowledged. Raises Lost."""
        will_be_kept = self.ledger.has_mailbox
        await self._publish(MAIL, str(number).encode())
        if will_be_kept:
            self.ledger.mail_acknowledged.add(number)

    async def retain(self, topic: str, text: str | None) -> None:
        """Have a message kept for whoever comes later, or what is kept forgotten. Raises Lost."""
        fact = self.ledger.facts.setdefault(topic, Fact())
        fact.asked, fact.is_asked = text, True
        await self._publish(topic, (text or "").encode(), flags=0x33)
        fact.told, fact.is_asked = text, False

    async def _publish(self, topic: str, payload: bytes, flags: int = 0x32) -> None:
        """With QoS 1. Raises Lost."""
        number = next(self._numbers)
        await self._sent(number, _packet(flags, _text(topic) + number.to_bytes(2, "big") + payload))

    async def _subscribe(self, *topics: str) -> None:
        number = next(self._numbers)
        filters = b"".join(_text(topic) + b"\x01" for topic in topics)
        await self._sent(number, _packet(0x82, number.to_bytes(2, "big") + filters))

    async def _sent(self, number: int, raw: bytes) -> None:
        self.check()
        acknowledged = self._acknowledged[number] = asyncio.get_running_loop().create_future()
        self._writer.write(raw)
        await acknowledged

    async def _connack(self) -> bool:
        """Whether the session was there."""
        found, _, body = await self._next()
        assert found == CONNACK, found
        return bool(body[0])

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
                if kind in (PUBACK, SUBACK):
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
        if topic == MAIL:
            self.ledger.mail_read.add(int(told))
            self.news.set()
            return
        message = json.loads(told)
        if topic.endswith(("/accepted", "/rejected")):
            self._answers.pop(message["clientToken"]).set_result((topic.endswith("/accepted"), message))
            return
        if topic.endswith("/notify"):
            self.ledger.told_list(self.thing, message["jobs"])
        else:
            self.ledger.told_execution(self.thing, message.get("execution"))
        self.news.set()
