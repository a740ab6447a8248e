"""`python -m tests.bench.holds`: for how long each operation holds the loop in one go, if there is much of everything.

The loop is one for everybody: while it does one thing, no other client is answered. So what counts of an operation is
not how long it lasts, but the longest of the turns that come of it: reading the request, carrying it out, what goes on
in slices afterwards, and what is written down for `--state`. Turns are measured in the CPU time of the loop's thread,
so that it matters little what else this machine does; the client is a thread of its own.
"""

import asyncio
import tempfile
import time
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.log import configure
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.local import LocalCloud
from simulator.cloud.serving import _tame_collector
from simulator.cloud.settings.cloud import CloudSettings
from tests.bench.asked import ROWS, Row
from tests.bench.much import Much

LOOKS: Final = 3
"""What changes nothing is asked so often, and the shortest of its longest turns counts."""


class Watch:
    """The longest turn of the loop since `begin`, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0

    def begin(self) -> None:
        """Forget what was."""
        self.longest = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at every turn of every loop of this thread meanwhile."""
        run = events.Handle._run  # a turn is what it runs

        def timed(handle: asyncio.Handle) -> None:
            began = time.thread_time()
            run(handle)
            self.longest = max(self.longest, time.thread_time() - began)

        events.Handle._run = timed  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            events.Handle._run = run  # type: ignore[method-assign]


def client(service: str, url: str) -> BaseClient:
    """Somebody who asks over HTTP, once."""
    session, config = Session(), Config(retries={"total_max_attempts": 1}, read_timeout=120)
    session.set_credentials("holds", "holds")
    return session.create_client(service, "us-east-1", endpoint_url=url, config=config)


@dataclass(frozen=True, slots=True)
class Held:
    """What came of one operation: its longest turn, and how long it was until all was done that came of it."""

    longest: float
    seconds: float


async def measure(row: Row, much: Much, watch: Watch, clients: dict[str, BaseClient]) -> Held:
    """Carry it out, and wait until all is done."""
    loop, found = asyncio.get_running_loop(), list[Held]()
    for _ in range(LOOKS if row.changes_nothing else 1):
        given = row.given(much) if callable(row.given) else row.given
        await much.rest()
        await asyncio.sleep(0.01)
        watch.begin()
        began = time.perf_counter()
        call = clients[row.service]._make_api_call  # type: ignore[attr-defined]  # by the name of the operation
        await loop.run_in_executor(None, call, row.operation, given)
        await much.rest()
        found.append(Held(watch.longest, time.perf_counter() - began))
    return min(found, key=lambda held: held.longest)


async def measure_all(rows: list[Row], number: int, directory: Path) -> dict[Row, Held]:
    """Each in a cloud of its own kind, which has much of everything."""
    options = CloudSettings(
        api_port=0,
        mqtt_port=None,
        mqtts_port=None,
        data_port=None,
        state=directory / "state.db",
        cloud=JobsSettings(deletion_seconds=0, deletion_seconds_per_execution=0, requests_per_second=None),
    )
    watch = Watch()
    async with LocalCloud(options) as cloud:
        much = Much(cloud, number)
        much.make()
        await much.rest()
        _tame_collector()
        clients = {name: client(name, str(cloud.endpoints["api"])) for name in {row.service for row in ROWS}}
        with watch.watching():
            return {
                row: await measure(row, much, watch, clients)
                for row in track(rows, description="measuring", console=Console(stderr=True))
            }


@click.command()
@click.option("--number", default=10_000, help="So many things, and executions of one job; a tenth of the others.")
@click.option("--only", default="", help="Those rows whose name holds this.")
def main(number: int, only: str) -> None:
    """Measure, and print the table."""
    configure("text", "error")
    rows = [row for row in ROWS if only.casefold() in row.name.casefold()]
    with tempfile.TemporaryDirectory() as directory:
        measured = asyncio.run(measure_all(rows, number, Path(directory)))
    table = Table(title=f"{number:,} things and executions, {number // 10:,} jobs and groups", title_justify="left")
    table.add_column("operation")
    table.add_column("longest hold, ms", justify="right")
    table.add_column("until all is done, s", justify="right")
    for row, held in sorted(measured.items(), key=lambda pair: -pair[1].longest):
        table.add_row(row.name, f"{held.longest * 1000:.1f}", f"{held.seconds:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
