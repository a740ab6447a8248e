"""Options and types that several verbs share."""

import _thread
import asyncio
import gc
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from agent.errors import InputError

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

COLLECT_EVERY: Final = (50_000, 50, 20)
"""Thresholds of the collector: nearly everything dies by reference counting, and to go through the million objects that
a run of a thousand devices has by its end would stop it for half a second."""
FILES_TO_SPARE = 200
"""File descriptors that a process needs besides its connections: a cloud, which keeps back a hundred, the most."""


def logging_options(level: str = "warning") -> Callable[[F], F]:
    """`--log-format` and `--log-level`; the verb calls `agent.log.configure` with them."""

    def decorate(command: F) -> F:
        command = click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="How log lines look on stderr; json is one object a line.",
        )(command)
        return click.option(
            "--log-level",
            type=click.Choice(["debug", "info", "warning", "error"]),
            default=level,
            show_default=True,
            help="The least important level that is logged.",
        )(command)

    return decorate


SLOWEST: Final = 100
"""So many times slower than by itself a play may be begun."""


def model_option(default: str | None, help: str, name: str = "--model") -> Callable[[F], F]:  # noqa: A002 - click's
    """`--model`, or an option of another `name` for one, which shells complete."""

    def names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        from simulator.devices.models import MODELS

        return [name for name in MODELS if name.startswith(incomplete)]

    return click.option(name, metavar="MODEL", default=default, show_default=True, shell_complete=names, help=help)


table_option = click.option(
    "--table/--no-table",
    default=None,
    help="Show the live table; by default, if stderr is a terminal and the command in its foreground.",
)


CLUSTER_HELP: Final = (
    "With --engine ray, where the cluster's head listens; RAY_ADDRESS says it, too. Without it, a cluster of this "
    "machine's processors is there for as long as it lasts."
)


def cluster_option(more: str = "") -> Callable[[F], F]:
    """`--cluster`; `more` is what else it is for."""
    return click.option("--cluster", metavar="HOST:PORT", default=None, help=CLUSTER_HELP + more)


def check_cluster(cluster: str | None, engine: str, *others: str) -> None:
    """Raises InputError if one is named, and neither ray nor the `others` use it: who names it counts on it."""
    if cluster is not None and engine not in ("ray", *others):
        which = "that" if not others else "one of these"
        raise InputError(f"--cluster: for --engine {' or '.join(('ray', *others))}; add {which}, too")


def shipped_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """What the shell may complete a scenario's name to."""
    from simulator.scenario import shipped

    return [name for name in shipped() if name.startswith(incomplete)]


class NumberRange(click.FloatRange):
    """A number; infinity, where there is no upper bound, but no NaN, which is in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is no number", param, ctx) if math.isnan(number) else number


class Seconds(NumberRange):
    """A time."""


class SomePath(click.Path):
    """A path; no empty one, which would be the current directory to whoever meant nothing by it."""

    def __init__(self, *, exists: bool = False, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(exists=exists, file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A Path."""
        if value == "":
            self.fail("it is empty; give a path, '.' for the current directory", param, ctx)
        return super().convert(value, param, ctx)


class Port(click.ParamType[int | str]):
    """A TCP port; 0 for any free one, `off` for none."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """The number, or `off`."""
        if value == "off":
            return "off"
        if isinstance(value, int) or (str(value).isdigit() and int(value) <= 65535):
            return int(value)
        return self.fail(f"{value!r} is no port; give 0 to 65535, or off", param, ctx)


def access_key(text: str) -> tuple[str, str] | None:
    """Id and secret of ID:SECRET; None if it is not that."""
    identifier, colon, secret = text.partition(":")
    return (identifier, secret) if identifier and colon and secret and "/" not in identifier else None


class AccessKey(click.ParamType[tuple[str, str]]):
    """An access key: its id and its secret."""

    name = "id:secret"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Id and secret."""
        if isinstance(value, tuple):
            return value
        key = access_key(str(value))
        return self.fail("give ID:SECRET", param, ctx) if key is None else key


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on uvloop where it exists, else on asyncio's own loop."""
    with closing(main):  # who is interrupted before it begins is not told that nobody awaited it
        spare_imports()
        try:
            import uvloop
        except ImportError:
            return asyncio.run(_told_of_faults(main))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_told_of_faults(main))


def spare_imports() -> None:
    """Have the collector leave alone what is there, and look at what comes as seldom as a process with a loop may.

    Where somebody else has set its threshold, such as a program that calls a verb, it stays as it is.
    """
    if gc.get_threshold()[0] > COLLECT_EVERY[0]:
        gc.freeze()
        gc.set_threshold(*COLLECT_EVERY)


async def _told_of_faults(main: Coroutine[Any, Any, T]) -> T:
    """What nobody waits for, such as a timer's call, may fail too: that is logged in the log's own form."""

    def tell(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        from agent.log import get_logger

        get_logger("ghostjob").error(
            "callback.failed", during=context.get("message"), exc_info=context.get("exception")
        )

    asyncio.get_running_loop().set_exception_handler(tell)
    return await main


def interrupt_when_stdin_closes() -> None:
    """Have this process interrupted, as by Ctrl-C, once nobody holds its standard input any more."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(0, 1024):
                pass
        interrupt()

    threading.Thread(target=wait, name="stdin", daemon=True).start()


def interrupt() -> None:
    """Have this process interrupted, as by Ctrl-C; from any thread."""
    main = threading.main_thread().ident
    if sys.platform == "win32" or main is None:
        _thread.interrupt_main()
    else:
        signal.pthread_kill(main, signal.SIGINT)  # the main thread may wait in its loop


@contextmanager
def interrupted_by_every_end() -> Iterator[None]:
    """While it lasts, SIGTERM, and SIGHUP of a terminal that is gone, interrupt this task as Ctrl-C does, once.

    For who leaves more behind than a process: what was started, and what was written. Raises KeyboardInterrupt, also
    where SIGINT is ignored, as it is in what a shell's script has started in the background.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "a task awaits this"
    came = 0

    def end() -> None:
        nonlocal came
        came += 1
        if came == 1:
            task.cancel()

    # The loop's own handlers would need sockets, which virtual time has none of; and the task must not be running.
    with _handled(_ENDS, lambda: loop.call_soon_threadsafe(end)):
        try:
            yield
        except asyncio.CancelledError:
            if came:
                raise KeyboardInterrupt from None
            raise


@contextmanager
def ended_by_every_end() -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Ctrl-C, SIGTERM and SIGHUP raise KeyboardInterrupt at once; while what this gives lasts, at its end.

    That is for what is to be done whole or not at all. Who does it once more means it, there too.
    """
    is_held = came = False

    def end() -> None:
        nonlocal came
        if came or not is_held:
            raise KeyboardInterrupt
        came = True

    @contextmanager
    def whole() -> Iterator[None]:
        nonlocal is_held
        is_held = True
        try:
            yield
        finally:
            is_held = False
        if came:
            raise KeyboardInterrupt

    with _handled((signal.SIGINT, *_ENDS), end):
        yield whole


@contextmanager
def told_of_every_end() -> Iterator[Callable[[], bool]]:
    """While it lasts, whether Ctrl-C, SIGTERM or SIGHUP came, for who looks at that now and then and has more to do.

    Who does it once more means it: that raises KeyboardInterrupt at once.
    """
    came = 0

    def end() -> None:
        nonlocal came
        came += 1
        if came > 1:
            raise KeyboardInterrupt

    with _handled((signal.SIGINT, *_ENDS), end):
        yield lambda: came > 0


_ENDS: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""By which others end a process: whoever cancels it, and a terminal that is gone."""


@contextmanager
def _handled(numbers: Iterable[signal.Signals], handle: Callable[[], object]) -> Iterator[None]:
    """While it lasts, these signals call that, but those that somebody else has in hand, such as nohup."""
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():  # no other can have them
        usual = (signal.SIG_DFL, signal.default_int_handler)
        before = {each: now for each in numbers if (now := signal.getsignal(each)) in usual}
    for number in before:
        signal.signal(number, lambda _number, _frame: handle())
    try:
        yield
    finally:
        for number, now in before.items():
            signal.signal(number, now)


def allow_files(wanted: int, *, at_most: bool = False) -> None:
    """Raise this process's limit on open files to `wanted` connections, or, if `at_most`, as near as it may.

    Raises InputError if it cannot be had.
    """
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = wanted + FILES_TO_SPARE
    if hard != resource.RLIM_INFINITY and need > hard:
        if not at_most:
            raise InputError(
                f"--devices: {wanted} devices need {need} open files, and this process may have {hard}; "
                f"raise it (ulimit -n) or run several fleets"
            )
        need = hard
    if soft < need:
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))


def ready_for(connections: int) -> None:
    """Have this process, which is nobody's verb, bear so many as one that is would. Raises InputError."""
    allow_files(connections)
    spare_imports()


async def until_stopped(seconds: float | None) -> None:
    """Return at SIGINT or SIGTERM, or after `seconds`."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if seconds is not None:
        loop.call_later(seconds, stopped.set)
    try:
        await stopped.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
