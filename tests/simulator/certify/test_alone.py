"""A cell in a session of its own: what comes of it, and whose fault it is if nothing does."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import InputError
from simulator.certify.alone import Asked, Sent, SessionLostError, Word, played_alone
from tests.cli.certifying import device

CALM = "step-middle/calm"
HERE = socket.gethostname()


def asked(directory: Path, *words: Word, command: tuple[str, ...], is_kept: bool = False) -> Asked:
    return Asked(("--thing", "pump-7", *words), command, directory, is_kept)


def test_it_comes_to_a_certificate_of_that_cell_and_the_files_of_its_play(tmp_path: Path):
    document = Sent("ours.json", b'{"operation": "update", "version": "{version}"}')
    played = played_alone(asked(tmp_path, "--document", document, command=device(), is_kept=True), CALM)
    (cell,) = played.certificate.cells
    assert (cell.id, cell.outcome) == (CALM, "passed")
    assert set(played.files) == {f"{cell.directory}/trace.jsonl", f"{cell.directory}/verdict.json"}
    assert not list(tmp_path.iterdir())


def test_a_session_that_is_killed_says_nothing_of_the_device(tmp_path: Path):
    with pytest.raises(SessionLostError, match=r"ended before its time \(killed by signal 9\)"):
        played_alone(asked(tmp_path, command=("sh", "-c", "kill -9 $PPID")), CALM)


def test_who_is_killed_while_it_is_played_leaves_neither_a_room_nor_a_device_behind(tmp_path: Path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    plays = (
        f"from pathlib import Path; from tests.simulator.certify.test_alone import CALM, asked, played_alone\n"
        f"played_alone(asked(Path({str(tmp_path)!r}), command=('sh', '-c', 'echo $$ > begun; sleep 60')), CALM)"
    )
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen((sys.executable, "-c", plays), env=environment, process_group=0) as process:
        _until(lambda: (tmp_path / "begun").exists() and (tmp_path / "begun").read_text() != "")
        os.killpg(process.pid, signal.SIGKILL)  # as Ray does, if a node ends
    _until(lambda: not list(temporary.iterdir()))
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "begun").read_text()), 0)


def _until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not is_so():  # nothing can be awaited of a process that is nobody's child any more
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_what_it_was_told_wrong_is_said_with_the_host(tmp_path: Path):
    with pytest.raises(InputError, match=rf"^{HERE}: \./agent: cannot be started: No such file"):
        played_alone(asked(tmp_path, command=("./agent",)), CALM)
    with pytest.raises(InputError, match=rf"^{HERE}: no directory /nowhere, in which COMMAND would be started"):
        played_alone(asked(Path("/nowhere"), command=("./agent",)), CALM)
