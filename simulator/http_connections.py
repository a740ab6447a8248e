"""A fleet's connections without MQTT: the Jobs data plane over HTTPS, with each device's own certificate.

    GET  /things/T/jobs             GetPending
    PUT  /things/T/jobs/$next       StartNext
    GET  /things/T/jobs/J           Describe, of $next too
    POST /things/T/jobs/J           Update

A response is handed on as the message that would say the same over MQTT, so that a device reads one format. What HTTP
does not say, the time and the token, is filled in: no time, and the token of the request on whose connection it came.
There are no notifications. A device counts as connected once its first request was answered, and as disconnected when
one was not.
"""

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, assert_never
from urllib.parse import quote

import aiohttp

from agent.messages import write_request
from agent.runner import Listener
from agent.topics import request_topic
from agent.values import Describe, ErrorCode, GetPending, Request, StartNext, Update
from simulator.scenario import Group, thing_of_agent

ANSWER_LIMIT_SECONDS: Final = 10.0
LONGEST_ANSWER_BYTES: Final = 1 << 20
AGAIN_SECONDS: Final = 0.5
"""Between two tries to reach the service."""
CODES: Final = {
    "InvalidRequestException": ErrorCode.INVALID_REQUEST,
    "ResourceNotFoundException": ErrorCode.RESOURCE_NOT_FOUND,
    "InvalidStateTransitionException": ErrorCode.INVALID_STATE_TRANSITION,
    "TerminalStateException": ErrorCode.TERMINAL_STATE_REACHED,
    "ThrottlingException": ErrorCode.REQUEST_THROTTLED,
}
"""What refuses has another name over MQTT; whatever is not here is the service's own trouble."""


class HttpConnections:
    """See `simulator.engines.fleet.Connections`. `tls_of` gives each thing its certificate."""

    def __init__(self, host: str, port: int, tls_of: Callable[[str], ssl.SSLContext]) -> None:
        self._url = f"https://{f'[{host}]' if ':' in host else host}:{port}"
        self._tls_of = tls_of
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        limit = aiohttp.ClientTimeout(total=ANSWER_LIMIT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    def clock(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time()

    @property
    def running_time(self) -> None:
        """The loop's own time."""

    def transport(self, thing: str, group: Group) -> "HttpTransport":
        """What one boot of one device asks through."""
        thing = thing_of_agent(thing)
        return HttpTransport(thing, group.namespace, self._url, self._session, self._tls_of(thing))


@dataclass(frozen=True, slots=True)
class _Call:
    """One HTTP request."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any] | None


class HttpTransport:
    """One device's requests, one after the other; see `agent.runner.Transport`."""

    def __init__(
        self, thing: str, namespace_id: str | None, url: str, session: aiohttp.ClientSession, tls: ssl.SSLContext
    ) -> None:
        self._thing = thing
        self._namespace_id = namespace_id
        self._url = url
        self._session = session
        self._tls = tls
        self._requests: asyncio.Queue[Request] = asyncio.Queue()
        self._working: asyncio.Task[None] | None = None
        self._offline_until = 0.0

    def start(self, listener: Listener) -> None:
        """Reach the service, and stay so."""
        self._working = asyncio.get_running_loop().create_task(self._work(listener))

    def send(self, request: Request) -> None:
        """Ask, once what was asked before is answered."""
        self._requests.put_nowait(request)

    async def stop(self) -> None:
        """Ask nothing more."""
        self.cut()
        if self._working is not None:
            await asyncio.gather(self._working, return_exceptions=True)

    def cut(self) -> None:
        """Vanish."""
        if self._working is not None:
            self._working.cancel()

    def interrupt(self, seconds: float) -> None:
        """Lose the network for so long."""
        self._offline_until = asyncio.get_running_loop().time() + seconds

    async def _work(self, listener: Listener) -> None:
        while True:
            await self._reach()
            self._requests = asyncio.Queue()
            listener.on_connected(session_present=False)
            try:
                while True:
                    request = await self._requests.get()
                    topic, payload = await self._ask(request)
                    listener.on_message(topic, payload)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                listener.on_disconnected(str(error) or type(error).__name__, AGAIN_SECONDS)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _reach(self) -> None:
        """Wait until the service answers."""
        while True:
            try:
                await self._ask(GetPending(None, self._namespace_id))
            except (aiohttp.ClientError, OSError, ValueError):
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    async def _ask(self, request: Request) -> tuple[str, bytes]:
        """Topic and payload of the message that says the same. Raises OSError, ClientError, ValueError."""
        if asyncio.get_running_loop().time() < self._offline_until:
            raise ConnectionError("no network")
        call = _call(self._thing, request)
        async with self._session.request(
            call.method, self._url + call.path, params=call.query, json=call.body, ssl=self._tls
        ) as response:
            told = json.loads(await response.content.read(LONGEST_ANSWER_BYTES) or b"{}")
            kind = response.headers.get("x-amzn-errortype", "").partition(":")[0]
        if not isinstance(told, dict):
            raise ValueError("an answer that is no object")
        return _message(self._thing, request, response.ok, kind, told)


def _call(thing: str, request: Request) -> _Call:
    things = f"/things/{quote(thing, safe='')}/jobs"
    query = {} if request.namespace_id is None else {"namespaceId": request.namespace_id}
    body: dict[str, Any] = {k: v for k, v in json.loads(write_request(request)).items() if k != "clientToken"}
    match request:
        case GetPending():
            return _Call("GET", things, query, None)
        case StartNext():
            return _Call("PUT", f"{things}/$next", query, body)
        case Describe():
            asked = {name: str(value).lower() for name, value in body.items()}
            return _Call("GET", f"{things}/{request.job_id}", query | asked, None)
        case Update():
            return _Call("POST", f"{things}/{request.job_id}", query, body)
        case _:
            assert_never(request)


def _message(thing: str, request: Request, ok: bool, kind: str, told: dict[str, Any]) -> tuple[str, bytes]:
    common = {"timestamp": 0} | ({} if request.client_token is None else {"clientToken": request.client_token})
    topic = request_topic(thing, request)
    if not ok:
        code = CODES.get(kind, ErrorCode.INTERNAL_ERROR)
        refused = {"code": code.value, "message": str(told.get("message", ""))}
        return f"{topic}/rejected", json.dumps(refused | common).encode()
    for holder in (told, told.get("execution")):
        if isinstance(holder, dict) and isinstance(holder.get("jobDocument"), str):
            holder["jobDocument"] = json.loads(holder["jobDocument"])
    return f"{topic}/accepted", json.dumps(told | common).encode()
