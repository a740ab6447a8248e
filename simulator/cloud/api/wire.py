"""What every HTTP listener of the cloud does alike: it reads within bounds of size and time, and answers as AWS does.

A client that is slow, or does not read its answer, is hung up on. One that leaves in the middle is nobody's fault.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, cast

from aiohttp import web

from simulator.cloud.access.signatures import STATUS, SignatureRefused, SignedRequest
from simulator.cloud.api.api_errors import ApiError
from simulator.cloud.notices.refusals import Notice, Tell, tell_nobody
from simulator.cloud.notices.strangers import Strangers

LARGEST_BODY: Final = 1 << 20
HEAD_SECONDS: Final = 30.0
"""From the connection's start, or the end of the last answer, until the whole head of a request is there."""
BODY_SECONDS: Final = 30.0
"""Until the whole body is there: 1 MiB in that time is a line of 280 kbit/s."""
LINGER_SECONDS: Final = 2.0
"""For so long a body that nobody wants is read after the answer, so that its sender hears that."""
UNREAD_SECONDS: Final = 30.0
"""How long a client may read nothing of what is sent, before it is cut off."""
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
        refusal = cls(status, error.name, error.message, **error.more)
        refusal.notice = error.notice
        return refusal

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
        self.strangers = Strangers()

    def __call__(self) -> web.RequestHandler:
        """A new connection. What has a Content-Encoding stays as it came: little of it may be much when unpacked."""
        loop = asyncio.get_running_loop()
        return _Connection(
            self,
            loop=loop,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=HEAD_SECONDS,
            lingering_time=LINGER_SECONDS,
        )

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - aiohttp's
        """Let requests under way end; after `timeout`, twice at most, every connection that is left is cut off."""
        left = self.connections
        await super().shutdown(timeout)
        for connection in left:
            assert isinstance(connection, _Connection), "it made them"
            connection.cut_off()


class _Connection(web.RequestHandler):
    """aiohttp limits how long it waits for a head. This adds how long it waits for who does not read.

    A WebSocket's is not its business: what speaks MQTT there knows keep-alives, and ends it.
    """

    __slots__ = ("_is_half", "_patience", "_wire")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._patience: asyncio.TimerHandle | None = None
        self._wire: asyncio.Transport | None = None
        self._is_half = False
        """Whether the last bytes that came are of a head that is not whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open. Once its requests are done with it is closed, which waits for what is unread."""
        super().connection_made(transport)
        self._wire = cast("asyncio.Transport", transport)
        assert isinstance(self._manager, Server), "it made this connection"
        self._manager.strangers.came(self, self.cut_off)
        assert self._task_handler is not None, "it was just begun"
        self._task_handler.add_done_callback(lambda _: self._be_patient())

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is closed."""
        if isinstance(self._manager, Server):
            self._manager.strangers.known(self)
        super().connection_lost(exc)
        self._wire = None
        self._stop_waiting()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        known = self._request_count
        super().data_received(data)
        if not known and self._request_count and isinstance(self._manager, Server):
            self._manager.strangers.known(self)
        if data:
            self._is_half = self._request_count == known and not self._request_in_progress

    def _process_keepalive(self) -> None:
        super()._process_keepalive()
        if self._force_close and self._is_half:
            self._tell(f"the head of a request was not there after {HEAD_SECONDS:g} s")

    def pause_writing(self) -> None:
        """Much is unread."""
        super().pause_writing()
        if not self._upgraded:
            self._be_patient()

    def resume_writing(self) -> None:
        """Most of it was read."""
        super().resume_writing()
        self._stop_waiting()

    def cut_off(self) -> None:
        """Close, and forget what is unread."""
        if self._wire is not None:
            self._wire.abort()

    def _be_patient(self) -> None:
        if self._wire is not None and self._patience is None:
            self._patience = self._loop.call_later(UNREAD_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._tell(f"of what was sent to it, it read nothing for {UNREAD_SECONDS:g} s")
        self.cut_off()

    def _tell(self, why: str) -> None:
        if isinstance(self._manager, Server):
            peer = None if self._wire is None else self._wire.get_extra_info("peername")
            self._manager.tell(Notice("http-timeout", "http", "", why, address=str(peer[0]) if peer else ""))

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What aiohttp could not parse ends the connection, after an answer; who has left gets none."""
        if isinstance(exc, ConnectionError) or self._manager is None:  # which it has until the connection is lost
            self.force_close()
            return web.Response()
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
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while chunk := await request.content.read(LARGEST_BODY + 1 - len(body)):
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise too_large
    except web.RequestPayloadError:
        raise Refusal(400, "InvalidRequestException", "The body is not what its headers say.") from None
    except TimeoutError:
        refusal = Refusal(408, "RequestTimeoutException", f"The body was not there after {BODY_SECONDS:g} seconds.")
        why, resource = f"its body was not there after {BODY_SECONDS:g} s", f"{request.method} {request.path}"
        refusal.notice = Notice("http-timeout", "http", resource, why, address=request.remote or "")
        raise refusal from None
    return SignedRequest(request.method, request.raw_path, tuple(request.headers.items()), bytes(body))
