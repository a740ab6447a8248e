"""What becomes of a verb whose output nobody reads, or cannot be written: no verdict's exit code, and no traceback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_core import SchemaError

from simulator.cli import main
from tests.cli.command import ghostjob

FAILS = ("run", "delete-in-write", "--engine", "virtual", "--model", "recovers-without-undoing", "--devices", "2")
LAST = "FAILED: bootable was violated by thing-0 on job fw"
READER_GONE = 141
"""As a shell tells of SIGPIPE."""
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    """The end to write to of a pipe that nobody reads any more."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


def start(
    arguments: tuple[str, ...], *, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "simulator.cli", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("run", "--help"),
        ("run", "--models"),
        ("schema", "verdict"),
        ("cloud", "--fidelity"),
        ("delete-job", "help"),
        FAILS,
    ],
    ids=" ".join,
)
def test_a_reader_that_went_away_is_no_verdict(arguments: tuple[str, ...], closed_pipe: int):
    told = start(arguments, stdout=closed_pipe)
    assert told.returncode == READER_GONE
    assert b"Traceback" not in told.stderr
    assert b"Exception ignored" not in told.stderr


def test_a_trace_ends_as_other_tools_do_when_its_reader_has_seen_enough(tmp_path: Path, closed_pipe: int):
    assert ghostjob(*FAILS, "--out", "out", cwd=tmp_path).returncode == 1
    told = start(("trace", str(tmp_path / "out")), stdout=closed_pipe)
    assert (told.returncode, told.stderr) == (READER_GONE, b"")


@needs_full
@pytest.mark.parametrize("arguments", [FAILS, ("schema", "verdict"), ("run", "--models")], ids=" ".join)
def test_output_that_cannot_be_written_is_said_in_one_line(arguments: tuple[str, ...]):
    with FULL.open("wb") as full:
        told = start(arguments, stdout=full.fileno())
    assert told.returncode == 2
    assert told.stderr.splitlines()[-1] == b"ghostjob: stdout: cannot be written to: No space left on device"
    assert b"Traceback" not in told.stderr


def test_a_verdict_does_not_depend_on_who_reads_the_talk(closed_pipe: int):
    told = start(FAILS, stderr=closed_pipe)
    assert told.returncode == 1
    assert LAST in told.stdout.decode()


@needs_full
def test_nor_on_where_the_talk_goes():
    with FULL.open("wb") as full:
        told = start(FAILS, stderr=full.fileno())
    assert told.returncode == 1
    assert LAST in told.stdout.decode()


@pytest.mark.parametrize("closed", ["2>&-", "2>&- <&-"])
def test_nor_on_whether_there_is_anywhere_for_it_to_go(closed: str):
    command = f'exec "$0" -P -m simulator.cli "$@" {closed}'
    told = subprocess.run(["sh", "-c", command, sys.executable, *FAILS], capture_output=True, check=False)
    assert told.returncode == 1
    assert LAST in told.stdout.decode()


def test_what_a_terminal_has_no_characters_for_is_spelled_out():
    told = start(("cloud", "--fidelity"), encoding="ascii")
    assert (told.returncode, told.stderr) == (0, b"")
    assert b"s3-presigned-url:\\u2026}" in told.stdout


def test_a_fault_of_ours_is_no_verdict(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    monkeypatch.setattr("simulator.cli.run._print_models", lambda: 1 // 0)
    with pytest.raises(SystemExit) as exit_:
        main(["run", "--models"])
    assert exit_.value.code == 70
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_who_is_interrupted_while_a_model_is_built_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """Pydantic tells Ctrl-C as a failure of its own."""

    def build(*_: object, **__: object) -> None:
        raise SchemaError('Error building "model" validator:\n  KeyboardInterrupt: ')

    monkeypatch.setattr("simulator.cli.ghostjob.main", build)
    with pytest.raises(SystemExit) as ended:
        main(["explain"])
    assert ended.value.code == 130
    assert capfd.readouterr().err == ""
