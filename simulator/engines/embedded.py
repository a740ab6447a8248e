"""The embedded cloud: `ghostjob cloud` in a process of its own, whose trace comes back through a pipe.

A process of its own, because ten thousand devices and their gateway do not fit under one file limit, and because a
cloud that shares the devices' loop would share their stalls. It ends when its standard input closes, so it cannot
outlive whoever started it, even one that was killed.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

from agent.errors import InputError
from simulator.cloud.asked import CutOff
from simulator.cloud.settings.cloud import CloudSettings
from simulator.engines.tied import Tied
from simulator.processes import ProcessLostError, command, how_it_ended
from simulator.trace import CloudListening, Entry
from simulator.trace.packed import Frames, Pack, Packs, unpack

PIECE_BYTES = 1 << 16
START_LIMIT_SECONDS = 300.0
"""Python starts in a second; a machine that takes longer than this has other worries."""
SILENCE_LIMIT_SECONDS = 60.0
"""How long the cloud may say nothing, once it was told to end, before it is ended."""


class EmbeddedCloud:
    """A local AWS IoT as a child process. `endpoints` is set once it listens.

    `packs`, if that is given, gets what is told once it listens, instead of `sink`.
    Who enters it is cut short if it ends before: then leaving it raises ProcessLostError.
    """

    def __init__(
        self,
        sink: Callable[[Entry], None],
        options: Sequence[str] = (),
        settings: CloudSettings | None = None,
        packs: Packs | None = None,
    ) -> None:
        self._sink = sink
        self._packs = packs
        self._options = tuple(options)
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[int] | None = None
        self._read_bytes = 0
        self._tied = Tied()
        self.endpoints: dict[str, str | None] = {}

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *command("cloud", "--api-port", "0", "--mqtt-port", "0", "--mqtts-port", "off", "--data-port", "off"),
            *(
                "--trace",
                "-",
                "--packed",
                "--until-stdin-closes",
                "--settings",
                "{}" if self._settings is None else "-",
            ),
            *self._options,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=PIECE_BYTES,
        )
        if self._settings is not None:  # a scenario has room for more than a command line
            assert self._process.stdin is not None
            self._process.stdin.write(self._settings.model_dump_json(exclude_unset=True).encode() + b"\n")
        listening: asyncio.Future[dict[str, str | None]] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(listening))
        try:
            async with asyncio.timeout(START_LIMIT_SECONDS):
                self.endpoints = await listening
        except TimeoutError:
            await self._end()
            raise InputError(f"the embedded cloud did not listen within {START_LIMIT_SECONDS:g} s") from None
        except BaseException:
            await self._end()
            raise
        self._tied.tie()
        self._reading.add_done_callback(self._has_read)
        return self

    def cut_off(self, thing: str, seconds: float, name: str) -> None:
        """Cut the network of a thing for so long; `name` is what the trace calls that."""
        assert self._process is not None
        assert self._process.stdin is not None
        asked = CutOff(cut_off=thing, seconds=seconds, name=name)
        self._process.stdin.write(asked.model_dump_json().encode() + b"\n")

    async def __aexit__(self, *_: object) -> None:
        assert self._reading is not None
        self._reading.remove_done_callback(self._has_read)
        await self._end()
        self._tied.untie()

    def _has_read(self, reading: asyncio.Task[int]) -> None:
        """Nothing more comes of a trace that nobody has ended."""
        if not reading.cancelled():
            self._tied.cut(reading.exception() or _lost(reading.result()))

    async def _read(self, listening: "asyncio.Future[dict[str, str | None]]") -> int:
        """Hand every entry of the child's trace on, and say when it listens; what it ended with."""
        assert self._process is not None
        assert self._process.stdout is not None
        frames = Frames()
        while data := await self._process.stdout.read(PIECE_BYTES):
            self._read_bytes += len(data)
            for frame in frames.feed(data):
                if self._packs is not None and listening.done():
                    self._packs(Pack(frame))
                    continue
                for entry in unpack(frame):
                    if isinstance(entry.event, CloudListening) and not listening.done():
                        listening.set_result(entry.event.endpoints)
                    self._sink(entry)
        code = await self._process.wait()
        if not listening.done():
            listening.set_exception(InputError(f"the embedded cloud did not start ({how_it_ended(code)}); see above"))
        return code

    async def _end(self) -> None:
        """Close its standard input, read its trace to the end, and wait for it."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        known = -1
        while self._reading is not None and not self._reading.done() and known < self._read_bytes:
            known = self._read_bytes
            await asyncio.wait({self._reading}, timeout=SILENCE_LIMIT_SECONDS)
        if self._process.returncode is None:  # it hangs, or nobody reads any more what it has to write before it ends
            self._process.kill()
        await self._process.wait()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)


def _lost(code: int) -> ProcessLostError:
    return ProcessLostError(f"the local cloud ended before the run did ({how_it_ended(code)})")
