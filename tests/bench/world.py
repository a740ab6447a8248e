"""One fleet in virtual time, measured in a process of its own: `python -m tests.bench.world WHAT SCENARIO DEVICES`.

Prints one JSON object. SCENARIO is a shipped one, or one of those beside this file. WHAT is

    resident   the memory of the process when every device is in the middle of an update, without a verdict
    allocated  what of it is in use then: after a peak, the rest is free for what comes next
    play       the CPU time of a whole run, with hardware, agents, network and service
    judge      the same, judged
    fleet      the seconds, CPU time and peak of memory of a whole run of which one device in a hundred plays, on all
               processors, as `ghostjob run` has 100,000 devices and more
    first      the first device that ever goes through it, when nothing can be remembered from another
    loop       the CPU time of a fixed piece of Python: how fast this machine is just now; DEVICES is how often
"""

import gc
import json
import os
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from agent.log import configure
from simulator.engines.play import Play
from simulator.engines.seeds import Fleet, judged_with
from simulator.engines.stand_ins import IN_A_SHARD, ONE_IN
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Scenario, load, shipped
from simulator.trace import DeletionRequested, Entry, Sink
from simulator.verdict import Judge
from tests.bench.memory import resident_kib

WARM = 40
"""So many devices go through it first, except where the first one is measured."""


def scenario_named(name: str) -> Scenario:
    return load(name if name in shipped() else str(Path(__file__).parent / f"{name}.yaml"))


def play(scenario: Scenario, devices: int, sink: Sink) -> Play:
    play = Play(scenario, devices, 1, sink, VirtualVenue(scenario, 1))
    run_virtually(play.play())
    return play


def ignore(entry: Entry) -> None:
    """Nobody looks."""


def memory(scenario: Scenario, devices: int, measure: Callable[[], float]) -> dict[str, float]:
    held: list[float] = []

    def look(entry: Entry) -> None:
        if isinstance(entry.event, DeletionRequested) and not held:
            gc.collect()
            held.append(measure())

    play(scenario, devices, look)
    return {"kib": held[0]}


def allocated_kib() -> float:
    return tracemalloc.get_traced_memory()[0] / 1024


def cpu(scenario: Scenario, devices: int, *, judged: bool) -> dict[str, float]:
    judge = Judge()
    gc.collect()
    start, wall = time.process_time(), time.perf_counter()
    played = play(scenario, devices, judge.feed if judged else ignore)
    if judged and judge.verdict().outcome == "failed":  # an update that is kept is yet to be accounted for
        raise RuntimeError("the scenario failed")
    took, wall = time.process_time() - start, time.perf_counter() - wall
    assert played.fleet is not None
    instants = sum(device.instants for device in played.fleet.devices)
    return {"ms_a_device": took / devices * 1000, "instants": instants / devices, "devices_a_second": devices / wall}


def fleet(scenario: Scenario, devices: int) -> dict[str, float]:
    wall = time.perf_counter()
    processors = os.cpu_count() or 1
    verdict = judged_with(Fleet(scenario, devices, devices // ONE_IN, processors), 1)
    if not (verdict.passed and verdict.devices == verdict.recovered == devices):
        raise RuntimeError("the scenario did not pass")
    mine, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    forked = processors - 1 if devices // ONE_IN > IN_A_SHARD else 0
    return {
        "seconds": mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime,
        "wall": time.perf_counter() - wall,
        "mib": (mine.ru_maxrss + forked * theirs.ru_maxrss) / 1024,
    }


def loop(times: int) -> dict[str, float]:
    def turn() -> float:
        start = time.process_time()
        seen: dict[int, tuple[int, int]] = {}
        total = 0
        for i in range(200_000):
            seen[i & 255] = (i, total)
            total += seen[i & 127][0] if (i & 127) in seen else 1
        return time.process_time() - start

    return {"ms": min(turn() for _ in range(times)) * 1000}


def main(what: str, name: str, devices: int) -> NoReturn:
    configure("text", "error")
    scenario = scenario_named(name)
    if what not in ("first", "loop", "fleet"):
        play(scenario, WARM, ignore)
    match what:
        case "loop":
            result = loop(devices)
        case "fleet":
            result = fleet(scenario, devices)
        case "resident":
            result = memory(scenario, devices, resident_kib)
        case "allocated":
            tracemalloc.start()
            result = memory(scenario, devices, allocated_kib)
        case _:
            result = cpu(scenario, devices, judged=what == "judge")
    print(json.dumps(result), flush=True)
    sys.exit()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
