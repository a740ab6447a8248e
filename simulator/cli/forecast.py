"""`ghostjob forecast`: what if I press delete now?"""

from pathlib import Path
from typing import Any

import click

from simulator.cli.options import NumberRange, Seconds, logging_options, model_option, shipped_names

EXAMPLE = """\b
Examples:
  ghostjob forecast main
  ghostjob forecast fleet-hinted-at-once --devices 5000 --out out
  ghostjob forecast rollout.yaml --devices 20000 --per-minute 1000 --at 600
  aws iot list-job-executions-for-job --job-id fw > now.json
  ghostjob forecast rollout.yaml --job-of now.json
  ghostjob forecast rollout.yaml --job-id fw --hand boto3 --region eu-west-1
"""


@click.command(epilog=EXAMPLE)
@click.argument("scenario", shell_complete=shipped_names)
@click.option(
    "--devices",
    type=click.IntRange(1, 10_000_000),
    default=None,
    help="How many the fleet has; by default as many as the scenario is made for.",
)
@click.option(
    "--sample",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="How many are played, each for several of a larger fleet; up to 1,000 if these are too few for the quota.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The first seed of all jitter.")
@click.option(
    "--seeds", type=click.IntRange(1, 1000), default=3, show_default=True, help="How many seeds make the bands."
)
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=None,
    help="How many plays go on at once, in a process each; by default one for each processor.",
)
@click.option("--job", "jobs", multiple=True, help="The job in question; by default those that the scenario deletes.")
@click.option(
    "--at",
    type=Seconds(0, 86_400),
    default=None,
    metavar="SECONDS",
    help="Press so long after the job's creation; by default at the scenario's own deletion.",
)
@click.option(
    "--per-minute",
    type=NumberRange(0, min_open=True),
    default=None,
    help="So many devices begin in a minute; by default all at once, or at the pace of those that did already.",
)
@model_option(default=None, help="Play every device that is our own with this model instead.")
@click.option("--wave", type=click.IntRange(1), default=None, help="How many things a wave has.")
@click.option(
    "--pause", type=Seconds(0, 86_400), default=30.0, show_default=True, help="How long to pause between two waves."
)
@click.option("--next", "goes_on", is_flag=True, help="With the jobs that the scenario makes after the deletion.")
@click.option(
    "--job-of",
    type=click.Path(path_type=Path),
    default=None,
    help="How the fleet stands: a file of what `aws iot list-job-executions-for-job` prints.",
)
@click.option("--as-of", default=None, metavar="TIME", help="When that was; by default at the last of its times.")
@click.option("--job-id", default=None, help="How the fleet stands: read that of this job, at --endpoint-url.")
@click.option("--endpoint-url", default=None, help="By default http://127.0.0.1:4566; with --hand boto3, AWS's.")
@click.option(
    "--hand",
    type=click.Choice(["local", "boto3"]),
    default="local",
    show_default=True,
    help="What reads there: plain HTTP from the local cloud, or boto3 from any. It changes nothing.",
)
@click.option("--region", default=None, help="With --hand boto3.")
@click.option("--profile", default=None, help="With --hand boto3.")
@click.option(
    "--requests-per-second",
    type=click.IntRange(1),
    default=None,
    help="The account's quota of reads, and of writes, of devices; by default the scenario's, else 200.",
)
@click.option(
    "--operations-per-second",
    type=NumberRange(0.01, 1_000_000),
    default=None,
    help="Its quota of each operation of the control plane; by default 10.",
)
@click.option(
    "--deletion-seconds",
    type=Seconds(0, 86_400),
    default=None,
    help="How long a deleted job stays at least; by default the scenario's, else 3.",
)
@click.option(
    "--deletion-seconds-per-execution",
    type=Seconds(0, 86_400),
    default=None,
    help="So much longer for each of its executions; by default the scenario's, else 0.001.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="A directory for forecast.json and forecast.html."
)
@click.option("--json", "is_json", is_flag=True, help="Print forecast.json instead of the page.")
@logging_options("error")
def forecast(scenario: str, out: Path | None, is_json: bool, log_format: str, log_level: str, **given: Any) -> int:
    """Tell what comes of pressing delete now, and of the alternatives: wait, cancel, cancel with force, waves.

    SCENARIO (a shipped name, or a YAML file) says what the devices are, how long their steps take, and when the button
    is pressed. Each alternative is played in virtual time, with several seeds: how long until the fleet is healthy, who
    is stranded past the point of no return, how many requests a second the service gets, what is lost for good.

    With --job-of or --job-id the fleet stands as a real job's executions do. Nothing is ever deleted. Exit code 0: the
    forecast is made, whatever it says; 2: bad input; 3: a process that played died, so there is none.
    """
    from agent.log import configure
    from simulator.cli.forecasting import Given, forecast_made, shown
    from simulator.cli.listing import talk
    from simulator.engines.forks import ForkDiedError
    from simulator.exit_codes import ExitCode

    configure(log_format, log_level)
    try:
        made = forecast_made(scenario, Given(**given))
    except KeyboardInterrupt:
        talk("ghostjob: interrupted: there is no forecast, and nothing is kept")
        raise
    except ForkDiedError as error:
        talk(f"ghostjob: {error}")
        return ExitCode.INCONCLUSIVE
    return shown(made, out, is_json)
