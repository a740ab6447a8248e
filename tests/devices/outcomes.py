"""What certify found of each device of `commands`: recorded, and what it means, for the pages.

    python -m tests.devices.outcomes NAME…      plays every cell with them, side by side, and records anew

One with a step of 0.3 s takes five minutes. Where a packet is lost, one that never takes its next job is waited for as
long as its author says that it may take, or for a minute and a half if he does not.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from simulator.certify.matrix import CELLS
from tests.devices.building import built
from tests.devices.certified import all_at_once, certified
from tests.devices.commands import COMMANDS
from tests.devices.paho_options import FLAWS

RECORDED: Final = Path(__file__).with_name("outcomes.json")
STEP_SECONDS: Final = 0.3
SPARE_SECONDS: Final = 20.0
"""What a device is given beside what it waits: as much as certify gives one that nothing is lost of, and a little."""
Found = Mapping[str, tuple[str, ...]]
"""By cell that failed, the invariants that were violated."""
REAL: Final = ("sdk-v2", "paho-c", "node", "shell")

NO_VERSION: Final = "no `expectedVersion`, as above"
SILENT: Final = "it is silent with work pending: the same"
MEANS: Final = {
    ("sdk-v2", "alive"): "`start-next` was throttled, got no answer, or its connection went: the SDK's exception is "
    "caught nowhere, and ends the process",
    (
        "sdk-v2",
        "no-cross-incarnation",
    ): "its report has no `expectedVersion`: meant for the job that was deleted, it is "
    "taken by the one that has the id now, which may end SUCCEEDED and never run",
    ("paho-c", "ready-in-time"): "it knows jobs by their id, so one that is made again under it, or whose first report "
    "was throttled, is never begun; and a report that is never acknowledged blocks all that it sends after it, until a "
    "restart",
    ("paho-c", "alive"): SILENT,
    ("paho-c", "no-cross-incarnation"): NO_VERSION,
    ("node", "alive"): "a report that is refused, or throttled, is an exception; its handler reports FAILED, which is "
    "refused as well, and that ends the process. So it is after a cancellation",
    ("node", "no-cross-incarnation"): NO_VERSION,
    ("shell", "ready-in-time"): "it remembers the id of a job that was deleted under it as done: made again, it never "
    "runs; and `mosquitto_pub` waits without end for an acknowledgement that was lost",
    ("shell", "alive"): SILENT,
    ("shell", "no-cross-incarnation"): NO_VERSION,
}
"""What the violations of a device come from: confirmed in the trace, and by what the device itself printed."""


def recorded() -> dict[str, dict[str, tuple[str, ...]]]:
    """By device."""
    told = json.loads(RECORDED.read_text("utf-8"))
    return {name: {cell: tuple(violated) for cell, violated in found.items()} for name, found in told.items()}


def by_invariant(found: Found) -> dict[str, tuple[str, ...]]:
    """The cells in which each was violated, in the order in which they are played."""
    order = [cell.id for cell in CELLS if cell.id in found]
    names = dict.fromkeys(name for cell in order for name in found[cell])
    return {name: tuple(cell for cell in order if name in found[cell]) for name in names}


NOT_FOUND: Final = {
    "acts-on-the-list": "it drops the job and takes it again, as that is still there: what it had in mind is inside",
    "hears-no-end": "it is done before any bound is over, and that it had been at work, nothing shows: with steps of "
    "seconds, `--bound ready_seconds=2` and `--bound uninterruptible_seconds=0`, `step-middle/calm` finds it",
    "blocks-the-network": "only with steps that last longer than its keep-alive, when it is disconnected in each",
    "reruns-after-restart": "it reports nothing while it does the job again, and is at the next one in time",
    "subscribes-again": "it breaks no invariant, and costs packets only",
    "drops-the-next-job": "only what is announced in the instant in which it cleans up is dropped",
    "succeeds-gone": "one report, at once after it was told, may have crossed with that inside of it",
    "polls-too-fast": "nobody refuses it: a question for work that is answered may be put again",
}
"""Flaws that no cell shows with steps of a third of a second, and why."""


def flaws_found() -> dict[str, Found]:
    """By flaw."""
    told = recorded()
    return {flaw: told[f"flaw-{flaw}"] for flaw in FLAWS if told.get(f"flaw-{flaw}")}


def bounds(name: str) -> tuple[str, ...]:
    """What its author would give for `--bound`, if he says how long it waits; silence is the last to be judged."""
    waits = COMMANDS[name].waits_seconds
    if waits is None:
        return ()
    ready, silence = waits + SPARE_SECONDS, waits + SPARE_SECONDS + 10
    return (f"ready_seconds={ready:g}", f"lost_job_seconds={ready:g}", f"silence_seconds={silence:g}")


def main(names: list[str]) -> None:
    """Certify these, and record what comes of it."""
    with tempfile.TemporaryDirectory() as directory:
        places = {name: Path(directory) / name for name in names}
        calls = []
        for name, place in places.items():
            place.mkdir()
            cells = [cell.id for cell in CELLS]
            where = built(COMMANDS[name].needs, place)
            calls.append(certified(name, cells, place, built=where, bounds=bounds(name), step_seconds=STEP_SECONDS))
        certificates = [certificate for _, certificate in all_at_once(*calls)]
    told = recorded()
    for name, certificate in zip(names, certificates, strict=True):
        found = {cell.id: tuple(each.id for each in cell.invariants if each.violations) for cell in certificate.cells}
        told[name] = {cell: violated for cell, violated in found.items() if violated}
    RECORDED.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
