"""`--out` on a disk that fills up: each file that can be written is, the verdict first, and what is missing is said."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.cli.certifying import GHOSTJOB

RUN = (*GHOSTJOB, "run", "delete-in-write", "--engine", "virtual", "--devices", "2", "--out", "small")
PAGE = 4096
"""Bytes of a block of tmpfs."""
ALL = {"junit.xml", "report.html", "summary.md", "trace.jsonl", "verdict.json"}
SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
"""One that is there for this command alone."""


@cache
def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run((*SMALL_DISK, "mount -t tmpfs tmpfs /mnt"), capture_output=True, check=False).returncode == 0


def kept(cwd: Path, command: Sequence[str]) -> tuple[int, str, str, set[str]]:
    """The exit code, the verdict's line, the last one of stderr, and the names of the files."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert "Traceback" not in done.stderr, done.stderr
    names = {each.name for each in (cwd / "small").iterdir()}
    return done.returncode, done.stdout.splitlines()[-1], done.stderr.splitlines()[-1], names


def on_a_disk_of(size: int, cwd: Path) -> tuple[int, str, str, set[str]]:
    """As `kept`; what is on that disk is copied before it goes."""
    (cwd / "small").mkdir(exist_ok=True)
    (cwd / "disk").mkdir(exist_ok=True)
    run = " ".join("disk" if word == "small" else word for word in RUN)
    script = f"mount -t tmpfs -o size={size} tmpfs disk && {{ {run}; code=$?; cp disk/* small; exit $code; }}"
    return kept(cwd, (*SMALL_DISK, script))


def test_each_file_that_there_is_room_for_is_kept_and_the_verdict_first(tmp_path: Path):
    if not can_mount():
        pytest.skip("no disk can be made here")
    assert kept(tmp_path, RUN)[3] == ALL
    trace = -(-(tmp_path / "small/trace.jsonl").stat().st_size // PAGE) * PAGE
    for size, lost in (
        (trace // 2, "trace.jsonl, report.html"),
        (trace, "trace.jsonl, report.html"),
        (trace + PAGE, "junit.xml, summary.md, report.html"),
        (trace + 4 * PAGE, "report.html"),
    ):
        shutil.rmtree(tmp_path / "small")
        code, said, why, names = on_a_disk_of(size, tmp_path)
        assert (code, said.partition(":")[0]) == (2, "passed")
        assert why.startswith(f"ghostjob: --out disk: cannot write {lost}: No space left on device; kept there: ver")
        assert names == ALL - set(lost.split(", ")), size
        assert json.loads((tmp_path / "small/verdict.json").read_text())["outcome"] == "passed"


def test_files_that_may_not_be_so_large_are_missed_and_no_older_ones_stay(tmp_path: Path):
    (tmp_path / "small").mkdir()
    for name in ALL:
        (tmp_path / "small" / name).write_text("of an older run")
    limited = ("sh", "-c", f"ulimit -f 50; exec {' '.join(RUN)}")
    code, said, why, names = kept(tmp_path, limited)
    assert (code, said.partition(":")[0]) == (2, "passed")
    lost = "cannot write trace.jsonl, report.html: File too large"
    assert why == f"ghostjob: --out small: {lost}; kept there: verdict.json, junit.xml, summary.md"
    assert names == {"junit.xml", "summary.md", "verdict.json"}
    assert json.loads((tmp_path / "small/verdict.json").read_text())["outcome"] == "passed"
