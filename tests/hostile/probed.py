"""The cloud that is attacked: `ghostjob cloud` in a process of its own, and a probe on its loop.

`python -m tests.hostile.probed LIMITS SOCKET [OPTIONS OF ghostjob cloud]`, where LIMITS is JSON with `memory_bytes` (of
address space) and `descriptors`. It prints its endpoints, as JSON, and serves until its standard input closes. Whoever
connects to SOCKET, a path, and writes a line gets a line of JSON: a Reading. `collect` has rubbish taken away first.

The probe is a timer that wants to run every millisecond. How late it comes is how long the loop was held by everything
that was ready before it: that is what any other client waits at that moment. Late by the wall clock is what clients
see, and what else the machine does is in it; late by the processor time of the loop's thread is not, so that is the
one that can be held to a bound on any machine.
"""

import asyncio
import ctypes
import functools
import gc
import json
import os
import resource
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from agent.log import configure
from simulator.cli.cloud import cloud, settings_of
from simulator.cli.options import run_loop
from simulator.cloud.serving import serve

BEAT_SECONDS: Final = 0.001
MOST_KINDS: Final = 40


class Reading(NamedTuple):
    """What the probe found since it was read last, and what there is now."""

    held_ms: float
    """The longest that the loop was held, by the wall clock."""
    held_cpu_ms: float
    """The same, by the processor time of its thread."""
    beats: int
    """How often the timer ran: how often the loop was looked at."""
    resident_kib: int
    descriptors: int
    """Open files; only after `collect`."""
    tasks: int
    caches: dict[str, int]
    """How many entries each `lru_cache` of ours has, where it has any; only after `collect`."""
    kinds: dict[str, int]
    """How many objects there are of the most frequent types; only after `collect`."""


def grown(before: Reading, after: Reading) -> str:
    """Objects by type, and entries of caches, of which there are more than there were."""
    more = Counter(after.kinds) + Counter({f"entries of {name}": size for name, size in after.caches.items()})
    more.subtract(Counter(before.kinds) + Counter({f"entries of {name}": size for name, size in before.caches.items()}))
    return ", ".join(f"{count:+,} {name}" for name, count in more.most_common(8) if count > 0)


class Probe:
    """Beats on the running loop once it is started."""

    def __init__(self) -> None:
        self._held = self._held_cpu = 0.0
        self._beats = 0
        self._due = self._worked = 0.0
        self._memory = os.open("/proc/self/statm", os.O_RDONLY)  # there may be no descriptor to spare later

    def start(self) -> None:
        self._due, self._worked = time.monotonic() + BEAT_SECONDS, time.thread_time()
        asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        self._beats += 1
        self._look()
        self.start()

    def _look(self) -> None:
        late = max(0.0, time.monotonic() - self._due)
        self._held = max(self._held, late)
        self._held_cpu = max(self._held_cpu, min(late, time.thread_time() - self._worked))

    def read(self, collect: bool) -> Reading:
        self._look()  # what held it may have been in this very turn
        if collect:
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)  # else the allocator's own caution would look like a leak
        found = Reading(
            self._held * 1000,
            self._held_cpu * 1000,
            self._beats,
            int(os.pread(self._memory, 100, 0).split()[1]) * resource.getpagesize() // 1024,
            _descriptors() if collect else 0,
            len(asyncio.all_tasks()),
            _caches() if collect else {},
            dict(Counter(_kind(each) for each in gc.get_objects()).most_common(MOST_KINDS)) if collect else {},
        )
        self._held = self._held_cpu = 0.0
        self._beats = 0
        self._due, self._worked = time.monotonic() + BEAT_SECONDS, time.thread_time()  # looking is no hold of theirs
        return found


def _descriptors() -> int:
    """Without one more for looking."""
    found = 0
    for number in range(resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        with suppress(OSError):
            os.fstat(number)
            found += 1
    return found


def _kind(each: object) -> str:
    return f"{type(each).__module__}.{type(each).__qualname__}"


def _caches() -> dict[str, int]:
    """Not those that were frozen with what was there at the start; the modules have them, and the instances made."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    modules = [module for name, module in sys.modules.items() if name.startswith(("simulator.", "agent."))]
    held = [each for module in modules for each in vars(module).values()]
    held += [each for owner in held if isinstance(owner, type) for each in vars(owner).values()]
    for each in [*held, *gc.get_objects()]:
        cache: Any = getattr(each, "__func__", each) if isinstance(each, staticmethod | classmethod) else each
        if isinstance(cache, functools._lru_cache_wrapper) and id(cache) not in seen:
            seen.add(id(cache))
            name = f"{getattr(cache, '__module__', '?')}.{getattr(cache, '__qualname__', '?')}"
            found[name] = found.get(name, 0) + cache.cache_info().currsize
    return {name: size for name, size in found.items() if size}


class _Asked(asyncio.Protocol):
    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        for line in data.split():
            told = self._probe.read(line == b"collect")._asdict()
            self._transport.write(json.dumps(told).encode() + b"\n")


async def _serve(path: Path, args: list[str]) -> None:
    probe = Probe()
    server = await asyncio.get_running_loop().create_unix_server(lambda: _Asked(probe), str(path))
    options = settings_of(cloud.make_context("cloud", args).params)

    def announce(endpoints: dict[str, str | None]) -> None:
        sys.stdout.write(json.dumps(endpoints) + "\n")
        sys.stdout.flush()
        probe.start()

    async with server:
        await serve(options, until_stdin_closes=True, announce=announce)


def main(limits: str, path: str, *args: str) -> None:
    most = json.loads(limits)
    resource.setrlimit(resource.RLIMIT_AS, (most["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most["descriptors"],) * 2)
    configure("json", "warning")
    run_loop(_serve(Path(path), list(args)))


if __name__ == "__main__":
    main(*sys.argv[1:])
