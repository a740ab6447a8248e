"""A process of ours, with everything that it starts: one group, which is ended as a whole, and whose output is read.

The group is named by its leader's number. That number belongs to nobody else for as long as the leader has not been
waited for, so it is waited for last, after the signals: a signal can never reach a stranger. Who leaves the group, as a
daemon does (setsid), is beyond our reach.
"""

import asyncio
import os
import re
import select
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from agent.errors import InputError
from agent.log import get_logger

LONGEST_LINE: Final = 2000
"""Bytes; what a line has beyond is left out."""
MOST_LINES: Final = 200
"""The last ones are kept."""
FLUSH_SECONDS: Final = 2.0
"""How long to wait for the output's end after the group was killed: who left the group may hold it open for ever."""
NOTE_EXITSTATUS: Final = 0x04000000
"""Of kqueue, as <sys/event.h> of macOS has it: an exit is told with its status."""
CUT: Final = "…"
_SEPARATORS: Final = re.compile(rb"[\r\n]+")
_COLOURS: Final = re.compile(r"\x1b(\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)")
_UNPRINTABLE: Final = dict.fromkeys((*range(9), *range(10, 32), *range(127, 160)), "�")
_log = get_logger("ghostjob.certify")


class Lines(asyncio.Protocol):
    """Makes lines of what a pipe brings, bounded in length and number, without colours and control characters."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.last: deque[str] = deque(maxlen=MOST_LINES)
        self.ended = asyncio.Event()
        self._on_line = on_line
        self._begun = b""
        """The beginning of a line that has no end yet; at most a byte longer than a line may be."""

    def data_received(self, data: bytes) -> None:
        """Some more."""
        *whole, begun = _SEPARATORS.split(data)
        for each in whole:
            self._line(self._begun + each[: LONGEST_LINE + 1])
            self._begun = b""
        self._begun = (self._begun + begun[: LONGEST_LINE + 1])[: LONGEST_LINE + 1]

    def connection_lost(self, exc: Exception | None) -> None:
        """No more."""
        self._line(self._begun)
        self._begun = b""
        self.ended.set()

    def _line(self, raw: bytes) -> None:
        if not raw:
            return
        text = _COLOURS.sub("", raw[:LONGEST_LINE].decode("utf-8", "replace")).translate(_UNPRINTABLE)
        line = text + (CUT if len(raw) > LONGEST_LINE else "")
        self.last.append(line)
        try:
            self._on_line(line)
        except Exception as error:  # whoever reads along does not keep the device from writing
            _log.error("output.unread", why=f"{type(error).__name__}: {error}")


class Child:
    """One run of a command, begun by `begin`. `exit_code` is its leader's, negative for a signal; None: it runs."""

    def __init__(self, popen: "subprocess.Popen[bytes]", lines: Lines, reading: asyncio.BaseTransport) -> None:
        self.lines = lines
        self.exit_code: int | None = None
        self.exited = asyncio.Event()
        self._popen = popen
        self._reading = reading
        self._is_reaped = False
        self.was_survived = False
        """Once it was ended: somebody who had left the group still had its output open."""
        told = asyncio.get_running_loop()
        # As a daemon, so that this process can end while that one does not.
        threading.Thread(target=self._watch, args=(told,), name=f"child {popen.pid}", daemon=True).start()

    @classmethod
    async def begin(
        cls, argv: Sequence[str], environment: Mapping[str, str], on_line: Callable[[str], None] = lambda _: None
    ) -> "Child":
        """Start a command in a group, and a session, of its own. Raises InputError if there is no such program."""
        popen, read = _started(argv, environment)
        try:
            pipe = os.fdopen(read, "rb", 0)
            reading, lines = await asyncio.get_running_loop().connect_read_pipe(lambda: Lines(on_line), pipe)
        except BaseException:
            os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()
            raise
        return cls(popen, lines, reading)

    @property
    def pid(self) -> int:
        """Of the leader, and so the group's."""
        return self._popen.pid

    def signal(self, number: int) -> None:
        """Send a signal to the whole group; after `end` there is none."""
        if not self._is_reaped:
            with suppress(ProcessLookupError, PermissionError):  # macOS: a group of which only zombies are left
                os.killpg(self._popen.pid, number)

    async def end(self) -> None:
        """SIGKILL to whoever is left of the group; returns when they are gone."""
        self.signal(signal.SIGKILL)
        await self.exited.wait()
        self.signal(signal.SIGKILL)  # whom the leader had just started
        self._is_reaped = True
        self._popen.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self.lines.ended.wait()
        self._reading.close()
        self.was_survived |= not self.lines.ended.is_set()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        code = _exit_code(self._popen.pid)
        if code is None:  # there is no other way to learn it; who is left of its group is out of reach then
            self._is_reaped, code = True, self._popen.wait()

        def note() -> None:
            self.exit_code = code
            self.exited.set()

        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(note)


def _started(argv: Sequence[str], environment: Mapping[str, str]) -> "tuple[subprocess.Popen[bytes], int]":
    """The process, and the end of the pipe that its output is read from. Raises InputError."""
    read, write = os.pipe()
    try:
        popen = subprocess.Popen(  # noqa: S603 - the user's own command
            argv, stdin=subprocess.DEVNULL, stdout=write, stderr=write, env=environment, start_new_session=True
        )
    except (OSError, ValueError) as error:  # no such program, or a zero byte in an argument
        os.close(read)
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{argv[0]}: cannot be started: {why}") from None
    finally:
        os.close(write)
    return popen, read


def _exit_code(pid: int) -> int | None:
    """Wait until a process of ours has ended, and leave it to be waited for; None: it had, and nobody knows how."""
    if hasattr(os, "waitid"):
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None, "without WNOHANG it waits"
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
    return _exit_code_by_kqueue(select, pid)


def _exit_code_by_kqueue(queues: Any, pid: int) -> int | None:
    """Of macOS before Python 3.13, which has no waitid there; `queues` is its `select` module."""
    queue = queues.kqueue()
    wanted = queues.kevent(
        pid,
        filter=queues.KQ_FILTER_PROC,
        flags=queues.KQ_EV_ADD | queues.KQ_EV_ONESHOT,
        fflags=queues.KQ_NOTE_EXIT | NOTE_EXITSTATUS,
    )
    try:
        return os.waitstatus_to_exitcode(queue.control([wanted], 1)[0].data)
    except ProcessLookupError:
        return None
    finally:
        queue.close()
