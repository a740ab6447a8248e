"""`python -m tests.store_kills.full_disk DIRECTORY`: fill the disk under a cloud, and see whether what it told is true.

DIRECTORY is a small file system of its own, which this fills:

    mount -t tmpfs -o size=8m none DIRECTORY

Everybody works, the disk gets full, and the cloud ends by itself: what was acknowledged before is there afterwards,
what came later was refused with 503 and the reason, and the last line says what to do. On the disk that is still full
a cloud begins and serves, or says so; on one that has space again, everything goes on.
"""

import asyncio
import errno
import json
import os
import sys
import tempfile
from pathlib import Path

import click

from tests.store_kills.cloud import Cloud
from tests.store_kills.plan import Death, Life
from tests.store_kills.runs import Report, Story

BLOCK = bytes(65536)
ADVICE = "the disk is full; free some space and start again"


class _FullDisk(Story):
    def __init__(self, life: Life, state: Path, report: Report, notes: Path) -> None:
        super().__init__(life, state, report)
        self._filler = state.with_name("filler")
        self._said = notes / "said"

    async def play(self) -> None:
        for number in range(len(self._life.deaths)):
            await self._fill(self._life.deaths[number].nth)
            self._when = f"after the disk was full for the {number + 1}. time"
        async with self._cloud() as (cloud, operator):
            await self._check(operator)
            await self._go_on(cloud, operator)
            await cloud.stop()

    async def _fill(self, answers: int) -> None:
        self._said.unlink(missing_ok=True)
        async with self._cloud(said=self._said) as (cloud, operator):
            await self._work(cloud, operator, self._when_answered(answers))
            code = await cloud.ended()
        self._look(code, "on a full disk")
        if ADVICE not in self._said.read_text():
            self._problem(f"does not say what to do: {self._said.read_text()[-300:]}")
        await self._begin_on_the_full_disk()
        self._filler.unlink()
        for text in self.ledger.refusals:
            if ADVICE not in json.loads(text)["message"]:
                self._problem(f"refuses in other words: {text}")
        self._report.died["full disk"] += 1

    async def _when_answered(self, answers: int) -> None:
        enough = self.ledger.answers + answers
        while self.ledger.answers < enough:  # noqa: ASYNC110 - a count, which anybody may raise
            await asyncio.sleep(0.001)
        fill(self._filler)

    async def _begin_on_the_full_disk(self) -> None:
        self._said.unlink()
        cloud = await Cloud.start(self._state, said=self._said)
        if cloud.endpoints:
            await asyncio.sleep(0.2)
            cloud.kill()
        code = await cloud.ended()
        if code != -9:
            self._look(code, "begun on a full disk")

    def _look(self, code: int, what: str) -> None:
        said = self._said.read_text()
        if code != 2 or "Traceback" in said:
            self._problem(f"{what} it ended with {code}: {said[-600:]}")


def fill(filler: Path) -> None:
    """Take all the space that is left."""
    with filler.open("ab", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(BLOCK[:size])
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


async def play_on(directory: Path, times: int, seed: int) -> Report:
    """Have the disk full so many times."""
    life = Life(0, f"full/{seed}", tuple(Death("full disk", 60 + 40 * number, 0) for number in range(times)))
    report = Report(life)
    with tempfile.TemporaryDirectory() as notes:
        story = _FullDisk(life, directory / "state.db", report, Path(notes))
        await story.play()
    report.answers = story.ledger.answers
    report.refusals = len(story.ledger.refusals)
    return report


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--times", type=click.IntRange(1), default=5, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def main(directory: Path, times: int, seed: int) -> None:
    """Fill DIRECTORY under a cloud; it is to be a file system of its own, and small."""
    if os.stat(directory).st_dev == os.stat(directory.parent).st_dev:
        raise click.UsageError(f"{directory} is no file system of its own")
    report = asyncio.run(play_on(directory, times, seed))
    for problem in report.problems:
        click.echo(problem)
    click.echo(
        f"{report.died.total()} times full, {report.answers:,} answers, {len(report.problems)} of them not kept; "
        f"{report.refusals} refused with 503"
    )
    sys.exit(1 if report.problems else 0)


if __name__ == "__main__":
    main()
