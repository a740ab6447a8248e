"""`python -m tests.hostile packets --count 500000`: attack what this project serves, and print what it comes to.

Each attack is a module of this package with `attack(bounds)`, a coroutine that gives a Report.
"""

import asyncio
from importlib import import_module
from typing import Final

import click
from rich.console import Console

from tests.hostile.report import Bounds, Report

ATTACKS: Final = {
    "packets": "Mutated MQTT packets, on connections of their own.",
    "connections": "Connections that are held, half way or unread; what each costs, and when it is gone.",
    "pairs": "Every kind of certificate, action and topic, held against the policies.",
    "calls": "Odd REST calls, made from the service models.",
    "documents": "Job documents that no operator would write, for the cloud and the agent.",
    "journals": "Damaged journals of the agent.",
    "states": "Damaged state files of the cloud.",
    "beside": "A hostile client of each kind beside a well-behaved device, whose round trips are measured.",
    "soak": "Half the load that the cloud can carry, for as long as it is asked to; what memory comes to.",
}


@click.command()
@click.argument("attack", type=click.Choice(list(ATTACKS)))
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--count", type=click.IntRange(1), default=1_000_000_000, help="How many inputs, at most.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=60, show_default=True, help="At most.")
def hostile(attack: str, seed: int, count: int, seconds: float) -> None:
    """Attack, and exit with 1 if something was found."""
    module = import_module(f"tests.hostile.{attack}")
    report: Report = asyncio.run(module.attack(Bounds(seed, count, seconds)))
    console = Console()
    console.print(f"{attack}, seed {seed}: {report.tried:,} tried, {len(report.findings)} findings", highlight=False)
    for name, figure in report.figures.items():
        console.print(f"  {name}: {figure}", highlight=False)
    for finding in report.findings:
        console.print(f"  found: {finding}", highlight=False, markup=False)
    raise SystemExit(1 if report.findings else 0)


if __name__ == "__main__":
    hostile()
