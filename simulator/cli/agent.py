"""`ghostjob agent`: a real device, against a local cloud or AWS IoT Core."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.options import SomePath, logging_options, spare_imports
from simulator.exit_codes import ExitCode

if TYPE_CHECKING:
    from agent.configuration import Configuration
    from agent.device import Ended

EXAMPLE = """\b
Examples:
  ghostjob agent --endpoint 127.0.0.1:1883 --thing thing-0 --allow download,run
  ghostjob agent --endpoint xyz-ats.iot.eu-west-1.amazonaws.com --thing pump-7 \\
      --cert pump-7.pem --key pump-7.key --ca AmazonRootCA1.pem --root /opt/pump
"""
FILE = SomePath()


@click.command(epilog=EXAMPLE)
@click.option("--endpoint", help="HOST or HOST:PORT of the cloud.")
@click.option("--port", type=click.IntRange(1, 65535), help="8883 unless given, without TLS 1883; 443 works on AWS.")
@click.option("--thing", "--thing-name", "--thing_name", "thing", help="Who this device is.")
@click.option("--client-id", help="The MQTT client id, if it is not the thing's name.")
@click.option("--cert", type=FILE, help="The device's certificate, PEM.")
@click.option("--key", type=FILE, help="Its private key, PEM.")
@click.option("--ca", "--root-ca", "--ca-file", "--ca_file", "ca", type=FILE, help="The cloud's CA; else the system's.")
@click.option("--allow-plain", is_flag=True, default=None, help="MQTT without TLS to another machine.")
@click.option("--namespace", "--namespace-id", "namespace", help="Whose jobs it takes; else the default ones.")
@click.option("--transport", help="paho (the default) or awsiot, AWS's own SDK.")
@click.option("--config", type=FILE, help="JSON or YAML with these options; the Device Client's file works too.")
@click.option(
    "--state", type=FILE, help="Where it keeps its memory, one agent for each; else ~/.local/state/ghostjob/THING."
)
@click.option("--root", type=FILE, help="Documents may name files below this; else the state directory's files/.")
@click.option("--scripts", type=FILE, help="Where handler scripts may come from; else the state directory's scripts/.")
@click.option(
    "--allow",
    multiple=True,
    help="What documents may ask for: download, configure, update (these by default), run, reboot, or a plug-in.",
)
@click.option("--layout", help="How the firmware lies: ab (the default), swap or single.")
@click.option("--policy", help="revert-until-commit (the default) or finish-after-switch.")
@click.option("--reports", help="progress (the default), steps or end: what it tells the cloud.")
@click.option("--service", help="What the service manager calls this agent; else the systemd unit that it runs as.")
@click.option("--firmware-version", help="What runs before the first update.")
@click.option("--restart-command", help="Run after a configuration change.")
@click.option("--reboot-command", help="Run to reboot; without it the agent restarts itself instead.")
@click.option("--self-test-command", help="Decides whether new firmware is any good.")
@click.option("--step-seconds", type=float, help="A step that can be undone may take so long; 3600 by default.")
@click.option("--run-seconds", type=float, help="So may a program; 600 by default, and documents may say otherwise.")
@click.option("--run-memory-bytes", type=int, help="The data of each process of a document's; 1 GiB by default.")
@click.option("--run-output-bytes", type=int, help="What a program may write before it is ended; 64 MiB by default.")
@click.option("--check-seconds", type=float, help="Seeing whether a file is valid YAML may take so long; 10.")
@click.option("--check-memory-bytes", type=int, help="And so much memory; 256 MiB by default.")
@click.option("--grace-seconds", type=float, help="Between SIGTERM and SIGKILL for a program; 5 by default.")
@click.option("--longest-file-bytes", type=int, help="The largest download; 1 GiB by default.")
@click.option("--executions", type=click.IntRange(1), help="Leave after so many.")
@click.option("--trace", type=FILE, help="Append the agent's account to this file, as JSON Lines.")
@logging_options("info")
def agent(config: Path | None, trace: Path | None, log_format: str, log_level: str, **options: Any) -> int:
    """Run jobs on this machine until SIGTERM or Ctrl-C.

    It finds out when its job is deleted, stops, undoes what can be undone, and takes the next one, also after a power
    cut or a SIGKILL. Commands are split as a shell would, and run without one.
    """
    from agent.configuration import configuration_of
    from agent.log import configure

    configure(log_format, log_level)
    configuration = configuration_of(options, config)
    spare_imports()
    ended = asyncio.run(_run(configuration, trace))
    if ended == "restart":
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - itself, as it was started
    return ExitCode.FAILED if ended == "crashed" else ExitCode.PASSED


async def _run(configuration: "Configuration", trace: Path | None) -> "Ended":
    from agent.connection import transport_of
    from agent.device import run_device
    from simulator.cli.trace_file import TraceFile

    over, told_to_stop = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        told_to_stop.set()
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    connection = configuration.connection()
    settings = configuration.settings(is_local=connection.is_local)
    async with transport_of(connection, settings.seed) as transport:
        with TraceFile(trace, configuration.thing) as account:
            ended = await run_device(settings, transport, account.observe, over)
    # A signal that comes while the agent gives way to a new one of its own means that one too.
    return "stopped" if ended == "restart" and told_to_stop.is_set() else ended
