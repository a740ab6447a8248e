"""`ghostjob explore`: every order in which things can happen, within bounds."""

from typing import Any, Final

import click

from simulator.cli.options import Seconds, SomePath, cluster_option, logging_options, model_option, shipped_names

EXAMPLE = """\b
Examples:
  ghostjob explore
  ghostjob explore --bound delete=1 --bound power-cut=1 --layout single
  ghostjob explore delete-in-write --model ota-self-test-flag
  ghostjob explore --standard --bound delay=1 --time 600 --memory 2000
  ghostjob explore --standard --bound delay=2 --walks 100000 --seed 7
  ghostjob explore --standard --walks 1000000 --engine ray --cluster 10.0.0.1:6379
  ghostjob explore --bound delete=1 --model undoes-in-the-wrong-order --out out
  ghostjob replay out/schedules/01-alive.yaml
"""
MINUTES: Final = 10
MEBIBYTES: Final = 2_000
MOST_WALKS: Final = 2**62
"""Each has a seed of its own, of 64 bits."""


def _kinds(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from simulator.engines.explore.choice import KINDS

    return [f"{kind}=1" for kind in KINDS if kind.startswith(incomplete)]


@click.command(epilog=EXAMPLE)
@click.argument("scenario", required=False, shell_complete=shipped_names)
@click.option(
    "--bound",
    "bounds",
    multiple=True,
    metavar="KIND=N",
    shell_complete=_kinds,
    help="So often may that happen: delete, create-again, power-cut, disconnect, lose-answer, duplicate, delay, early, "
    "fail and others (`ghostjob explain explore`). What is not named is as SCENARIO has it, else 0.",
)
@click.option("--standard", "is_standard", is_flag=True, help="What is not named is as in the standard world.")
@model_option(default=None, help="The device model; `ghostjob run --models` has the names.")
@click.option("--layout", type=click.Choice(["ab", "swap", "single", "all"]), help="How the flash is laid out.")
@click.option("--namespace", metavar="NAME", help="The namespace that the device works in.")
@click.option(
    "--policy",
    type=click.Choice(["revert-until-commit", "finish-after-switch"]),
    help="What becomes of an update whose job is gone once the boot selector is switched.",
)
@click.option("--reports", type=click.Choice(["progress", "steps", "end"]), help="What the device reports.")
@click.option(
    "--leap-when-unreachable",
    type=click.Choice(["give-up", "proceed"]),
    help="What becomes of work at the point of no return if nobody answers.",
)
@click.option(
    "--again",
    type=click.Choice(["none", "same", "other"]),
    help="Whether the job's id is used again, for the same document or another.",
)
@click.option(
    "--next/--no-next", "has_next", default=None, help="Whether another job comes, at any time after the first."
)
@click.option(
    "--same-second",
    "same_second",
    is_flag=True,
    help="The id may be used again within the second of its first use: nothing on the wire tells the two apart then.",
)
@click.option("--devices", type=click.IntRange(1, 2), default=None, help="How many devices, each on its own thing.")
@click.option(
    "--time",
    "--time-limit",
    "seconds",
    type=Seconds(0, min_open=True),
    default=60.0 * MINUTES,
    show_default=True,
    help="Stop after so many seconds.",
)
@click.option(
    "--memory", "mebibytes", type=click.IntRange(64), default=MEBIBYTES, show_default=True, help="Stop at so many MiB."
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="How many processes share a search; walks take one.",
)
@click.option(
    "--walks", type=click.IntRange(1, MOST_WALKS), default=None, help="Walk so often at random, instead of everywhere."
)
@click.option(
    "--seed", type=click.IntRange(0, MOST_WALKS), default=None, help="The seed of the walks; 0, if none is given."
)
@click.option(
    "--engine",
    type=click.Choice(["explore", "ray"]),
    default="explore",
    show_default=True,
    help="Where it walks: here, or, with --walks, on a Ray cluster (`ghostjob explain ray`).",
)
@cluster_option()
@click.option(
    "--out",
    type=SomePath(),
    default=None,
    help="A directory for verdict.json, schedules/, trace.jsonl, junit.xml, summary.md and report.html.",
)
@click.option("--json", "is_json", is_flag=True, help="Print the verdict as JSON instead of all that is said.")
@logging_options()
def explore(log_format: str, log_level: str, **given: Any) -> int:
    """Try every order in which things can happen to one device and its service, within stated bounds.

    A step goes on, a message arrives, late, twice or never, a timer runs out, the power goes, the job is force-deleted
    and made again: whatever may come next is tried from everywhere. SCENARIO (a shipped name, or a YAML file) says
    which device and how much trouble, and its places are to be reached; without it and without bounds, the standard
    world is explored.

    Each violation comes with the shortest way there, and a schedule that `ghostjob replay` plays again. Exit code 0:
    all was tried, and nothing is violated; 1: an invariant is; 2: bad input; 3: it was stopped before, or a place
    cannot be reached, and nothing was found.
    """
    from agent.log import configure
    from simulator.cli.exploring import Wanted, explored

    configure(log_format, log_level)
    return explored(Wanted(**given))
