"""A file on a real HTTP server on loopback, which behaves as well or as badly as a test wants."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Shelf:
    """One file and how it is served. `asked` is the Range header of each request so far, empty for the whole file.

    `cut_at`: how many bytes of the body come before the connection breaks, for as many requests as there are entries.
    `good_until`: a request that begins at or beyond that byte is refused for `stale` signatures.
    """

    body: bytes = bytes(range(256)) * 2000
    etag: str = '"v1"'
    knows_ranges: bool = True
    cut_at: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    leads_to: list[str] = field(default_factory=list)
    """Where requests are redirected to, for as many as there are entries."""
    refuses: set[str] = field(default_factory=set)
    says_length: bool = True
    says_range: bool = True
    """Whether an answer of a part says which."""
    has_range: bool = True
    """Whether a part can be had at all; 416 if not."""
    asked: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    held: asyncio.Event | None = None
    """Set when bytes have been sent, if the rest is to be held back until the client goes."""
    url: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    async def get(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.headers.get("Range", ""))
        self.signatures.append(signature := request.query.get("X-Amz-Signature", ""))
        if self.leads_to:
            return web.Response(status=302, headers={"Location": self.leads_to.pop(0)})
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return web.Response(status=status, headers={"Retry-After": "0"} if status == 503 else {})
        if signature in self.refuses:
            return web.Response(
                status=403, text="<Error><Code>AccessDenied</Code><Message>Request has expired</Message>"
            )
        start = self._start(request)
        if start > len(self.body) or (start and not self.has_range):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(self.body)}"})
        return await self._send(request, start)

    def _start(self, request: web.Request) -> int:
        if not self.knows_ranges or request.headers.get("If-Range", self.etag) != self.etag:
            return 0
        return request.http_range.start or 0

    async def _send(self, request: web.Request, start: int) -> web.StreamResponse:
        body, size = self.body[start:], len(self.body)
        response = web.StreamResponse(status=206 if start else 200, headers={"ETag": self.etag} if self.etag else {})
        if start and self.says_range:
            response.headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        if self.says_length:
            response.content_length = len(body)
        else:
            response.enable_chunked_encoding()
        await response.prepare(request)
        cut = self.cut_at.pop(0) if self.cut_at else None
        if cut is not None:
            await response.write(body[:cut])
            assert request.transport is not None
            request.transport.close()
        elif self.held is not None:
            await response.write(body[: len(body) // 2])
            self.held.set()
            await asyncio.Event().wait()
        else:
            await response.write(body)
            await response.write_eof()
        return response


@asynccontextmanager
async def served(shelf: Shelf) -> AsyncIterator[Shelf]:
    app = web.Application()
    app.router.add_get("/file", shelf.get)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    shelf.url = f"http://{host}:{port}/file"
    try:
        yield shelf
    finally:
        await runner.cleanup()
