"""`ghostjob` as a process of its own that need not import everything first: it is forked from one that has.

A start takes a third to two thirds of a second of processor time, nearly all of it imports, and tests start hundreds of
processes. So the first of them that is started by `subprocess` or asyncio starts a *nest* too: a process that imports
all of ghostjob and does nothing. Once it has, commands are forked from there. What is forked is a child of who asked
for it, with its own id, arguments, environment, directory and streams: it is waited for, signalled and killed as any.
What a start itself does is left out, as are the imports, and that Python takes all of it apart in the end; a test of
those starts it `cold`.

A command that is not ghostjob's, or one that is started in a way or an environment that forking could not give it, is
started as ever. So is everything where there is no Linux, where nobody can adopt an orphan.
"""

import array
import ctypes
import inspect
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import simulator
from simulator.processes import command

TESTS: Final = Path(__file__).parent
STARTS: Final = {
    (sys.executable, "-P", "-m", "simulator.cli"): "simulator.cli",
    command(): "simulator.cli",
    (sys.executable, "-P", "-m", "tests.hostile.probed"): "tests.hostile.probed",
    (sys.executable, "-P", "-m", "tests.hostile.device"): "tests.hostile.device",
    (sys.executable, str(TESTS / "agent" / "dying.py")): "tests.agent.dying",
    (sys.executable, str(TESTS / "kills" / "doomed.py")): "tests.kills.doomed",
    (sys.executable, str(TESTS / "store_kills" / "doomed.py")): "tests.store_kills.doomed",
}
"""How commands begin that are forked, and which module each runs: `ghostjob`, also watched or made to die."""
READ_AT_A_START: Final = ("PYTHON", "LD_", "LC_", "LANG", "SSL_", "OPENSSL_", "MALLOC_")
"""Names of variables that begin so may change what a process is before any code of ours runs."""
PLAIN: Final = {
    "executable": None,
    "preexec_fn": None,
    "close_fds": True,
    "pass_fds": (),
    "shell": False,
    "gid": None,
    "gids": None,
    "uid": None,
    "umask": -1,
    "restore_signals": True,
    "process_group": -1,
}
"""How a process is started unless somebody asks for what forking from a nest cannot give."""
NEST: Final = TESTS / "nest.py"
ROOM_FOR_ARGUMENTS: Final = 8_192
"""Bytes, in the nest's own command line: what is forked shows its arguments there. More than that is started cold."""
SET_CHILD_SUBREAPER: Final = 36
"""See prctl(2)."""


class _Nest:
    """A process to fork from, and the channel to it."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._environment = read_at_a_start(os.environ)
        with cold(), theirs:
            self._process = subprocess.Popen([sys.executable, "-P", str(NEST), "x" * ROOM_FOR_ARGUMENTS], stdin=theirs)
        self._is_ours: bool | None = None
        self._prctl = ctypes.CDLL(None).prctl

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether it has imported what a process of that environment would have; nobody waits until it has."""
        if self._is_ours is None and select.select([self._channel], [], [], 0)[0]:
            with self._channel.makefile() as said:
                self._is_ours = said.readline().rstrip("\n") == simulator.__file__
        return bool(self._is_ours) and read_at_a_start(environment) == self._environment

    def fork(self, told: Mapping[str, Any], streams: Sequence[int]) -> int:
        """The id of a new child of this process: a grandchild of the nest, whose parent ends, and which is adopted."""
        message = json.dumps(told).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))]
        self._prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            self._channel.sendmsg([len(message).to_bytes(4, "big")], rights)
            self._channel.sendall(message)
            return int.from_bytes(self._channel.recv(4, socket.MSG_WAITALL), "big")
        finally:
            self._prctl(SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def close(self) -> None:
        """It ends; what was forked from it goes on."""
        self._process.kill()  # it may still be importing
        self._process.wait()
        self._channel.close()


_start: Final = subprocess.Popen._execute_child
_parameters: Final = tuple(inspect.signature(_start).parameters)[1:]
_lock: Final = threading.RLock()
_nests: Final[list[_Nest]] = []
_colds: Final[list[None]] = [] if sys.platform == "linux" else [None]


def read_at_a_start(environment: Mapping[str, str]) -> dict[str, str]:
    """What of it a process reads before anything of ours runs."""
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_A_START)}


@contextmanager
def cold() -> Iterator[None]:
    """Whatever is started meanwhile is started as by anybody."""
    _colds.append(None)
    try:
        yield
    finally:
        _colds.pop()


def set_up() -> None:
    """From now on, fork."""
    subprocess.Popen._execute_child = _execute_child


def begin() -> None:
    """Have the nest begin to import, before anybody needs it."""
    with _lock:
        if not (_nests or _colds):
            _nests.append(_Nest())


def close() -> None:
    """No more from now on."""
    subprocess.Popen._execute_child = _start
    while _nests:
        _nests.pop().close()


def _execute_child(popen: "subprocess.Popen[Any]", *given: Any) -> None:
    """What `subprocess.Popen` calls to start what it was given."""
    asked = dict(zip(_parameters, given, strict=True))
    with _lock:
        told = None if _colds else _told(asked)
        if told is None:
            _start(popen, *given)
            return
        ends = (asked[name] for name in ("p2cread", "c2pwrite", "errwrite"))
        streams = [number if end == -1 else end for number, end in enumerate(ends)]
        popen.pid = _nests[0].fork(told, streams)
    popen._child_created = True
    pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
    popen._close_pipe_fds(*(asked[name] for name in pipes))


def _told(asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a nest needs to know; None if it could not do that."""
    args, env, cwd = asked["args"], asked["env"], os.fspath(asked["cwd"] or os.getcwd())
    if isinstance(args, str | bytes | os.PathLike) or not os.path.isdir(cwd):
        return None
    words = [os.fspath(word) for word in args]
    env = dict(os.environ if env is None else env)
    start = next((start for start in STARTS if tuple(words[: len(start)]) == start), None)
    if start is None or any(asked.get(name, plain) != plain for name, plain in PLAIN.items()):
        return None
    if not all(isinstance(each, str) and "\0" not in each for each in (*words, *env, *env.values())):
        return None
    if sum(len(word.encode()) + 1 for word in words) > ROOM_FOR_ARGUMENTS:
        return None
    begin()
    if not _nests[0].fits(env):
        return None
    return {
        "module": STARTS[start],
        "args": words,
        "arguments": words[len(start) :],
        "env": env,
        "cwd": cwd,
        "start_new_session": asked["start_new_session"],
    }
