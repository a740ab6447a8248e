"""`ghostjob dashboard`: the live page of what somebody else plays, from the trace that it writes meanwhile."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.options import Seconds, SomePath, logging_options, run_loop, until_stopped
from simulator.cli.page import LOOPBACK, PageWanted, judged_meanwhile, say

if TYPE_CHECKING:
    from simulator.cli.growing_file import GrowingFile
    from simulator.page.live.server import PageServer

EXAMPLE = """\b
Examples:
  ghostjob run --out out & ghostjob dashboard out
  ghostjob certify --thing pump-7 --out pump & ghostjob dashboard pump
  ghostjob cloud --trace cloud.jsonl & ghostjob dashboard cloud.jsonl
  ghostjob dashboard out --page-port 8080
"""


@click.command(epilog=EXAMPLE)
@click.argument("trace", metavar="DIR|FILE", type=SomePath())
@click.option("--page-port", type=click.IntRange(0, 65_535), default=0, help="The page's port, instead of a free one.")
@click.option(
    "--page-host",
    default=LOOPBACK,
    show_default=True,
    help="The address that the page is served at; whoever has the page's address may look.",
)
@click.option(
    "--page-for",
    type=Seconds(0),
    default=None,
    help="How long the page stays after the end, in seconds, for scripts; otherwise until Ctrl-C.",
)
@logging_options()
def dashboard(
    trace: Path, page_port: int, page_host: str, page_for: float | None, log_format: str, log_level: str
) -> int:
    """Show what another process plays, live in a browser: what `--page` shows, without its buttons.

    DIR is what `--out` of `run`, `certify` or `fleet` names; FILE is a trace, such as `ghostjob cloud --trace FILE`
    writes. It begins with what is there, and goes on with what is appended: that is looked for four times a second.
    What is not there yet is waited for. When the play is over it says so, with the outcome, and the page stays until
    Ctrl-C; another play that begins in DIR meanwhile is shown then. Nothing is written, and whoever plays takes no
    notice.

    The exit code says nothing of the outcome: 0, or 2 for what is no trace.
    """
    from agent.log import configure

    configure(log_format, log_level)
    run_loop(_show(trace, PageWanted(page_host, page_port, page_for)))
    return 0


async def _show(path: Path, page: PageWanted) -> None:
    """Until it is over and the page has stayed, or until Ctrl-C. Raises InputError."""
    from simulator.cli.listing import tell_fault
    from simulator.page.contained import ContainedPicture

    async with page.served(ContainedPicture(path.name, "nothing is there yet", "cloud", tell_fault)) as server:
        following, stopped = (asyncio.create_task(each) for each in (_follow(server, path, page), until_stopped(None)))
        try:
            await asyncio.wait({following, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
        finally:
            for task in (following, stopped):
                task.cancel()
            await asyncio.gather(following, stopped, return_exceptions=True)


async def _follow(server: "PageServer", path: Path, page: PageWanted) -> None:
    """Show one play after the other, until the page has stayed after one for as long as it is to. Raises InputError."""
    while True:
        with await _found(path) as file:
            is_over = await _followed(server, file, path)
        if not is_over:
            say(f"{path}: somebody begins it anew")
        elif not await _another_begins(path, page):
            return


async def _followed(server: "PageServer", file: "GrowingFile", path: Path) -> bool:
    """Show it until it is over; False: it was begun anew. Raises InputError."""
    from simulator.cli.following import Following
    from simulator.cli.growing_file import PARTIAL

    is_left = file.path != path and not file.path.name.endswith(PARTIAL)
    following = Following(file, is_left=is_left, say=say)
    say(f"{file.path}: shows what is in it{'' if is_left else ', and what comes'}")
    server.show(following.picture)
    async with judged_meanwhile(server, following.picture, following.judge):
        if not await following.until_over():
            return False
    say(f"it is over: {following.conclude()}")
    return True


async def _found(path: Path) -> "GrowingFile":
    """The trace, as soon as there is one; that it is waited for is said. Raises InputError."""
    from simulator.cli.growing_file import LOOK_SECONDS, GrowingFile, trace_at

    if trace_at(path) is None:
        who = f"cloud --trace {path}" if path.suffix == ".jsonl" else f"run --out {path}"
        say(f"{path}: there is no trace yet; it is waited for, and `ghostjob {who}` writes one")
    while True:
        with suppress(FileNotFoundError):  # it was given its name just now
            if (found := trace_at(path)) is not None:
                return GrowingFile(found)
        await asyncio.sleep(LOOK_SECONDS)


async def _another_begins(path: Path, page: PageWanted) -> bool:
    """While the page stays: whether somebody begins another play in that directory."""
    from simulator.cli.growing_file import LOOK_SECONDS, is_written_in

    if page.seconds != 0:
        say("the page stays up until Ctrl-C" if page.seconds is None else f"the page stays for {page.seconds:g} s more")
    with suppress(TimeoutError):
        async with asyncio.timeout(page.seconds):
            while not is_written_in(path):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(LOOK_SECONDS)
            return True
    return False
