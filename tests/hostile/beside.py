"""One well-behaved device, and beside it hostile clients of each kind: it is answered all the while, and soon.

The device is a real one (paho, in a process of its own) that asks about its jobs, one question after the other. Every
answer has to come, in order, and be the right one. How long that takes is a figure here, and a finding from 50 ms at
the 99th percentile; in the suite nothing is timed by the wall clock.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeAlias

from simulator.cli.options import allow_files
from tests.hostile import greedy, lingering, loud
from tests.hostile.clients import paced
from tests.hostile.device import Seen
from tests.hostile.report import Bounds, Report
from tests.hostile.victim import Victim, victim
from tests.within import within

Hostile: TypeAlias = Callable[[Victim, float, Random], Awaitable[dict[str, int]]]
"""Is hostile until that time (of `time.monotonic`), and gives what it did, counted by name."""


HELD_CPU_MS: Final = 30.0
"""The loop's longest hold, in processor time of its thread. The aim is a few milliseconds; a slow machine and a full
collection are in this bound, and nothing quadratic."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`did` is what it must have done at least once, or nothing was tried; `not_once` what must not have happened."""

    attack: Hostile
    did: Sequence[str]
    not_once: Sequence[str] = ()
    most_mib: int = 32
    """What it may make of the cloud's memory at most."""
    held_cpu_ms: float = HELD_CPU_MS
    """How long the loop may be held."""


async def nobody(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """To compare with."""
    async for _ in paced(1, until):
        pass
    return {}


KINDS: Final[dict[str, Kind]] = {
    "nobody": Kind(nobody, []),
    "publishes to ever fresh topics": Kind(loud.fresh_topics, ["messages", "MiB"]),
    "29,000 user properties": Kind(loud.user_properties, ["CONNECT", "PUBLISH"]),
    "packets without end": Kind(lingering.endless_packets, ["packets of 256 MiB", "bytes one by one"]),
    "does not read, QoS 1": Kind(
        lingering.slow_readers, ["clients that do not read", "messages for them"], most_mib=96
    ),
    "HTTP, bit by bit": Kind(lingering.slow_requests, ["half heads", "half bodies", "left in a body"]),
    "a WebSocket frame of 8 GiB": Kind(lingering.endless_frames, ["frames of 8 GiB"]),
    "half handshakes": Kind(lingering.half_handshakes, ["half handshakes", "rubbish"]),
    "400 × 50 wildcards, and jobs": Kind(
        loud.wildcards,
        ["clients", "filters", "jobs"],
        most_mib=96,
    ),
    "documents nested deep": Kind(greedy.deep_documents, ["documents", "taken", "answers"]),
    "bodies of 1 MiB": Kind(greedy.large_bodies, ["many targets", "long documents"]),
    "lists and searches": Kind(greedy.listers, ["lists", "searches"]),
    "mutated packets": Kind(loud.mutated_packets, ["packets"], ["stuck"]),
    "more connections than descriptors": Kind(
        loud.connections, ["opened", "stayed", "API calls answered"], ["API calls not answered"]
    ),
}
SETTINGS: Final[dict[str, Any]] = {
    # The account's quota is shared, as AWS has it: whoever uses it up throttles others, which is not what is looked at.
    "cloud": {"requests_per_second": None, "deletion_seconds": 0},
    "gateway": {"redelivery_seconds": 2},
}
DESCRIPTORS: Final = 1024
OURS: Final = 4000
"""Connections that this process may have."""
P99_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.1
REST_MS: Final = 3.0
MOST_LOOKS: Final = 100


@dataclass(slots=True)
class Beside:
    """What came of one kind. `seconds` are the device's round trips."""

    kind: str
    did: dict[str, int] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    held_ms: float = 0.0
    held_cpu_ms: float = 0.0
    grown_mib: float = 0.0

    def findings(self) -> list[str]:
        """What does not depend on the machine."""
        found = [f"the device: {wrong}" for wrong in self.seen.wrong]
        if not self.seen.seconds:
            found.append("the device made no round trip")
        found += [f"nothing was tried: {name} is 0" for name in KINDS[self.kind].did if not self.did.get(name)]
        found += [f"{self.did[name]} {name}" for name in KINDS[self.kind].not_once if self.did.get(name)]
        if self.held_cpu_ms > KINDS[self.kind].held_cpu_ms:
            found.append(f"the loop was held for {self.held_cpu_ms:.0f} ms of its thread's processor time")
        if self.grown_mib > (most := KINDS[self.kind].most_mib):
            found.append(f"{self.grown_mib:.0f} MiB more were resident than before, of {most} at most")
        return [f"{self.kind}: {each}" for each in found]

    @property
    def p99_seconds(self) -> float:
        return _part(self.seen.seconds, 0.99)

    def __str__(self) -> str:
        p50, p99, most = (_part(self.seen.seconds, part) * 1000 for part in (0.5, 0.99, 1))
        did = ", ".join(f"{count:,} {name}" for name, count in self.did.items())
        return (
            f"{len(self.seen.seconds)} round trips: p50 {p50:.1f}, p99 {p99:.1f}, max {most:.1f} ms; loop held "
            f"{self.held_ms:.1f} ms ({self.held_cpu_ms:.1f} of CPU); {self.grown_mib:+.1f} MiB; {did}"
        )


async def attack(bounds: Bounds) -> Report:
    """Each kind against a cloud of its own; `count` is of kinds, and `seconds` are shared among them."""
    report, kinds = Report(), list(KINDS)[: bounds.count]
    for name in kinds:
        results, wrong = await beside([name], bounds.seed, bounds.seconds / len(kinds))
        for each in results:
            report.tried += 1
            report.figures[each.kind] = str(each)
            report.findings += each.findings()
            if each.p99_seconds >= P99_SECONDS:
                report.findings.append(f"{each.kind}: p99 {each.p99_seconds * 1000:.0f} ms")
        report.findings += [f"{name}: {each}" for each in wrong]
    return report


async def beside(kinds: Sequence[str], seed: int, seconds: float) -> tuple[list[Beside], list[str]]:
    """These kinds one after the other against one cloud, so many seconds each, and what went wrong with the cloud."""
    allow_files(OURS, at_most=True)
    results = []
    async with victim(SETTINGS, tls=True, descriptors=DESCRIPTORS) as cloud, _device(cloud) as device:
        for name in kinds:
            if cloud.process.returncode is not None:
                break
            with suppress(EOFError):  # it died: that is said at the end
                results.append(await _one(name, cloud, device, Random(f"{seed}/{name}"), seconds))
    return results, cloud.findings


async def _one(name: str, cloud: Victim, device: "_Device", rng: Random, seconds: float) -> Beside:
    before = await _at_rest(cloud)
    await device.take()
    made, most = Beside(name), before
    attacking = asyncio.ensure_future(KINDS[name].attack(cloud, time.monotonic() + seconds, rng))
    try:
        while True:
            done, _ = await asyncio.wait((attacking,), timeout=LOOK_SECONDS)
            found = await cloud.read()
            most = max(most, found.resident_kib)
            made.held_ms, made.held_cpu_ms = max(made.held_ms, found.held_ms), max(made.held_cpu_ms, found.held_cpu_ms)
            if done:
                break
        made.did = await attacking
    finally:
        attacking.cancel()
    made.seen, made.grown_mib = await device.take(), (most - before) / 1024
    return made


async def _at_rest(cloud: Victim) -> int:
    """Wait until what came before is dealt with; KiB that are resident then."""
    for _ in range(MOST_LOOKS):
        await asyncio.sleep(LOOK_SECONDS)
        if (await cloud.read()).held_cpu_ms < REST_MS:
            break
    return (await cloud.read(collect=True)).resident_kib


class _Device:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def take(self) -> Seen:
        """What it has seen since this was asked last; at least one more round trip."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"take\n")
        return Seen(**json.loads(await self._process.stdout.readline()))


@asynccontextmanager
async def _device(cloud: Victim) -> AsyncIterator[_Device]:
    host, port = cloud.address("mqtt")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "tests.hostile.device", host, str(port), "well-behaved"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        if await process.stdout.readline() != b"up\n":
            raise RuntimeError("the device did not come up")
        yield _Device(process)
        process.stdin.close()
        await within(process.wait(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _part(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else float("inf")
