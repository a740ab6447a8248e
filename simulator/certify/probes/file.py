"""`file:PATH`: the first line of a file is the version, such as of one that the device's process keeps up to date.

Every change counts, also one that is taken back at once: where the platform tells of changes (Linux), each is read as
it comes; elsewhere, and for what other machines change, as often as it is sampled. That there is no such file, or that
it cannot be read, says nothing of the device.
"""

import asyncio
import errno
import os
import stat
from pathlib import Path
from typing import Final

from agent.errors import InputError
from simulator.certify.probes.changes import Changes, changes_in
from simulator.certify.probes.patience import in_thread
from simulator.certify.probes.sample import LIMIT_SECONDS, MOST_BYTES, Sample, Tell, bounded, told, unsampled

IN_WORDS: Final = {errno.ENOENT: "there is no such file", errno.ENOTDIR: "there is no such file"}


class FileProbe:
    """Reads a file. Raises InputError for a path that cannot be one."""

    announces = False

    def __init__(self, text: str, path: str, limit_seconds: float = LIMIT_SECONDS) -> None:
        if not path or "\0" in path:
            raise InputError(f"--probe {text}: name a file, such as file:/var/lib/dut/version")
        self.text = text
        self._path = Path(path).expanduser()
        if self._path.is_dir():
            raise InputError(f"--probe {text}: that is a directory; name the file in it")
        self._limit_seconds = limit_seconds
        self._reading: asyncio.Future[Sample] | None = None
        self._changes: Changes | None = None

    def watch(self, tell: Tell) -> None:
        """Read it at every change."""
        self._changes = changes_in(self._path, lambda: tell(read(self._path)))

    async def sample(self) -> Sample:
        """Read it; a read that still hangs is not begun again."""
        if self._reading is None or self._reading.done():
            self._reading = in_thread(lambda: read(self._path))
        done, _ = await asyncio.wait([self._reading], timeout=self._limit_seconds)
        if not done:
            return unsampled(f"{self._path} could not be read within {self._limit_seconds:g} s")
        return self._reading.result()

    async def close(self) -> None:
        """Watch it no more."""
        if self._changes is not None:
            self._changes.close()
            self._changes = None


def read(path: Path) -> Sample:
    """What the file says now; a pipe, in which nobody may ever write, is not waited for."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                return unsampled(f"{path} is no ordinary file")
            return told(os.read(file, MOST_BYTES))
        finally:
            os.close(file)
    except OSError as error:
        words = IN_WORDS.get(error.errno or 0, error.strerror or str(error))
        return unsampled(bounded(f"{path}: {words}"))
