"""Mutated MQTT packets, of both versions and every type, over TCP, TLS and WebSocket, each on a connection of its own.

Each connection sends a CONNECT, one to four packets with something wrong (some with nothing), a PINGREQ, and hangs up.
It has to be answered or closed; a neighbour has to be served as if nothing were; nothing may stay behind.
"""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from tests.hostile.carriers import CLOSED_SECONDS, Carriers
from tests.hostile.footprints import KEPT, kib_by_kind
from tests.hostile.mutations import Case, case
from tests.hostile.neighbour import Neighbour
from tests.hostile.packets_of_clients import JOBS
from tests.hostile.probed import Reading, grown
from tests.hostile.report import Bounds, Report
from tests.hostile.victim import THINGS, Victim, victim

AT_ONCE: Final = 32
SETTINGS: Final[dict[str, Any]] = {
    # What the service promises to keep would look like a leak: sessions that last, retained messages.
    "gateway": {"connects_per_second": None, "persistent_seconds": 1, "retained_messages": 100},
    "cloud": {"requests_per_second": None},
}
SETTLING_SECONDS: Final = 3.0
"""Until sessions that were left are over, and the gateway has swept."""
WARM_PART: Final = 0.1
"""Of the inputs come before memory is first looked at: what is made once is no growth."""
MOST_GROWTH_MIB: Final = 24
"""What may be left after that, whatever the number of packets: the caches' bounds, and holes between objects."""
MOST_WARM: Final = 20_000
MOST_SUSPECTS: Final = 1000
MOST_KIB: Final = 2048
"""Of one connection."""
MOST_KIB_KEPT: Final = 16 * 1024
"""Of one for which messages of QoS 1 wait, as is promised: a session keeps some MiB of them."""
LOOK_SECONDS: Final = 0.2


@dataclass(slots=True)
class _Fuzz:
    """One attack under way."""

    victim: Victim
    seed: int
    tried: int = 0
    seconds: float = 0.0
    """That it took, the pauses not counted."""
    next_number: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    carriers: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    suspects: dict[str, range] = field(default_factory=dict)
    """What was found in the log, and the numbers of the cases that may have brought it about."""
    held_ms: float = 0.0
    held_cpu_ms: float = 0.0

    async def run(self, count: int, seconds: float) -> None:
        """So many more packets, in so many seconds at most."""
        most, began = self.tried + count, time.monotonic()
        carriers = Carriers.to(self.victim)

        async def work() -> None:
            while self.tried < most and time.monotonic() - began < seconds and self.victim.process.returncode is None:
                made = case(self.seed, self.next_number)
                self.next_number += 1
                self.tried += made.packets
                await self._one(carriers, made)

        watching = asyncio.create_task(self._watch())
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await self._look()
        self.seconds += time.monotonic() - began

    async def _one(self, carriers: Carriers, made: Case) -> None:
        outcome = await carriers.bring(made)
        self.outcomes[outcome] += 1
        self.carriers[made.carrier] += 1
        if outcome == "stuck":
            self.findings.append(f"case {made.number}: neither answered nor closed in {CLOSED_SECONDS:g} s: {made}")
        elif outcome == "unreadable":
            self.findings.append(f"case {made.number}: what came back is no MQTT: {made}")

    async def _watch(self) -> None:
        """Look at the log again and again, to know about when something was first in it."""
        known, since = set(self.victim.log.read().faults), 0
        while True:
            began = self.next_number
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()
            for what in set(self.victim.log.read().faults) - known:
                known.add(what)
                self.suspects[what] = range(since, self.next_number)
            since = max(0, began - AT_ONCE)

    async def name_culprits(self) -> None:
        """Try the cases that were under way when a fault first came again, one by one, until it comes again."""
        carriers, log = Carriers.to(self.victim), self.victim.log
        for what, numbers in self.suspects.items():
            for number in numbers[:MOST_SUSPECTS]:
                before = log.read().faults[what]
                for again in range(2):  # one that came before may be what was late to be logged
                    await carriers.bring(case(self.seed, number))
                    if log.read().faults[what] <= before + again:
                        break
                else:
                    self.findings.append(f"{what} (case {number} alone: {case(self.seed, number)})")
                    break
            else:
                among = f"in cases {numbers.start} to {numbers.stop}, and with none of them alone"
                self.findings.append(f"{what} ({among})")

    async def _look(self) -> None:
        with suppress(EOFError, OSError):  # gone: that is said at the end
            found = await self.victim.read()
            self.held_ms = max(self.held_ms, found.held_ms)
            self.held_cpu_ms = max(self.held_cpu_ms, found.held_cpu_ms)

    async def at_rest(self) -> Reading:
        """What there is once everybody is gone. Raises EOFError if it is dead."""
        await asyncio.sleep(SETTLING_SECONDS)
        return await self.victim.read(collect=True)


async def attack(bounds: Bounds) -> Report:
    """Send packets; `count` is of packets."""
    report = await fuzz(bounds)
    for name, kib in (await kib_by_kind()).items():
        report.figures[f"KiB a connection at most, {name}"] = f"{kib:,.1f}"
        most = MOST_KIB_KEPT if name == KEPT else MOST_KIB
        if kib > most:
            report.findings.append(f"a connection ({name}) takes {kib:,.0f} KiB, of {most:,} at most")
    return report


async def fuzz(bounds: Bounds) -> Report:
    """The packets alone."""
    async with victim(SETTINGS, tls=True) as cloud:
        await _furnish(cloud)
        fuzz, neighbour = _Fuzz(cloud, bounds.seed), Neighbour(cloud)
        living = asyncio.create_task(neighbour.live())
        figures: dict[str, str] = {}
        with suppress(EOFError):  # it died: that is said at the end
            figures = await _two_parts(fuzz, bounds)
            await fuzz.name_culprits()
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living
    figures |= {
        "packets a second": f"{fuzz.tried / fuzz.seconds:,.0f}, on {fuzz.outcomes.total():,} connections",
        "carried by": _counts(fuzz.carriers),
        "came of it": _counts(fuzz.outcomes),
        "the neighbour's round trips": f"{neighbour.asked:,}",
        "the loop's longest hold": f"{fuzz.held_ms:.1f} ms, {fuzz.held_cpu_ms:.1f} ms of its thread's processor time",
        "told in the log": _counts(cloud.log.events),
    }
    return Report(fuzz.tried, [*fuzz.findings, *neighbour.findings, *cloud.findings], figures)


async def _two_parts(fuzz: _Fuzz, bounds: Bounds) -> dict[str, str]:
    """What stays behind the second part, after the first has made what is made once."""
    await fuzz.run(min(MOST_WARM, max(1, round(bounds.count * WARM_PART))), bounds.seconds)
    before, warm = await fuzz.at_rest(), fuzz.tried
    await fuzz.run(bounds.count - fuzz.tried, bounds.seconds - fuzz.seconds)
    after = await fuzz.at_rest()
    left = (after.resident_kib - before.resident_kib) / 1024
    if left > MOST_GROWTH_MIB:
        fuzz.findings.append(f"{left:.1f} MiB stayed behind {fuzz.tried - warm:,} packets")
    return {
        f"resident after {warm:,} packets": f"{before.resident_kib / 1024:.1f} MiB",
        "resident at the end": f"{after.resident_kib / 1024:.1f} MiB",
        "what stayed": grown(before, after) or "nothing that is counted",
    }


async def _furnish(cloud: Victim) -> None:
    """Things with jobs, so that requests have something to do."""
    for thing in (*THINGS, "neighbour"):
        await cloud.call("POST", f"/things/{thing}")
    targets = [f"arn:aws:iot:us-east-1:000000000000:thing/{thing}" for thing in THINGS]
    for job in JOBS[:2]:
        await cloud.call("PUT", f"/jobs/{job}", {"targets": targets, "document": "{}"})


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counter.most_common())
