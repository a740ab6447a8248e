"""A file as a probe: a real file system, with renames."""

import asyncio
import os
import sys
import threading
from pathlib import Path
from random import Random

import pytest

from simulator.certify.probes import Sample, probe_of
from simulator.certify.probes import file as file_probe
from simulator.certify.probes.changes import changes_in
from simulator.certify.probes.file import FileProbe
from tests.simulator.certify.probes.bench import AnOffer, Kept, sampling_of


def replace(path: Path, text: str) -> None:
    """As careful programs write a file that is read."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)


async def test_its_first_line_is_the_version(tmp_path: Path):
    path = tmp_path / "version"
    probe = probe_of(f"file:{path}", AnOffer())
    assert await probe.sample() == Sample(None, None, f"{path}: there is no such file")
    path.write_text("2.0\nbuilt today\n")
    assert await probe.sample() == Sample(True, "2.0")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells of changes on Linux alone")
async def test_a_version_that_flips_and_flips_back_is_seen(tmp_path: Path):
    path, kept = tmp_path / "version", Kept()
    path.write_text("1.0")
    async with sampling_of([probe_of(f"file:{path}", AnOffer())], kept, every_seconds=600) as sampling:
        await sampling.until(lambda sample: sample.version == "1.0", 20)
        for version in ("2.0", "1.0"):
            sampling._change.clear()
            replace(path, version)
            async with asyncio.timeout(20):  # nobody asks meanwhile: it is the kernel that tells
                await sampling._change.wait()
    assert kept.versions[-3:] == ["1.0", "2.0", "1.0"]


async def test_a_pipe_in_which_nobody_writes_is_not_waited_for(tmp_path: Path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert await probe_of(f"file:{path}", AnOffer()).sample() == Sample(None, None, f"{path} is no ordinary file")


async def test_megabytes_are_not_read(tmp_path: Path):
    path = tmp_path / "version"
    path.write_bytes(Random(1).randbytes(3_000_000))
    sample = await probe_of(f"file:{path}", AnOffer()).sample()
    assert (sample.alive, sample.version) == (True, None)


async def test_a_file_system_that_hangs_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    goes_on, reads = threading.Event(), []

    def hang(path: Path) -> Sample:
        reads.append(path)
        goes_on.wait()
        return Sample(True, "1.0")

    monkeypatch.setattr(file_probe, "read", hang)
    probe = FileProbe("file:it", str(tmp_path / "version"), limit_seconds=0.05)
    for _ in range(3):
        sample = await probe.sample()
        assert sample == Sample(None, None, f"{tmp_path / 'version'} could not be read within 0.05 s")
    assert len(reads) == 1
    goes_on.set()
    while (sample := await probe.sample()).alive is None:
        pass
    assert sample == Sample(True, "1.0")


async def test_who_cannot_be_told_of_changes_goes_without(tmp_path: Path):
    assert changes_in(tmp_path / "no-such-directory" / "version", lambda: None) is None
