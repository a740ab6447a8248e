"""A Ray cluster as whoever drives it sees it: joined, told what to do, asked what is done, left.

The one place that knows Ray. Where none is named, one of this machine's processors is started for as long as it lasts,
on loopback, without a dashboard, telling nobody, and with its logs and sockets in a directory that goes with it.
"""

import asyncio
import atexit
import inspect
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, TypeAlias

from agent.errors import GhostjobError, InputError
from simulator.engines.ray.alike import Build, here
from simulator.processes import ENDS

LOOPBACK: Final = "127.0.0.1"
ANSWER_SECONDS: Final = 5.0
"""So long a cluster has for taking a connection: Ray itself would try for minutes."""
GREETING_SECONDS: Final = 20.0
"""So long it has, once that is there, for the first it says: its host may be busy."""
GREETING: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""How HTTP/2, on which Ray's gRPC is, begins (RFC 9113, 3.4): with settings, of which there are none here."""
SETTINGS: Final = 4
"""The type of a frame of settings, in its fourth byte of nine: with one, the other begins."""
ASK_SECONDS: Final = 1.0
"""So often at most its head is asked how it stands."""
ADDRESS: Final = "RAY_ADDRESS"
"""What names a head, where nobody else does; Ray's own commands go by it, too."""
TO_INSTALL: Final = "pip install 'ghostjob[ray]'"
QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
"""Nothing is reported to anybody; no warnings of what is to come; and no lines of Ray's own on our stdout, such as that
a worker died, which we tell ourselves."""
ON_LOOPBACK: Final = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_worker_niceness": "0"}
"""Ray replaces 127.0.0.1 by an address that others reach, and then listens there, unless it is told so (its
`services.get_node_ip_address`). And here work is no nicer than where it would be done without Ray, which has 15."""

TOKEN: Final = "RAY_AUTH_TOKEN"
"""What members of a cluster know each other by, if RAY_AUTH_MODE wants one. A cluster that Ray begins by itself keeps
its own in the home directory, and from then on `ray start` wants that of everybody."""
WITH_TOKEN: Final = "if its head was started where ~/.ray/auth_token is, it wants that: RAY_AUTH_MODE=token"
WITHOUT_TOKEN: Final = "RAY_AUTH_MODE={} must be set where its head and each node were started, too, or nowhere"

Ref: TypeAlias = Any
"""Ray's name for what a task will return."""


class HeadLostError(GhostjobError):
    """Without its head there is no cluster."""


class Died(NamedTuple):
    """A task came to nothing since its process or its node died, or the node ran out of memory."""

    why: str


class Cluster:
    """A cluster that was joined."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._task = ray.remote(_done)
        self._head = str(ray.get_runtime_context().gcs_address)
        self._asked = -ASK_SECONDS
        self._processors = 0

    def processors(self) -> int:
        """How many there are now, or were a moment ago; nodes come and go. Raises HeadLostError.

        Whoever asks a head that is gone is ended by Ray, with the exit code 1, which would be a verdict: so first it is
        looked whether it answers.
        """
        if (now := time.monotonic()) - self._asked >= ASK_SECONDS:
            self.check()
            self._asked = now
            self._processors = int(self._ray.cluster_resources().get("CPU", 0))
        return self._processors

    def check(self) -> None:
        """Raises HeadLostError if the head is gone. May be called in any thread."""
        if (why := _silent(self._head)) is not None:
            raise HeadLostError(f"ray: the cluster's head {self._head} is gone ({why}); not all is done")

    def begin(self, work: Callable[[Any], Any], shard: object) -> Ref:
        """Have that done, once, on some processor."""
        return self._task.options(num_cpus=1, max_retries=0).remote(here(), work, shard)

    def actor(self, kind: Callable[..., Any], *told: object) -> "Actor":
        """Have one of that kind, made of what is told, live on some processor.

        If what it does is to be awaited, it does as much at a time as it is asked, in one loop.
        """
        has_loop = any(inspect.iscoroutinefunction(each) for each in vars(kind).values())
        begun = self._ray.remote(_Awaiting if has_loop else _Doing)
        options = begun.options(num_cpus=1, max_restarts=0, max_task_retries=0)
        return Actor(self._ray, options.remote(here(), kind, told))

    @property
    def advice(self) -> str:
        """What to look at if a process dies as soon as it begins, or none begins."""
        mode = os.environ.get("RAY_AUTH_MODE")
        return "look at `ray status`" + ("" if mode is None else f"; {WITHOUT_TOKEN.format(mode)}")

    @property
    def address_here(self) -> str:
        """Where the other nodes reach this one."""
        if self._head.startswith(f"{LOOPBACK}:"):
            return LOOPBACK
        return str(self._ray.util.get_node_ip_address())

    def ended(self, begun: Iterable[Ref], seconds: float) -> list[Ref]:
        """Which of them have, after waiting so long at most for one."""
        refs = list(begun)
        return list(self._ray.wait(refs, num_returns=1, timeout=seconds)[0]) if refs else []

    def part(self, ref: Ref) -> Any:
        """What came of one that has ended: a `Died`, or what the work returned. Raises what the work raised."""
        try:
            return self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            return self._died(error)

    async def answer(self, ref: Ref) -> Any:
        """The same of one that goes on, once it has ended."""
        try:
            return await asyncio.wrap_future(ref.future())
        except self._ray.exceptions.RayError as error:
            return self._died(error)

    def _died(self, error: Any) -> Died:
        """Raises what the work raised, if that is it."""
        if isinstance(error, self._ray.exceptions.RayTaskError):
            raise _fault(error) from None
        return Died(_first_line(error))

    def cancel(self, begun: Iterable[Ref]) -> None:
        """Nobody waits for these any more; once the cluster is left, that is so, and Ray would start another for it."""
        for ref in begun if self._ray.is_initialized() else ():
            self._ray.cancel(ref, force=True)


class Actor:
    """One that lives on a node, and does what it is asked in that order, unless that is to be awaited."""

    def __init__(self, ray: Any, handle: Any) -> None:
        self._ray, self._handle = ray, handle

    def ask(self, what: str, *told: object) -> Ref:
        """Have it do that."""
        return self._handle.do.remote(what, told)

    def end(self) -> None:
        """Nobody wants any more of it."""
        self._ray.kill(self._handle)


class _Living:
    """On a node: makes one of that kind when it is first asked to do something, so that what that raises is told."""

    def __init__(self, wanted: Build, kind: Callable[..., Any], told: Sequence[Any]) -> None:
        self._wanted, self._kind, self._told = wanted, kind, told
        self._one: Any = None

    def _asked(self, what: str) -> Callable[..., Any]:
        if self._one is None:
            _check_build(self._wanted)
            self._one = self._kind(*self._told)
        asked: Callable[..., Any] = getattr(self._one, what)
        return asked


class _Doing(_Living):
    def do(self, what: str, told: Sequence[Any]) -> Any:
        return self._asked(what)(*told)


class _Awaiting(_Living):
    """In a loop, which Ray runs where something is to be awaited."""

    async def do(self, what: str, told: Sequence[Any]) -> Any:
        return await self._asked(what)(*told)


def _done(wanted: Build, work: Callable[[Any], Any], shard: object) -> Any:
    """The work, on a node. Raises InputError if it runs another ghostjob."""
    _check_build(wanted)
    return work(shard)


def _check_build(wanted: Build) -> None:
    """Raises InputError on a node that runs another ghostjob."""
    if (there := here()) != wanted:
        which = f"{there.version}, not {wanted.version}" if there.version != wanted.version else "other sources"
        raise InputError(
            f"--engine ray: node {socket.gethostname()} runs another ghostjob ({which}), and one seed could mean two "
            f"things; install the same everywhere"
        )


def _fault(error: Any) -> BaseException:
    """What the work raised; else what a node must have to load it at all, which Ray says in several ways."""
    cause = error.cause if isinstance(error.cause, BaseException) else error
    if "No module named" in str(cause):
        return InputError(f"--engine ray: a node cannot load ghostjob ({_last_line(cause)}); on each: {TO_INSTALL}")
    return cause


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _last_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[-1]


class _Head(NamedTuple):
    """Where it listens, and how that was said."""

    address: str
    said: str


@contextmanager
def joined(address: str | None) -> Iterator[Cluster]:
    """The cluster whose head listens at HOST:PORT; None: as RAY_ADDRESS has it, else one of its own on this machine.

    Raises InputError; and KeyboardInterrupt if SIGTERM comes while Ray starts, which would exit with a verdict's code.
    """
    head = _named(address)
    if head is not None:
        _check(head)
    ray = _ray(is_on_loopback=head is None or head.address.startswith(f"{LOOPBACK}:"))
    with _room() if head is None else nullcontext() as room:
        with _sigterm_as_it_is():
            try:
                _begin(ray, head, room)
            except SystemExit:
                raise KeyboardInterrupt from None
            except (OSError, RuntimeError, ValueError) as error:
                raise _not_joined(head, error) from None
        try:
            yield Cluster(ray)
        finally:
            with _sigterm_as_it_is():
                ray.shutdown()


def _not_joined(head: _Head | None, error: BaseException) -> InputError:
    if head is None:
        return InputError(f"--engine ray: on this machine: {_first_line(error)}")
    hint = "" if "RAY_AUTH_MODE" in os.environ else f"; {WITH_TOKEN}"
    return InputError(f"{head.said}: {_first_line(error)}{hint}")


def _begin(ray: Any, head: _Head | None, room: str | None) -> None:
    here_ = {"_node_ip_address": LOOPBACK, "include_dashboard": False, "_temp_dir": room} if head is None else {}
    address = "local" if head is None else head.address
    if head is None:
        os.environ.setdefault(TOKEN, secrets.token_hex(32))
    ray.init(address=address, log_to_driver=False, logging_level="CRITICAL", **here_)


@contextmanager
def _room() -> Iterator[str]:
    """A directory of a short name, since a socket's has 107 bytes at most.

    If what uses it fails, that still runs, and writes there, until Ray's own end at the exit: so it goes after that.
    """
    usual = os.environ.get("RAY_TMPDIR") or ("/tmp" if Path("/tmp").is_dir() else None)  # noqa: S108 - it is made anew
    try:
        room = TemporaryDirectory(prefix="ghostjob-", dir=usual, ignore_cleanup_errors=True)
    except OSError as error:
        raise InputError(f"--engine ray: no room for its files in {usual}: {error.strerror}") from None
    atexit.register(room.cleanup)
    yield room.name
    room.cleanup()


def _named(address: str | None) -> _Head | None:
    if address is not None:
        return _Head(address, f"--cluster {address}")
    there = os.environ.get(ADDRESS)
    return _Head(there, f"{ADDRESS}={there}") if there else None


def _check(head: _Head) -> None:
    """Raises InputError if no head of a cluster listens there."""
    host, _, port = head.address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise InputError(f"{head.said}: name the cluster's head as HOST:PORT, such as {LOOPBACK}:6379")
    if (why := _silent(head.address) or _strange(host, int(port))) is not None:
        raise InputError(f"{head.said}: no head of a Ray cluster answers there ({why}); start one: ray start --head")


def _silent(address: str) -> str | None:
    """Why nobody takes a connection there; None: somebody does."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        return str(error)
    return None


def _strange(host: str, port: int) -> str | None:
    """Why whoever listens there is no Ray, which would try for minutes to make sense of it; None: it may be."""
    if os.environ.get("RAY_USE_TLS", "").lower() in ("1", "true"):
        return None
    try:
        with socket.create_connection((host, port), GREETING_SECONDS) as there:
            there.sendall(GREETING)
            frame = there.makefile("rb").read(9)
    except OSError as error:
        return str(error)
    return None if frame[3:4] == bytes((SETTINGS,)) else "whoever listens there is none"


def _ray(*, is_on_loopback: bool) -> Any:
    """The module. Raises InputError where it is not installed."""
    for name, value in (QUIET | (ON_LOOPBACK if is_on_loopback else {})).items():
        os.environ.setdefault(name, value)
    try:
        with _ends_come_later():
            return import_module("ray")
    except ModuleNotFoundError:
        python = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
        raise InputError(
            f"--engine ray: needs Ray, which is not installed here; {TO_INSTALL}, if Ray is there for {python}"
        ) from None


@contextmanager
def _ends_come_later() -> Iterator[None]:
    """Who interrupts it meanwhile does so when it is over: modules that are loaded swallow a KeyboardInterrupt."""
    came: list[int] = []
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in sorted(ENDS) if is_main}
    heeded = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    for number in heeded:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)


@contextmanager
def _sigterm_as_it_is() -> Iterator[None]:
    """Whoever handles SIGTERM goes on doing so: Ray would exit the process."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread() and before is not None:
            signal.signal(signal.SIGTERM, before)
