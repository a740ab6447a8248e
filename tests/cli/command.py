"""The command `ghostjob`: as a process of its own, or, where a second of imports would tell nothing, in this one."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.log import configure
from simulator.cli import main


def ghostjob(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run it as anybody would."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "simulator.cli", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def ended(arguments: list[str]) -> object:
    """The exit code of running it in this process."""
    try:
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
    finally:
        configure("text", "error")  # it has a log of its own
    return exit_.value.code


def complaint(capfd: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The one line by which it refuses such input, in this process and directory."""
    code, told = ended(arguments), capfd.readouterr()
    assert (code, told.out) == (2, ""), told.err
    (line,) = told.err.splitlines()
    return line
