"""`python -m tests.bench.workers`: what two processes that hold the connections bring, and what they cost.

With `--workers` the process that has broker and jobs does without the reads, the writes and TLS of each client; in all
that takes more CPU, not less. So the number to look at is what is left in the one that cannot be more than one.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from simulator.certs import make_certificates
from tests.bench.gateway import gateway, round_trips
from tests.bench.rows import Row, number, tell

WORKERS: Final = 2
CPU: Final = "CPU a round trip"
LOADS: Final = (("mqtt", 100, 8), ("mqtt", 1000, 1), ("mqtts", 100, 8), ("mqtts", 1000, 1))


def children(process_id: int) -> list[int]:
    """The processes that one has begun."""
    return [int(each) for each in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]


def _measured(directory: Path, workers: int, load: tuple[str, int, int], seconds: float) -> tuple[float, ...]:
    """Round trips a second, and µs of CPU for one: in the process that has the broker, in all, and in the load's."""
    kind, connections, in_flight = load
    certs = directory if kind == "mqtts" else None
    with gateway(directory, "--workers", str(workers)) as (endpoints, process_id):
        watched = [process_id, *children(process_id)]
        speed = round_trips("jobs", endpoints[kind], connections, in_flight, seconds, watched, certs)
    return speed.a_second, speed.cpu[0] * 1e6, sum(speed.cpu) * 1e6, speed.cpu_of_load * 1e6


def measured(seconds: float) -> Iterator[Row]:
    """With two beside without any, which is the peer."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        make_certificates(directory, ["load"])
        for load in LOADS:
            without = _measured(directory, 0, load, seconds)
            with_two = _measured(directory, WORKERS, load, seconds)
            kind, connections, in_flight = load
            words = f"{connections} connections, {in_flight} in flight, {'plain' if kind == 'mqtt' else 'mutual TLS'}"
            for what, unit, ours, theirs in zip(
                ("round trips/s", f"{CPU} in the broker's process", f"{CPU} in all", f"{CPU} in the load's"),
                ("/s", "µs", "µs", "µs"),
                with_two,
                without,
                strict=True,
            ):
                yield Row(f"{what}, {words}", ours, unit, peer="no workers", peers=theirs)


@click.command()
@click.option("--seconds", default=3.0, help="How long each measurement lasts.")
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
def main(seconds: float, has_rows: bool) -> None:
    """Measure, and print the table."""
    if has_rows:
        for row in measured(seconds):
            tell(row)
        return
    table = Table(title=f"ghostjob benchmark ({seconds:g} s a measurement)", title_justify="left")
    for heading in ("what", "no workers", "two workers"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in track(measured(seconds), "measuring", total=4 * len(LOADS), console=Console(stderr=True)):
        table.add_row(
            f"{row.what}, {row.unit}" if row.unit == "µs" else row.what, number(row.peers), number(row.measured)
        )
    Console().print(table)


if __name__ == "__main__":
    main()
