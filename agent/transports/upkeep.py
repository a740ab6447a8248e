"""How a connection is kept up, whatever carries it: made, and made again when lost, later each time, until stopped."""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from agent.jitter import Jitter
from agent.transports import WireListener
from agent.transports.endpoint import CONNECT_LIMIT_SECONDS, Endpoint, plainly

FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 60.0
CONNECTS_AT_ONCE: Final = 64


class Shared:
    """What the connections of one loop share: the gate for connecting, the looked-up names, the clock.

    `patience_seconds` is how long each waits until it is connected and subscribed; None: as long as one alone does.
    `clock` is what interruptions are counted by; None: the loop's own time.
    """

    def __init__(
        self,
        rng: Jitter,
        connects_at_once: int = CONNECTS_AT_ONCE,
        patience_seconds: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.rng = rng
        self._clock = clock
        self._patience_seconds = patience_seconds
        self.gate = asyncio.Semaphore(connects_at_once)
        self._addresses: dict[tuple[str, int], asyncio.Task[Any]] = {}

    def now(self) -> float:
        """Seconds by the clock of interruptions."""
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

    @property
    def patience_seconds(self) -> float:
        """How long each waits until it is connected and subscribed."""
        return CONNECT_LIMIT_SECONDS if self._patience_seconds is None else self._patience_seconds

    async def resolve(self, host: str, port: int) -> tuple[int, Any]:
        """The address family and address of a name, looked up once. Raises OSError."""
        key = (host, port)
        if key not in self._addresses or self._failed(key):
            loop = asyncio.get_running_loop()
            self._addresses[key] = asyncio.ensure_future(loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        found = await asyncio.shield(self._addresses[key])
        family, _, _, _, address = found[0]
        return family, address

    def _failed(self, key: tuple[str, int]) -> bool:
        task = self._addresses[key]
        return task.done() and (task.cancelled() or task.exception() is not None)

    def forget(self) -> None:
        """Look nothing up any more."""
        for look_up in self._addresses.values():
            look_up.cancel()


class KeptUp(ABC):
    """One connection, kept up until it is stopped. Whoever carries it opens, closes, and says how it settles."""

    __slots__ = (
        "_dark_until",
        "_endpoint",
        "_is_dark",
        "_listener",
        "_lost",
        "_session_present",
        "_settled",
        "_shared",
        "_task",
    )

    def __init__(self, shared: Shared, endpoint: Endpoint) -> None:
        self._shared = shared
        self._endpoint = endpoint
        self._listener: WireListener | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled: asyncio.Future[str | None] | None = None
        """Done once it is subscribed, or refused: with why."""
        self._lost: asyncio.Future[str] | None = None
        self._session_present = False
        self._dark_until = 0.0
        self._is_dark = False

    # ── what carries it ───────────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    async def _open(self) -> None:
        """Open the socket, with TLS if there is any. Raises OSError."""

    @abstractmethod
    def _greet(self) -> None:
        """Send CONNECT over it; CONNACK is to be answered with SUBSCRIBE. Raises OSError."""

    @abstractmethod
    def _close(self) -> None:
        """Close what is open."""

    @abstractmethod
    def _take_leave(self) -> None:
        """Send DISCONNECT, and have it close."""

    # ── what a runner uses ────────────────────────────────────────────────────────────────────────────────────

    def start(self, listener: WireListener) -> None:
        """Connect, and connect again whenever the connection is lost."""
        self._listener = listener
        self._task = asyncio.get_running_loop().create_task(self._keep_up())

    async def stop(self) -> None:
        """Disconnect in good order, and stay so."""
        lost = self._lost
        if lost is not None and not lost.done():
            self._take_leave()
            await asyncio.wait({lost}, timeout=CONNECT_LIMIT_SECONDS)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._close()

    def cut(self) -> None:
        """Vanish, as by a power cut: the socket closes without a DISCONNECT."""
        self._listener = None
        if self._task is not None:
            self._task.cancel()
        self._close()

    def interrupt(self, seconds: float) -> None:
        """Lose the network for so long: the connection breaks, and is not made again before."""
        if self._lost is not None and not self._lost.done():
            self._is_dark = True  # from now on, and not only once the connection is closed
            self._dark_until = self._shared.now() + seconds
            self._lost.set_result("the network is gone")

    # ── keeping it up ─────────────────────────────────────────────────────────────────────────────────────────

    async def _keep_up(self) -> None:
        assert self._listener is not None
        shared, wait = self._shared, FIRST_WAIT_SECONDS
        while True:
            try:
                async with shared.gate, asyncio.timeout(shared.patience_seconds):
                    await self._connect()
                wait = FIRST_WAIT_SECONDS
                self._listener.on_connected(self._session_present)
                assert self._lost is not None
                reason = await self._lost
            except TimeoutError:
                reason = f"{self._endpoint}: no answer within {shared.patience_seconds:g} s"
            except (OSError, UnicodeError) as error:
                reason = f"{self._endpoint}: {plainly(error)}"
            self._close()
            self._lost, self._is_dark = None, False
            dark = self._dark_until - shared.now()
            again = dark if dark > 0 else wait + shared.rng.random() * wait
            self._listener.on_disconnected(reason, again)
            await asyncio.sleep(again)
            while (dark := self._dark_until - shared.now()) > 0:  # noqa: ASYNC110 - by another clock
                await asyncio.sleep(dark)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    async def _connect(self) -> None:
        """Open it, and wait for CONNACK and SUBACK. Raises OSError."""
        await self._open()
        loop = asyncio.get_running_loop()
        self._settled, self._lost = loop.create_future(), loop.create_future()
        self._greet()
        refused, self._settled = await self._settled, None
        if refused is not None:
            raise ConnectionRefusedError(refused)

    def _settle(self, refused: str | None) -> None:
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(refused)

    def _lose(self, reason: str) -> None:
        """It is gone, whether it had settled or not."""
        self._settle(reason)
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(reason)
