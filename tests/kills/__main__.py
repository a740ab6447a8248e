"""`python -m tests.kills --runs 200`: kill real agents at instants of every kind, and look at what comes after them."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.kills.plan import TARGETS, plan
from tests.kills.runs import Lab, Report


async def kill_all(runs: int, seed: int, at_once: int, directory: Path, progress: Progress) -> tuple[list[Report], Lab]:
    """Play a plan; `at_once` runs side by side."""
    gate = asyncio.Semaphore(at_once)
    bar = progress.add_task("killing", total=runs)
    async with Lab(directory).open() as lab:

        async def one(number: int) -> Report:
            async with gate:
                report = await lab.play(planned[number])
            progress.advance(bar)
            return report

        planned = plan(runs, seed)
        return list(await asyncio.gather(*(one(number) for number in range(runs)))), lab


@click.command()
@click.option("--runs", type=click.IntRange(1), default=200, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--at-once", type=click.IntRange(1), default=4, show_default=True, help="Runs side by side.")
def kills(runs: int, seed: int, at_once: int) -> None:
    """Kill agents, delete their jobs, and print where they died and what was wrong afterwards."""
    console = Console()
    with tempfile.TemporaryDirectory() as directory, Progress(console=console) as progress:
        reports, lab = asyncio.run(kill_all(runs, seed, at_once, Path(directory), progress))
        verdict = lab.verdict(report.run for report in reports)
    table = Table("killed", "times", "paho", "awsiot", title=f"{runs} runs, seed {seed}")
    died = Counter((report.run.at, report.run.transport) for report in reports)
    for at in TARGETS:
        by = [died[at, transport] for transport in ("paho", "awsiot")]
        table.add_row(at, *map(str, (sum(by), *by)))
    console.print(table)
    wrong = [f"{report.run}: {problem}" for report in reports for problem in report.problems]
    broken = [f"{each.id}: {violation}" for each in verdict.invariants for violation in each.violations]
    for line in (*wrong, *broken):
        console.print(line, highlight=False)
    tries = sum(report.tries for report in reports)
    console.print(
        f"{runs - len({line.partition(':')[0] for line in wrong})} of {runs} came back; {tries} agents doomed"
    )
    raise SystemExit(1 if wrong or broken else 0)


if __name__ == "__main__":
    kills()
