"""One fleet in virtual time, measured in a process of its own: `python -m tests.bench.world WHAT DEVICES`.

Prints one JSON object. WHAT is

    resident   the memory of the process when every device is in the middle of an update, without a verdict
    allocated  what of it is in use then: after a peak, the rest is free for what comes next
    play       the CPU time of a whole run: two updates, the first force-deleted in mid-write, network and service too
    judge      the same, judged
    first      the first device that ever goes through it, when nothing can be remembered from another
"""

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import NoReturn

from agent.log import configure
from simulator.engines.play import Play
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import load
from simulator.trace import DeletionRequested, Entry, Sink
from simulator.verdict import Judge
from tests.bench.memory import resident_kib

MAIN = load("main")
WARM = 40
"""So many devices go through it first, except where the first one is measured."""


def play(devices: int, sink: Sink) -> Play:
    play = Play(MAIN, devices, 1, sink, VirtualVenue(MAIN, 1))
    run_virtually(play.play())
    return play


def ignore(entry: Entry) -> None:
    """Nobody looks."""


def memory(devices: int, measure: Callable[[], float]) -> dict[str, float]:
    held: list[float] = []

    def look(entry: Entry) -> None:
        if isinstance(entry.event, DeletionRequested) and not held:
            gc.collect()
            held.append(measure())

    play(devices, look)
    return {"kib": held[0]}


def allocated_kib() -> float:
    return tracemalloc.get_traced_memory()[0] / 1024


def cpu(devices: int, *, judged: bool) -> dict[str, float]:
    judge = Judge()
    gc.collect()
    start, wall = time.process_time(), time.perf_counter()
    played = play(devices, judge.feed if judged else ignore)
    if judged and not judge.verdict().passed:
        raise RuntimeError("the scenario did not pass")
    took, wall = time.process_time() - start, time.perf_counter() - wall
    assert played.fleet is not None
    instants = sum(device.instants for device in played.fleet.devices)
    return {"ms_a_device": took / devices * 1000, "instants": instants / devices, "devices_a_second": devices / wall}


def main(what: str, devices: int) -> NoReturn:
    configure("text", "error")
    if what != "first":
        play(WARM, ignore)
    match what:
        case "resident":
            result = memory(devices, resident_kib)
        case "allocated":
            tracemalloc.start()
            result = memory(devices, allocated_kib)
        case _:
            result = cpu(devices, judged=what == "judge")
    print(json.dumps(result), flush=True)
    sys.exit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
