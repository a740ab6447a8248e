"""`python -m tests.bench.virtual`: what a simulated device costs in virtual time, in CPU and in memory.

What is aimed at is one update with a force delete in it, every sector of it: `update-kept` is deleted just past the
point of no return and carried to its end, `update-taken-back` in the last step that can be taken back. Beside them the
main scenario: an update that is deleted in mid-write, and then another one to its end. All of hardware, agent, network
and service is in it. Everything is measured in this run, each in a process of its own, in turn; the fastest counts.
Last come fleets of which not all play, as `ghostjob run main` has them, judged, once each.
"""

import json
import subprocess
import sys

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.bench.rows import Row, tell

SMALL = 500
"""Memory is the difference between a fleet of so many devices and a larger one, so that what all share cancels out."""
TIMED = 500
"""So many devices are timed."""
LOOPS = 5
FLEETS = (10_000, 100_000, 1_000_000)
FEW_SECONDS, FEW_MIB = 120, 4096
"""What a million devices may take."""
SCENARIOS = {
    "update-kept": "one update, deleted past the leap",
    "update-taken-back": "one update, deleted before it",
    "main": "main: two updates, one deleted",
}


def world(what: str, scenario: str, devices: int) -> dict[str, float]:
    """What `tests.bench.world` measured in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.world", what, scenario, str(devices)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


@click.command()
@click.option("--devices", default=2000, help="How much larger the large fleet is than the small one.")
@click.option("--repeat", default=3, help="How often each run is repeated; the fastest counts.")
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
def main(devices: int, repeat: int, has_rows: bool) -> None:
    """Measure, and print the table."""
    what = [(kind, "main", size) for kind in ("resident", "allocated") for size in (SMALL, SMALL + devices)]
    timed = [(kind, name, TIMED) for name in SCENARIOS for kind in ("play", "judge")]
    what += [("first", "main", 1), *[("loop", "main", LOOPS), *timed] * repeat]
    what += [("fleet", "main", size) for size in FLEETS]
    measured: dict[tuple[str, str, int], list[dict[str, float]]] = {}
    for run in track(what, description="measuring", console=Console(stderr=True)):
        measured.setdefault(run, []).append(world(*run))

    def least(kind: str, name: str, size: int, value: str) -> float:
        return min(result[value] for result in measured[kind, name, size])

    rows: list[tuple[str, float, str]] = []
    for kind, aim in (("allocated", "≤ 4"), ("resident", "≤ 4")):
        grown = least(kind, "main", SMALL + devices, "kib") - least(kind, "main", SMALL, "kib")
        rows.append((f"KiB a device in mid-update, {kind}", grown / devices, aim))
    for name, words in SCENARIOS.items():
        rows.append(
            (f"CPU ms a device, {words}", least("play", name, TIMED, "ms_a_device"), "" if name == "main" else "≤ 2")
        )
        rows.append(("… judged as well", least("judge", name, TIMED, "ms_a_device"), ""))
        rows.append(("… its sectors and journal writes", least("play", name, TIMED, "instants"), ""))
    rows.append(("CPU ms, the very first device", least("first", "main", 1, "ms_a_device"), ""))
    for kind, words in (("play", ""), ("judge", ", judged as well")):
        rate = max(result["devices_a_second"] for result in measured[kind, "main", TIMED])
        rows.append((f"devices/s, main{words}", rate, ""))
    for size in FLEETS:
        seconds = least("fleet", "main", size, "seconds")
        rows.append((f"CPU s, main with {size:,} devices, judged", seconds, f"≤ {FEW_SECONDS}"))
        rows.append(("… µs a device", seconds / size * 1e6, ""))
        rows.append(("… MiB at the most", least("fleet", "main", size, "mib"), f"≤ {FEW_MIB}"))
    rows.append(("CPU ms, a fixed piece of Python, to compare machines by", least("loop", "main", LOOPS, "ms"), ""))
    if has_rows:
        tell(*(Row(words, value, aim=float(aim.removeprefix("≤")) if aim else None) for words, value, aim in rows))
        return
    table = Table(
        title=f"virtual time (memory: {SMALL} and {SMALL + devices} devices; CPU: {TIMED})", title_justify="left"
    )
    for heading in ("what", "measured", "aim"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for words, value, aim in rows:
        table.add_row(words, f"{value:,.1f}", aim)
    Console().print(table)


if __name__ == "__main__":
    main()
