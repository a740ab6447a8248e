"""A disk that gets full under a cloud, on a small file system of its own where one can be made."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store_kills.full_disk import play_on

MIB = 8


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk; python -m tests.store_kills.full_disk DIRECTORY takes any")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MIB}m", "none", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


async def test_what_was_acknowledged_before_the_disk_was_full_is_there_and_what_came_later_is_refused_in_words(
    small_disk: Path,
):
    report = await play_on(small_disk, times=1, seed=3)
    assert report.problems == []
    assert report.died == {"full disk": 1}
    assert report.answers > 60
