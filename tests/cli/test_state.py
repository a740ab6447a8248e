"""`ghostjob cloud --state`: what is said when the file cannot be used, at the beginning and under way."""

import json
import resource
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from simulator.cloud.store.database import Database
from simulator.cloud.store.kinds import KINDS
from tests.cli.command import complaint

CLOUD = ("cloud", "--api-port", "0", "--mqtt-port", "off", "--mqtts-port", "off", "--data-port", "off")


@contextmanager
def running(state: Path, *more: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A cloud on that file: its process and where its API is."""
    command = [sys.executable, "-P", "-m", "simulator.cli", *CLOUD, "--state", str(state), "--trace", "-", *more]
    with subprocess.Popen(
        [*command, "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        first = process.stdout.readline()
        assert first, process.stderr and process.stderr.read()
        try:
            yield process, json.loads(first)["endpoints"]["api"]
        finally:
            process.stdin.close()
            process.stdout.read()
            process.wait()


def status(method: str, url: str) -> int:
    """Of the answer; 0 if there was none."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


@pytest.mark.parametrize(
    ("state", "says"),
    [
        pytest.param("missing/cloud.db", "there is no directory", id="no such directory"),
        pytest.param(".", "is a directory; name a file in it", id="a directory"),
        pytest.param("notes.txt", "it is no database; choose another file", id="some other file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], state: str, says: str
):
    (tmp_path / "notes.txt").write_text("remember the milk\n" * 100)
    said = complaint(capfd, [*CLOUD, "--state", str(tmp_path / state)])
    assert f"--state {tmp_path / state}" in said
    assert says in said
    assert (tmp_path / "notes.txt").read_text() == "remember the milk\n" * 100


def test_a_file_that_another_cloud_uses_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    state = tmp_path / "cloud.db"
    with closing(Database(state, KINDS)):
        said = complaint(capfd, [*CLOUD, "--state", str(state)])
    assert f"--state {state}: another process uses it, such as a second ghostjob cloud" in said


def test_a_second_cloud_on_the_same_file_is_refused_and_the_first_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    state = tmp_path / "cloud.db"
    with running(state) as (_, api):
        for more in ((), ("--salvage",)):
            said = complaint(capfd, [*CLOUD, "--state", str(state), *more])
            assert f"--state {state}: another process uses it, such as a second ghostjob cloud" in said
        assert status("POST", f"{api}/things/pump") == 200
    with running(state) as (_, api):
        assert status("GET", f"{api}/things/pump") == 200


def test_a_damaged_file_is_refused_in_a_line_and_salvaged_if_that_is_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    state = tmp_path / "cloud.db"
    with running(state) as (_, api):
        for name in ("lamp", "pump"):
            assert status("POST", f"{api}/things/{name}") == 200
    with closing(sqlite3.connect(state, isolation_level=None)) as file:
        file.execute("UPDATE records SET value = '[1]' WHERE key = 'lamp'")
    said = complaint(capfd, [*CLOUD, "--state", str(state)])
    assert f"--state {state}: it is damaged: thing lamp was changed; lost by it: the thing with its attributes" in said
    assert "start with --salvage" in said
    with running(state, "--salvage") as (process, api):
        assert [status("GET", f"{api}/things/{name}") for name in ("lamp", "pump")] == [404, 200]
        assert process.stderr is not None
        lines = [process.stderr.readline().strip() for _ in range(2)]
    assert lines == [
        f"{state}: salvaged 1 record; the damaged file is kept as {state}-damaged-1",
        "lost: thing lamp (it was changed): the thing with its attributes",
    ]


def test_that_others_could_read_the_file_is_told(tmp_path: Path):
    state = tmp_path / "cloud.db"
    state.touch()
    state.chmod(0o644)
    with running(state) as (process, _):
        assert process.stderr is not None
        said = process.stderr.readline()
    assert "state.narrowed" in said
    assert str(state) in said
    assert state.stat().st_mode & 0o777 == 0o600


def test_nothing_is_salvaged_that_has_no_name(capfd: pytest.CaptureFixture[str]):
    assert "--salvage: give the file that is damaged, with --state FILE" in complaint(capfd, [*CLOUD, "--salvage"])


def test_a_disk_that_takes_no_more_ends_the_cloud_with_nothing_lost_that_was_answered(tmp_path: Path):
    state, answered = tmp_path / "cloud.db", []
    with running(state) as (process, api):
        assert status("POST", f"{api}/things/first") == 200
        size = Path(f"{state}-wal").stat().st_size
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size + 30_000, size + 30_000))
        for number in range(200):
            found = status("POST", f"{api}/things/thing-{number}")
            if found != 200:
                break
            answered.append(f"thing-{number}")
        assert found in (503, 0), "the last one is not told that it was made"
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait() == 2
    assert f"--state {state}: the disk does not take what is written; see to it, and start again" in said
    assert "Traceback" not in said
    with running(state) as (_, api):
        for name in ("first", *answered):
            assert status("GET", f"{api}/things/{name}") == 200, name
