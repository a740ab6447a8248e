"""A system that has no room: for another process, or for another open file."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


def for_more_processes_than(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of a user (RLIMIT_NPROC) is not for the superuser, who may run the tests: forks fail as by that."""
    fork, begun = os.fork, list[int]()

    def limited() -> int:
        if len(begun) == most:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        begun.append(0)
        return fork()

    monkeypatch.setattr(os, "fork", limited)


@contextmanager
def for_files() -> Iterator[None]:
    """Not one more can be opened by this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
