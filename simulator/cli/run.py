"""`ghostjob run`: play a scenario, show it, judge it."""

from pathlib import Path

import click

from agent.errors import InputError
from simulator.cli.listing import print_list
from simulator.cli.options import (
    Seconds,
    allow_files,
    interrupt_when_stdin_closes,
    logging_options,
    model_option,
    run_loop,
    spare_imports,
    table_option,
)

SLOWEST = 100
EXAMPLE = """\b
Examples:
  ghostjob run
  ghostjob run main --devices 1000 --seed 7 --out out
  ghostjob run delete-while-rebooting --engine virtual --model ota-self-test-flag
  ghostjob run --slow 10
  ghostjob run --list
  ghostjob run --models
"""


def _scenarios(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """What the shell may complete a scenario's name to."""
    from simulator.scenario import shipped

    return [name for name in shipped() if name.startswith(incomplete)]


@click.command(epilog=EXAMPLE)
@click.argument("scenario", default="main", shell_complete=_scenarios)
@click.option(
    "--devices",
    type=click.IntRange(1, 100_000),
    default=None,
    help="How many devices play; by default as many as the scenario is made for, mostly 10.",
)
@model_option(default=None, help="Play every device that is our own with this model instead; --models has the names.")
@click.option("--list", "is_list", is_flag=True, help="Print the scenarios that ship, and what each one shows.")
@click.option(
    "--models", "is_models", is_flag=True, help="Print the device models, and which invariants each one violates."
)
@click.option(
    "--engine",
    type=click.Choice(["live", "virtual"]),
    default="live",
    show_default=True,
    help="What plays: live is real MQTT on loopback, in wall-clock time; virtual is neither, and as fast as it goes.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The seed of all jitter.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="A directory for trace.jsonl, verdict.json, junit.xml, summary.md and report.html.",
)
@click.option(
    "--time-limit",
    "time_limit_seconds",
    type=Seconds(0, 86_400, min_open=True),
    default=None,
    help="End a run that hangs after so many seconds, instead of the scenario's own number.",
)
@click.option(
    "--slow",
    type=Seconds(1, SLOWEST),
    default=1.0,
    metavar="TIMES",
    help="Have devices, and what the scenario waits for, so many times slower, to be followed by eye: up to 100. The "
    "verdict, which judges by the play's own time, is the same.",
)
@click.option("--until-stdin-closes", is_flag=True, help="End when standard input closes, as if interrupted.")
@table_option
@logging_options()
def run(
    scenario: str,
    devices: int | None,
    model: str | None,
    is_list: bool,
    is_models: bool,
    engine: str,
    seed: int,
    out: Path | None,
    time_limit_seconds: float | None,
    slow: float,
    until_stdin_closes: bool,
    table: bool | None,
    log_format: str,
    log_level: str,
) -> int:
    """Play SCENARIO (a shipped name, or a YAML file) and print the verdict.

    With no argument: a local AWS IoT, ten devices over real MQTT, half of them in namespace lab; their job is
    force-deleted while they write an update; every one finds out, recovers and takes the next job.

    The verdict goes to stdout, all else to stderr. Exit code 0: passed; 1: failed, an invariant was violated; 2: bad
    input; 3: inconclusive, since a place was not reached, an invariant is undecided, or the time limit was met.
    """
    from agent.log import configure
    from simulator.cli.playing import ShownPlay
    from simulator.cli.screen import has_the_terminal
    from simulator.scenario import load

    configure(log_format, log_level)
    if is_list:
        return _print_list()
    if is_models:
        return _print_models()
    parsed = load(scenario)
    if model is not None:
        from simulator.devices.models import model_named

        model_named(model)
        parsed = parsed.cast(model)
    if time_limit_seconds is not None:
        parsed = parsed.model_copy(update={"time_limit_seconds": time_limit_seconds})
    devices = devices or parsed.play_with
    if until_stdin_closes:
        interrupt_when_stdin_closes()
    if engine == "virtual":
        if slow != 1:
            raise InputError("--slow: virtual time is as fast as it goes; leave --engine virtual out")
        from simulator.engines.virtual import VirtualVenue
        from simulator.engines.virtual_time import run_virtually

        spare_imports()
        return run_virtually(ShownPlay(parsed, devices, seed, VirtualVenue(parsed, seed), out, False).play())
    from simulator.engines.live import LiveVenue
    from simulator.engines.play_time import PlayTime

    allow_files(devices)
    shows_table = has_the_terminal() if table is None else table
    return run_loop(ShownPlay(parsed, devices, seed, LiveVenue(parsed, seed, PlayTime(slow)), out, shows_table).play())


def _print_list() -> int:
    from simulator.scenario import load, shipped

    print_list([(name, load(name).about) for name in shipped()])
    return 0


def _print_models() -> int:
    from simulator.devices.models import MODELS

    print_list(
        [(name, ", ".join(sorted(model.breaks)) or "correct: violates nothing") for name, model in MODELS.items()]
    )
    return 0
