"""`python -m tests.store_kills --runs 200`: kill clouds that have a store, and see whether what they told is true."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.store_kills.plan import TARGETS, plan
from tests.store_kills.runs import Report, play


async def kill_all(runs: int, seed: int, at_once: int, directory: Path, progress: Progress) -> list[Report]:
    """So many deaths; `at_once` files side by side."""
    gate = asyncio.Semaphore(at_once)
    lives = plan(runs, seed)
    bar = progress.add_task("killing", total=runs)

    async def one(number: int) -> Report:
        async with gate:
            report = await play(lives[number], directory)
        progress.advance(bar, len(lives[number].deaths))
        return report

    return list(await asyncio.gather(*(one(life.number) for life in lives)))


@click.command()
@click.option("--runs", type=click.IntRange(1), default=200, show_default=True, help="How many deaths.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--at-once", type=click.IntRange(1), default=2, show_default=True, help="Files side by side.")
def kills(runs: int, seed: int, at_once: int) -> None:
    """Kill clouds under load, and print where they died and what was wrong afterwards."""
    console = Console()
    with tempfile.TemporaryDirectory() as directory, Progress(console=Console(stderr=True)) as progress:
        reports = asyncio.run(kill_all(runs, seed, at_once, Path(directory), progress))
    table = Table("killed", "times", title=f"{runs} deaths, seed {seed}")
    died = sum((report.died for report in reports), Counter[str]())
    for at in TARGETS:
        table.add_row(at, str(died[at]))
    console.print(table)
    wrong = [f"life {report.life.number}: {problem}" for report in reports for problem in report.problems]
    for line in wrong:
        console.print(line, highlight=False)
    answers = sum(report.answers for report in reports)
    console.print(f"{died.total()} deaths, {answers:,} answers, {len(wrong)} of them not kept")
    raise SystemExit(1 if wrong or died.total() != runs else 0)


if __name__ == "__main__":
    kills()
