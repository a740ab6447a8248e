"""An agent's account in a file, on a disk that gets full."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.device_events import DeviceConnected, JournalUnwritable
from agent.log import configure
from simulator.cli.trace_file import TraceFile
from simulator.trace import read


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def _restored() -> Iterator[None]:
    yield
    configure("text", "error")


@pytest.mark.usefixtures("_restored")
def test_an_account_that_cannot_be_written_ends_there_and_the_next_agent_goes_on_with_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    configure("text", "warning")
    path = tmp_path / "trace.jsonl"
    with TraceFile(path, "dev") as account:
        for _ in range(20):  # more than the log may grow to meanwhile
            account.observe(DeviceConnected())
        with files_of_at_most(path.stat().st_size + 10):
            account.observe(JournalUnwritable("disk full"))
            account.observe(JournalUnwritable("disk full"))
    said = capfd.readouterr().err
    assert said.count("trace.unwritable") == 1
    assert "File too large" in said
    with TraceFile(path, "dev") as account:
        account.observe(DeviceConnected())
    with path.open() as lines:
        assert [entry.n for entry in read(lines)] == list(range(1, 22))
