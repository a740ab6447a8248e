"""HTTP as bytes: a client that sends whatever it is told to, and says exactly what came back, or that nothing did."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

from tests.within import within

PATIENCE_SECONDS: Final = 20.0
"""How long an answer may take on a busy machine."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class NoAnswerError(Exception):
    """The connection ended, or nothing came for PATIENCE_SECONDS."""


class Wire:
    """Requests to one port, one after the other, on one connection for as long as the server keeps it."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, raw: bytes, method: str = "GET") -> Answer:
        """Send a whole request, and read the answer to it. Raises NoAnswerError."""
        try:
            return await within(self._ask(raw, method), PATIENCE_SECONDS)
        except (
            TimeoutError,
            ConnectionError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ValueError,
        ) as error:
            self.close()
            raise NoAnswerError(f"{type(error).__name__}: {error}") from None

    async def _ask(self, raw: bytes, method: str) -> Answer:
        if self._streams is not None and (self._streams[0].at_eof() or self._streams[1].is_closing()):
            self.close()
        if self._streams is None:
            named = {} if self._tls is None else {"server_hostname": "localhost"}
            self._streams = await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=1 << 22, **named)
        reader, writer = self._streams
        writer.write(raw)
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split()[1])
        if status == 101:
            self.close()
            return Answer(status, headers, b"")
        body = b""
        if method != "HEAD" and status not in (204, 304):
            if headers.get("transfer-encoding") == "chunked":
                body = await self._chunks(reader)
            else:
                body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection", "").lower() == "close" or first.startswith("HTTP/1.0"):
            self.close()
        return Answer(status, headers, body)

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
        return body

    def close(self) -> None:
        """Begin anew with the next request."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
