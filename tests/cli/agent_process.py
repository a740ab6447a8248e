"""`ghostjob agent` as its owner starts it: a process of its own, whose log tells how far it is.

The cloud that it speaks to is in this process: nothing here is about how that is started.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.values import Status
from simulator.cloud.local import LocalCloud
from simulator.controller.hand import Hand
from simulator.controller.local_http import LocalHttp
from simulator.trace import (
    CLOUD,
    Entry,
    ExecutionChanged,
    ExecutionRemoved,
    JobDeleted,
    Recorder,
    RunEnded,
    RunStarted,
    read,
)
from simulator.verdict import Judge, Verdict
from tests.cli.served import PORTS, options

GHOSTJOB = (sys.executable, "-P", "-m", "simulator.cli")
LOGGED = ("--log-format", "json", "--log-level", "debug")


@dataclass
class Lab:
    """A local cloud, and what it told so far. `mqtts` is there if it was given certificates."""

    hand: Hand
    mqtt: str
    mqtts: str
    entries: list[Entry]
    changed: asyncio.Event

    async def until(self, kind: type, **fields: Any) -> None:
        """Wait until the cloud has told such an event."""
        while not any(
            isinstance(entry.event, kind) and all(getattr(entry.event, name) == value for name, value in fields.items())
            for entry in self.entries
        ):
            self.changed.clear()
            await self.changed.wait()

    async def job(self, job_id: str, document: dict[str, Any], namespace_id: str | None = None) -> None:
        await self.hand.create_job(job_id, ["dev"], document, namespace_id)

    async def delete(self, job_id: str, namespace_id: str | None = None) -> None:
        """Force-delete a job, and wait until the execution is gone."""
        await self.hand.delete_job(job_id, force=True, namespace_id=namespace_id)
        await self.until(ExecutionRemoved)

    async def deleted(self, job_id: str) -> None:
        await self.until(JobDeleted, job_id=job_id)

    async def end_of(self, job_id: str) -> tuple[str, dict[str, str]]:
        """How a job ended, with its statusDetails but for the nonce."""
        while True:
            for entry in self.entries:
                event = entry.event
                if (
                    isinstance(event, ExecutionChanged)
                    and event.execution.job_id == job_id
                    and Status(event.status).is_terminal
                ):
                    return event.status, {k: v for k, v in (event.details or {}).items() if k != "nonce"}
            self.changed.clear()
            await self.changed.wait()

    def verdict(self, trace: Path) -> Verdict:
        """What the cloud's account and the agent's together say."""
        judge = Judge()
        judge.feed(Entry("engine", 1, 0.0, RunStarted("real", "live", ("dev",))))
        with trace.open() as lines:
            for entry in [*self.entries, *read(lines)]:
                judge.feed(entry)
        judge.feed(Entry("engine", 2, 0.0, RunEnded("finished")))
        return judge.verdict()


@asynccontextmanager
async def lab(certs: Path | None = None) -> AsyncIterator[Lab]:
    entries: list[Entry] = []
    changed = asyncio.Event()

    def sink(entry: Entry) -> None:
        entries.append(entry)
        changed.set()

    tls = ("--mqtts-port", "0", "--certs", str(certs)) if certs else ()
    settings = options(*PORTS, "--deletion-seconds", "0.1", *tls)
    async with (
        LocalCloud(settings, Recorder(CLOUD, time.monotonic, sink)) as cloud,
        Hand(LocalHttp(cloud.endpoints["api"] or "")) as hand,
    ):
        await hand.create_thing("dev")
        yield Lab(hand, cloud.endpoints["mqtt"] or "", cloud.endpoints["mqtts"] or "", entries, changed)


@dataclass
class AgentProcess:
    """A running agent. `seen` is every line of its log that was read so far."""

    process: asyncio.subprocess.Process
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, event: str, **fields: Any) -> dict[str, Any]:
        """Read its log until such a line comes; those before it are not looked at again."""
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.seen.append(said := json.loads(line))
            if said["event"] == event and all(said.get(name) == value for name, value in fields.items()):
                return said
        raise AssertionError(f"the agent ended, and never told {event} {fields}: {self.seen[-5:]}")

    async def kill(self) -> None:
        """As by a power cut."""
        self.process.kill()
        await self.process.wait()

    async def end(self) -> int:
        """Wait for it to leave by itself; its exit code."""
        assert self.process.stderr is not None
        self.seen += [json.loads(line) async for line in self.process.stderr]
        return await self.process.wait()


@asynccontextmanager
async def agent(directory: Path, endpoint: str, *options: str) -> AsyncIterator[AgentProcess]:
    """An agent for thing `dev`, with its state and its trace in `directory`."""
    where = ("--endpoint", endpoint, "--thing", "dev", "--state", str(directory / "state"))
    process = await asyncio.create_subprocess_exec(
        *GHOSTJOB,
        "agent",
        *where,
        *("--trace", str(directory / "trace.jsonl"), "--grace-seconds", "0.3"),
        *LOGGED,
        *options,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield AgentProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
