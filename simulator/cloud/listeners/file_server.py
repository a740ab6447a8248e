"""The file server beside the control plane: what presigned URLs in job documents lead to, in the place of S3.

    DIRECTORY/BUCKET/KEY   is   API/-/files/BUCKET/KEY?X-Amz-Date=…&X-Amz-Expires=…&X-Amz-Signature=…

It serves whole files and ranges, and refuses as S3 does, in XML, what is not signed, has expired or is not there.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote
from xml.sax.saxutils import escape

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from simulator.cloud.api.gate import Bearer, Presigned, Served
from simulator.cloud.api.wire import Refusal
from simulator.cloud.notices.refusals import Code, Notice
from simulator.cloud.s3.buckets import file_of
from simulator.cloud.s3.presigned import FileUrls, UrlCheck

PREFIX: Final = "/-/files/"
UNTIL_SIGNED: Final[dict[UrlCheck, tuple[str, str, str]]] = {
    "forged": (
        "SignatureDoesNotMatch",
        "The request signature does not match.",
        "the signature of its URL does not match",
    ),
    "expired": ("AccessDenied", "Request has expired", "its URL has expired; describe the job again for a fresh one"),
}
"""S3's error, its message, and why, for a URL that lets nobody in."""


class NoFile(Refusal):
    """A refusal as S3 words it."""

    def response(self) -> web.Response:
        """XML."""
        text = f"<Error><Code>{self.name}</Code><Message>{escape(self.message)}</Message></Error>"
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'
        return web.Response(status=self.status, text=body, content_type="application/xml")


class FileServer:
    """Serves a directory to who has a URL. `urls` gives what signs them, None as long as nothing does; `clock` gives
    epoch seconds."""

    def __init__(self, directory: Path, urls: Callable[[], FileUrls | None], clock: Callable[[], float]) -> None:
        self._directory = directory
        self._urls = urls
        self._clock = clock
        self.route: Final = Presigned("files", PREFIX, self._check, self._turn_away, self._serve)

    def _check(self, path: str, query: Mapping[str, str]) -> UrlCheck:
        urls = self._urls()
        return "forged" if urls is None else urls.check(path, query, self._clock())

    def _turn_away(self, verdict: UrlCheck, request: web.BaseRequest) -> Refusal:
        name, message, why = UNTIL_SIGNED[verdict]
        return _told(request, "signature", why, NoFile(403, name, message))

    async def _serve(self, bearer: Bearer, request: web.BaseRequest) -> Served:
        if request.method not in ("GET", "HEAD"):
            raise NoFile(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        file = file_of(self._directory, unquote(bearer.path))
        if file is None:
            why = f"no such file below {self._directory}"
            raise _told(request, "no-file", why, NoFile(404, "NoSuchKey", "The specified key does not exist."))
        return _File(file), None


class _File(web.FileResponse):
    """Sent in pieces, as on uvloop: where the kernel sends it, nobody notices a client that does not read."""

    async def _sendfile(self, request: web.BaseRequest, fobj: IO[Any], offset: int, count: int) -> AbstractStreamWriter:
        writer = await web.StreamResponse.prepare(self, request)
        assert writer is not None, "it was not prepared before"
        return await self._sendfile_fallback(writer, fobj, offset, count)


def _told(request: web.BaseRequest, code: Code, why: str, refusal: Refusal) -> Refusal:
    path = request.raw_path.partition("?")[0].removeprefix(PREFIX)
    refusal.notice = Notice(code, "http", f"{request.method} {path}", why, address=request.remote or "")
    return refusal
