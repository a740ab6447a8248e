"""`python -m tests.live --all`: shipped scenarios over real MQTT, several at once on one loop, and how long that took.

The suite plays a chosen few (`tests/engines/test_shipped_live.py`); all of them take about a minute.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import click

from agent.log import configure
from simulator.cli.options import run_loop
from simulator.engines.judged import JudgedPlay
from simulator.engines.live import LiveVenue
from simulator.scenario import Scenario, load, shipped
from simulator.trace import Entry
from simulator.verdict import Verdict


@dataclass(slots=True)
class Played:
    """One scenario, played to its end."""

    scenario: Scenario
    verdict: Verdict
    entries: list[Entry] = field(repr=False)
    seconds: float


def devices_for(scenario: Scenario) -> int:
    """Two for each group, unless a scenario is made for many: then as many as that."""
    return max(2 * len(scenario.devices), scenario.play_with if scenario.play_with > 10 else 0)


async def play_live(scenario: Scenario, devices: int, seed: int = 1) -> Played:
    """Play a scenario over real MQTT, with an embedded cloud of its own."""
    entries, began = list[Entry](), time.monotonic()
    with JudgedPlay(scenario, LiveVenue(scenario, seed), devices, seed=seed, also=(entries.append,)) as run:
        result = await run.result()
    return Played(scenario, result.verdict, entries, time.monotonic() - began)


async def play_several(scenarios: Sequence[Scenario], at_once: int, seed: int = 1) -> AsyncIterator[Played]:
    """Play them, so many at once, and give each as it ends."""
    gate = asyncio.Semaphore(at_once)

    async def one(scenario: Scenario) -> Played:
        async with gate:
            return await play_live(scenario, devices_for(scenario), seed)

    for ended in asyncio.as_completed([one(scenario) for scenario in scenarios]):
        yield await ended


async def _main(scenarios: Sequence[Scenario], at_once: int, seed: int) -> int:
    began, passed = time.monotonic(), 0
    async for played in play_several(scenarios, at_once, seed):
        verdict = played.verdict
        passed += verdict.passed
        click.echo(f"{verdict.outcome} {played.scenario.name} {played.seconds:.1f} s")
        if not verdict.passed:
            click.echo(f"    {verdict.why}")
    click.echo(f"{passed} of {len(scenarios)} passed in {time.monotonic() - began:.1f} s")
    return 0 if passed == len(scenarios) else 1


@click.command()
@click.argument("names", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All that ship.")
@click.option("--model", default="reference", help="Played by this device model.")
@click.option("--at-once", type=click.IntRange(1), default=4, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(names: tuple[str, ...], is_all: bool, model: str, at_once: int, seed: int) -> None:
    """Play shipped scenarios over real MQTT."""
    configure("text", "error")
    scenarios = [load(name).cast(model) for name in (shipped() if is_all else names)]
    sys.exit(run_loop(_main(scenarios, at_once, seed)))


if __name__ == "__main__":
    main()
