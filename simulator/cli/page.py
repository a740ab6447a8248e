"""`--page`: the options of the live page, its server while a verb lasts, and what is said of it."""

import asyncio
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import click

from agent.errors import InputError
from simulator.cli.options import Seconds, until_stopped

if TYPE_CHECKING:
    from simulator.page.live.server import PageServer
    from simulator.page.orders import Controls
    from simulator.page.picture import Picture
    from simulator.verdict import Judge

F = TypeVar("F", bound=Callable[..., Any])
LOOPBACK: Final = "127.0.0.1"


def page_options(*, outlasts: bool) -> Callable[[F], F]:
    """`--page` and what belongs to it, which `PageWanted.taken` takes; `outlasts`: it stays when the verb has ended."""

    def decorate(command: F) -> F:
        if outlasts:
            command = click.option(
                "--page-for",
                type=Seconds(0),
                default=None,
                help="How long the page stays after the end, in seconds, for scripts; otherwise until Ctrl-C.",
            )(command)
        command = click.option(
            "--page-host",
            default=None,
            help=f"The address that the page is served at, instead of {LOOPBACK}; whoever has the page's address may "
            "press its buttons.",
        )(command)
        command = click.option(
            "--page-port", type=click.IntRange(0, 65_535), default=None, help="The page's port, instead of a free one."
        )(command)
        return click.option(
            "--page", "has_page", is_flag=True, help="Show it live in a browser; the page's address is printed."
        )(command)

    return decorate


@dataclass(frozen=True, slots=True)
class PageWanted:
    """A page that was asked for. It stays for `seconds` after the end; None: until Ctrl-C.

    `is_opened`: a browser is asked to show it.
    """

    host: str
    port: int
    seconds: float | None = None
    is_opened: bool = False

    @classmethod
    def taken(cls, given: dict[str, Any]) -> "Self | None":
        """Take its options out of those that were given. Raises InputError."""
        has_page = given.pop("has_page")
        port, host, seconds = (given.pop(name, None) for name in ("page_port", "page_host", "page_for"))
        if not has_page:
            for option, value in (("--page-port", port), ("--page-host", host), ("--page-for", seconds)):
                if value is not None:
                    raise InputError(f"{option}: there is no page; give --page as well")
            return None
        return cls(LOOPBACK if host is None else host, port or 0, seconds)

    @asynccontextmanager
    async def served(self, picture: "Picture", controls: "Controls | None" = None) -> "AsyncIterator[PageServer]":
        """Serve it, and say where. Raises InputError."""
        from simulator.page.live.server import PageServer

        async with PageServer(picture, controls, self.host, self.port) as server:
            for line in announced(server):
                say(line)
            if self.is_opened:
                await asyncio.to_thread(webbrowser.open, server.url)
            yield server

    async def stay(self) -> None:
        """Until Ctrl-C, or as long as was asked for."""
        if self.seconds == 0:
            return
        say("the page stays up until Ctrl-C" if self.seconds is None else f"the page stays for {self.seconds:g} s more")
        await until_stopped(self.seconds)


def announced(server: "PageServer") -> Iterator[str]:
    """What is said of it, line by line."""
    yield f"page: {server.url}"
    if server.is_open_to_others:
        may = "look" if server.controls is None else "look, and press its buttons"
        yield (
            f"page: other machines can reach it. Whoever has this address may {may}; nothing is encrypted, so whoever "
            "can listen on the network has it, too"
        )


def say(line: str) -> None:
    """On stderr; whole, so that the address can be copied."""
    click.echo(line, err=True)


@asynccontextmanager
async def judged_meanwhile(server: "PageServer", picture: "Picture", judge: "Judge") -> AsyncIterator[None]:
    """While it lasts, what is shown is judged, if anybody looks."""
    from simulator.page.live.judging import keep_judging

    judging = asyncio.create_task(keep_judging(picture, judge, server.looked_at))
    try:
        yield
    finally:
        judging.cancel()
        await asyncio.gather(judging, return_exceptions=True)
