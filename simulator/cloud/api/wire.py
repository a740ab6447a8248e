"""What every HTTP listener of the cloud does alike: it reads bodies within bounds, and answers in AWS's shapes."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from aiohttp import web

from simulator.cloud.api.errors import ApiError
from simulator.cloud.refusals import Notice, Tell, tell_nobody
from simulator.cloud.signatures import STATUS, SignatureRefused, SignedRequest

LARGEST_BODY: Final = 1 << 20
Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Refusal(Exception):  # noqa: N818 - it is an answer on its way
    """An answer that is no output: status, exception name, message and further members of the body.

    `receipt` is what to say when it was sent, `notice` what to tell the operator; None if nobody wants to know.
    """

    receipt: object = None
    notice: Notice | None = None

    def __init__(self, status: int, name: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message
        self.more = more

    @classmethod
    def of(cls, status: int, error: ApiError) -> "Refusal":
        """With the status that a model gives the error."""
        return cls(status, error.name, error.message, **error.more)

    @classmethod
    def of_signature(cls, refused: SignatureRefused) -> "Refusal":
        """With the status of all refusals of a signature."""
        return cls(STATUS, refused.name, refused.message)

    def response(self) -> web.Response:
        """As AWS sends it: the name in a header, where botocore looks for it."""
        return answer(self.status, {"message": self.message, **self.more}, **{"x-amzn-errortype": self.name})


def answer(status: int, body: Any, **headers: str) -> web.Response:
    """A JSON answer."""
    return web.Response(
        status=status, body=json.dumps(body).encode(), headers=headers or None, content_type="application/json"
    )


class Server(web.Server):
    """aiohttp's low-level server, with AWS's shape also for what is no HTTP, which `tell` gets a Notice of."""

    def __init__(self, handler: Handler, tell: Tell = tell_nobody) -> None:
        super().__init__(handler)
        self.tell = tell

    def __call__(self) -> web.RequestHandler:
        """A new connection. What has a Content-Encoding stays as it came: little of it may be much when unpacked."""
        loop = asyncio.get_running_loop()
        return _Connection(self, loop=loop, access_log=None, auto_decompress=False)  # type: ignore[arg-type]  # no log


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What aiohttp could not parse ends the connection, after an answer."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        why, hint = "the bytes are no well-formed HTTP", None
        if "MQTT" in f"{exc}{message}":
            hint = "this is MQTT: with TLS it is served on the MQTT ports, where x-amzn-http-ca in ALPN means HTTPS"
        assert isinstance(self._manager, Server), "it made this connection"
        self._manager.tell(Notice("not-http", "http", "", why, address=request.remote or "", hint=hint))
        response = Refusal(400, "InvalidRequestException", "The request is not well-formed HTTP.").response()
        response.force_close()
        return response


async def read(request: web.BaseRequest) -> SignedRequest:
    """The request as it stood on the wire, with its body. Raises Refusal."""
    too_large = Refusal(413, "RequestEntityTooLargeException", f"The body is larger than {LARGEST_BODY} bytes.")
    if (request.content_length or 0) > LARGEST_BODY:
        raise too_large
    body = b""
    try:
        while chunk := await request.content.read(LARGEST_BODY + 1 - len(body)):
            body += chunk
            if len(body) > LARGEST_BODY:
                raise too_large
    except web.RequestPayloadError:
        raise Refusal(400, "InvalidRequestException", "The body is not what its headers say.") from None
    return SignedRequest(request.method, request.raw_path, tuple(request.headers.items()), body)
