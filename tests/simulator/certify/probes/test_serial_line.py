"""A serial line as a probe: a real terminal, whose other end is the device's."""

import asyncio
import os
import pty
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest

from agent.errors import InputError
from simulator.certify.probes import Sample, Sampling, probe_of
from tests.simulator.certify.probes.bench import AnOffer, Kept, sampling_of


class Board:
    """The device's end of a line."""

    def __init__(self) -> None:
        self._end, self._line = pty.openpty()
        tty.setraw(self._line)
        self.device = os.ttyname(self._line)

    def write(self, raw: bytes) -> None:
        while raw:
            raw = raw[os.write(self._end, raw) :]

    def unplug(self) -> None:
        for end in (self._end, self._line):
            with suppress(OSError):
                os.close(end)


@asynccontextmanager
async def board(kept: Kept, rest: str = "") -> AsyncIterator[tuple[Board, Sampling]]:
    line = Board()
    try:
        async with sampling_of([probe_of(f"serial:{line.device}{rest}", AnOffer())], kept) as sampling:
            yield line, sampling
    finally:
        line.unplug()


async def seen(sampling: Sampling, version: str | None) -> Sample:
    return await sampling.until(lambda sample: sample.version == version and sample.alive is not None, 20)


async def test_the_last_line_that_matches_is_the_version_and_every_one_counts():
    kept = Kept()
    async with board(kept) as (line, sampling):
        line.write(b"U-Boot 2023.01\r\nBooting\r\nfirmware version: 1.0\r\nready\r\n")
        line.write(b"Version 2.0\nrolled back to version 1.0\nlogin: ")
        line.write(b"version=3.0 of pump\n")
        assert await seen(sampling, "3.0") == Sample(True, "3.0")
    assert kept.versions == ["1.0", "2.0", "1.0", "3.0"]


async def test_a_pattern_of_ones_own_and_a_line_in_pieces():
    kept = Kept()
    async with board(kept, r"@9600#^fw (\d+\.\d+)$") as (line, sampling):
        line.write(b"xfw 9.9\nfw 2.")
        line.write(b"1\nversion 7\n")
        assert await seen(sampling, "2.1") == Sample(True, "2.1")
    assert kept.versions == ["2.1"]


async def test_megabytes_of_garbage_without_a_line_end_are_not_kept():
    kept = Kept()
    async with board(kept) as (line, sampling):
        await asyncio.to_thread(line.write, Random(1).randbytes(1_000_000) + b"\nversion 1.0\n")
        assert (await seen(sampling, "1.0")).alive is True


async def test_a_pattern_that_runs_away_is_given_up_for_that_line():
    kept = Kept()
    async with board(kept, r"#^(?:a|aa|aaa)+b|v(\d)") as (line, sampling):
        line.write(b"a" * 900 + b"c\nv1\n")
        assert (await seen(sampling, "1")).alive is True


async def test_a_line_that_is_gone_says_nothing_of_the_device():
    kept = Kept()
    async with board(kept) as (line, sampling):
        line.write(b"version 1.0\n")
        await seen(sampling, "1.0")
        line.unplug()
        sample = await sampling.until(lambda sample: sample.alive is None, 20)
    assert "the line is gone" in sample.why


async def test_a_line_that_is_not_there_is_told_at_once():
    with pytest.raises(InputError, match="is it there, and may you read it"):
        async with sampling_of([probe_of("serial:/dev/no-such-line", AnOffer())], Kept()):
            pass
