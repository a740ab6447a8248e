"""A port: connections are accepted here, so that what becomes of each is known, and told.

An event loop's own server closes connections without a word once the process has no file descriptor left, and by then
nothing else of it can open a file either. Here some are kept back, and who is turned away for that is told of. Before
that, strangers have to go: who connected a while ago, and has not said yet what he wants.
"""

import asyncio
import errno
import socket
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, Self, TypeAlias

from simulator.cloud.notices.refusals import Notice, Tell
from simulator.cloud.notices.strangers import Strangers

ProtocolFactory: TypeAlias = Callable[[], asyncio.BaseProtocol]

PAUSE_SECONDS: Final = 0.5
"""When there are too many files open to take another connection, even to close it."""
AT_ONCE: Final = 16
"""Connections accepted before others have their turn; a whole fleet may come at once."""
KEPT_BACK: Final = 100
"""File descriptors that MQTT may not have: what else the process needs, and half of them for connections to its API."""
OPEN_ANYWAY: Final = 50
"""File descriptors that are open with nobody there: listeners, the loop's own, the state and the log; some twenty."""
KEPT_FOR_FILES: Final = 50
"""Those that connections to HTTP ports may not have: the store's, the log's and the trace's, and files being served."""


class Listener:
    """Accepts from sockets that listen, once it is `started`; `make` makes the protocol of each connection.

    `kept` file descriptors are not for connections; `tell` gets a Notice of who is turned away for want of others, or
    had to go.
    """

    strangers: Strangers
    """Who goes first where there are not enough."""

    def __init__(self, sockets: list[socket.socket], make: ProtocolFactory, tell: Tell, kept: int = KEPT_BACK) -> None:
        self.sockets = sockets
        self._make = make
        self._tell = tell
        self._kept = kept
        self._tasks: set[asyncio.Task[None]] = set()
        self.strangers = Strangers()

    def started(self) -> Self:
        """Begin to accept."""
        for each in self.sockets:
            self._start(self._accept(each)).add_done_callback(partial(_shut, each))
        return self

    async def close(self) -> None:
        """Take no more connections, and give up what was under way with new ones; those that are open stay."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accept(self, listener: socket.socket) -> None:
        loop, in_a_row = asyncio.get_running_loop(), 0
        while True:
            try:
                accepted, address = await loop.sock_accept(listener)
            except ConnectionAbortedError:  # the client has left already; others have not
                continue
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self._tell(turned_away(self._kept))
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            is_full = accepted.fileno() >= most_files() - kept_of(self._kept)
            if is_full:
                self._tell(turned_away(self._kept))
            if is_full and not self.strangers.make_room():
                accepted.close()
            else:
                taken = self._start(self._take(accepted, str(address[0]) if address else ""))
                taken.add_done_callback(partial(_shut_if_cancelled, accepted))
            in_a_row = (in_a_row + 1) % AT_ONCE
            if not in_a_row:
                await asyncio.sleep(0)

    async def _take(self, accepted: socket.socket, address: str) -> None:
        try:
            accepted.setblocking(False)
            await asyncio.get_running_loop().connect_accepted_socket(self._make, accepted)
        except OSError:
            accepted.close()


def _shut(listener: socket.socket, _: object) -> None:
    """Whether its task has ended, or was cancelled before it began."""
    listener.close()


def _shut_if_cancelled(accepted: socket.socket, task: "asyncio.Task[None]") -> None:
    if task.cancelled():
        accepted.close()


async def bound(host: str, port: int, backlog: int = 1024) -> list[socket.socket]:
    """Sockets that listen on every address of `host`. Raises OSError."""
    loop, sockets = asyncio.get_running_loop(), list[socket.socket]()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    try:
        for family, *_, address in dict.fromkeys(found):
            sockets.append(socket.create_server(address[:2], family=family, backlog=backlog))
            sockets[-1].setblocking(False)
    except OSError:
        for each in sockets:
            each.close()
        raise
    return sockets


def most_files() -> int:
    """How many file descriptors this process may have: a new one has the lowest number that is free."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def kept_of(kept: int) -> int:
    """How many of `kept` are kept back: fewer, where there are few at all."""
    return min(kept, most_files() * kept // (2 * KEPT_BACK))


def turned_away(kept: int) -> Notice:
    """What there is to tell of who could not be let in."""
    most = most_files()
    back = kept_of(kept)
    why = f"the process may have {most} open files, of which {back} are kept for its files and its API"
    wanted, besides = 2 * (most - back), KEPT_BACK + OPEN_ANYWAY
    advice = f"one for each connection, and {besides} besides: `ulimit -n {wanted + besides}` for {wanted} devices"
    return Notice("too-many-files", "tcp", "", why, hint=advice)
