"""Half the load that the cloud can carry, for as long as it is asked to, and what its memory comes to.

What it can carry is measured first: lives (see lives.py) as fast as they go, and how much of a processor the cloud's
process took for each. Half of that is then kept up. Memory is looked at when caches and the allocator have had their
time to fill, and at the end, rubbish taken away both times.
"""

import asyncio
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench.deletion import cpu_seconds
from tests.hostile.lives import Life, Wrong
from tests.hostile.probed import Reading, grown
from tests.hostile.report import Bounds, Report
from tests.hostile.victim import Victim, victim

THINGS: Final = 500
AT_ONCE: Final = 24
CALIBRATION_PART: Final = 0.1
MOST_CALIBRATION_SECONDS: Final = 20.0
WARM_PART: Final = 0.25
MOST_WARM_SECONDS: Final = 600.0
LONG_SECONDS: Final = 1500.0
MOST_GROWTH: Final = 0.01
"""After warm-up, in a soak that is long."""
MOST_GROWTH_SHORT: Final = 0.05
"""In a short one, in which caches still fill."""
LOOK_SECONDS: Final = 1.0
LOOKS: Final = 5
REST_SECONDS: Final = 0.3
MOST_FINDINGS: Final = 20
SETTINGS: Final[dict[str, Any]] = {
    # Quotas of the account, and the pace of deletions, would be what is measured.
    "cloud": {"requests_per_second": None, "deletion_seconds": 0, "deletion_seconds_per_execution": 0},
    "gateway": {"connects_per_second": None},
}


@dataclass(slots=True)
class _Soak:
    """One soak under way; `started` numbers its lives."""

    cloud: Victim
    started: int = 0
    ended: int = 0
    done: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    held_cpu_ms: float = 0.0
    held_ms: float = 0.0
    most_kib: int = 0

    async def load(self, seconds: float, most: int, lives_per_second: float | None) -> float:
        """So many lives, in so many seconds at most; without a pace as fast as they go. How many ended in a second."""
        began, before, first = time.monotonic(), self.ended, self.started
        gate = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while time.monotonic() - began < seconds and self.started - first < most and self._goes_on:
                await gate.acquire()
                group.create_task(self._one(self.started)).add_done_callback(lambda _: gate.release())
                self.started += 1
                if lives_per_second is not None:
                    due = began + (self.started - first) / lives_per_second
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
        return (self.ended - before) / (time.monotonic() - began)

    @property
    def _goes_on(self) -> bool:
        return self.cloud.process.returncode is None and len(self.findings) < MOST_FINDINGS

    async def _one(self, number: int) -> None:
        try:
            await Life(self.cloud, self.done, number, THINGS).live()
        except (Wrong, OSError, EOFError, TimeoutError) as error:
            self.findings[f"a life: {error!r}"] += 1
        self.ended += 1

    async def watch(self) -> None:
        """Look at the cloud again and again."""
        while True:
            found = await self.cloud.read()
            self.most_kib = max(self.most_kib, found.resident_kib)
            self.held_ms = max(self.held_ms, found.held_ms)
            self.held_cpu_ms = max(self.held_cpu_ms, found.held_cpu_ms)
            await asyncio.sleep(LOOK_SECONDS)

    async def at_rest(self) -> Reading:
        """What is there while nobody does anything."""
        found = []
        for _ in range(LOOKS):
            await asyncio.sleep(REST_SECONDS)
            found.append(await self.cloud.read(collect=True))
        return min(found, key=lambda reading: reading.resident_kib)


async def attack(bounds: Bounds) -> Report:
    """`count` is of lives; the seed chooses their numbers."""
    with tempfile.TemporaryDirectory(prefix="soak-") as home:
        async with victim(SETTINGS, "--state", str(Path(home) / "state")) as cloud:
            soak = _Soak(cloud, started=bounds.seed * 1_000_000)
            for number in range(THINGS):
                await cloud.call("POST", f"/things/soak-{number}")
            figures = await _soak(soak, bounds)
    tried = soak.ended
    findings = [f"{what} ({count} times)" for what, count in soak.findings.items()]
    return Report(tried, [*findings, *cloud.findings], figures)


async def _soak(soak: _Soak, bounds: Bounds) -> dict[str, str]:
    cpu = cpu_seconds(soak.cloud.process.pid)
    seconds = min(MOST_CALIBRATION_SECONDS, bounds.seconds * CALIBRATION_PART)
    fastest = await soak.load(seconds, bounds.count, None)
    each = (cpu_seconds(soak.cloud.process.pid) - cpu) / max(1, soak.ended)
    half = 0.5 / each
    warm_seconds = min(MOST_WARM_SECONDS, bounds.seconds * WARM_PART)
    watching = asyncio.create_task(soak.watch())
    await soak.load(warm_seconds, bounds.count - soak.ended, half)
    before, warm, since = await soak.at_rest(), soak.ended, time.monotonic()
    soak.held_ms = soak.held_cpu_ms = 0.0
    left = bounds.seconds - seconds - warm_seconds
    pace = await soak.load(left, bounds.count - soak.ended, half)
    held = f"{soak.held_ms:.1f} ms, {soak.held_cpu_ms:.1f} ms of its thread's processor time"
    took = time.monotonic() - since
    after = await soak.at_rest()
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    growth = after.resident_kib / before.resident_kib - 1
    if growth > (MOST_GROWTH if took >= LONG_SECONDS else MOST_GROWTH_SHORT):
        soak.findings[f"memory grew by {growth:.2%} in {took:,.0f} s after warm-up"] += 1
    return {
        "the cloud can carry": f"{1 / each:,.0f} lives a second, by its processor time; {fastest:,.0f} were reached",
        "kept up": f"{pace:,.1f} lives a second, of {half:,.1f}, for {took:,.0f} s after {warm:,} lives to warm up",
        "done": ", ".join(f"{count:,} {name}" for name, count in soak.done.most_common()),
        "resident after warm-up": f"{before.resident_kib / 1024:.1f} MiB",
        "resident at the end": f"{after.resident_kib / 1024:.1f} MiB, {soak.most_kib / 1024:.1f} MiB at most",
        "growth after warm-up": f"{growth:+.2%}",
        "what grew": grown(before, after) or "nothing that is counted",
        "the loop's longest hold": held,
    }
