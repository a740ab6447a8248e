"""The process that `ghostjob cloud` is: a local cloud, its ready file and its trace, until it is told to stop."""

import asyncio
import gc
import json
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Final, TypeAlias

from pydantic import ValidationError

from agent.errors import InputError
from agent.log import get_logger, make_ready
from simulator.cloud.asked import CutOff, Lines
from simulator.cloud.background import listen_for_faults
from simulator.cloud.contained import contained
from simulator.cloud.local import LocalCloud
from simulator.cloud.notices.event_log import event_log
from simulator.cloud.settings.cloud import CloudSettings
from simulator.heartbeat import Heartbeat
from simulator.processes import ENDS
from simulator.trace import CLOUD, Entry, Recorder, Sink, write_line
from simulator.trace.packed import pack

FLUSH_SECONDS = 0.004
Meanwhile: TypeAlias = Callable[[LocalCloud, Sink], AbstractAsyncContextManager[object]]
"""Somebody who acts on a cloud; the sink takes what is told of that in its trace."""
SELDOM: Final = (10_000, 200, 100)
"""How many objects come before cycles are looked for among the youngest, and how seldom among the others."""


async def serve(
    settings: CloudSettings,
    *,
    ready_file: Path | None = None,
    trace: str | None = None,
    packed: bool = False,
    until_stdin_closes: bool = False,
    announce: Callable[[dict[str, str | None]], None] = lambda endpoints: None,
    also: Sink | None = None,
    page: str | None = None,
    meanwhile: Meanwhile | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM, SIGHUP or, if asked, the end of standard input.

    Raises InputError before it listens, or when the store cannot keep what changes any more.

    `ready_file` is written whole once everything listens, and removed at the end. `trace` is a path, or `-`; `packed`
    is how ghostjob's own processes tell each other (see `simulator.trace.packed`). `also` gets every entry of the
    trace; `page` is an address that stands beside the endpoints, if there is one. `meanwhile` is entered while it
    serves.
    """
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    listen_for_faults(loop)
    make_ready()  # what logs is imported now, lest the first client that is refused stops the others for that long
    gc.freeze()  # what was imported stays
    gc.set_threshold(*SELDOM)  # what is remembered does, too: to look through it while it grows is half of the start
    writer = await TraceWriter.open(trace, packed) if trace else None
    sinks = [sink for sink in (None if writer is None else writer.record, also) if sink is not None]
    recorder = Recorder(CLOUD, time.monotonic, _all(sinks)) if sinks else None
    failures: list[InputError] = []

    def fail(failure: InputError) -> None:
        failures.append(failure)
        stopped.set()

    try:
        async with (
            odd_names_unheard(),
            LocalCloud(settings, recorder, event_log()) as cloud,
            AsyncExitStack() as stack,
        ):
            # The trace, if there is one, is told when this process does not run.
            with nullcontext() if cloud.observe is None else Heartbeat("cloud", cloud.observe):
                if meanwhile is not None:
                    await stack.enter_async_context(meanwhile(cloud, _all(sinks)))
                _tame_collector()  # what was remembered is there for good
                cloud.when_it_fails(fail)
                for number in sorted(ENDS):
                    if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) is not signal.SIG_IGN:
                        loop.add_signal_handler(number, stopped.set)  # nohup has the end of a terminal ignored
                if until_stdin_closes:
                    _listen_on_stdin(loop, cloud, stopped)
                endpoints = cloud.endpoints if page is None else {**cloud.endpoints, "page": page}
                if ready_file is not None:
                    _write_whole(ready_file, json.dumps(endpoints))
                announce(endpoints)
                try:
                    await stopped.wait()
                finally:
                    _remove(ready_file)
        if failures:
            raise failures[0]
    finally:
        if writer is not None:
            await writer.close()


def _all(sinks: Sequence[Sink]) -> Sink:
    """All of them as one."""
    if len(sinks) == 1:
        return sinks[0]

    def tell(entry: Entry) -> None:
        for sink in sinks:
            contained("telling an entry", sink, entry)

    return tell


def _listen_on_stdin(loop: asyncio.AbstractEventLoop, cloud: LocalCloud, stopped: asyncio.Event) -> None:
    """Do what is asked for there; at its end, have `stopped` set.

    A thread reads, since standard input may be anything, and event loops take pipes only.
    """
    lines = Lines()

    def read() -> None:
        with suppress(OSError, RuntimeError):  # the loop is over
            while raw := os.read(0, 1024):
                for line in lines.feed(raw):
                    loop.call_soon_threadsafe(_do, cloud, line)
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=read, name="stdin", daemon=True).start()


def _do(cloud: LocalCloud, line: bytes) -> None:
    try:
        asked = CutOff.model_validate_json(line)
    except ValidationError:
        return  # nobody but who speaks so has anything to say there
    cloud.cut_off(asked.cut_off, asked.seconds, asked.name)


@asynccontextmanager
async def odd_names_unheard() -> AsyncIterator[None]:
    """CPython writes a traceback for each client that asks in TLS for a server name which is no ASCII; not within this.

    There is no other way to keep it from that. The handshake fails, and is told as any other that does.
    """
    usual = sys.unraisablehook

    def hear(unraisable: "sys.UnraisableHookArgs") -> None:
        if unraisable.exc_type is not UnicodeDecodeError or type(unraisable.object) is not bytes:
            usual(unraisable)

    sys.unraisablehook = hear
    try:
        yield
    finally:
        sys.unraisablehook = usual


def _tame_collector() -> None:
    """Nearly everything here dies by reference counting; look for cycles seldom, and never in what is there already.

    A full collection with a million executions stops the loop for 170 ms. One of the youngest takes a millisecond for
    each 10,000 objects that came and stayed; what survives is looked at again after two million.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)


def _write_whole(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(text + "\n", "utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"--ready-file {path}: cannot write it: {error.strerror}") from None


def _remove(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)


class TraceWriter:
    """Writes entries to a file or pipe, gathered over a few milliseconds; a slow reader does not stop the loop.

    In lines, or `packed` as `simulator.trace.packed` has them.
    """

    def __init__(self, send: Callable[[bytes], None], finish: Callable[[], Awaitable[None]], packed: bool) -> None:
        self._send = send
        self._finish = finish
        self._is_packed = packed
        self._entries: list[Entry] = []
        self._lines: list[str] = []

    @classmethod
    async def open(cls, target: str, packed: bool = False) -> "TraceWriter":
        """For a path, or `-` for standard output. Raises InputError."""
        if target == "-" and not stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode):
            loop = asyncio.get_running_loop()
            ended = asyncio.Event()
            transport, _ = await loop.connect_write_pipe(lambda: _Pipe(ended), sys.stdout)

            async def finish() -> None:
                transport.close()
                await ended.wait()

            def write(raw: bytes) -> None:
                if not transport.is_closing():  # whoever read it is gone
                    transport.write(raw)

            return cls(write, finish, packed)
        file = _TraceFile(cls._file(target), target)
        return cls(file.write, file.finish, packed)

    @staticmethod
    def _file(target: str) -> IO[bytes]:
        if target == "-":
            return os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        try:
            return Path(target).open("wb")
        except OSError as error:
            raise InputError(f"--trace {target}: cannot write there: {error.strerror}") from None

    def record(self, entry: Entry) -> None:
        """Add an entry."""
        if not self._entries and not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush)
        if self._is_packed:
            self._entries.append(entry)
        else:
            self._lines.append(write_line(entry))

    async def close(self) -> None:
        """Write what is left, and wait until it is gone."""
        self._flush()
        await self._finish()

    def _flush(self) -> None:
        entries, lines = self._entries, self._lines
        self._entries, self._lines = [], []
        if entries:
            self._send(pack(entries))
        if lines:
            self._send(("\n".join(lines) + "\n").encode())


class _TraceFile:
    """A file that takes what there is to tell until it cannot, as on a full disk; the cloud goes on without it."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file: IO[bytes] | None = file
        self._name = name

    def write(self, raw: bytes) -> None:
        """Have it in the file, as long as that can be done."""
        if self._file is None:
            return
        try:
            self._file.write(raw)
            self._file.flush()
        except OSError as error:
            self._close()
            get_logger("ghostjob.cloud").warning("trace.unwritable", path=self._name, why=error.strerror)

    async def finish(self) -> None:
        """Let go of it."""
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # what could not be written is still in its hands
                file.close()


class _Pipe(asyncio.Protocol):
    """Sets an event when its pipe ends."""

    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()
