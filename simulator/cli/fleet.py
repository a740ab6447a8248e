"""`ghostjob fleet`: simulated devices alone, against any endpoint."""

from pathlib import Path
from typing import Literal

import click

from simulator.cli.options import allow_files, logging_options, run_loop

EXAMPLE = """\b
Examples:
  ghostjob fleet --devices 10
  ghostjob fleet --endpoint 127.0.0.1:8883 --certs certs --devices 10 --namespace-id lab --out out
"""


@click.command(epilog=EXAMPLE)
@click.option("--endpoint", default="127.0.0.1:1883", show_default=True, help="HOST:PORT of the MQTT gateway.")
@click.option("--devices", type=click.IntRange(1, 100_000), default=10, show_default=True, help="How many.")
@click.option("--thing", "things", multiple=True, help="These things instead of --devices; may be repeated.")
@click.option("--namespace-id", default=None, help="The namespace that they listen in.")
@click.option("--model", type=click.Choice(["reference", "deaf", "hammering"]), default="reference",
              show_default=True, help="How they behave.")
@click.option("--reports", type=click.Choice(["progress", "steps", "end"]), default="progress", show_default=True,
              help="What they report beside the end.")
@click.option("--step-seconds", type=click.FloatRange(0, 86_400), default=2.0, show_default=True,
              help="How long a step of an update takes.")
@click.option("--certs", type=click.Path(path_type=Path), default=None,
              help="Mutual TLS with the certificates in this directory: ca.pem, THING.pem, THING.key.")
@click.option("--mqtt-version", type=click.Choice(["3", "5"]), default="5", show_default=True)
@click.option("--seconds", type=click.FloatRange(0), default=None, help="Stop after so long; else at Ctrl-C.")
@click.option("--seed", type=int, default=0, show_default=True, help="The seed of all jitter.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="A directory for trace.jsonl.")
@click.option("--allow-aws", is_flag=True, help="Connect to an endpoint that is not this machine.")
@click.option("--table/--no-table", default=None, help="Show the live table; by default, if stderr is a terminal.")
@logging_options
def fleet() -> int:
    """Run simulated devices until Ctrl-C. They take real jobs: on AWS, only from things made for that."""
