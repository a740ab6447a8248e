"""`ghostjob certify` as a process, with a simulated device as the command that it starts."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

GHOSTJOB = (sys.executable, "-P", "-m", "simulator.cli")


def device(model: str = "reference", step_seconds: float = 0.05, *more: str) -> tuple[str, ...]:
    """A simulated device, with placeholders for what it is told."""
    who = ("--thing", "{thing}", "--model", model, "--step-seconds", str(step_seconds))
    return (*GHOSTJOB, "fleet", "--endpoint", "{host}:{mqtts_port}", "--certs", "{certs}", "--no-table", *who, *more)


class Certifying:
    """The command on its way. A context: it is ended at the end, if it has not ended by itself."""

    def __init__(self, directory: Path, *arguments: str, command: Sequence[str] = ()) -> None:
        after = ("--", *command) if command else ()
        self.process = subprocess.Popen(
            (*GHOSTJOB, "certify", *arguments, *after),
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Certifying":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def events(self) -> Iterator[dict[str, Any]]:
        """What it says with --json, as it says it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)

    def until(self, event: str) -> dict[str, Any]:
        """The next event of that name."""
        return next(each for each in self.events() if each["event"] == event)

    def say(self, line: str) -> None:
        """A line for its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str, str]:
        """Its exit code, and what it wrote to stdout and stderr; its standard input is closed."""
        out, err = self.process.communicate()
        return self.process.returncode, out, err
