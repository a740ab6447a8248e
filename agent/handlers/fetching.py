"""Fetching a file over HTTP: what is missing is asked for until all of it is there and is what the document says.

A range request asks for the rest, under If-Range, so that a server whose file has changed sends all of the new one; a
server that knows no ranges does so too. Without an ETag, and without a digest to check the whole against, nothing is
resumed.

A presigned URL that expired is refused with 403 (S3), 401, 410, or 400 saying so. The document is then asked for
again, since the service signs its URLs anew at each delivery, and the rest is fetched from the new one. A URL that is
refused again and again without a byte in between is no good, and the step fails.

The client follows no proxy variables of the environment, keeps no cookies, and asks for the bytes as they are. It
follows redirects only to where the document itself could have pointed, and never from https to http.
"""

import asyncio
import hashlib
import io
import os
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from agent.causes import Cause
from agent.handlers.files import Spot, read_json, write_json
from agent.handlers.handler import StaleDocumentError, StepError
from agent.handlers.process_table import boot_id
from agent.handlers.threads import settled
from agent.hosts import is_loopback
from agent.jitter import Jitter

CHUNK_BYTES: Final = 256 * 1024
CONNECT_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 30.0
FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 30.0
ATTEMPTS: Final = 8
"""How often in a row without a single byte."""
REFUSALS: Final = 3
REFUSED: Final = frozenset({401, 403, 410})
CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,19})-[0-9]{1,19}/([0-9]{1,19}|\*)")
"""Numbers of 63 bits: no file is longer."""
ETAG: Final = re.compile(r'"[\x21\x23-\x7e]{0,1024}"')
"""RFC 9110, 8.8.3, without the weak ones, which prove nothing, and without what a header cannot carry back."""
REDIRECTS: Final = 5
REDIRECTED: Final = frozenset({301, 302, 303, 307, 308})


class _PassingError(Exception):
    """The network, or the server for now."""

    def __init__(self, why: str, cause: Cause, after_seconds: float | None = None) -> None:
        super().__init__(why)
        self.cause = cause
        self.after_seconds = after_seconds


class _RefusedError(Exception):
    """This URL is not, or no longer, good for it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched where; `part` is what has come so far, a name beside the destination.

    `waiting` hears why it does not get on, each time that it is to be tried again.
    """

    url: str
    to: Spot
    part: str
    note: Path
    size: int | None
    sha256: str
    limit: int
    progress: Callable[[int], None]
    waiting: Callable[[Cause, str], None] = lambda cause, reason: None

    @property
    def have(self) -> int:
        """How many bytes have come so far."""
        found = self.to.find(self.part)
        return found.st_size if found is not None else 0

    def known(self) -> dict[str, Any]:
        """What was noted at the earlier attempts: etag, boot, refusals."""
        return read_json(self.note) or {}

    def learn(self, **news: Any) -> None:
        """Note it, durably, if it is new."""
        known = self.known()
        if known | news != known:
            write_json(self.note, known | news)


async def fetch(file: Wanted, jitter: Jitter) -> None:
    """Try until all of it is there and is what the document says. Raises StepError, StaleDocumentError, OSError."""
    failures, refusals, most = 0, int(file.known().get("refusals", 0)), file.have
    await asyncio.sleep(refusals * FIRST_WAIT_SECONDS)
    async with _session() as session:
        while True:
            try:
                await _attempt(session, file)
                return
            except _RefusedError as refused:
                # Counted on record: whoever begins this step again after a restart goes on counting.
                refusals = int(file.known().get("refusals", 0)) + 1
                file.learn(refusals=refusals)
                if refusals >= REFUSALS:
                    words = f"{_shown(file.url)}: {refused}, {refusals} times in a row"
                    raise StepError(words, Cause.ACCESS_DENIED) from None
                raise StaleDocumentError(f"{_shown(file.url)}: {refused}") from None
            except ValueError as error:  # also what is wrong with the encoding, or in the eyes of aiohttp and yarl
                words = f"{_shown(file.url)}: no name of a host, or no URL: {str(error)[:200]}"
                raise StepError(words, Cause.REFUSED_URL) from None
            except (_PassingError, aiohttp.ClientError, TimeoutError) as error:
                # More than ever came: what is thrown away and fetched again, for ever, gets nowhere.
                failures, most = (1, file.have) if file.have > most else (failures + 1, most)
                cause, words = _plainly(error)
                words = f"{_shown(file.url)}: {words}"
                if failures >= ATTEMPTS:
                    raise StepError(f"{words}, {failures} times in a row", cause) from None
                file.waiting(cause, words)
                wait = min(FIRST_WAIT_SECONDS * 2 ** (failures - 1), LONGEST_WAIT_SECONDS)
                asked = error.after_seconds if isinstance(error, _PassingError) else None
                await asyncio.sleep(wait * (1 + jitter.random()) / 2 if asked is None else asked)


@asynccontextmanager
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        headers={"Accept-Encoding": "identity", "User-Agent": "ghostjob"},
    ) as session:
        yield session


async def _attempt(session: aiohttp.ClientSession, file: Wanted) -> None:
    """One request for what is missing. Raises what _fetch knows how to deal with."""
    have, digest = await settled(_so_far, file)
    start = have
    if not have or have != file.size:
        headers = {"Range": f"bytes={have}-"} if have else {}
        if have and (etag := file.known().get("etag")):
            headers["If-Range"] = etag
        async with _answered(session, file, headers) as response:
            start, total = await _beginning(response, file, have)
            digest = digest if start == have else hashlib.sha256()
            if not start or start != total:
                await _receive(response, file, start, total, digest)
    _check(file, digest, resumed=start > 0)


@asynccontextmanager
async def _answered(
    session: aiohttp.ClientSession, file: Wanted, headers: dict[str, str]
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer behind all redirects, each looked at before it is followed. Raises StepError."""
    url = URL(file.url, encoded=True)
    for _ in range(REDIRECTS + 1):
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            if response.status not in REDIRECTED or "Location" not in response.headers:
                yield response
                return
            url = _led_on(url, response.headers["Location"], file.sha256)
    raise StepError(f"{_shown(file.url)}: redirected more than {REDIRECTS} times", Cause.REFUSED_URL)


def _led_on(url: URL, location: str, sha256: str) -> URL:
    """Where a redirect leads to. Raises StepError if nothing may be fetched from there."""
    try:
        there = url.join(URL(location))
    except ValueError as error:
        words = f"{_shown(str(url))}: redirected to {_shown(location)}: {error}"
        raise StepError(words, Cause.REFUSED_URL) from None
    if url.scheme == "https" and there.scheme == "http":
        raise StepError(f"{_shown(str(url))}: led from https to http", Cause.REFUSED_URL)
    usable(str(there), sha256)
    return there


def _so_far(file: Wanted) -> tuple[int, Any]:
    """How many bytes need not be fetched again, and their running digest.

    Without a digest in the document, only an ETag vouches for them, and for what a power cut left not even that.
    """
    known, digest = file.known(), hashlib.sha256()
    if not file.sha256 and not (known.get("etag") and known.get("boot") == boot_id()):
        return 0, digest
    if file.to.find(file.part) is None:
        return 0, digest
    with os.fdopen(file.to.open(file.part, os.O_RDONLY), "rb") as part:
        while chunk := part.read(1 << 20):
            digest.update(chunk)
        return part.tell(), digest


async def _beginning(response: aiohttp.ClientResponse, file: Wanted, have: int) -> tuple[int, int | None]:
    """At which byte this answer begins, and how many the file has; None if it does not say."""
    match response.status:
        case 200:
            start, total = 0, response.content_length
        case 206:
            found = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if found is None or int(found[1]) != have:
                file.to.remove(file.part)
                raise _PassingError("answered with another range than was asked for", Cause.BAD_ANSWER)
            start, total = have, None if found[2] == "*" else int(found[2])
        case 416 if response.headers.get("Content-Range") == f"bytes */{have}":
            start, total = have, have
        case 416:
            file.to.remove(file.part)
            raise _PassingError("has no such range", Cause.BAD_ANSWER)
        case status if status in REFUSED:
            raise _RefusedError(f"refused with HTTP {status}")
        case 400 if b"xpired" in await response.content.read(2048):
            raise _RefusedError("expired")
        case 408 | 425 | 429 | 500 | 502 | 503 | 504 as status:
            raise _PassingError(f"HTTP {status}", Cause.UNREACHABLE, _retry_after(response))
        case status:
            cause = Cause.NOT_FOUND if status == 404 else Cause.BAD_ANSWER
            raise StepError(f"{_shown(file.url)}: HTTP {status}", cause)
    if total is not None:
        _check_room(file, total, total - start)
    return start, total


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    told = response.headers.get("Retry-After", "")
    return min(float(told), LONGEST_WAIT_SECONDS) if told.isdecimal() else None


def _check_room(file: Wanted, total: int, missing: int) -> None:
    if file.size is not None and total != file.size:
        words = f"{_shown(file.url)}: has {total} bytes, and the document says {file.size}"
        raise StepError(words, Cause.WRONG_LENGTH)
    if total > file.limit:
        raise StepError(f"{total} bytes are more than the {file.limit} that this device takes", Cause.SPACE)
    disk = os.fstatvfs(file.to.directory)
    free = disk.f_bavail * disk.f_frsize
    if missing > free:
        raise StepError(f"the disk is full: {missing} bytes are to come, and {free} are free", Cause.SPACE)


async def _receive(response: aiohttp.ClientResponse, file: Wanted, start: int, total: int | None, digest: Any) -> None:
    """Write what comes, from byte `start` on. Raises OSError, aiohttp.ClientError."""
    etag = response.headers.get("ETag", "")
    file.learn(etag=etag if ETAG.fullmatch(etag) else "", boot=boot_id(), refusals=0)
    have = start
    with os.fdopen(file.to.open(file.part, os.O_WRONLY | os.O_CREAT), "wb", buffering=0) as part:
        part.truncate(start)
        part.seek(start)
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            have += len(chunk)
            if have > file.limit:
                words = f"{_shown(file.url)}: more than the {file.limit} bytes that were to come"
                raise StepError(words, Cause.WRONG_LENGTH if file.size is not None else Cause.SPACE)
            _write_all(part, chunk)
            digest.update(chunk)
            if total:
                file.progress(100 * have // total)
    if total is not None and have < total:
        raise _PassingError("broke off", Cause.BAD_ANSWER)


def _write_all(part: io.FileIO, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[part.write(view) or 0 :]


def _check(file: Wanted, digest: Any, *, resumed: bool) -> None:
    """Whether what has come is what the document says. Whatever was resumed is fetched once more from the start."""
    have = file.have
    if file.size is not None and have != file.size:
        wrong, cause = f"{have} bytes came, and the document says {file.size}", Cause.WRONG_LENGTH
    elif file.sha256 and digest.hexdigest() != file.sha256:
        wrong = f"its SHA-256 is {digest.hexdigest()}, and the document says {file.sha256}"
        cause = Cause.HASH_MISMATCH
    else:
        return
    file.to.remove(file.part)
    if resumed:
        raise _PassingError(wrong, cause, 0.0)
    raise StepError(f"{_shown(file.url)}: {wrong}", cause)


def _plainly(error: BaseException) -> tuple[Cause, str]:
    """What a passing error is called, and in words; the same for the same error, so that it can be told once."""
    match error:
        case _PassingError():
            return error.cause, str(error)
        case TimeoutError():
            return Cause.UNREACHABLE, "no answer in time"
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError():
            return Cause.BAD_ANSWER, "broke off" if isinstance(error, aiohttp.ClientPayloadError) else "no HTTP"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError() | ssl.SSLError():
            return Cause.UNTRUSTED, f"TLS: {error}"
        case aiohttp.ClientConnectorDNSError():
            return Cause.UNREACHABLE, "no such host"
        case aiohttp.ClientConnectorError(os_error=refused) if refused.errno:
            return Cause.UNREACHABLE, f"nobody answers: {os.strerror(refused.errno)}"
        case _:
            return Cause.UNREACHABLE, str(error) or type(error).__name__


def usable(url: str, sha256: str) -> str:
    """The URL, if it may be fetched from. Raises StepError."""
    if not url:
        raise StepError("the document names no url", Cause.REFUSED_URL)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise StepError(f"{_shown(url)}: {error}", Cause.REFUSED_URL) from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise StepError(f"{_shown(url)}: not a URL that a file can be fetched from", Cause.REFUSED_URL)
    if parts.scheme == "http" and not sha256 and not is_loopback(host):
        words = f"{_shown(url)}: http without a sha256 in the document proves nothing; use https"
        raise StepError(words, Cause.REFUSED_URL)
    return url


def _shown(url: str) -> str:
    """A URL for people and logs: a signature is nobody's business."""
    return url.partition("?")[0][:200]
