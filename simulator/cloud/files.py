"""The file server beside the control plane: what presigned URLs in job documents lead to, in the place of S3.

    DIRECTORY/BUCKET/KEY   is   API/-/files/BUCKET/KEY?X-Amz-Date=…&X-Amz-Expires=…&X-Amz-Signature=…

It serves whole files and ranges, and refuses as S3 does, in XML, what is not signed, has expired or is not there.
"""

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote
from xml.sax.saxutils import escape

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from simulator.cloud.buckets import file_of
from simulator.cloud.presigned import FileUrls
from simulator.cloud.refusals import Code, Notice, Tell, tell_nobody

PREFIX: Final = "/-/files/"


class FileServer:
    """Serves a directory to who has a URL; `clock` gives epoch seconds, `tell` gets a Notice of who gets no file."""

    def __init__(self, directory: Path, urls: FileUrls, clock: Callable[[], float], tell: Tell = tell_nobody) -> None:
        self._tell = tell
        self._directory = directory
        self._urls = urls
        self._clock = clock

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.method not in ("GET", "HEAD"):
            return _refused(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        path = request.raw_path.partition("?")[0].removeprefix(PREFIX)
        match self._urls.check(path, request.rel_url.query, self._clock()):
            case "forged":
                self._tell_of(request, path, "signature", "the signature of its URL does not match")
                return _refused(403, "SignatureDoesNotMatch", "The request signature does not match.")
            case "expired":
                self._tell_of(request, path, "signature", "its URL has expired; describe the job again for a fresh one")
                return _refused(403, "AccessDenied", "Request has expired")
            case "good":
                file = file_of(self._directory, unquote(path))
        if file is None:
            self._tell_of(request, path, "no-file", f"no such file below {self._directory}")
            return _refused(404, "NoSuchKey", "The specified key does not exist.")
        return _File(file)

    def _tell_of(self, request: web.BaseRequest, path: str, code: Code, why: str) -> None:
        self._tell(Notice(code, "http", f"{request.method} {path}", why, address=request.remote or ""))


class _File(web.FileResponse):
    """Sent in pieces, as on uvloop: where the kernel sends it, nobody notices a client that does not read."""

    async def _sendfile(self, request: web.BaseRequest, fobj: IO[Any], offset: int, count: int) -> AbstractStreamWriter:
        writer = await web.StreamResponse.prepare(self, request)
        assert writer is not None, "it was not prepared before"
        return await self._sendfile_fallback(writer, fobj, offset, count)


def _refused(status: int, code: str, message: str) -> web.Response:
    text = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'
    return web.Response(status=status, text=body, content_type="application/xml")
