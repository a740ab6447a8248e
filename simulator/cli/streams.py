"""This process's stdout and stderr, such that a verb need not care who reads them.

stdout is what a verb is asked for: if it cannot be written, OutputError ends the verb. It is no OSError, of which click
and rich would each make the exit code 1, and that is a verdict. stderr is talk: it may get lost. Characters that a
terminal does not have are spelled as `\\u2026`.
"""

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO

from agent.errors import GhostjobError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDOUT: Final = 1
STDERR: Final = 2


class OutputError(GhostjobError):
    """What a verb was asked for cannot be written; `reader_gone`: whoever read it has closed the pipe."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"stdout: cannot be written to: {error.strerror}")
        self.reader_gone = isinstance(error, BrokenPipeError)


class _Asked(io.FileIO):
    """Raises OutputError."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputError(error) from None


class _Talk(io.FileIO):
    """Whoever does not listen misses it."""

    def write(self, data: "ReadableBuffer", /) -> int:
        with suppress(OSError):
            return super().write(data)
        return len(memoryview(data).cast("B"))


def set_up() -> None:
    """Make them so, for this whole process; one that is closed becomes one that nobody reads."""
    if sys.platform == "win32":  # a console there is written to in another way
        return
    sys.stdout = _stream(sys.stdout, _Asked, STDOUT)
    sys.stderr = _stream(sys.stderr, _Talk, STDERR)


def _stream(stream: TextIO | None, kind: type[io.FileIO], number: int) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    raw = kind(number, "w", closefd=False)
    is_terminal = raw.isatty()
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        stream.encoding,
        "backslashreplace",
        line_buffering=is_terminal or number == STDERR,
    )


def finish() -> None:
    """Write what is left of stdout. Raises OutputError."""
    if not sys.stdout.closed:
        sys.stdout.flush()


def give_up() -> None:
    """Let what is left of stdout go where nobody reads: Python would try once more at the end, and complain."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
