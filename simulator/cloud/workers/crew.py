"""The processes that hold a cloud's connections: all accept from the same sockets, and one that dies is begun anew.

To its clients, and to whom their wills go, that is as if the network had failed. Whoever connects meanwhile is accepted
by another, or waits. They end when the cloud hangs up, or is gone itself, however it ended.
"""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.errors import InputError
from agent.log import get_logger
from simulator.cloud.contained import contained
from simulator.cloud.notices.refusals import Notice, Tell
from simulator.cloud.workers.carried import Carried, Opening
from simulator.cloud.workers.link import BYTES, COUNT, DOORS, GONE, LEFT, OPENED, READY, SHUT, TOLD, Link
from simulator.processes import command, how_it_ended, no_room

BEGIN_SECONDS: Final = 60.0
"""How long a process may take until it accepts: on a machine that has much else to do."""
END_SECONDS: Final = 5.0
"""How long one may take to end that was hung up on."""
PAUSE_SECONDS: Final = 1.0
"""Before one is begun anew that did not live for so long."""
_log = get_logger("ghostjob.cloud")


@dataclass(frozen=True, slots=True)
class Door:
    """Where clients come in: sockets that listen, and what makes the protocol of each connection.

    With `certs`, the directory that `ghostjob certs` made, with mutual TLS and these names of protocols.
    """

    sockets: Sequence[socket.socket]
    make: Callable[[], asyncio.BaseProtocol]
    certs: Path | None = None
    alpn: tuple[str, ...] = ()


class Crew:
    """`count` processes, once `begin` is done; `tell` gets a Notice of who is turned away, as with Listener."""

    def __init__(self, count: int, tell: Tell) -> None:
        if os.name != "posix":
            raise InputError("--workers: processes are not handed sockets on this system; leave it out")
        self._count = count
        self._tell = tell
        self._doors: list[Door] = []
        self._workers: list[_Worker] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._shut = asyncio.Event()

    def open(self, door: Door) -> None:
        """Before `begin`: have connections accepted there."""
        self._doors.append(door)

    async def begin(self) -> None:
        """Until all accept. Raises InputError."""
        begun = await asyncio.gather(*(self._one() for _ in range(self._count)), return_exceptions=True)
        for each in begun:
            if each is not None:
                raise each

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of those that accept."""
        return tuple(each.process_id for each in self._workers if each.accepts)

    async def _one(self) -> None:
        worker = _Worker(self._doors, self._tell, self._ended)
        self._workers.append(worker)
        try:
            await worker.begin()
        except InputError:
            if worker in self._workers:  # it never was there to end
                self._workers.remove(worker)
            raise

    def _ended(self, worker: "_Worker") -> None:
        if self._shut.is_set():  # `end` waits for it
            return
        self._workers.remove(worker)
        if worker.accepts:
            task = asyncio.create_task(self._anew(worker))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _anew(self, lost: "_Worker") -> None:
        why = await lost.ended()
        _log.warning("worker.lost", process=lost.process_id, clients=lost.clients, why=why)
        if time.monotonic() - lost.began < PAUSE_SECONDS:
            await self._pause()
        while not self._shut.is_set():
            try:
                await self._one()
            except InputError as error:
                _log.warning("worker.not_begun", why=str(error))
                await self._pause()
            else:
                return

    async def _pause(self) -> None:
        """For a second, or until nobody accepts any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._shut.wait()

    def shut(self) -> None:
        """Accept no more; connections that are open stay."""
        self._shut.set()
        for each in self._workers:
            each.link.say(SHUT, 0)
        for door in self._doors:
            for listener in door.sockets:
                listener.close()

    async def end(self) -> None:
        """Until none of them is left."""
        self.shut()
        await asyncio.gather(*self._tasks)
        workers = [each for each in self._workers if each.process_id]
        for each in workers:
            each.link.close()
        await asyncio.gather(*(each.ended() for each in workers))


class _Worker:
    """One process, and the connections that it holds; `over` is told once it is gone."""

    def __init__(self, doors: Sequence[Door], tell: Tell, over: Callable[["_Worker"], None]) -> None:
        self._doors = doors
        self._tell = tell
        self._over = over
        self._process: asyncio.subprocess.Process | None = None
        self._carried: dict[int, Carried] = {}
        self._is_ready = asyncio.Event()
        self.link = Link(self._hear, self._hung_up)
        self.began = time.monotonic()
        self.accepts = False
        """Whether it has come so far."""
        self.clients = 0
        """How many it had when it ended."""

    @property
    def process_id(self) -> int:
        """Of the process."""
        return 0 if self._process is None else self._process.pid

    async def begin(self) -> None:
        """Until it accepts. Raises InputError."""
        descriptors = [[each.fileno() for each in door.sockets] for door in self._doors]
        try:
            ours = await self._started([each for door in descriptors for each in door])
        except OSError as error:
            raise no_room("--workers", error) from None
        await asyncio.get_running_loop().create_unix_connection(lambda: self.link, sock=ours)
        doors = [
            (those, None if door.certs is None else str(door.certs.resolve()), door.alpn)
            for those, door in zip(descriptors, self._doors, strict=True)
        ]
        self.link.say(DOORS, 0, json.dumps(doors).encode())
        try:
            async with asyncio.timeout(BEGIN_SECONDS):
                await self._is_ready.wait()
        except TimeoutError:
            self.link.close()
        if not self.accepts:
            raise InputError(f"--workers: a process that is to accept clients does not: {await self.ended()}")

    async def _started(self, descriptors: Sequence[int]) -> socket.socket:
        """With these at hand: the socket by which it is told what to do with them. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *command("worker", str(theirs.fileno())),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    pass_fds=[theirs.fileno(), *descriptors],
                    start_new_session=True,  # Ctrl-C is for the cloud, which tells its clients first
                )
            except OSError:
                ours.close()
                raise
        return ours

    async def ended(self) -> str:
        """Once it has ended, which it does when it was hung up on: how."""
        process = self._process
        assert process is not None, "it was begun"
        try:
            async with asyncio.timeout(END_SECONDS):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            code = await process.wait()
        return how_it_ended(code)

    def _hear(self, kind: int, number: int, body: bytes) -> None:
        carried = self._carried.get(number)
        if carried is None:
            self._hear_of_none(kind, number, body)
        elif kind == BYTES:
            carried.came(body)
        elif kind == LEFT:
            carried.left(*COUNT.unpack(body))
        elif kind == GONE:
            del self._carried[number]
            carried.gone()

    def _hear_of_none(self, kind: int, number: int, body: bytes) -> None:
        """It is about a connection that is new, or about none."""
        if kind == OPENED:
            opening = Opening.of(body)
            protocol = self._doors[opening.door].make()
            carried = self._carried[number] = Carried(self.link, number, opening, protocol)
            carried.begin()
        elif kind == READY:
            self.accepts = True
            self._is_ready.set()
        elif kind == TOLD:
            self._tell(Notice(**json.loads(body)))

    def _hung_up(self) -> None:
        carried, self._carried = self._carried, {}
        self.clients = len(carried)
        self._is_ready.set()
        for each in carried.values():
            contained("losing a client", each.gone, ConnectionResetError("the process that held it has ended"))
        self._over(self)
