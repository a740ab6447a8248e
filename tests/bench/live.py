"""`python -m tests.bench.live`: a live fleet through a whole force-delete recovery, beside a thread for each device.

Ours is `ghostjob run main`: simulated hardware, every agent, the local cloud, the trace and its verdict. The peer (see
`threads`) has paho and a thread for each device, and does the same job flow on the same cloud: with 300 devices, since
paho waits by select, which has room for 340 in a process.
"""

import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from simulator.certs import make_certificates
from tests.bench.gateway import gateway
from tests.bench.rows import Row, tell

WHOLE, SECONDS, RECOVERY = 10_000, 60, 2
"""So many devices are to be through in so many seconds, recovered in so many at the median."""
TIMES = 20
"""So many times the peer's devices a second."""
P50 = re.compile(r"p50 ([0-9.]+) s")


class Ran(NamedTuple):
    """What a run took; `recovery` is the median from a record's removal to the next job, in seconds."""

    seconds: float
    processor_seconds: float
    recovery: float
    outcome: str


def ours(devices: int) -> Ran:
    """One `ghostjob run`, with all its processes."""
    command = [sys.executable, "-P", "-m", "simulator.cli", "run", "main", "--no-table", "--time-limit", "600"]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([*command, "--devices", str(devices)], capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = P50.search(done.stdout)
    last = done.stdout.splitlines()[-1:] or done.stderr.splitlines()[-1:]
    return Ran(seconds, worked, float(found[1]) if found else float("nan"), " ".join(last).partition(":")[0])


def peer(devices: int) -> float:
    """Seconds that a thread for each device took."""
    with tempfile.TemporaryDirectory() as name:
        make_certificates(Path(name), ["load"])
        with gateway(Path(name)) as (endpoints, _):
            host, _, port = endpoints["mqtt"].rpartition(":")
            command = [sys.executable, "-m", "tests.bench.threads", host, port, endpoints["api"], str(devices)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout
                took = float(process.stdout.readline())
                process.kill()
            return took


def rows(devices: int, ran: Ran, theirs: float) -> Iterator[Row]:
    """What came of a run, beside the peer's devices a second."""
    is_whole = devices == WHOLE
    size, note = f"{devices:,} devices", "" if ran.outcome == "passed" else ran.outcome
    yield Row(f"s, {size}", ran.seconds, aim=SECONDS if is_whole else None, note=note)
    yield Row(f"recovery p50, s, {size}", ran.recovery, aim=RECOVERY if is_whole else None)
    yield Row(
        f"devices/s, {size}",
        devices / ran.seconds,
        aim=TIMES * theirs,
        more_is_better=True,
        peer="a paho client and thread for each, without hardware and verdict",
        peers=theirs,
    )
    yield Row(f"CPU ms a device, {size}", ran.processor_seconds / devices * 1000)


@click.command()
@click.option("--devices", type=int, multiple=True, default=[1_000, 10_000], help="How many ours are; may be repeated.")
@click.option("--threads", default=300, help="How many the peer's are.")
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
def main(devices: tuple[int, ...], threads: int, has_rows: bool) -> None:
    """Measure, and print the table."""
    if has_rows:
        theirs = threads / peer(threads)
        for count in devices:
            tell(*rows(count, ours(count), theirs))
        return
    table = Table(title="a force-delete recovery, live", title_justify="left")
    for heading in ("what", "devices", "seconds", "devices/s", "CPU ms a device", "recovery p50, s", "outcome"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for count in devices:
        ran = ours(count)
        numbers = f"{ran.seconds:.1f}", f"{count / ran.seconds:.0f}", f"{ran.processor_seconds / count * 1000:.1f}"
        table.add_row("ghostjob run main", f"{count:,}", *numbers, f"{ran.recovery:.1f}", ran.outcome)
    took = peer(threads)
    table.add_row(
        "a paho client and thread for each", f"{threads:,}", f"{took:.1f}", f"{threads / took:.0f}", "", "", ""
    )
    Console().print(table)


if __name__ == "__main__":
    main()
