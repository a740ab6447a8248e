"""`python -m tests.bench.forecast`: a forecast beside what then really happened, over real MQTT.

A rollout of 1,000 devices is force-deleted in its middle, live, and the same is forecast from a sample, and from all of
them in virtual time. One fold counts all three, and the service has the account's quota in each. What is live begins
when its process gets round to it: so a machine that has other things to do is later, and not more so than it is loaded.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
import uvloop
from rich.console import Console
from rich.table import Table

from agent.log import configure
from simulator.cli.options import allow_files, spare_imports
from simulator.engines.live import LiveVenue
from simulator.forecast.action import Delete, Wait, words
from simulator.forecast.course import Course, quantile
from simulator.forecast.played import course_at, played, reckoning_of, set_up
from simulator.forecast.quotas import Quotas
from simulator.forecast.standing import Asked, Situation, jobs_in_question, of_scenario
from simulator.scenario import load
from tests.bench.rows import Row, tell

ROLLOUT: Final = Path(__file__).parent / "rollout.yaml"
SAMPLE: Final = 200
CROWDED: Final = 10_000
"""Devices that all play, with as much of a quota each as 100,000 have: they are no more than can be played."""
CROWDED_AT: Final = 300.0
PER_REQUEST: Final = 500
"""So many devices share a request a second."""
SAMPLES: Final = ((250, 4), (500, 4), (1000, 3), (2000, 2), (CROWDED, 1))
"""So many play, with so many seeds."""
ROWS: Final = ("QUEUED", "download", "write", "reboot", "self-test", "ended")


def situation(devices: int, sample: int, quotas: Quotas, at: float | None = None) -> Situation:
    """The rollout at the instant of its deletion, or so many seconds after its creation."""
    scenario = load(str(ROLLOUT))
    asked = Asked(sample, None, 0, goes_on=False)
    return of_scenario(scenario, jobs_in_question(scenario, ()), devices, at, asked, quotas)


def forecast(devices: int, sample: int, seed: int, quotas: Quotas) -> tuple[Course, float]:
    """What is forecast, and how many of the fleet each that was played stands for."""
    there = situation(devices, sample, quotas)
    return played(there.scenario, Delete(), seed, there.standing, quotas), there.standing.scale


def live(devices: int, seed: int, quotas: Quotas) -> Course:
    """What really happens."""
    there = situation(devices, devices, quotas)
    ready = set_up(there.scenario, Delete(), there.standing, quotas)
    return uvloop.run(
        course_at(LiveVenue(ready, seed), ready, Delete(), seed, there.standing, reckoning_of(there.standing))
    )


def coarse() -> Table:
    """What fewer that play make of a fleet that is beyond its quota: the least and the most of some seeds."""
    quotas = Quotas.of(load(str(ROLLOUT)).cloud, {"requests_per_second": CROWDED // PER_REQUEST})
    table = Table(title=f"{CROWDED} devices at {quotas.requests_per_second} requests a second", title_justify="left")
    table.add_column("what", no_wrap=True)
    columns: list[dict[str, list[float]]] = []
    there = situation(CROWDED, CROWDED, quotas, at=CROWDED_AT)
    for sample, seeds in SAMPLES:
        table.add_column(f"{sample} played", justify="right")
        standing = replace(there.standing, begins=(0.0,) * sample)
        seen: dict[str, list[float]] = {}
        for action in (Wait(), Delete()):
            for seed in range(seeds):
                course = played(there.scenario, action, seed, standing, quotas)
                for what, value in numbers(course, standing.scale):
                    seen.setdefault(f"{words(action)}: {what}", []).append(value)
        columns.append(seen)
    for what in columns[0]:
        table.add_row(what, *(f"{min(seen[what]):,.4g} to {max(seen[what]):,.4g}" for seen in columns))
    return table


def numbers(course: Course, scale: float) -> Iterator[tuple[str, float]]:
    """What is compared."""
    where = dict(course.where)
    for name in ROWS:
        yield f"devices {name} at the pressing", where.get(name, 0) * scale
    yield "past the point of no return", course.past_no_return * scale
    yield "stranded", course.stranded * scale
    yield "SAFE or bricked", (course.safe + course.bricked) * scale
    yield "work taken back", course.undone * scale
    yield "seconds until the job is gone", course.deleted_seconds or 0.0
    for share in (0.5, 0.9, 1.0):
        at = quantile(course.healthy, share)
        yield f"seconds until {share:.0%} are healthy", float("inf") if at is None else at
    yield "reads in the first second", (course.reads or (0,))[0] * scale
    yield "reads/s, peak", course.reads_peak * scale
    yield "writes/s, peak", course.writes_peak * scale
    yield "reads in all", sum(course.reads) * scale
    yield "writes in all", sum(course.writes) * scale
    yield "throttled", course.throttled * scale


@click.command()
@click.option("--devices", default=1000)
@click.option("--seed", default=0)
@click.option("--samples", "is_coarse", is_flag=True, help="Rather what fewer that play make of a large fleet.")
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
def main(devices: int, seed: int, is_coarse: bool, has_rows: bool) -> None:
    """Play, forecast, and print the table."""
    configure("text", "error")
    if is_coarse:
        Console().print(coarse())
        return
    allow_files(devices)
    spare_imports()
    quotas = Quotas.of(load(str(ROLLOUT)).cloud, {})
    really = dict(numbers(live(devices, seed, quotas), 1.0))
    sampled = dict(numbers(*forecast(devices, SAMPLE, seed, quotas)))
    if has_rows:
        tell(*(Row(what, sampled[what], peer="what happened, live", peers=value) for what, value in really.items()))
        return
    whole = dict(numbers(*forecast(devices, devices, seed, quotas)))
    table = Table(title=f"a force delete in the middle of a rollout to {devices} devices", title_justify="left")
    for heading in ("what", f"forecast from {SAMPLE}", f"from all {devices}", "live", "forecast / live"):
        table.add_column(heading, justify="left" if heading == "what" else "right", no_wrap=heading == "what")
    for what, value in really.items():
        ratio = f"{sampled[what] / value:.2f}" if value else ""
        table.add_row(what, f"{sampled[what]:,.5g}", f"{whole[what]:,.5g}", f"{value:,.5g}", ratio)
    Console().print(table)


if __name__ == "__main__":
    main()
