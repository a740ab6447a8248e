"""`cmd:COMMAND`: exit code 0 says that the device is alive, the first line of its output is the version.

The command is started anew for each sample, in a process group of its own, which ends with the sample. Its words are
split as a shell splits them, but no shell reads them: whoever needs one writes `cmd:sh -c '…'`.
"""

import asyncio
import os
import shlex
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from agent.errors import InputError
from simulator.certify.probes.sample import LIMIT_SECONDS, MOST_BYTES, Sample, Tell, bounded, dead, told, unsampled

NOT_RUN: Final = {126: "what it starts cannot be executed", 127: "what it starts was not found"}
"""What a shell ends with when it is not the device's word."""
REAP_SECONDS: Final = 1.0
"""A process that was killed ends at once, or hangs in the kernel."""


class CommandProbe:
    """Runs a command. Raises InputError if there is no such program."""

    announces = False

    def __init__(
        self, text: str, command: str, environment: Mapping[str, str], limit_seconds: float = LIMIT_SECONDS
    ) -> None:
        self.text = text
        self._argv = _words(text, command)
        self._environment = dict(environment)
        self._limit_seconds = limit_seconds

    def watch(self, tell: Tell) -> None:
        """A command can only be asked."""

    async def sample(self) -> Sample:
        """Run it once."""
        environment = os.environ | self._environment
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True, env=environment
            )
        except (OSError, ValueError) as error:
            return unsampled(f"{self._argv[0]} could not be started: {getattr(error, 'strerror', None) or error}")
        return await self._seen(process)

    async def close(self) -> None:
        """Nothing of it is left after a sample."""

    async def _seen(self, process: Process) -> Sample:
        assert process.stdout is not None, "it was asked for"
        assert process.stderr is not None, "it was asked for"
        output, errors = _Kept(), _Kept()
        tasks: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(output.read(process.stdout)),
            asyncio.ensure_future(errors.read(process.stderr)),
            asyncio.ensure_future(process.wait()),
        ]
        is_over = False
        try:
            is_over = not (await asyncio.wait(tasks, timeout=self._limit_seconds))[1]
        finally:
            if not is_over:
                await _end(process, tasks)
        if not is_over:
            return unsampled(f"{self._argv[0]} had not ended after {self._limit_seconds:g} s")
        return _judged(Ended(process.returncode or 0, bytes(output.raw), bytes(errors.raw)))


class Ended(NamedTuple):
    """A command that came to its end, with the beginning of what it wrote."""

    code: int
    output: bytes
    errors: bytes


class _Kept:
    """The beginning of what a stream brings; the rest is read, so that the process can go on, and not kept."""

    def __init__(self) -> None:
        self.raw = bytearray()

    async def read(self, stream: asyncio.StreamReader) -> None:
        while part := await stream.read(MOST_BYTES):
            self.raw += part[: MOST_BYTES - len(self.raw)]


def _judged(ended: Ended) -> Sample:
    if ended.code == 0:
        return told(ended.output)
    if ended.code < 0:
        return unsampled(f"it was ended by signal {-ended.code}")
    said = bounded(ended.errors.decode("utf-8", "replace").strip().rpartition("\n")[2], 160)
    if ended.code in NOT_RUN:
        return unsampled(f"exit code {ended.code}: {NOT_RUN[ended.code]}{': ' if said else ''}{said}")
    return dead(f"exit code {ended.code}{': ' if said else ''}{said}")


async def _end(process: Process, tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Kill it, and what it has started in its group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await asyncio.wait(tasks, timeout=REAP_SECONDS)
    for task in tasks:
        task.cancel()


def _words(text: str, command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise InputError(f"--probe {text}: {error}; quote as in a shell") from None
    if not words:
        raise InputError(f"--probe {text}: name a command, such as cmd:./version.sh")
    if shutil.which(words[0]) is None:
        raise InputError(f"--probe {text}: {_missing(words[0])}")
    return words


def _missing(program: str) -> str:
    if not os.path.exists(program):
        hint = "is it on PATH?" if os.sep not in program else f"it is looked for from {os.getcwd()}"
        return f"there is no program {program}; {hint}"
    if os.path.isdir(program):
        return f"{program} is a directory; name the program in it"
    return f"{program} cannot be executed; chmod +x {program}, or cmd:sh {program}"
