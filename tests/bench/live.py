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
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from simulator.certs import make_certificates
from tests.bench.gateway import gateway

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


@click.command()
@click.option("--devices", type=int, multiple=True, default=[1_000, 10_000], help="How many ours are; may be repeated.")
@click.option("--threads", default=300, help="How many the peer's are.")
def main(devices: tuple[int, ...], threads: int) -> None:
    """Measure, and print the table."""
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
