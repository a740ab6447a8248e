"""Real agents as processes: the doomed one and the one that comes after it, watched through their logs."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.kills.plan import Run

HERE = Path(__file__).parent
LINE_LIMIT_BYTES = 1 << 20
Line = dict[str, Any]


@dataclass(slots=True)
class Agent:
    """One process. Every line of its log is a dict; whoever waits, waits for a line, or for its end."""

    process: asyncio.subprocess.Process
    lines: list[Line] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, arguments: list[str], doom: dict[str, Any] | None = None) -> Self:
        """Begin `ghostjob agent` with these arguments, perhaps a doomed one."""
        script = ["-P", "-m", "simulator.cli"] if doom is None else [str(HERE / "doomed.py")]
        environment = os.environ | ({"GHOSTJOB_DOOM": json.dumps(doom)} if doom is not None else {})
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *script,
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT_BYTES,
        )
        agent = cls(process)
        agent._reading = asyncio.create_task(agent._read())
        return agent

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for raw in self.process.stderr:
            text = raw.decode("utf-8", "replace").strip()
            try:
                self.lines.append(json.loads(text))
            except ValueError:
                self.noise.append(text)
            self._news.set()
        await self.process.wait()
        self._news.set()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and all that it said been read."""
        return self._reading is not None and self._reading.done()

    async def until(self, holds: Callable[[], bool]) -> bool:
        """Wait until `holds()`, or the end: whether it holds. Looked at after each line."""
        while not holds():
            if self.is_over:
                return holds()
            self._news.clear()
            assert self._reading is not None
            news = asyncio.create_task(self._news.wait())
            await asyncio.wait({news, self._reading}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
        return True

    async def said(self, event: str, **values: object) -> bool:
        """Wait for a line of this event with these values; False if the process ends without."""
        return await self.until(lambda: any(_is(line, event, values) for line in self.lines))

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        assert self._reading is not None
        await self._reading
        code = self.process.returncode
        assert code is not None
        return code

    async def stop(self) -> int:
        """Ask it to stop; the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def destroy(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self.process.returncode is None:
            self.process.kill()
        await self.ended()


def _is(line: Line, event: str, values: dict[str, object]) -> bool:
    return line.get("event") == event and all(line.get(name) == value for name, value in values.items())


def arguments_of(run: Run, directory: Path, mqtt: str) -> list[str]:
    """What the agents of a run are told."""
    namespace = ["--namespace", run.namespace_id] if run.namespace_id else []
    return [
        *("agent", "--endpoint", mqtt, "--thing", run.thing, "--transport", run.transport, *namespace),
        *("--state", str(directory / "state"), "--root", str(directory / "root")),
        *("--allow", "download,configure,update,run,reboot", "--grace-seconds", "0.2"),
        *("--self-test-command", "sleep 0.2"),
        *("--trace", str(directory / "trace.jsonl"), "--log-format", "json", "--log-level", "debug"),
    ]


def processes_with(mark: str) -> list[int]:
    """The processes of this machine that have `mark` in their command line, but for zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in words:
                found.append(int(entry.name))
    return found
