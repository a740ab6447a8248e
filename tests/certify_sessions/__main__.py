"""`python -m tests.certify_sessions correct --sessions 200`: is a correct device ever accused? does a certificate flip?

Sessions mostly wait for their devices, so that several are held side by side. `--busy` has a process spin on each core
meanwhile. Exits with 1 if a correct device was accused, or certificates differ.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from tests.certify_sessions.sessions import CORRECT, Plan, Session, differences, hold, violated
from tests.devices.commands import COMMANDS
from tests.simulator.certify.from_outside import FOUND, NEEDS_RECEIPT

SPINS = "import sys, time\nend = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: pass"
LONGEST_SECONDS = 3600.0


@contextmanager
def busy(is_busy: bool) -> Iterator[None]:
    """With a process that spins on each core."""
    cores = os.cpu_count() or 1
    argv = (sys.executable, "-c", SPINS, str(LONGEST_SECONDS))
    spinning = [subprocess.Popen(argv) for _ in range(cores if is_busy else 0)]
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.wait()


async def hold_all(plans: Sequence[Plan], at_once: int, directory: Path, progress: Progress) -> list[Session]:
    """In their order; `at_once` side by side."""
    gate = asyncio.Semaphore(at_once)
    bar = progress.add_task("certifying", total=len(plans))

    async def one(number: int) -> Session:
        async with gate:
            held = await hold(plans[number], directory / str(number))
        progress.advance(bar)
        for line in (*held.findings, *([held.trouble] if held.trouble else ())):
            progress.console.print(f"{number} {plans[number].device}: {line}", highlight=False, markup=False)
        return held

    return list(await asyncio.gather(*(one(number) for number in range(len(plans)))))


def held_all(plans: Sequence[Plan], at_once: int, is_busy: bool, keep: Path | None) -> list[Session]:
    """The same, with a bar; kept in `keep`, if anywhere."""
    with tempfile.TemporaryDirectory() as directory, busy(is_busy), Progress(console=Console(stderr=True)) as progress:
        return asyncio.run(hold_all(plans, at_once, keep or Path(directory), progress))


def sessions_of(plans: Sequence[Plan]) -> None:
    """Say how many of which."""
    counted = Counter(plan.device for plan in plans)
    Console().print(f"{len(plans)} sessions: {', '.join(f'{name} {n}' for name, n in counted.items())}")


def came_of(several: Sequence[Session]) -> int:
    """Say what the cells came to; how many sessions accuse their device, or have no certificate."""
    cells_held = [outcome for held in several for _, outcome, _ in held.said]
    Console().print(f"cells: {', '.join(f'{how} {n}' for how, n in Counter(cells_held).items())}")
    unclear = Counter(f"{held.plan.device}: {why}" for held in several for why in held.unclear)
    for why, times in unclear.most_common():
        Console().print(f"inconclusive, {times} times: {why}", highlight=False, markup=False)
    accused = [held for held in several if held.accuses]
    untold = [held for held in several if held.trouble]
    Console().print(f"{len(several)} sessions, {len(accused)} accusations, {len(untold)} without a certificate")
    return len({id(held) for held in (*accused, *untold)})


OPTIONS = (
    click.option("--device", "devices", multiple=True, type=click.Choice(list(COMMANDS)), help="Default: the correct."),
    click.option("--cells", type=click.Choice(["quick", "default", "full"]), default="quick", show_default=True),
    click.option("--option", "options", multiple=True, help="Another option of certify, such as --probe=file:FILE."),
    click.option("--namespace-id", default=""),
    click.option("--step-seconds", type=float, default=0.05, show_default=True),
    click.option("--at-once", type=click.IntRange(1), default=6, show_default=True, help="Sessions side by side."),
    click.option("--busy", "is_busy", is_flag=True, help="With both cores busy."),
    click.option("--keep", type=click.Path(path_type=Path), help="A directory for all that sessions write."),
)


def with_options(command):  # type: ignore[no-untyped-def]
    """Those of every command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def options_of(cells: str, options: Sequence[str]) -> tuple[str, ...]:
    """For certify."""
    return (*(() if cells == "default" else (f"--{cells}",)), *options)


@click.group()
def certify_sessions() -> None:
    """Certify devices of ours, many times."""


@certify_sessions.command()
@click.option("--sessions", type=click.IntRange(1), default=200, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the first; each has its own.")
@with_options
def correct(sessions, seed, devices, cells, options, namespace_id, step_seconds, at_once, is_busy, keep):  # type: ignore[no-untyped-def]
    """Hold sessions with correct devices, one after the other, and count accusations."""
    names = devices or CORRECT
    how = (options_of(cells, options), namespace_id, step_seconds)
    plans = [Plan(names[number % len(names)], seed + number, *how) for number in range(sessions)]
    several = held_all(plans, at_once, is_busy, keep)
    sessions_of(plans)
    raise SystemExit(1 if came_of(several) else 0)


@certify_sessions.command()
@click.option("--times", type=click.IntRange(2), default=20, show_default=True)
@with_options
def same(times, devices, cells, options, namespace_id, step_seconds, at_once, is_busy, keep):  # type: ignore[no-untyped-def]
    """Certify the same device again and again, and tell in what its certificates differ."""
    names = devices or CORRECT
    how = (options_of(cells, options), namespace_id, step_seconds)
    plans = [Plan(name, 0, *how) for _ in range(times) for name in names]
    several = held_all(plans, at_once, is_busy, keep)
    sessions_of(plans)
    came_of(several)
    untold = any(held.trouble for held in several)
    flipped = 0
    for name in names:
        differing = differences([held for held in several if held.plan.device == name])
        flipped += bool(differing)
        for line in differing:
            Console().print(f"{name}: {line}", highlight=False, markup=False)
    Console().print(f"{len(names)} devices, {times} times each: {flipped} with certificates that differ")
    raise SystemExit(1 if flipped or untold else 0)


@certify_sessions.command()
@with_options
def seen(devices, cells, options, namespace_id, step_seconds, at_once, is_busy, keep):  # type: ignore[no-untyped-def]
    """Certify each device once, and list which invariants were violated, and where."""
    names = devices or tuple(COMMANDS)
    plans = [Plan(name, 0, options_of(cells, options), namespace_id, step_seconds) for name in names]
    for held in held_all(plans, at_once, is_busy, keep):
        Console().print(f"{held.plan.device}", highlight=False)
        for invariant, where in violated(held).items():
            Console().print(f"  {invariant}: {', '.join(where)}", highlight=False, markup=False)
        for why in (*(each for each in held.findings if each.startswith("bricked")), *held.unclear):
            Console().print(f"  not passed: {why}", highlight=False, markup=False)


@certify_sessions.command()
@click.option("--model", "models", multiple=True, type=click.Choice(list(FOUND)), help="Default: all.")
@click.option("--step-seconds", type=float, default=0.05, show_default=True)
@click.option("--at-once", type=click.IntRange(1), default=6, show_default=True, help="Sessions side by side.")
@click.option("--keep", type=click.Path(path_type=Path), help="A directory for all that sessions write.")
def models(models, step_seconds, at_once, keep):  # type: ignore[no-untyped-def]
    """Certify bad models as processes, and tell of what should have been found and was not."""
    names = models or tuple(FOUND)
    plans = [Plan(f"model-{name}", 0, cells_that_find(name), "", step_seconds) for name in names]
    missed = number = 0
    for name, held in zip(names, held_all(plans, at_once, False, keep), strict=True):
        seen_of_it = violated(held)
        wanted = {what: cell for what, cell in FOUND[name].items() if (name, what) not in NEEDS_RECEIPT}
        lacking = [f"{what} ({cell})" for what, cell in wanted.items() if cell not in seen_of_it.get(what, ())]
        number += len(wanted)
        missed += len(lacking)
        told = f"not found: {', '.join(lacking)}" if lacking else f"found: {', '.join(wanted)}"
        Console().print(f"{name}: {told}", highlight=False, markup=False)
    Console().print(f"{number - missed} of {number} found")
    raise SystemExit(1 if missed else 0)


def cells_that_find(model: str) -> tuple[str, ...]:
    """The options that choose the cells in which it is found."""
    return tuple(word for cell in dict.fromkeys(FOUND[model].values()) for word in ("--only", cell))


if __name__ == "__main__":
    certify_sessions()
