"""`ghostjob lab`: a play that goes on, for a room to look at and to press buttons in."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.cast import Cast
from simulator.cli.options import (
    SLOWEST,
    Seconds,
    SomePath,
    allow_files,
    logging_options,
    model_option,
    run_loop,
    table_option,
)
from simulator.cli.page import LOOPBACK, PageWanted

if TYPE_CHECKING:
    from simulator.cli.playing import ShownPlay
    from simulator.engines.steering import Steering

EXAMPLE = """\b
Examples:
  ghostjob lab
  ghostjob lab --devices 4 --slow 3 --no-browser
  ghostjob lab --versus recovers-without-undoing --out out
"""


@click.command(epilog=EXAMPLE)
@click.option("--devices", type=click.IntRange(1, 99), default=10, show_default=True, help="How many devices play.")
@model_option(
    default=None,
    name="--versus",
    help="Have half of the devices be of this model, each beside a good one; `ghostjob run --models` has the names.",
)
@click.option(
    "--slow",
    type=Seconds(1, SLOWEST),
    default=1.0,
    metavar="TIMES",
    help="Have devices so many times slower, up to 100. By itself an update takes half a minute.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The seed of all jitter.")
@click.option(
    "--out",
    type=SomePath(),
    default=None,
    help="A directory for what is kept of it: the trace, the verdict, and report.html.",
)
@click.option(
    "--browser/--no-browser",
    "has_browser",
    default=True,
    show_default=True,
    help="Have a browser show the page; its address is printed in any case.",
)
@click.option("--page-port", type=click.IntRange(0, 65_535), default=0, help="The page's port, instead of a free one.")
@click.option(
    "--page-host",
    default=LOOPBACK,
    show_default=True,
    help="The address that the page is served at; whoever has the page's address may press its buttons.",
)
@click.option(
    "--page-for",
    type=Seconds(0),
    default=None,
    help="How long the page stays after the end, in seconds, for scripts; otherwise until Ctrl-C.",
)
@table_option
@logging_options()
def lab(
    devices: int,
    versus: str | None,
    slow: float,
    seed: int,
    out: Path | None,
    has_browser: bool,
    page_port: int,
    page_host: str,
    page_for: float | None,
    table: bool | None,
    log_format: str,
    log_level: str,
) -> int:
    """Show it to a room: ten devices at work on real jobs, and nothing is deleted until you do it.

    Half of the devices are in namespace lab. A job can be force-deleted, cancelled and created again, a device's power
    and network cut, a further device can join, and all can be slowed down or held. After each job comes the next. It
    goes on until Ctrl-C or a press of End; then the verdict is printed, with the exit codes of `ghostjob run`, and the
    page stays until Ctrl-C.
    """
    from agent.log import configure
    from simulator.cli.playing import ShownPlay
    from simulator.cli.screen import has_table
    from simulator.engines.live import LiveVenue
    from simulator.engines.play_time import PlayTime
    from simulator.engines.steering import Steering

    configure(log_format, log_level)
    cast = _cast(devices, versus)
    allow_files(devices)
    shows_table = has_table(table)
    venue = LiveVenue(cast.scenario, seed, PlayTime(slow))
    steering = Steering(venue, is_open=True)
    has_keys = shows_table and bool(sys.stdin and sys.stdin.isatty())
    play = ShownPlay(
        cast,
        seed,
        venue,
        out,
        shows_table,
        page=PageWanted(page_host, page_port, page_for, has_browser),
        steering=steering,
        has_keys=has_keys,
    )
    return run_loop(_until_ended(play, steering))


async def _until_ended(play: "ShownPlay", steering: "Steering") -> int:
    """Play, until somebody ends it; Ctrl-C and SIGTERM do."""
    with _ended_by_signals(steering):
        return await play.play()


@contextmanager
def _ended_by_signals(steering: "Steering") -> Iterator[None]:
    """While it lasts, Ctrl-C and SIGTERM end the play; where there is nothing to end, or once more, the command."""
    from simulator.engines.steering import NotDone

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "a task awaits this"
    is_cancelled = False

    def end() -> None:
        nonlocal is_cancelled
        if not steering.has_ended:
            with suppress(NotDone):
                steering.end()
                return
        is_cancelled = True
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    try:
        yield
    except asyncio.CancelledError:
        if is_cancelled:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _cast(devices: int, versus: str | None) -> Cast:
    from simulator.scenario import parse

    cast = Cast(parse((files("simulator.cli") / "lab.yaml").read_text("utf-8"), "lab"), devices)
    return cast if versus is None else cast.beside(versus)
