"""A command on a terminal of its own: what is drawn there, and keys that are pressed."""

import os
import pty
import re
import subprocess
from pathlib import Path
from typing import Self


class Terminal:
    """A pseudo-terminal of a size that holds the table; `seen` is everything that was drawn."""

    def __init__(self, command: list[str], cwd: Path, lines: int = 40) -> None:
        self.descriptor, theirs = pty.openpty()
        os.environ.setdefault("TERM", "xterm")
        environment = os.environ | {"COLUMNS": "120", "LINES": str(lines)}
        self.process = subprocess.Popen(command, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        self.seen = ""

    def read_until(self, pattern: str) -> None:
        """Read until some line that was drawn matches."""
        while not re.search(pattern, self.seen):
            try:
                self.seen += os.read(self.descriptor, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"ended before {pattern!r} was drawn: {self.seen[-2000:]}") from None

    def press(self, key: str) -> None:
        os.write(self.descriptor, key.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.descriptor)
