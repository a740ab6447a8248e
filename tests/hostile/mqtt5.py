"""A bare MQTT 5 client over TLS that does one thing after the other, and says whether it was let."""

import asyncio
import ssl
from typing import Final

from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text

WAIT_SECONDS: Final = 20.0
NOT_AUTHORIZED: Final = 0x87


class Mqtt:
    """A version 5 client that does one thing after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.heard: list[bytes] = []

    @classmethod
    async def connect(cls, port: int, tls: ssl.SSLContext, client_id: str) -> "Mqtt | None":
        """Connected; None if it may not."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost")
            made = cls(reader, writer)
            writer.write(connect(5, rest=text(client_id)))
            if (await made._until(0x20))[1] == 0:
                return made
        except (ConnectionError, asyncio.IncompleteReadError):
            return None
        made.close()
        return None

    async def _packet(self) -> tuple[int, bytes]:
        first = (await self._reader.readexactly(1))[0]
        size, shift, byte = 0, 0, 0x80
        while byte & 0x80:
            byte = (await self._reader.readexactly(1))[0]
            size, shift = size | (byte & 0x7F) << shift, shift + 7
        return first, await self._reader.readexactly(size)

    async def _until(self, kind: int) -> bytes:
        """The body of the next packet of a kind; what was published meanwhile is heard."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                first, body = await self._packet()
                if first & 0xF0 == kind:
                    return body
                if first & 0xF0 == 0x30:
                    self.heard.append(body)

    async def publishes(self, topic: str, *, retain: bool) -> bool:
        """Whether it may."""
        self._writer.write(publish(topic, b"{}", qos=1, retain=int(retain)))
        body = await self._until(0x40)
        return len(body) < 3 or body[2] != NOT_AUTHORIZED

    async def subscribes(self, topic_filter: str) -> bool:
        """Whether it may."""
        self._writer.write(subscribe(topic_filter))
        return (await self._until(0x90))[-1] != NOT_AUTHORIZED

    async def hears(self) -> list[bytes]:
        """What has been delivered to it by now."""
        self.heard.clear()
        self._writer.write(b"\xc0\0")
        await self._until(0xD0)
        return list(self.heard)

    async def unsubscribes(self, topic_filter: str) -> None:
        """Have it no more."""
        body = b"\0\x0a\0" + text(topic_filter)
        self._writer.write(b"\xa2" + bytes((len(body),)) + body)
        await self._until(0xB0)

    def close(self) -> None:
        """Leave."""
        self._writer.close()
