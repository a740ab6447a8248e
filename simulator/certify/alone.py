"""A cell that is played alone: in a session of its own, by another process of ghostjob's, wherever that is asked for.

It has a cloud, certificates and a device of its own, so that many may be played at a time, on one host too. The session
is `ghostjob certify` itself, told what to do by its options, and ends when nobody wants it any more.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple, TypeAlias

from agent.errors import GhostjobError, InputError
from simulator.certify.certificate import Certificate
from simulator.certify.output import CERTIFICATE
from simulator.exit_codes import OF_OUTCOME, ExitCode
from simulator.processes import command, how_it_ended

KEEPER: Final = """
import os, select, shutil, signal, subprocess, sys
signal.pthread_sigmask(signal.SIG_SETMASK, ())
room, *session = sys.argv[1:]
if keeper := os.fork():
    code = os.waitstatus_to_exitcode(os.waitpid(keeper, 0)[1])
else:
    os.setsid()
    code = subprocess.call(session)
    if select.select([0], [], [], 0)[0]:
        shutil.rmtree(room, ignore_errors=True)
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
"""
"""It stands between, and ends as the session does: Ray kills what processes of its own have begun, once it ends those,
with their process group, and a session that is killed leaves its device behind; one that sees its standard input close
ends it. What it has begun in its turn outlives that, and removes the room if nobody is left who would. And Ray has its
processes be deaf to SIGINT.
"""


class SessionLostError(GhostjobError):
    """It ended without a certificate, for no fault of the device's or of what it was told."""


class Sent(NamedTuple):
    """A file that is sent along."""

    name: str
    content: bytes


Word: TypeAlias = str | Sent


class Asked(NamedTuple):
    """A session's options, the device's command, and the directory in which both are. `is_kept`: with its files."""

    words: tuple[Word, ...]
    command: tuple[str, ...]
    directory: Path
    is_kept: bool


class PlayedAlone(NamedTuple):
    """What came of a cell; `files` are those of its play, by their paths relative to the certificate."""

    certificate: Certificate
    files: Mapping[str, bytes]


def played_alone(asked: Asked, cell: str) -> PlayedAlone:
    """Play it here. Raises InputError, which names this host; SessionLostError."""
    if not asked.directory.is_dir():
        raise InputError(
            f"{socket.gethostname()}: no directory {asked.directory}, in which COMMAND would be started; it must be "
            f"there on each node"
        )
    with TemporaryDirectory(prefix="ghostjob-") as room:
        out = Path(room, "out")
        words = (
            *_written(asked.words, Path(room)),
            "--only",
            cell,
            "--out",
            str(out),
            "--json",
            "--until-stdin-closes",
        )
        code, complaint = _ended(command("certify", *words, "--", *asked.command), asked.directory, Path(room))
        if code == ExitCode.BAD_INPUT:
            raise InputError(f"{socket.gethostname()}: {complaint}")
        if code not in OF_OUTCOME.values():
            raise SessionLostError(f"its session ended before its time ({how_it_ended(code)}) {complaint}".rstrip())
        certificate = Certificate.model_validate_json((out / CERTIFICATE).read_bytes())
        return PlayedAlone(certificate, _files(certificate, out) if asked.is_kept else {})


def _written(words: Sequence[Word], room: Path) -> Iterator[str]:
    """The words, where each file that was sent is here."""
    for number, word in enumerate(words):
        if isinstance(word, str):
            yield word
        else:
            path = room / str(number) / word.name
            path.parent.mkdir()
            path.write_bytes(word.content)
            yield str(path)


def _ended(argv: Sequence[str], directory: Path, room: Path) -> tuple[int, str]:
    """Its exit code, and the last that it complained of."""
    with (room / "stderr").open("w+b") as told:
        with subprocess.Popen(  # noqa: S603 - ghostjob itself
            (sys.executable, "-ISc", KEEPER, str(room), *argv),
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=told,
        ) as session:
            session.wait()
        told.seek(0)
        lines = told.read().decode("utf-8", "replace").splitlines()
    return session.returncode, lines[-1].removeprefix("ghostjob: ") if lines else ""


def _files(certificate: Certificate, out: Path) -> dict[str, bytes]:
    directories = [out / cell.directory for cell in certificate.cells if cell.directory is not None]
    paths = [path for directory in directories for path in directory.rglob("*") if path.is_file()]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}
