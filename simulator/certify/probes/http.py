"""`http:URL`: 200 says that the device is alive; the body's first line, or a JSON member of it, is the version.

    http://192.168.1.7/version    http://dut.local:8080/health#/firmware/version

A port that refuses the connection, or another status, says that the device is not up. Who is not reached, or does not
answer in time, may be cut off or slow, and who sends us elsewhere was the wrong one to ask: that could not be sampled.
Every sample has a connection of its own.
"""

import asyncio
import errno
import ssl
from typing import Final

import aiohttp
from yarl import URL

from agent.errors import InputError
from simulator.certify.probes.sample import (
    LIMIT_SECONDS,
    MOST_BYTES,
    Sample,
    Tell,
    dead,
    told,
    unsampled,
    with_pointer,
)

OK: Final = 200
ELSEWHERE: Final = range(300, 400)
"""Redirections: who was asked is up, and it was the wrong one."""
SCHEMES: Final = ("http", "https")


class HttpProbe:
    """Asks with GET. Raises InputError for what is no URL."""

    announces = False

    def __init__(self, text: str, url: str, limit_seconds: float = LIMIT_SECONDS) -> None:
        self.text = text
        before, self._pointer = with_pointer(url, f"--probe {text}")
        self._url = _url(text, before)
        self._limit_seconds = limit_seconds
        self._session: aiohttp.ClientSession | None = None

    def watch(self, tell: Tell) -> None:
        """A server can only be asked."""

    async def sample(self) -> Sample:
        """Ask once."""
        try:
            return await self._asked()
        except TimeoutError:
            return unsampled(f"{self._url} did not answer within {self._limit_seconds:g} s")
        except aiohttp.ClientConnectorCertificateError as error:
            return unsampled(f"its certificate is not trusted here: {error.certificate_error}")
        except aiohttp.ClientConnectorError as error:
            if error.os_error.errno == errno.ECONNREFUSED:
                return dead(f"{self._url} refuses the connection")
            return unsampled(f"{self._url} cannot be reached: {error.os_error.strerror or error}")
        except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
            return unsampled(f"{self._url} gave no whole answer: {str(error) or type(error).__name__}")

    async def close(self) -> None:
        """End its session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _asked(self) -> Sample:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None)  # ours counts, which is one for all of it
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                timeout=timeout,
                headers={"Accept-Encoding": "identity"},
                auto_decompress=False,  # who compresses all the same may mean to fill this memory
            )
        async with asyncio.timeout(self._limit_seconds), self._session.get(self._url, allow_redirects=False) as answer:
            if answer.status in ELSEWHERE:
                return unsampled(f"status {answer.status}, see {answer.headers.get('Location')}: name that URL")
            if answer.status != OK:
                return dead(f"status {answer.status}")
            return told(await _beginning(answer.content), self._pointer)


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    raw = bytearray()
    while len(raw) < MOST_BYTES and (part := await content.read(MOST_BYTES - len(raw))):
        raw += part
    return bytes(raw)


def _url(text: str, url: str) -> URL:
    try:
        found = URL(url)
        port = found.port
    except ValueError as error:
        raise InputError(f"--probe {text}: {error}") from None
    if found.scheme not in SCHEMES or not found.host or port is None:
        raise InputError(f"--probe {text}: no URL; write http://HOST:PORT/PATH, with #/MEMBER for a member of JSON")
    return found
