"""One death and what came after it: an agent is killed, its job force-deleted, and the next agent must be ready.

Everything is real: processes, SIGKILL, MQTT through both clients, a file server, files, programs with children that
ignore SIGTERM. What must hold afterwards is said in `_problems`; besides, the traces of all are judged together.
"""

import asyncio
import hashlib
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from agent.device_events import HardwareChanged
from agent.errors import GhostjobError
from simulator.controller.hand import Hand
from simulator.controller.local_http import LocalHttp
from simulator.engines.embedded import EmbeddedCloud
from simulator.scenario import Bounds
from simulator.trace import ENGINE, Entry, RunEnded, RunStarted, read
from simulator.verdict import Judge, Verdict
from tests.kills.agents import Agent, arguments_of, processes_with
from tests.kills.plan import Job, Run

IMAGE = bytes(range(256)) * 400
CHUNKS = 20
CHUNK_SECONDS = 0.02
RUN_LIMIT_SECONDS = 300
BEFORE = "as it was"
BOUNDS = Bounds(detection_seconds=20, ready_seconds=60, lost_job_seconds=60, silence_seconds=120)
PROGRAM = """
import signal, subprocess, sys, time
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
subprocess.Popen([sys.executable, "-c", child, sys.argv[1]])
time.sleep(0.6)
"""
"""Starts a child that would stay, and is done after a while."""


@dataclass(slots=True)
class Report:
    """What became of one run. `tries` counts how many agents it took to meet the instant."""

    run: Run
    problems: list[str] = field(default_factory=list)
    tries: int = 1


class Lab:
    """The cloud, the operator's hand and the file server, for all runs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.entries: list[Entry] = []
        self.api = self.mqtt = self.files = ""
        self.hand: Hand

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Lab"]:
        """Up while the context lasts."""
        async with EmbeddedCloud(self.entries.append, ("--deletion-seconds", "0.3")) as cloud, _file_server() as files:
            self.mqtt, self.files = cloud.endpoints["mqtt"] or "", files
            async with Hand(LocalHttp(cloud.endpoints["api"] or "")) as self.hand:
                yield self

    async def play(self, run: Run) -> Report:
        """One run, to the end."""
        report = Report(run)
        directory = self.directory / run.thing
        (directory / "root").mkdir(parents=True)
        try:
            async with asyncio.timeout(RUN_LIMIT_SECONDS):
                await _Death(self, run, directory, report).play()
        except TimeoutError:
            report.problems.append(f"not over after {RUN_LIMIT_SECONDS} s")
        except GhostjobError as error:
            report.problems.append(str(error))
        return report

    def verdict(self, runs: Iterable[Run]) -> Verdict:
        """All traces, judged together."""
        judge = Judge()
        things = tuple(run.thing for run in runs)
        judge.feed(Entry(ENGINE, 1, 0.0, RunStarted("kills", "live", things, BOUNDS.model_dump(mode="json"))))
        for entry in self.entries:
            judge.feed(entry)
        for thing in things:
            for entry in self.account(thing):
                judge.feed(entry)
        judge.feed(Entry(ENGINE, 2, 1.0, RunEnded("finished")))
        return judge.verdict()

    def account(self, thing: str) -> list[Entry]:
        """What a thing's agents told."""
        path = self.directory / thing / "trace.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return list(read(lines, str(path)))


class _Death:
    """The story of one run."""

    def __init__(self, lab: Lab, run: Run, directory: Path, report: Report) -> None:
        self._lab = lab
        self._run = run
        self._directory = directory
        self._report = report
        self._arguments = arguments_of(run, directory, lab.mqtt)
        self._agents: list[Agent] = []
        self._jobs: list[str] = []
        self._deleted = False

    async def play(self) -> None:
        """From the first agent's start to the last one's end."""
        await self._lab.hand.create_thing(self._run.thing)
        (self._root / "conf").mkdir(parents=True)
        (self._root / "conf" / "a.conf").write_text(BEFORE)
        try:
            await self._die()
            survivor = await self._come_back()
            await self._stay_safe(survivor) if self._run.safe else await self._do_the_next(survivor)
            code = await survivor.stop()
            self._expect(code == 0, f"the next agent left with {code}")
        finally:
            for agent in self._agents:
                await agent.destroy()
        self._look_around(survivor)

    # ── the death ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _die(self) -> None:
        """Let an agent run into its death; where the instant did not come, another one with another job."""
        note, nth = self._directory / "instants", self._run.nth
        while True:
            self._deleted = False
            await self._create(self._run.job)
            doomed = await self._start({"at": self._run.at, "nth": nth, "note": str(note)})
            if self._run.deleted == "in a step" and await doomed.said("step.started", step=self._run.step):
                if self._run.safe:
                    shutil.rmtree(self._root / "conf")
                    (self._root / "conf").write_text("in the way of every undoing")
                await self._delete()
            await doomed.said("execution.left", job_id=self._jobs[-1])
            if doomed.is_over or await self._dies_after_all(doomed):
                break
            if not self._deleted:
                await self._delete()
            nth = Counter(note.read_text().splitlines())[self._run.at] + 1
            self._report.tries += 1
        code = await doomed.ended()
        self._expect(code == -signal.SIGKILL, f"the doomed agent left with {code}: {doomed.noise[-3:]}")

    async def _dies_after_all(self, doomed: Agent) -> bool:
        """Whether the instant lay beyond the job's end, when the agent is asked to stop."""
        return await doomed.stop() == -signal.SIGKILL

    async def _come_back(self) -> Agent:
        if self._run.deleted == "while dead" and not self._deleted:
            await self._delete()
        survivor = await self._start(None)
        if not await survivor.said("device.connected"):
            self._report.problems.append(f"the next agent did not connect: {survivor.noise[-3:]}")
        if not self._deleted:
            await self._delete()
        return survivor

    # ── the next job ──────────────────────────────────────────────────────────────────────────────────────────

    async def _do_the_next(self, survivor: Agent) -> None:
        await self._create("configure", to="conf/next.conf")
        done = await survivor.said("execution.left", job_id=self._jobs[-1], outcome="succeeded")
        self._expect(done, "the next job did not succeed")

    async def _stay_safe(self, survivor: Agent) -> None:
        """It tells why, hears of the next job, and leaves it alone."""
        self._expect(await survivor.said("phase.changed", phase="safe"), "the next agent did not know that it is SAFE")
        await self._create("configure", to="conf/next.conf")
        await survivor.said("hint.received", hint="notify")
        taken = [line for line in survivor.lines if line.get("event") == "execution.taken"]
        self._expect(not taken, "an agent that is SAFE took a job")

    # ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _create(self, job: Job, to: str = "conf/a.conf") -> None:
        self._jobs.append(f"{self._run.thing}-{len(self._jobs)}")
        document = document_of(job, self._lab.files, to, self._jobs[-1])
        await self._lab.hand.create_job(self._jobs[-1], [self._run.thing], document, self._run.namespace_id)

    async def _delete(self) -> None:
        self._deleted = True
        await self._lab.hand.delete_job(self._jobs[-1], force=True, namespace_id=self._run.namespace_id)

    async def _start(self, doom: dict[str, Any] | None) -> Agent:
        self._agents.append(await Agent.start(self._arguments, doom))
        return self._agents[-1]

    # ── what must hold ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _root(self) -> Path:
        return self._directory / "root"

    def _expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self._report.problems.append(problem)

    def _look_around(self, survivor: Agent) -> None:
        """Nothing runs on, nothing is half done, nothing was said that should not have been."""
        for job in self._jobs:
            left = processes_with(job)
            self._expect(not left, f"{len(left)} processes of {job} run on")
        self._expect(not survivor.noise, f"the next agent said: {survivor.noise[-3:]}")
        if self._run.safe:
            return
        for name in ("work", "processes"):
            kept = sorted(path.name for path in (self._directory / "state" / name).glob("*"))
            self._expect(not kept, f"left in {name}/: {kept}")
        found = {
            str(path.relative_to(self._root)): path.read_bytes() for path in self._root.rglob("*") if path.is_file()
        }
        whole = {"conf/a.conf": (BEFORE.encode(), IMAGE, b"new"), "conf/next.conf": (b"new",), "a.bin": (IMAGE,)}
        for name, content in found.items():
            self._expect(content in whole.get(name, ()), f"{name}: {len(content)} bytes that should not be there")
        self._expect("conf/next.conf" in found, "what the next job configured is not there")
        told = [entry.event for entry in self._lab.account(self._run.thing)]
        last = next((event for event in reversed(told) if isinstance(event, HardwareChanged)), None)
        self._expect(last is not None and last.bootable and not last.pending, f"the machine is not whole: {last}")


def document_of(job: Job, files: str, to: str, mark: str) -> dict[str, Any]:
    """A job document of that kind; `mark` stands in the command line of whatever it starts."""
    image = {"url": f"{files}/image", "sha256": hashlib.sha256(IMAGE).hexdigest(), "size": len(IMAGE)}
    match job:
        case "update":
            return {"operation": "update", "version": "2.0", **image}
        case "download":
            return {"operation": "download", "to": "a.bin", **image}
        case "configure":
            return {"operation": "configure", "to": to, "content": "new"}
        case "run":
            return {"operation": "run", "command": [sys.executable, "-c", PROGRAM, mark]}
        case "steps":
            wanted = {"one": ["image?at=once", "conf/a.conf"], "two": ["image", "a.bin"]}
            steps = [
                {
                    "name": name,
                    "type": "runHandler",
                    "input": {"handler": "download-file.sh", "args": [f"{files}/{path}", where]},
                }
                for name, (path, where) in wanted.items()
            ]
            return {"version": "1.0", "steps": [{"action": step} for step in steps]}


@asynccontextmanager
async def _file_server() -> AsyncIterator[str]:
    """Serves IMAGE in ranges; slowly, unless asked otherwise."""

    async def image(request: web.Request) -> web.StreamResponse:
        wanted = request.http_range
        start, stop, _ = wanted.indices(len(IMAGE))
        response = web.StreamResponse(status=200 if wanted.start is None else 206, headers={"ETag": '"1"'})
        response.content_length = stop - start
        if wanted.start is not None:
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(IMAGE)}"
        await response.prepare(request)
        size = -(-len(IMAGE) // CHUNKS)
        with suppress(ConnectionResetError):  # those who ask are killed
            for at in range(start, stop, size):
                await response.write(IMAGE[at : min(at + size, stop)])
                if "at" not in request.query:
                    await asyncio.sleep(CHUNK_SECONDS)
        return response

    app = web.Application()
    app.router.add_get("/image", image)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
