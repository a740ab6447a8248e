"""`ghostjob control`: the controller alone, against any endpoint."""

from pathlib import Path

import click

from simulator.cli.options import logging_options

EXAMPLE = """\b
Examples:
  ghostjob control --job-id fw --when-step write --when-progress 50 --force
  ghostjob control --job-id fw --when-status IN_PROGRESS --devices any --force \\
      --endpoint-url https://iot.eu-west-1.amazonaws.com --hand boto3 --allow-aws --save gone
"""


@click.command(epilog=EXAMPLE)
@click.option("--endpoint-url", default="http://127.0.0.1:4566", show_default=True, help="The control plane.")
@click.option("--job-id", "job_ids", multiple=True, required=True, help="A job to delete; may be repeated.")
@click.option("--namespace-id", default=None, help="The jobs' namespace.")
@click.option(
    "--when-step",
    type=click.Choice(["download", "write", "switch"]),
    default=None,
    help="When devices report this step in statusDetails.",
)
@click.option(
    "--when-progress",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="With --when-step: from this percent on.",
)
@click.option(
    "--when-status",
    type=click.Choice(["QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"]),
    default=None,
    help="When executions have this status.",
)
@click.option(
    "--after",
    "after_seconds",
    type=click.FloatRange(0),
    default=None,
    help="So many seconds after this command found the job.",
)
@click.option(
    "--devices",
    type=click.Choice(["all", "any"]),
    default="all",
    show_default=True,
    help="How many devices must have got there.",
)
@click.option("--force/--no-force", default=False, help="Delete a job that is IN_PROGRESS.")
@click.option(
    "--hand",
    type=click.Choice(["local", "boto3"]),
    default="local",
    show_default=True,
    help="What talks to the endpoint: plain HTTP to the local cloud, or boto3 to any.",
)
@click.option("--allow-aws", is_flag=True, help="Delete on an endpoint that is not this machine.")
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    default=None,
    help="Where what will be gone is saved first; always done on an endpoint that is not this machine.",
)
@click.option("--region", default=None, help="With --hand boto3.")
@click.option("--profile", default=None, help="With --hand boto3.")
@click.option(
    "--poll",
    "poll_seconds",
    type=click.FloatRange(0.01),
    default=None,
    help="How often to look; by default often locally, and within AWS's quota elsewhere.",
)
@logging_options
def control() -> int:
    """Delete jobs at exactly the chosen instant."""
