"""The cloud as a process: doomed or not, on the file that it shares with those before and after it."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from tests.store_kills.plan import Death

HERE = Path(__file__).parent
DELETION_SECONDS = 0.3
GATEWAY = {"replay_per_second": None, "connects_per_second": None}
"""Nobody is to wait for what AWS does slowly."""


class Cloud:
    """One process; `endpoints` are where it listens."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.endpoints: dict[str, str] = {}

    @classmethod
    async def start(cls, state: Path, death: Death | None = None, said: Path | None = None) -> "Cloud":
        """Begin; it may be dead before it listens, and then it has no endpoints. What it says goes to `said`."""
        doom = death is not None and death.at != "under load"
        script = [str(HERE / "doomed.py")] if doom else ["-P", "-m", "simulator.cli"]
        stderr = os.open(said or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *script, "cloud", "--state", str(state), "--deletion-seconds", str(DELETION_SECONDS)),
            *("--api-port", "0", "--mqtt-port", "0", "--mqtts-port", "off", "--data-port", "off"),
            *("--trace", "-", "--log-level", "error", "--settings", json.dumps({"gateway": GATEWAY})),
            env=os.environ | ({"GHOSTJOB_DOOM": json.dumps(asdict(death))} if doom and death else {}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
        os.close(stderr)
        cloud = cls(process)
        assert process.stdout is not None
        first = await process.stdout.readline()
        if first:
            cloud.endpoints = json.loads(first)["endpoints"]
            cloud._reading = asyncio.create_task(cloud._read())
        return cloud

    async def _read(self) -> None:
        """Its trace goes nowhere, but it must go."""
        assert self._process.stdout is not None
        while await self._process.stdout.read(1 << 16):
            pass

    def kill(self) -> None:
        """SIGKILL."""
        if self._process.returncode is None:
            self._process.kill()

    async def ended(self) -> int:
        """Wait for its end: the exit code, or the signal as a negative number."""
        code = await self._process.wait()
        if self.endpoints:
            await self._reading
        return code

    async def stop(self) -> int:
        """SIGTERM, and its end."""
        self._process.send_signal(signal.SIGTERM)
        return await self.ended()
