"""A schedule's file: read, and said what is waited for if there is nothing to read yet."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agent.errors import InputError
from simulator.cli.listing import talk
from simulator.engines.explore.schedule import ReadSchedule, parse
from simulator.scenario.reading import text_in

SLOW_SECONDS: Final = 1.0
"""A file that takes longer to read is none: it is a pipe."""


def schedule_in(path: Path) -> ReadSchedule:
    """The schedule in a file. Raises InputError."""
    return parse(_text(path), str(path))


def _text(path: Path) -> str:
    """What is in a file. Raises InputError."""
    with _saying_if_slow(path):
        try:
            return text_in(path, "schedule")
        except FileNotFoundError as error:
            raise InputError(f"{path}: cannot read the schedule: {error.strerror}") from None


@contextmanager
def _saying_if_slow(path: Path) -> Iterator[None]:
    """Say what is waited for: nothing may ever come out of a pipe."""
    line = f"ghostjob: waiting for the schedule: nobody has written all of {path} yet, and closed it"
    timer = threading.Timer(SLOW_SECONDS, talk, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
