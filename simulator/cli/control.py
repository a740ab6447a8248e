"""`ghostjob control`: the controller alone, against any endpoint."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from simulator.cli.options import Seconds, SomePath, logging_options, run_loop

if TYPE_CHECKING:
    from simulator.controller.watching import Order

EXAMPLE = """\b
Examples:
  ghostjob control --job-id fw --when-step write --when-progress 50 --force --timeout 600
  ghostjob control --job-id fw --when-status IN_PROGRESS --devices any --force \\
      --endpoint-url https://iot.eu-west-1.amazonaws.com --hand boto3 --allow-aws --save gone
"""


@click.command(epilog=EXAMPLE)
@click.option("--endpoint-url", default="http://127.0.0.1:4566", show_default=True, help="The control plane.")
@click.option(
    "--job-id", "job_ids", multiple=True, required=True, help="A job to delete, there already or not; may be repeated."
)
@click.option("--namespace-id", default=None, help="The jobs' namespace.")
@click.option(
    "--when-step",
    default=None,
    help="When devices report this in statusDetails as `step`, as they call it.",
)
@click.option(
    "--when-progress",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="With --when-step: from this percent on. Devices may report `progress` as 50, 50% or 50.5; a step without "
    "one, or with anything else, has begun: 0.",
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
    type=Seconds(0),
    default=None,
    help="So many seconds after this command found the job.",
)
@click.option(
    "--devices",
    type=click.Choice(["all", "any"]),
    default="all",
    show_default=True,
    help="How many of the job's devices must have got there.",
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
    type=SomePath(),
    default=None,
    help="Where what will be gone is saved first; always done on an endpoint that is not this machine.",
)
@click.option("--region", default=None, help="With --hand boto3.")
@click.option("--profile", default=None, help="With --hand boto3.")
@click.option(
    "--poll",
    "poll_seconds",
    type=Seconds(0.01),
    default=None,
    help="How often to look; by default often locally, and within AWS's quota elsewhere.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    type=Seconds(0, min_open=True),
    default=None,
    help="Give up so many seconds after the start: exit code 3, and nothing is deleted. By default it waits for ever.",
)
@logging_options("info")
def control(
    endpoint_url: str,
    job_ids: tuple[str, ...],
    namespace_id: str | None,
    when_step: str | None,
    when_progress: int,
    when_status: Literal["QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"] | None,
    after_seconds: float | None,
    devices: Literal["all", "any"],
    force: bool,
    hand: str,
    allow_aws: bool,
    save: Path | None,
    region: str | None,
    profile: str | None,
    poll_seconds: float | None,
    timeout_seconds: float | None,
    log_format: str,
    log_level: str,
) -> int:
    """Delete jobs at exactly the chosen instant. Off this machine, what will be gone is saved first.

    While it waits it says what for, and what it has seen of each job. Exit code 0: all deleted; 2: bad input, or
    refused for good; 3: a job was not deleted, because --timeout was over, or because it ended, was deleted by somebody
    else, or cannot get there any more.
    """
    from agent.errors import InputError
    from agent.log import configure
    from simulator.controller.hand import check_endpoint, is_local
    from simulator.controller.watching import InstantMissed, Order
    from simulator.exit_codes import ExitCode
    from simulator.scenario import Instant

    configure(log_format, log_level)
    if sum(choice is not None for choice in (when_step, when_status, after_seconds)) != 1:
        raise InputError("control: give exactly one of --when-step, --when-status and --after")
    check_endpoint(endpoint_url, allow_aws)
    when = Instant(
        step=when_step, progress=when_progress, status=when_status, after_seconds=after_seconds, devices=devices
    )
    local = is_local(endpoint_url)
    save_in = save or (None if local else Path("ghostjob-saved"))
    order = Order(job_ids, when, force, namespace_id, local, save_in, poll_seconds, timeout_seconds)
    try:
        run_loop(_carry_out(order, endpoint_url, hand, region, profile))
    except InstantMissed as missed:
        click.echo(f"ghostjob: {missed}", err=True)
        return ExitCode.INCONCLUSIVE
    return 0


async def _carry_out(order: "Order", endpoint_url: str, hand: str, region: str | None, profile: str | None) -> None:
    from simulator.controller.hand import Hand
    from simulator.controller.local_http import LocalHttp
    from simulator.controller.through_boto3 import ThroughBoto3
    from simulator.controller.watching import delete_when_due

    is_http = hand == "local"
    carrier = LocalHttp(endpoint_url) if is_http else ThroughBoto3(endpoint_url, region=region, profile=profile)
    async with Hand(carrier) as ready:
        await delete_when_due(ready, order)
