"""A process of ghostjob's own. It says nothing on your stdout and stderr; its log goes to the logger `ghostjob`.

It begins with a file, by the file's path, and without the directory from which you work: neither `PYTHONPATH` nor what
lies there can put another `agent` or `simulator` in the place of ghostjob's.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from ghostjob._errors import GhostjobError, InputError

HERE: Final = Path(__file__).resolve().parent
ENTRY: Final = next(
    path for root in HERE.parents if (path := root / "simulator" / "cli" / "__main__.py").is_file()
)  # beside this package when installed; in the source tree above it
BAD_INPUT: Final = 2
"""The exit code of who was given something wrong, which the last line of stderr then says."""
PREFIX: Final = "ghostjob: "
SHOWN: Final = 20
"""Lines of stderr that an error tells."""
END_SECONDS: Final = 60.0
log = logging.getLogger("ghostjob")
log.addHandler(logging.NullHandler())  # else `logging` would print warnings to stderr


def log_options() -> tuple[str, ...]:
    """For verbs that log: as much as anybody here wants to have."""
    level = log.getEffectiveLevel()
    name = "debug" if level <= logging.DEBUG else "info" if level <= logging.INFO else "warning"
    return ("--log-format", "json", "--log-level", name)


class Process:
    """`ghostjob` with these arguments; it ends when its stdin does, if it was told to mind that, so even a caller who
    is killed leaves none behind.

    What is wrong in a file below `hidden` is told without that, as nobody knows the place but we. It works in the
    directory `cwd`, or in yours. `apart`: Ctrl-C is for its caller alone, who then ends it.
    """

    def __init__(self, *arguments: str, hidden: str = "", cwd: Path | None = None, apart: bool = False) -> None:
        self._hidden = hidden
        self._last: deque[str] = deque(maxlen=SHOWN)
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", str(ENTRY), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=cwd,
            start_new_session=apart,
        )
        self._listening = threading.Thread(target=self._listen, name="ghostjob", daemon=True)
        self._listening.start()

    def say(self, line: str) -> None:
        """Tell it what no command line may show, as the next line of its stdin. One that has ended does not listen."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def lines(self) -> Iterator[str]:
        """The objects of JSON that it says on stdout, until it ends. Somebody's `sitecustomize` may speak before."""
        assert self._process.stdout is not None
        return (line for line in self._process.stdout if line.startswith("{"))

    def ready_line(self) -> str:
        """The first of them; empty if it ended instead."""
        return next(self.lines(), "")

    def read(self) -> str:
        """All that it says on stdout, once it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.read()

    def wait(self) -> int:
        """Wait until it ends: its exit code. Raises InputError if it was given something wrong."""
        self.read()
        code = self._process.wait()
        self._close()
        if code == BAD_INPUT:
            raise self.refusal()
        return code

    async def wait_async(self) -> int:
        """The same; if whoever waits is cancelled, it is interrupted, and has ended by then."""
        import asyncio

        waiting = asyncio.get_running_loop().run_in_executor(None, self.wait)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            self.interrupt()
            await asyncio.gather(waiting, return_exceptions=True)
            raise

    def interrupt(self) -> None:
        """Let it end in good order, without what it was asked for."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT) if os.name == "posix" else self._process.terminate()

    def close_stdin(self) -> None:
        """It has heard everything."""
        assert self._process.stdin is not None
        with suppress(OSError):  # what one that has ended has not read is still in our hands
            self._process.stdin.close()

    def kill(self) -> None:
        """For one that does not end."""
        self._process.kill()

    def end(self) -> int:
        """Close its stdin, and wait until it ends: its exit code."""
        self.close_stdin()
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._close()
        return code

    def refusal(self) -> InputError:
        """What is wrong with what it was given, which is what it said last."""
        said = self._last[-1] if self._last else ""
        return InputError(said.removeprefix(PREFIX).removeprefix(self._hidden))

    def fault(self) -> GhostjobError:
        """What it said before it ended in a way in which it should not."""
        return GhostjobError("\n".join((f"ended with exit code {self._process.returncode}", *self._last)))

    def _close(self) -> None:
        self._listening.join()
        self.close_stdin()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            text = line.rstrip("\n")
            self._last.append(text)
            _tell(text)


def _tell(text: str) -> None:
    """A line of JSON is the log's; others are talk."""
    try:
        said = json.loads(text)
        level = logging.getLevelNamesMapping()[said.pop("level").upper()]
        event = said.pop("event")
    except (ValueError, KeyError, TypeError, AttributeError):
        log.info("%s", text)
        return
    said.pop("timestamp", None)
    log.log(level, "%s", " ".join(f"{name}={value!r}" for name, value in {"event": event, **said}.items()))
