"""`python -m tests.bench.forecast`: a forecast beside what then really happened, over real MQTT.

A rollout of 1,000 devices is force-deleted in its middle, live, and the same is forecast from a sample, and from all of
them in virtual time. One fold counts all three, and the service has the account's quota in each. What is live begins
when its process gets round to it: so a machine that has other things to do is later, and not more so than it is loaded.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import uvloop
from rich.console import Console
from rich.table import Table

from agent.log import configure
from simulator.cli.options import allow_files, spare_imports
from simulator.engines.live import LiveVenue
from simulator.forecast.action import Delete
from simulator.forecast.course import Course, quantile
from simulator.forecast.played import course_at, played, reckoning_of, set_up
from simulator.forecast.quotas import Quotas
from simulator.forecast.standing import Asked, Situation, jobs_in_question, of_scenario
from simulator.scenario import load
from tests.bench.rows import Row, tell

ROLLOUT: Final = Path(__file__).parent / "rollout.yaml"
SAMPLE: Final = 200
ROWS: Final = ("QUEUED", "download", "write", "reboot", "self-test", "ended")


def situation(devices: int, sample: int, quotas: Quotas) -> Situation:
    """The rollout at the instant of its deletion."""
    scenario = load(str(ROLLOUT))
    asked = Asked(sample, None, 0, goes_on=False)
    return of_scenario(scenario, jobs_in_question(scenario, ()), devices, None, asked, quotas)


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
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
def main(devices: int, seed: int, has_rows: bool) -> None:
    """Play, forecast, and print the table."""
    configure("text", "error")
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
