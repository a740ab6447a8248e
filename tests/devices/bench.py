"""A device under test on the bench: a local cloud beside it, and a process that can be killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from agent.values import Status
from simulator.certs import make_certificates
from simulator.controller.hand import Hand
from simulator.controller.local_http import LocalHttp
from simulator.engines.embedded import EmbeddedCloud
from simulator.trace import Entry, ExecutionChanged, ExecutionRemoved, JobDeleted
from tests.devices import commands

THING = "dut"


@dataclass
class Bench:
    """A local cloud with things, their certificates, and what it has told so far."""

    hand: Hand
    endpoints: dict[str, str | None]
    certs: Path
    entries: list[Entry] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def placeholders(self, thing: str = THING) -> dict[str, str]:
        ports = {f"{name}_port": str(self.endpoints[name]).rsplit(":", 1)[1] for name in ("mqtts", "data")}
        files = {"ca": "ca.pem", "cert": f"{thing}.pem", "key": f"{thing}.key"}
        return {"host": "localhost", "thing": thing} | ports | {k: str(self.certs / v) for k, v in files.items()}

    async def until(self, is_it: Callable[[Any], bool]) -> Any:
        """Wait until the cloud has told such an event."""
        seen = 0
        while True:
            for entry in self.entries[seen:]:
                if is_it(entry.event):
                    return entry.event
            seen = len(self.entries)
            self.changed.clear()
            await self.changed.wait()

    async def job(self, job_id: str, document: str, namespace: str | None = None, thing: str = THING) -> None:
        await self.hand.create_job(job_id, [thing], json.loads(document), namespace)

    async def is_at(self, job_id: str, step: str | None = None) -> None:
        """Wait until an execution is IN_PROGRESS, at that step if it is given."""
        await self.until(
            lambda event: (
                isinstance(event, ExecutionChanged)
                and (event.execution.job_id, event.status) == (job_id, "IN_PROGRESS")
                and (step is None or (event.details or {}).get("step") == step)
            )
        )

    async def delete(self, job_id: str, namespace: str | None = None) -> None:
        """Force-delete a job, and wait until there is nothing left of it."""
        await self.hand.delete_job(job_id, force=True, namespace_id=namespace)
        await self.until(lambda event: isinstance(event, ExecutionRemoved) and event.execution.job_id == job_id)
        await self.until(lambda event: isinstance(event, JobDeleted) and event.job_id == job_id)

    async def end_of(self, job_id: str) -> str:
        """The terminal status of its execution, once it has one."""
        ended = await self.until(
            lambda event: (
                isinstance(event, ExecutionChanged)
                and event.execution.job_id == job_id
                and Status(event.status).is_terminal
            )
        )
        return str(ended.status)


@asynccontextmanager
async def bench(directory: Path, *options: str, things: Sequence[str] = (THING,)) -> AsyncIterator[Bench]:
    certs = directory / "certs"
    make_certificates(certs, things)
    told: list[Entry] = []
    changed = asyncio.Event()

    def sink(entry: Entry) -> None:
        told.append(entry)
        changed.set()

    ports = ("--mqtts-port", "0", "--data-port", "0", "--certs", str(certs), "--deletion-seconds", "0.2")
    cloud = EmbeddedCloud(sink, [*ports, *options])
    async with cloud, Hand(LocalHttp(cloud.endpoints["api"] or "")) as hand:
        for thing in things:
            await hand.create_thing(thing)
        await asyncio.to_thread(_let_in, cloud.endpoints["api"] or "", certs, things)
        yield Bench(hand, cloud.endpoints, certs, told, changed)


def _let_in(api: str, certs: Path, things: Sequence[str]) -> None:
    """As a tutorial has it: whatever connects with these certificates may do anything, under any client id."""

    def call(method: str, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        request = Request(f"{api}{path}", json.dumps(body).encode(), headers, method=method)
        with urlopen(request) as response:
            return dict(json.loads(response.read() or b"{}"))

    allowed = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}
    over_http = {"Effect": "Allow", "Action": "iotjobsdata:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed, over_http]})
    call("POST", "/policies/tutorial", {"policyDocument": policy})
    for thing in things:
        pem = (certs / f"{thing}.pem").read_text()
        told = call("POST", "/certificate/register-no-ca", {"certificatePem": pem, "status": "ACTIVE"})
        call("PUT", "/target-policies/tutorial", {"target": told["certificateArn"]})
        call("PUT", f"/things/{thing}/principals", {}, **{"x-amzn-principal": told["certificateArn"]})


@dataclass
class DeviceProcess:
    """A device that runs; its flash and its log lie in `flash`."""

    argv: tuple[str, ...]
    flash: Path
    process: asyncio.subprocess.Process

    @property
    def log(self) -> str:
        return (self.flash / "log").read_text(errors="replace")

    async def kill(self) -> None:
        """As by a power cut: the whole process group."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """In good order; its exit code."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        return await self.process.wait()

    async def power_on(self) -> None:
        self.process = await _spawn(self.argv, self.flash)


async def _spawn(argv: tuple[str, ...], flash: Path) -> asyncio.subprocess.Process:
    with (flash / "log").open("ab") as log:
        return await asyncio.create_subprocess_exec(*argv, stdout=log, stderr=log, start_new_session=True)


@asynccontextmanager
async def device(
    on: Bench,
    name: str,
    flash: Path,
    *,
    step_seconds: float = 0.1,
    built: Path | None = None,
    namespace: str = "",
    thing: str = THING,
) -> AsyncIterator[DeviceProcess]:
    """That row of `commands`, running against a bench."""
    words = commands.argv(
        name, flash=flash, certs=on.certs, step_seconds=step_seconds, built=built, namespace=namespace
    )
    whole = tuple(each.format(**on.placeholders(thing)) for each in words)
    os.makedirs(flash, exist_ok=True)
    running = DeviceProcess(whole, flash, await _spawn(whole, flash))
    try:
        yield running
    finally:
        await running.kill()


@asynccontextmanager
async def side_by_side(on: Bench, flashes: Mapping[str, Path]) -> AsyncIterator[dict[str, DeviceProcess]]:
    """Those rows of `commands`, each a thing of its own, by one start of Python."""
    wanted = {
        name: tuple(
            each.format(**on.placeholders(name)) for each in commands.argv(name, flash=flash, certs=on.certs)[1:]
        )
        for name, flash in flashes.items()
    }
    told = json.dumps([(str(flashes[name]), *words) for name, words in wanted.items()])
    script = str(commands.HERE / "side_by_side.py")
    process = await asyncio.create_subprocess_exec(sys.executable, script, told, start_new_session=True)
    running = {name: DeviceProcess(words, flashes[name], process) for name, words in wanted.items()}
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
