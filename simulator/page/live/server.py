"""The live page over HTTP: its files, the stream of what it shows, and the orders of who presses its buttons.

    http://127.0.0.1:PORT/TOKEN/          the page, and beside it the files that it is made of
                         /TOKEN/stream    server-sent events: `whole`, then `news`, as the picture has them
                         /TOKEN/orders    POST: an Order as JSON; {"said": …}, or 4xx with {"why": …}

Whoever has the address may look and press, nobody else may (see `simulator.page.live.admission`). What anybody can send
or leave unread is bounded.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from importlib.resources.abc import Traversable
from typing import Any, Final, Self, cast

from aiohttp import web
from pydantic import ValidationError

from agent.errors import InputError
from agent.log import get_logger
from agent.wording import first_wrong
from simulator.own_fault import in_words
from simulator.page.live.admission import ANYWHERE, below, from_elsewhere, new_token, stranger
from simulator.page.live.lookers import Lookers
from simulator.page.offline import PAGE, STATIC
from simulator.page.orders import Controls, Order, Refused
from simulator.page.picture import Picture

LOOPBACK: Final = "127.0.0.1"
LARGEST_ORDER: Final = 4096
"""Bytes."""
BODY_SECONDS: Final = 10.0
HEAD_SECONDS: Final = 30.0
"""From the connection's start, or the end of the last answer, until the head of a request is there."""
LINGER_SECONDS: Final = 1.0
"""For so long a body that nobody wants is read after the answer, so that its sender hears that."""
UNREAD_SECONDS: Final = 30.0
"""How long a part of what is sent may stay unread; then the connection ends."""
PART: Final = 1 << 16
"""Bytes that are given to a connection at once."""
STRANGERS: Final = 64
"""So many connections may be open that have not shown the token; then the first of them is cut off."""
CONNECTIONS: Final = 512
"""So many may be open at all."""
ORDERS: Final = 8
"""So many may be under way."""
ORDER_SECONDS: Final = 60.0
"""So long whoever pressed a button waits for what is said."""
TYPES: Final[Mapping[str, str]] = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing leaves, and nobody else's page has this one inside; only drawing needs styles of its own."""
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Answer(Exception):  # noqa: N818 - an answer that is none of the page
    """A status, and a sentence that says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class PageServer:
    """Serves the page as long as this context lasts; at its end, whoever looks is told how it was in the end.

    `controls` carry out orders; None: nothing can be pressed. `host` is what is bound to, and `port` 0 any free one.
    `token` is for tests. Raises InputError if that cannot be had.
    """

    def __init__(
        self,
        picture: Picture,
        controls: Controls | None = None,
        host: str = LOOPBACK,
        port: int = 0,
        *,
        token: str | None = None,
        static: Traversable = STATIC,
    ) -> None:
        self.controls = controls
        self._host, self._port = host, port
        self._token = token or new_token()
        self._files = dict(_files(static, ""))
        self._lookers = Lookers(picture, self._offer)
        self._names = frozenset({"localhost", host.lower().strip("[]")})
        if host in ANYWHERE:
            self._names |= {socket.gethostname().lower()}
        self._stack = AsyncExitStack()
        self._orders: set[asyncio.Task[str]] = set()

    async def __aenter__(self) -> Self:
        address = await self._address()
        async with AsyncExitStack() as stack:
            runner = web.ServerRunner(_Server(self._answer), shutdown_timeout=1.0)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            try:
                await web.TCPSite(runner, address, self._port).start()
            except OSError as error:
                why = error.strerror or str(error)
                raise InputError(f"--page: cannot listen on {self._host} port {self._port}: {why}") from None
            self._port = runner.addresses[0][1]
            stack.push_async_callback(self._lookers.close)
            telling = asyncio.create_task(self._lookers.keep_telling())
            stack.push_async_callback(ended, telling)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.controls = None
        await ended(*self._orders)
        await self._stack.aclose()

    async def _address(self) -> str:
        """The one that the host's name stands for: a port that is free is so at one address."""
        if self._host in ANYWHERE:
            return self._host or "0.0.0.0"  # noqa: S104 - asked for by name
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._host.strip("[]"), self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise InputError(f"--page-host {self._host}: {why}") from None
        return str(found[0][4][0])

    # ── who uses it ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def url(self) -> str:
        """The page's address. Whoever has it may look and press."""
        host = socket.gethostname() if self._host in ANYWHERE else self._host.strip("[]")
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}/{self._token}/"

    @property
    def is_open_to_others(self) -> bool:
        """Whether other machines can reach it."""
        return not (self._host in ("localhost", "::1") or self._host.startswith("127."))

    @property
    def looked_at(self) -> asyncio.Event:
        """Set while anybody looks."""
        return self._lookers.are_there

    def show(self, picture: Picture) -> None:
        """From now on, that picture instead."""
        self._lookers.show(picture)

    def _offer(self) -> None:
        self._lookers.picture.offered(None if self.controls is None else self.controls.offered())

    # ── what is asked ─────────────────────────────────────────────────────────────────────────────────────────

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._answer_for(request, self._admitted(request))
        except _Answer as answer:
            return _told(request, answer.status, answer.why)

    def _admitted(self, request: web.BaseRequest) -> str:
        """What is asked for, below the token. Raises _Answer."""
        hosts = request.headers.getall("Host", [])
        if (why := stranger(hosts, self._names)) is not None:
            raise _Answer(403, why)
        path = below(self._token, request.raw_path.partition("?")[0])
        if path is None:
            raise _Answer(404, "the address of the page has a secret in it: take all of what ghostjob printed")
        if (why := from_elsewhere(request.headers, hosts[0])) is not None:
            raise _Answer(403, why)
        cast("_Connection", request.protocol).is_known()
        return path

    async def _answer_for(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        if path == "orders":
            _check_method(request, "POST")
            return web.json_response({"said": await self._carry_out(request)}, headers=HEADERS)
        _check_method(request, "GET", "HEAD")
        if path == "stream":
            return await self._stream(request)
        if path == "/":
            return web.Response(status=308, headers={**HEADERS, "Location": f"/{self._token}/"})
        if (file := self._files.get(path or PAGE)) is None:
            raise _Answer(404, "the page has no such part")
        body, kind = file
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)

    # ── the stream ────────────────────────────────────────────────────────────────────────────────────────────

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        looker = self._lookers.join()
        if looker is None:
            raise _Answer(503, "as many look at the page as may")
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            while (told := await looker.next()) is not None:
                await _send(response, told)
        except (ConnectionError, TimeoutError):
            response.force_close()
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._lookers.leave(looker)
        return response

    # ── orders ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _carry_out(self, request: web.BaseRequest) -> str:
        """What was done. Raises _Answer."""
        order = _order(await _body(request))
        if self.controls is None:
            raise _Answer(409, "there is nothing to press here any more")
        if len(self._orders) >= ORDERS:
            raise _Answer(429, "too much is being done already: wait for it")
        task = asyncio.create_task(self.controls.carry_out(order))
        self._orders.add(task)
        task.add_done_callback(self._carried_out)
        try:
            # Whoever pressed may leave: what was asked for is done all the same.
            async with asyncio.timeout(ORDER_SECONDS):
                return await asyncio.shield(task)
        except Refused as refused:
            raise _Answer(409, str(refused)) from None
        except TimeoutError:
            raise _Answer(504, f"it is not done after {ORDER_SECONDS:g} s") from None
        except asyncio.CancelledError:
            if task.cancelled():
                raise _Answer(409, "it ended before that was done") from None
            raise
        except Exception:  # told in the log, with where it happened
            raise _Answer(500, f"{order.do}: a fault of ghostjob's own, which its log tells") from None

    def _carried_out(self, task: asyncio.Task[str]) -> None:
        self._orders.discard(task)
        if task.cancelled() or (error := task.exception()) is None or isinstance(error, Refused):
            return
        get_logger("ghostjob.page").error("order.failed", why=in_words(error, "an order"))


class _Server(web.Server):
    """aiohttp's low-level server, which knows its connections that have not shown the token."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        super().__init__(handler, handler_cancellation=True)
        self.strangers: dict[_Connection, None] = {}

    def __call__(self) -> web.RequestHandler:
        """A new connection."""
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=cast("Any", None),
            auto_decompress=False,
            keepalive_timeout=HEAD_SECONDS,
            lingering_time=LINGER_SECONDS,
        )


class _Connection(web.RequestHandler):
    """One of too many is cut off: the first that has not shown the token, if there is one."""

    __slots__ = ("_server",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        super().connection_made(transport)
        self._server = cast("_Server", self._manager)
        strangers = self._server.strangers
        strangers[self] = None
        if len(strangers) > STRANGERS:
            next(iter(strangers)).cut_off()
        elif len(self._server.connections) > CONNECTIONS:
            self.cut_off()

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is closed."""
        self.is_known()
        super().connection_lost(exc)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What is no HTTP ends the connection, after an answer, and is no line of the log; who has left gets none."""
        if isinstance(exc, ConnectionError) or self._manager is None:
            self.force_close()
            return web.Response()
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        return _told(request, 400, "this is no HTTP")

    def is_known(self) -> None:
        """It has shown the token."""
        self._server.strangers.pop(self, None)

    def cut_off(self) -> None:
        """Close, and forget what is unread."""
        self.is_known()
        if self.transport is not None:
            self.transport.abort()


async def ended(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel them, and wait until they are over, however they end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _files(static: Traversable, under: str) -> "list[tuple[str, tuple[bytes, str]]]":
    """The page's files by their paths, with their types: nothing else is served."""
    found: list[tuple[str, tuple[bytes, str]]] = []
    for each in static.iterdir():
        if each.is_dir():
            found += _files(each, f"{under}{each.name}/")
        elif (kind := TYPES.get(each.name.rpartition(".")[2])) is not None:
            found.append((under + each.name, (each.read_bytes(), kind)))
    return found


def _check_method(request: web.BaseRequest, *methods: str) -> None:
    if request.method not in methods:
        raise _Answer(405, f"this takes {' and '.join(methods)}")


def _told(request: web.BaseRequest, status: int, why: str) -> web.Response:
    """Why not, for people and for the page."""
    why = f"{why.rstrip('.')}."
    if request.method == "POST":
        response = web.json_response({"why": why}, status=status, headers=HEADERS)
    else:
        response = web.Response(text=f"{why}\n", status=status, headers=HEADERS)
    response.force_close()
    return response


async def _send(response: web.StreamResponse, told: bytes) -> None:
    """Part by part, each once there is room for it, so that no connection holds more. Raises TimeoutError."""
    for start in range(0, len(told), PART):
        async with asyncio.timeout(UNREAD_SECONDS):
            await response.write(told[start : start + PART])


async def _body(request: web.BaseRequest) -> bytes:
    """All of it. Raises _Answer."""
    if request.content_type != "application/json":
        raise _Answer(415, "an order is JSON, and says so: Content-Type: application/json")
    too_large = _Answer(413, f"an order has up to {LARGEST_ORDER} bytes")
    if (request.content_length or 0) > LARGEST_ORDER:
        raise too_large
    body = bytearray()
    with suppress(web.RequestPayloadError):
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while chunk := await request.content.read(LARGEST_ORDER + 1 - len(body)):
                    body += chunk
                    if len(body) > LARGEST_ORDER:
                        raise too_large
        except TimeoutError:
            raise _Answer(408, f"the order was not there after {BODY_SECONDS:g} s") from None
        return bytes(body)
    raise _Answer(400, "the order is not what its headers say")


def _order(body: bytes) -> Order:
    """What is asked for. Raises _Answer."""
    try:
        return Order.model_validate_json(body)
    except ValidationError as error:
        raise _Answer(400, f"this is no order: {first_wrong(error)}") from None
