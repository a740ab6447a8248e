"""A cell in a session of its own: what comes of it, and whose fault it is if nothing does."""

import socket
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


def test_what_it_was_told_wrong_is_said_with_the_host(tmp_path: Path):
    with pytest.raises(InputError, match=rf"^{HERE}: \./agent: cannot be started: No such file"):
        played_alone(asked(tmp_path, command=("./agent",)), CALM)
    with pytest.raises(InputError, match=rf"^{HERE}: no directory /nowhere, in which COMMAND would be started"):
        played_alone(asked(Path("/nowhere"), command=("./agent",)), CALM)
