"""`ghostjob replay`: one order, as a schedule has it, played again choice by choice."""

from pathlib import Path
from typing import Final

import click

from simulator.cli.options import SomePath, ended_by_every_end, logging_options, model_option

EXAMPLE = """\b
Examples:
  ghostjob explore --bound delete=1 --model undoes-in-the-wrong-order --out out
  ghostjob replay out/schedules/01-alive.yaml
  ghostjob replay out/schedules/01-alive.yaml --engine live
  ghostjob replay out/schedules/01-alive.yaml --model reference --out again
"""
ENGINES: Final = ("explore", "virtual", "live")


@click.command(epilog=EXAMPLE)
@click.argument("schedule", type=SomePath())
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="explore",
    show_default=True,
    help="Where it is played: explore is the world in which it was found; virtual and live are the engines of "
    "`ghostjob run`, which are held to its order.",
)
@model_option(default=None, help="Play it with this device model instead of its own.")
@click.option(
    "--out",
    type=SomePath(),
    default=None,
    help="A directory for trace.jsonl, verdict.json, junit.xml, summary.md and report.html.",
)
@click.option("--json", "is_json", is_flag=True, help="Print the verdict as JSON instead of the diagram.")
@logging_options()
def replay(
    schedule: Path, engine: str, model: str | None, out: Path | None, is_json: bool, log_format: str, log_level: str
) -> int:
    """Play the SCHEDULE of that file again, choice by choice, and print what happened and the verdict.

    In the explorer's world it is the same each time, byte for byte. Where the schedule asks for what cannot happen, it
    says which choice that is, and what there was to choose. With --engine live real MQTT packets are held until it is
    their turn, and the hardware is cut at that very point; where the engine goes another way, that is told. A device of
    your own is put through it by `ghostjob certify --schedule SCHEDULE -- COMMAND`.

    Exit code 0: no invariant is violated; 1: one is; 2: bad input, or a schedule that cannot be played; 3: one is
    undecided, it does not show what it was kept for, is under way at its end, or an engine could not be held to it.
    """
    from agent.log import configure

    configure(log_format, log_level)
    with ended_by_every_end():
        from simulator.cli.replaying import replayed

        return replayed(schedule, model, out, engine, is_json=is_json)
