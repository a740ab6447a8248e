"""`python -m tests.bench.explore`: how fast worlds are searched, and where the time goes.

Each world is one device, one update with its steps reported, one deletion, and more and more besides. CPU seconds are
of all processes together; *asked* is the part of them in which the cores were asked for moves that were not known yet,
and *arrays* the rest. Beside them hypothesis walks the same world at random, with a `RuleBasedStateMachine`.

`--aims` measures instead what the search is held to, with each aim, its peer, and how it stands to that: a machine of
two cores that does nothing else.
"""

import resource
import time
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import click
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from rich.console import Console
from rich.table import Table

from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.exploration import Exploration
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.pieces import Piece
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import STANDARD, Bounds, Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.walks import walks
from simulator.engines.explore.world import transitions
from tests.bench.rows import Row, tell

MORE = (
    ("deletion", {"delete": 1}),
    ("+ re-creation", {"create-again": 1}),
    ("+ power cut", {"power-cut": 1}),
    ("+ disconnect", {"disconnect": 1}),
    ("+ lost answer", {"lose-answer": 1}),
    ("+ duplicate", {"duplicate": 1}),
    ("+ delay", {"delay": 1}),
)
AIMED_TRANSITIONS, AIMED_TIMES, AIMED_SECONDS, AIMED_MEBIBYTES = 300_000, 50, 25, 1024
"""Transitions a second a core, with monitors that see nothing; times as many as hypothesis takes steps; and the
standard world, on two cores.
"""
PEERS = (
    "a prototype: 143,000 to 188,000",
    "hypothesis: {:,.0f} steps a second",
    "a prototype: 81 s, one core",
    "1,495 MiB",
)
COLUMNS = ("world", "jobs", "states", "transitions", "depth", "wall s", "CPU s", "asked", "arrays", "transitions/s CPU")


def cpu_seconds() -> float:
    """Of this process and of those that it has waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def measured(bounds: dict[str, int], jobs: int, seconds: float) -> tuple[Exploration, float]:
    """What was found, and the CPU time of it."""
    begun = cpu_seconds()
    found = explore(System(Setup(bounds=Bounds.model_validate(bounds))), jobs=jobs, seconds=seconds)
    return found, cpu_seconds() - begun


class Blind:
    """Monitors that see nothing."""

    judges: frozenset[str] = frozenset()

    def start(self) -> Hashable:
        return 0

    def gist(self, told: Heard) -> Heard:
        return Heard()

    def watch(self, watched: Any, told: Piece[Heard]) -> tuple[Hashable, tuple[Broken, ...]]:
        return watched, ()

    def at_rest(self, watched: Any) -> tuple[Broken, ...]:
        return ()

    def forget(self, watched: Any, alive: int) -> Hashable:
        return watched

    def places(self, watched: Any) -> int:
        return 0

    def renamed(self, watched: Any, names: Mapping[str, str]) -> Hashable:
        return watched


def held_to(bounds: Bounds, seconds: float) -> Iterator[tuple[str, float | None, float, str]]:
    """What was measured, its aim, its number and its peer, as they come; a world not complete in time says so.

    Of one that is not, nobody can say that it is as aimed at: only that it is not. What is held is measured first: what
    another search leaves of itself would count as well.
    """
    most = list[float]()
    both = explore(System(Setup(bounds=bounds)), jobs=2, seconds=seconds, on_level=lambda at: most.append(at.mebibytes))
    begun = cpu_seconds()
    blind = explore(System(Setup(bounds=bounds), Blind()), seconds=seconds)
    a_second = blind.transitions / (cpu_seconds() - begun)
    yield "transitions a second a core, blind", AIMED_TRANSITIONS, a_second, PEERS[0]
    hypothesis = hypothesis_steps_a_second(dict(bounds.model_dump(by_alias=True)))
    yield "times a RuleBasedStateMachine", AIMED_TIMES, a_second / hypothesis, PEERS[1].format(hypothesis)
    short = "" if both.complete else f", stopped by {both.stopped_by}"
    for what, aim, value, peer in (
        ("seconds", AIMED_SECONDS, both.seconds, PEERS[2]),
        ("MiB", AIMED_MEBIBYTES, max(most), PEERS[3]),
    ):
        yield f"{what}, two cores{short}", aim if both.complete or value > aim else None, value, peer


def aims(bounds: Bounds, seconds: float) -> Table:
    """What was measured, beside what it is to be."""
    table = Table("what", "aim", "measured", "of the aim", "peer")
    for what, aim, measured, peer in held_to(bounds, seconds):
        aimed = ("", "") if aim is None else (f"{aim:,}", f"{measured / aim:.2f}")
        table.add_row(what, aimed[0], f"{measured:,.0f}", aimed[1], peer)
    return table


def row(name: str, found: Exploration, cpu: float) -> list[str]:
    """Of the table."""
    asked = found.seconds_of["asking for moves"]
    shown = f"{name}{'' if found.complete else f' ({found.stopped_by})'}"
    return [
        shown,
        str(found.jobs),
        f"{found.states:,}",
        f"{found.transitions:,}",
        str(found.depth),
        f"{found.seconds:.1f}",
        f"{cpu:.1f}",
        f"{asked:.1f}",
        f"{cpu - asked:.1f}",
        f"{found.transitions / cpu:,.0f}",
        f"{found.bytes_a_state:.0f}",
    ]


def hypothesis_steps_a_second(bounds: dict[str, int]) -> float:
    """Of CPU time, walking at random."""
    system = System(Setup(bounds=Bounds.model_validate(bounds)))
    first, taken = system.first(), 0

    class Walking(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.world: Any = first

        @rule(draw=st.integers(0, 10**6))
        def take_a_step(self, draw: int) -> None:
            nonlocal taken
            those = list(transitions(system, self.world))
            if those:
                self.world, taken = those[draw % len(those)].world, taken + 1

    some = settings(max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))
    begun = time.process_time()
    run_state_machine_as_test(Walking, settings=settings(some, database=None))
    return taken / (time.process_time() - begun)


@click.command()
@click.option("--kinds", default=4, show_default=True, help="So many kinds of trouble, of seven.")
@click.option("--jobs", "all_jobs", type=int, multiple=True, default=(1, 2), show_default=True)
@click.option("--seconds", default=120.0, show_default=True, help="For each world.")
@click.option("--aims", "has_aims", is_flag=True, help="Measure the standard world, beside what is aimed at.")
@click.option("--rows", "has_rows", is_flag=True, help="The same as rows for `--all`.")
def main(kinds: int, all_jobs: tuple[int, ...], seconds: float, has_aims: bool, has_rows: bool) -> None:
    """Search one world after the other."""
    console, bounds = Console(width=150), dict[str, int]()
    if has_rows:
        for place, (what, aim, value, peer) in enumerate(held_to(STANDARD, seconds)):
            tell(Row(what, value, aim=aim, more_is_better=place < 2, peer=peer))  # the first two are speeds
        return
    if has_aims:
        console.print(aims(STANDARD, seconds))
        return
    table = Table(*COLUMNS, "bytes/state")
    for name, more in MORE[:kinds]:
        bounds |= more
        for jobs in all_jobs:
            table.add_row(*row(name, *measured(bounds, jobs, seconds)))
    console.print(table)
    walked_at = cpu_seconds()
    walked = walks(System(Setup(bounds=Bounds.model_validate(bounds))), 500, 1, bounds=dict.fromkeys(bounds, 3))
    console.print(f"walks: {walked.steps / (cpu_seconds() - walked_at):,.0f} steps a second of CPU")
    console.print(f"hypothesis: {hypothesis_steps_a_second(bounds):,.0f} steps a second of CPU")


if __name__ == "__main__":
    main()
