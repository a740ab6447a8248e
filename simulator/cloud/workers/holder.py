"""The process that holds connections: it accepts them, does TLS, and carries their bytes to the cloud and back.

A client is held up where the cloud does not want to read it, or does not come to read what is said. What a client
does not read waits here; the cloud is told what has left, and sends so much more.
"""

import asyncio
import json
import socket
import ssl
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import cast
from weakref import WeakKeyDictionary

from simulator.certificate_files import server_context
from simulator.cloud.background import listen_for_faults
from simulator.cloud.contained import contained
from simulator.cloud.mqtt.shells.handshake import TlsServer
from simulator.cloud.mqtt.shells.listening import Listener
from simulator.cloud.notices.refusals import Notice
from simulator.cloud.notices.strangers import Strangers
from simulator.cloud.workers.carried import GRAIN, Opening
from simulator.cloud.workers.link import (
    BYTES,
    CLOSE,
    COUNT,
    CUT,
    DOORS,
    GONE,
    LEFT,
    OPENED,
    READ,
    READY,
    SHUT,
    TOLD,
    WAIT,
    Link,
)


async def hold(descriptor: int) -> None:
    """Do so until the cloud hangs up, at the other end of the socket with that descriptor."""
    loop = asyncio.get_running_loop()
    listen_for_faults(loop)
    holder = Holder()
    await loop.create_unix_connection(lambda: holder.link, sock=socket.socket(fileno=descriptor))
    await holder.over.wait()
    await holder.shut()


class Holder:
    """`over` is set once the cloud has hung up."""

    def __init__(self) -> None:
        self.link = Link(self._hear, self._hung_up, self._is_full)
        self.over = asyncio.Event()
        self.strangers = Strangers()
        self.held: dict[int, Held] = {}
        self.is_full = False
        """Whether the cloud does not come to read what is said."""
        self.held_up: dict[Held, None] = {}
        """Who is not read for that."""
        self.names: WeakKeyDictionary[ssl.SSLObject, str] = WeakKeyDictionary()
        """Which server name each client asked for."""
        self._numbers = count(1)
        self._listeners: list[Listener] = []
        self._shutting: asyncio.Task[None] | None = None

    def opened(self, held: "Held") -> int:
        """A connection is there: its number."""
        number = next(self._numbers)
        self.held[number] = held
        return number

    async def shut(self) -> None:
        """Accept no more."""
        listeners, self._listeners = self._listeners, []
        for each in listeners:
            await each.close()

    def _hear(self, kind: int, number: int, body: bytes) -> None:
        if kind == DOORS:
            if not contained("opening a port", self._open, body):
                self.over.set()
        elif kind == SHUT:
            self._shutting = asyncio.create_task(self.shut())
        elif (held := self.held.get(number)) is not None:  # or it is gone, and the cloud does not know yet
            held.told(kind, body)

    def _open(self, body: bytes) -> None:
        for number, (descriptors, certs, alpn) in enumerate(json.loads(body)):
            sockets = [socket.socket(fileno=each) for each in descriptors]
            listener = self._listener(number, sockets, certs, alpn)
            listener.strangers = self.strangers
            self._listeners.append(listener.started())
        self.link.say(READY, 0)

    def _listener(self, door: int, sockets: list[socket.socket], certs: str | None, alpn: list[str]) -> Listener:
        def make() -> Held:
            return Held(self, door)

        if certs is None:
            return Listener(sockets, make, self._tell)
        tls = server_context(Path(certs))
        tls.set_alpn_protocols(alpn)

        def note(asking: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            if name is not None:
                self.names[asking] = name

        tls.sni_callback = note
        return TlsServer(sockets, make, self._tell, tls)

    def _tell(self, notice: Notice) -> None:
        told = asdict(notice)
        del told["explain"]  # nobody who is told of here has policies
        self.link.say(TOLD, 0, json.dumps(told).encode())

    def _is_full(self, is_full: bool) -> None:
        self.is_full = is_full
        if not is_full:
            held_up, self.held_up = self.held_up, {}
            for each in held_up:
                each.go_on()

    def _hung_up(self) -> None:
        self.over.set()


class Held(asyncio.Protocol):
    """A client's connection."""

    __slots__ = ("_door", "_holder", "_is_behind", "_is_strange", "_number", "_transport", "_unsaid", "_waits")

    _transport: asyncio.Transport

    def __init__(self, holder: Holder, door: int) -> None:
        self._holder = holder
        self._door = door
        self._number = 0
        self._unsaid = 0
        """Bytes that it was to send, of which the cloud does not know that they have left."""
        self._is_behind = False
        """Whether its client does not read."""
        self._waits = False
        """Whether the cloud wants it to be read no more."""
        self._is_strange = True
        """Whether its client got nothing yet."""

    # ── the connection ────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = made = cast("asyncio.Transport", transport)
        made.set_write_buffer_limits(GRAIN, 0)
        holder = self._holder
        self._number = holder.opened(self)
        holder.strangers.came(self, made.abort)
        host, port, *_ = made.get_extra_info("peername") or ("", 0)
        opening = Opening(self._door, (host, port))
        tls: ssl.SSLObject | None = made.get_extra_info("ssl_object")
        if tls is not None:
            proven = tls.getpeercert(binary_form=True), tls.selected_alpn_protocol(), holder.names.get(tls)
            opening = Opening(self._door, (host, port), *proven)
        holder.link.say(OPENED, self._number, opening.packed())

    def data_received(self, data: bytes) -> None:
        """The client sent something."""
        holder = self._holder
        holder.link.say(BYTES, self._number, data)
        if holder.is_full:
            holder.held_up[self] = None
            self._transport.pause_reading()

    def go_on(self) -> None:
        """The cloud has come to read."""
        if not self._waits:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        """The client does not read."""
        self._is_behind = True

    def resume_writing(self) -> None:
        """It does."""
        self._is_behind = False
        self._say_what_left()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        holder = self._holder
        holder.held.pop(self._number, None)
        holder.held_up.pop(self, None)
        holder.strangers.known(self)
        holder.link.say(GONE, self._number)

    # ── what the cloud says ───────────────────────────────────────────────────────────────────────────────────

    def told(self, kind: int, body: bytes) -> None:
        """Do that."""
        transport = self._transport
        if kind == BYTES:
            if self._is_strange:
                self._is_strange = False
                self._holder.strangers.known(self)
            transport.write(body)
            self._unsaid += len(body)
            self._say_what_left()
        elif kind == CLOSE:
            transport.close()
        elif kind == CUT:
            transport.abort()
        elif kind == WAIT:
            self._waits = True
            transport.pause_reading()
        elif kind == READ:
            self._waits = False
            if self not in self._holder.held_up:
                transport.resume_reading()

    def _say_what_left(self) -> None:
        if self._unsaid >= GRAIN and not self._is_behind:
            self._holder.link.say(LEFT, self._number, COUNT.pack(self._unsaid))
            self._unsaid = 0
