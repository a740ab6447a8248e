"""`ghostjob run`: play a scenario, show it, judge it."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

import click

from agent.errors import InputError
from simulator.cli.cast import Cast
from simulator.cli.listing import print_list
from simulator.cli.options import (
    SLOWEST,
    Seconds,
    SomePath,
    allow_files,
    check_cluster,
    cluster_option,
    interrupt_when_stdin_closes,
    logging_options,
    model_option,
    run_loop,
    shipped_names,
    table_option,
)
from simulator.cli.page import PageWanted, page_options

MOST_LIVE = 100_000
VIRTUAL = ("virtual", "ray")
EXAMPLE = """\b
Examples:
  ghostjob run
  ghostjob run --page
  ghostjob run main --devices 1000 --seed 7 --out out
  ghostjob run delete-while-rebooting --engine virtual --model ota-self-test-flag
  ghostjob run delete-in-write --engine explore
  ghostjob run main --engine virtual --devices 1000000 --seed 7
  ghostjob run main --engine virtual --devices 1000 --seed 7 --seeds 20
  ghostjob run --slow 10 --pause
  ghostjob run delete-in-write --devices 1 --versus recovers-without-undoing
  ghostjob run --list
  ghostjob run --models
"""


@click.command(epilog=EXAMPLE)
@click.argument("scenario", default="main", shell_complete=shipped_names)
@click.option(
    "--devices",
    type=click.IntRange(1, 10_000_000),
    default=None,
    help="How many devices play; by default as many as the scenario is made for, mostly 10. With --engine virtual up "
    "to 10,000,000, with live up to 100,000.",
)
@click.option(
    "--stand-ins",
    type=click.IntRange(1, 100_000),
    default=None,
    help="Of more devices than that, have so many play, each for all that are like it (--engine virtual); by default "
    "1,000, of more than 100,000 devices one in a hundred, up to 10,000.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=None,
    help="If more than 1,000 devices play, have so many processes play them (--engine virtual); by default as many as "
    "there are processors. The verdict is the same.",
)
@click.option(
    "--shard",
    type=click.IntRange(min=0),
    default=None,
    help="If more than 1,000 devices play, show and keep the trace of the shard of that number instead of the first, "
    "which is 0. The verdict is the same.",
)
@model_option(default=None, help="Play every device that is our own with this model instead; --models has the names.")
@model_option(
    default=None,
    name="--versus",
    help="Play each device twice, under the same deletion: a good one, and beside it one of this model.",
)
@click.option("--list", "is_list", is_flag=True, help="Print the scenarios that ship, and what each one shows.")
@click.option(
    "--models", "is_models", is_flag=True, help="Print the device models, and which invariants each one violates."
)
@click.option(
    "--engine",
    type=click.Choice(["live", "virtual", "explore", "ray"]),
    default="live",
    show_default=True,
    help="What plays: live is real MQTT on loopback, in wall-clock time; virtual is neither, and as fast as it goes; "
    "explore tries every order of events, with one device, as `ghostjob explore SCENARIO` does; ray is virtual, with "
    "the shards of the fleet, or the seeds of --seeds, spread over a cluster (`ghostjob explain ray`).",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The seed of all jitter.")
@click.option(
    "--seeds",
    type=click.IntRange(1, 1_000_000),
    default=None,
    help="Play so often, with the seeds from --seed on, and tell each verdict in a line (--engine virtual and ray); "
    "--out keeps a verdict for each, seed-7.json and so on.",
)
@cluster_option(" With --engine live, the devices are on its nodes, and connect to the cloud here.")
@click.option(
    "--out",
    type=SomePath(),
    default=None,
    help="A directory for trace.jsonl, verdict.json, junit.xml, summary.md and report.html.",
)
@click.option(
    "--time-limit",
    "time_limit_seconds",
    type=Seconds(0, 86_400, min_open=True),
    default=None,
    help="End a run that hangs after so many seconds, instead of the scenario's own number; of --engine explore, the "
    "search, after which it says how far it came.",
)
@click.option(
    "--slow",
    type=Seconds(1, SLOWEST),
    default=1.0,
    metavar="TIMES",
    help="Have devices, and what the scenario waits for, so many times slower, to be followed by eye: up to 100. The "
    "verdict, which judges by the play's own time, is the same.",
)
@click.option(
    "--pause",
    "pauses",
    is_flag=True,
    help="Stop where it is dangerous, the instant of each deletion, until somebody lets it go on.",
)
@click.option("--until-stdin-closes", is_flag=True, help="End when standard input closes, as if interrupted.")
@table_option
@page_options(outlasts=True)
@logging_options()
def run(
    scenario: str,
    is_list: bool,
    is_models: bool,
    engine: str,
    seed: int,
    out: Path | None,
    slow: float,
    pauses: bool,
    stand_ins: int | None,
    processes: int | None,
    shard: int | None,
    seeds: int | None,
    cluster: str | None,
    until_stdin_closes: bool,
    table: bool | None,
    log_format: str,
    log_level: str,
    **given: Any,
) -> int:
    """Play SCENARIO (a shipped name, or a YAML file) and print the verdict.

    With no argument: a local AWS IoT, ten devices over real MQTT, half of them in namespace lab; their job is
    force-deleted while they write an update; every one finds out, recovers and takes the next job.

    The verdict goes to stdout, all else to stderr. Exit code 0: passed; 1: failed, an invariant was violated; 2: bad
    input; 3: inconclusive, since a place was not reached, an invariant is undecided, or the time limit was met.
    """
    from agent.log import configure

    configure(log_format, log_level)
    if is_list:
        return _print_list()
    if is_models:
        return _print_models()
    if stand_ins is not None and engine not in VIRTUAL:
        raise InputError("--stand-ins: for --engine virtual; elsewhere each device plays for itself")
    if processes is not None and engine != "virtual":
        raise InputError("--processes: for --engine virtual")
    if shard is not None and (engine not in VIRTUAL or seeds is not None):
        raise InputError("--shard: for --engine virtual and ray, under one seed")
    if seeds is not None and engine not in VIRTUAL:
        raise InputError("--seeds: for --engine virtual and ray")
    check_cluster(cluster, engine, "live")
    if engine == "explore":
        return _explore(scenario, out, slow, pauses, given)
    cast, page = Cast.taken(scenario, given), PageWanted.taken(given)
    if until_stdin_closes:
        interrupt_when_stdin_closes()
    if engine in VIRTUAL:
        _check_virtual(slow, pauses, page)
        from simulator.cli.virtually import Virtually, played, played_with

        how = Virtually(stand_ins, processes, shard, engine == "ray", cluster)
        return played(cast, seed, out, how) if seeds is None else played_with(cast, range(seed, seed + seeds), out, how)
    if cast.devices > MOST_LIVE:
        raise InputError(f"--devices: at most {MOST_LIVE} play live, not {cast.devices}; --engine virtual plays more")
    if cluster is not None:
        _check_afar(slow, pauses, page)
        from simulator.cli.afar import played_afar

        return played_afar(cast, seed, out, table, cluster)
    has_keys = bool(sys.stdin and sys.stdin.isatty()) and not until_stdin_closes
    return _play_live(cast, seed, out, table, PlayedLive(slow, pauses, page, has_keys))


class PlayedLive(NamedTuple):
    """How somebody looks at a play and steers it. `has_keys`: keys can be read, if there is something to press."""

    slow: float
    pauses: bool
    page: PageWanted | None
    has_keys: bool


def _explore(scenario: str, out: Path | None, slow: float, pauses: bool, given: dict[str, Any]) -> int:
    """The same as `ghostjob explore SCENARIO`. Raises InputError."""
    from simulator.cli.exploring import Wanted, explored

    _check_virtual(slow, pauses, PageWanted.taken(given), "in a search there is no time")
    model, versus, limit, devices = map(given.pop, ("model", "versus", "time_limit_seconds", "devices"))
    if versus is not None:
        raise InputError("--versus: a search has devices of one model; explore each model by itself")
    if devices is not None and devices > 1:
        raise InputError(
            f"--devices: a search of a scenario has one device, not {devices}; --engine virtual plays many"
        )
    if limit is None:
        return explored(Wanted(scenario, model=model, out=out))
    return explored(Wanted(scenario, model=model, out=out, seconds=limit))


def _check_virtual(
    slow: float, pauses: bool, page: PageWanted | None, time: str = "virtual time is as fast as it goes"
) -> None:
    """Raises InputError for what takes somebody who looks; `time` says why."""
    if slow != 1 or pauses:
        raise InputError(f"--{'pause' if pauses else 'slow'}: {time}; play it live")
    if page is not None:
        raise InputError("--page: nobody can watch virtual time; keep the run with --out DIR, and open its report.html")


def _check_afar(slow: float, pauses: bool, page: PageWanted | None) -> None:
    """Raises InputError for what is done to devices that are here."""
    steered = [name for name, is_wanted in (("slow", slow != 1), ("pause", pauses), ("page", page)) if is_wanted]
    if steered:
        raise InputError(f"--{steered[0]}: for devices that are here; play it without --cluster")


def _play_live(cast: Cast, seed: int, out: Path | None, table: bool | None, how: PlayedLive) -> int:
    """Raises InputError."""
    from simulator.cli.playing import ShownPlay, has_judge_elsewhere
    from simulator.cli.screen import has_table
    from simulator.engines.live import LiveVenue
    from simulator.engines.play_time import PlayTime
    from simulator.engines.steering import Steering

    allow_files(cast.devices)
    shows_table = has_table(table)
    has_keys = how.has_keys and (shows_table or how.pauses)
    if how.pauses and not has_keys and how.page is None:
        raise InputError(
            "--pause: nobody could let it go on; run it on a terminal, where the key g does, or add --page"
        )
    venue = LiveVenue(cast.scenario, seed, PlayTime(how.slow))
    steering = Steering(venue, pauses=how.pauses)
    play = ShownPlay(
        cast,
        seed,
        venue,
        out,
        shows_table,
        page=how.page,
        steering=steering,
        has_keys=has_keys,
        is_judged_elsewhere=how.page is None and has_judge_elsewhere(cast.devices),
    )
    return run_loop(play.play())


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
