"""The command `ghostjob`: as a process of its own, or, where a second of imports would tell nothing, in this one."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from agent.log import configure
from simulator.cli import main

FAKE_TIME: Final = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
"""libfaketime, which lies to a process about the time of day, where it is installed."""


def ghostjob(
    *arguments: str, cwd: Path, environment: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run it as anybody would, with that in its environment besides."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "simulator.cli", *arguments],
        cwd=cwd,
        env=os.environ | environment,
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
