"""Making a forecast of what the command line asks for: from the scenario, a file or an endpoint to the page."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from agent.errors import InputError
from simulator.cli.drawn_anew import DrawnAnew
from simulator.cli.listing import tell_fault
from simulator.cli.options import ended_by_every_end, run_loop
from simulator.forecast.advice import in_words

if TYPE_CHECKING:
    from simulator.forecast.executions import Fleet
    from simulator.forecast.model import Forecast
    from simulator.forecast.plays import HowFar

JSON: Final = "forecast.json"
HTML: Final = "forecast.html"
LOCAL: Final = "http://127.0.0.1:4566"


@dataclass(frozen=True, slots=True)
class Given:
    """The options of `ghostjob forecast`, as it describes them."""

    devices: int | None
    sample: int
    seed: int
    seeds: int
    jobs: tuple[str, ...]
    at: float | None
    per_minute: float | None
    model: str | None
    wave: int | None
    pause: float
    goes_on: bool
    job_of: Path | None
    as_of: str | None
    job_id: str | None
    endpoint_url: str | None
    hand: str
    region: str | None
    profile: str | None
    requests_per_second: int | None
    operations_per_second: float | None
    deletion_seconds: float | None
    deletion_seconds_per_execution: float | None
    processes: int | None

    def quotas(self) -> dict[str, Any]:
        """Those that were given."""
        names = ("requests_per_second", "operations_per_second", "deletion_seconds", "deletion_seconds_per_execution")
        return {name: getattr(self, name) for name in names}


def forecast_made(name: str, given: Given) -> "Forecast":
    """Of the scenario of that name, or in that file. Raises InputError, ForkDiedError."""
    from simulator.cli.cast import Cast
    from simulator.forecast.forecasting import Wanted, forecast
    from simulator.forecast.quotas import Quotas
    from simulator.forecast.standing import Asked, jobs_in_question, of_fleet, of_scenario

    options = {"model": given.model, "versus": None, "time_limit_seconds": None, "devices": given.devices}
    cast = Cast.taken(name, options)
    jobs = jobs_in_question(cast.scenario, given.jobs)
    quotas = Quotas.of(cast.scenario.cloud, given.quotas())
    asked = Asked(given.sample, given.per_minute, given.seed, given.goes_on)
    if (fleet := _fleet(given)) is None:
        situation = of_scenario(cast.scenario, jobs, cast.devices, given.at, asked, quotas)
    else:
        situation = of_fleet(cast.scenario, jobs, fleet, asked, quotas)
    seeds = tuple(range(given.seed, given.seed + given.seeds))
    wanted = Wanted(situation, quotas, seeds, given.wave, given.pause)
    processes = given.processes or os.cpu_count() or 1
    shown = DrawnAnew()
    try:
        with ended_by_every_end():
            return forecast(wanted, processes, lambda how_far: shown.show(lambda: _line(how_far)))
    finally:
        shown.over()


def _line(how_far: "HowFar") -> str:
    left = "" if how_far.seconds_left is None else f"; about {in_words(how_far.seconds_left)} left"
    return f"{how_far.done} of some {how_far.expected} plays after {in_words(how_far.seconds)}{left}"


def _fleet(given: Given) -> "Fleet | None":
    """How it really stands, if that is to be known. Raises InputError."""
    from simulator.forecast.executions import epoch, in_file

    if given.job_of is None and given.job_id is None:
        if given.as_of is not None:
            raise InputError("--as-of: it says when a list was made; give that with --job-of")
        return None
    if given.job_of is not None and given.job_id is not None:
        raise InputError("--job-of, --job-id: give one, a file or a job to read")
    if given.at is not None or given.devices is not None:
        raise InputError(f"--{'at' if given.at is not None else 'devices'}: the list of executions tells that")
    try:
        as_of = None if given.as_of is None else epoch(given.as_of)
    except ValueError as error:
        raise InputError(f"--as-of {error}") from None
    if given.job_of is not None:
        return in_file(given.job_of, as_of)
    assert given.job_id is not None, "one of the two is given"
    return run_loop(_read(given.job_id, given, time.time() if as_of is None else as_of))


async def _read(job_id: str, given: Given, as_of: float) -> "Fleet":
    """From an endpoint, which is asked for the list and for nothing else. Raises InputError."""
    from simulator.controller.hand import Hand, Refused
    from simulator.controller.local_http import LocalHttp
    from simulator.controller.through_boto3 import ThroughBoto3
    from simulator.forecast.executions import as_told

    url, is_http = given.endpoint_url, given.hand == "local"
    carrier = LocalHttp(url or LOCAL) if is_http else ThroughBoto3(url, region=given.region, profile=given.profile)
    async with Hand(carrier) as hand:
        try:
            return as_told(await hand.execution_summaries(job_id), as_of, f"--job-id {job_id}")
        except Refused as refused:
            raise InputError(f"--job-id {job_id}: {refused}") from None


def shown(made: "Forecast", out: Path | None, is_json: bool) -> int:
    """Print it, and keep it. Raises InputError if it cannot be kept."""
    from simulator.forecast.telling import page

    text = made.model_dump_json(indent=2) + "\n"
    if out is not None:
        _keep(made, text, out)
    click.echo(text if is_json else page(made), nl=False)
    if out is not None and sys.stderr.isatty():
        click.echo(f"curves: {(out / HTML).as_posix()}", err=True)
    return 0


def _keep(made: "Forecast", text: str, out: Path) -> None:
    from simulator.engines.whole_files import WholeFiles
    from simulator.forecast.drawing import html

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {out}: cannot write there: {error.strerror}") from None
    files = WholeFiles(out, tell_fault)
    files.write(JSON, lambda: text)
    files.write(HTML, lambda: html(made))
    files.settle()
    if (why := files.why_not_all()) is not None:
        raise InputError(why)
