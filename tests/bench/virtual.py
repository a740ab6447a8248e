"""`python -m tests.bench.virtual`: what a simulated device costs in virtual time, in CPU and in memory.

The scenario is the main one: an update that is force-deleted in mid-write and taken back, then another one to its end,
with all of its hardware, agent, network and service. Everything is measured in this run, each in a process of its own.
"""

import json
import subprocess
import sys

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

SMALL = 500
"""Memory is the difference between a fleet of so many devices and a larger one, so that what all share cancels out."""
TIMED = 300
"""So many devices are timed."""


def world(what: str, devices: int) -> dict[str, float]:
    """What `tests.bench.world` measured in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.world", what, str(devices)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


@click.command()
@click.option("--devices", default=2000, help="How much larger the large fleet is than the small one.")
@click.option("--repeat", default=3, help="How often each run is repeated; the fastest counts.")
def main(devices: int, repeat: int) -> None:
    """Measure, and print the table."""
    memory: dict[tuple[str, int], float] = {}
    fastest: dict[str, dict[str, float]] = {}
    what = [(kind, size) for kind in ("resident", "allocated") for size in (SMALL, SMALL + devices)] + [("first", 1)]
    what += [(kind, TIMED) for kind in ("play", "judge") for _ in range(repeat)]
    for kind, size in track(what, description="measuring", console=Console(stderr=True)):
        result = world(kind, size)
        if kind in ("resident", "allocated"):
            memory[kind, size] = result["kib"]
        elif kind not in fastest or result["ms_a_device"] < fastest[kind]["ms_a_device"]:
            fastest[kind] = result
    allocated, resident = (
        (memory[kind, SMALL + devices] - memory[kind, SMALL]) / devices for kind in ("allocated", "resident")
    )
    play, judge = fastest["play"], fastest["judge"]
    table = Table(
        title=f"virtual time (memory: {SMALL} and {SMALL + devices} devices; CPU: {TIMED})", title_justify="left"
    )
    for heading in ("what", "measured", "aim"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in (
        ("KiB a device in mid-update, allocated", allocated, "≤ 4"),
        ("KiB a device in mid-update, resident", resident, ""),
        ("CPU ms a device, two updates and a force delete", play["ms_a_device"], "≤ 2 an update"),
        ("CPU ms a device, judged as well", judge["ms_a_device"], ""),
        ("CPU ms, the very first device", fastest["first"]["ms_a_device"], ""),
        ("sectors and journal writes a device", play["instants"], ""),
        ("devices/s", play["devices_a_second"], ""),
        ("devices/s, judged as well", judge["devices_a_second"], ""),
    ):
        table.add_row(row[0], f"{row[1]:,.1f}", row[2])
    Console().print(table)


if __name__ == "__main__":
    main()
