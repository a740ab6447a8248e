"""`python -m tests.bench.page`: what the live page costs a run while somebody looks at it.

The same run is played without a page and with one, in pairs, in which either goes first in turn. The seconds that it
took are of use on a quiet machine; the processor time of its process, of which the page's is a part, is on any if both
are played at the same time (`--beside`): whatever else the machine does then costs either the same. That goes for what
a browser draws on it, too: of a run alone, that makes the same work slower, though nothing of it is the run's.
"""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

AIM: Final = 1.10


@dataclass(slots=True)
class Run:
    """What one took, and what came of it; `news` are how many events a looker got, and how many bytes."""

    seconds: float = 0.0
    processor: float = 0.0
    outcome: str = ""
    news: list[int] = field(default_factory=list)


@contextmanager
def reading(url: str, run: Run) -> Iterator[None]:
    """Somebody who reads the stream."""

    def read() -> None:
        with urllib.request.urlopen(f"{url}stream") as stream:
            run.news += [len(line) for line in stream if line.startswith(b"data: ")]

    thread = threading.Thread(target=read)
    thread.start()
    yield
    thread.join()


@contextmanager
def watching(url: str, run: Run) -> Iterator[None]:
    """A browser with the page in it, which counts what it complained of."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.on("console", lambda message: print(f"the page says: {message.text}", file=sys.stderr))
        page.on("pageerror", lambda error: print(f"the page fails: {error}", file=sys.stderr))
        page.goto(url)
        page.wait_for_function("() => data.is_over && data.state !== 'ended'", timeout=600_000)
        yield
        browser.close()


def played(devices: int, look: Callable[[str, Run], Any] | None) -> Run:
    """One run, with a page if somebody looks."""
    command = [sys.executable, "-P", "-m", "simulator.cli", "run", "--devices", str(devices), "--no-table"]
    command += ["--page", "--page-for", "1"] if look else []
    run, began = Run(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert process.stdout
        if look is not None:
            url = process.stderr.readline().removeprefix("page: ").strip()
            with look(url, run):
                pass
        errors = process.stderr.read()
        run.outcome = process.stdout.read().strip().splitlines()[-1].partition(":")[0]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        raise RuntimeError(errors)
    run.seconds = time.perf_counter() - began - (1.0 if look else 0.0)
    run.processor = usage.ru_utime + usage.ru_stime
    return run


@click.command()
@click.option("--devices", default=1000, help="How many play.")
@click.option("--pairs", default=3, help="How often it is played with and without.")
@click.option("--browser", is_flag=True, help="Look with Chromium, whose own work is beside the run's.")
@click.option("--beside", is_flag=True, help="Play both of a pair at the same time, on a machine that others use.")
def main(devices: int, pairs: int, browser: bool, beside: bool) -> None:
    """Measure, and print medians and the ratio within pairs."""
    look = watching if browser else reading
    found: list[tuple[Run, Run]] = []
    for number in track(range(pairs), description="playing", console=Console(stderr=True)):
        order = (None, look) if number % 2 else (look, None)
        with ThreadPoolExecutor(2 if beside else 1) as pool:
            both = pool.map(partial(played, devices), order)
            runs = {which is not None: run for which, run in zip(order, both, strict=True)}
        found.append((runs[False], runs[True]))
        print(json.dumps([[run.seconds, run.processor, run.outcome, len(run.news)] for run in found[-1]]), flush=True)
    table = Table(title=f"main, {devices} devices: medians of {pairs} pairs", title_justify="left")
    for heading in ("what", "without", "with the page", "ratio", "aim"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for what, of in (("seconds", lambda run: run.seconds), ("processor seconds", lambda run: run.processor)):
        without, with_it = median(of(run) for run, _ in found), median(of(run) for _, run in found)
        ratio = median(of(more) / of(less) for less, more in found)
        table.add_row(what, f"{without:.1f}", f"{with_it:.1f}", f"{ratio:.3f}", f"≤ {AIM:g}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
