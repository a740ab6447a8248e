"""A judge in a process of its own: `ghostjob judge`, which is fed a play's trace through a pipe, packed.

Of what a process has to do that plays thousands of devices, judging is the greater half; on a machine with more than
one core that is another's work. What is asked comes after what was fed before, so the answer is the same as it would
be here. It ends when its standard input does, so it cannot outlive whoever started it.

    frames of entries, and questions     there
    a line of JSON for each question     back
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, Self

from agent.errors import InputError
from simulator.engines.tied import Tied
from simulator.processes import ProcessLostError, command, how_it_ended
from simulator.trace import ClientSubscribed, Entry, FaultStruck, RunStarted, read_line
from simulator.trace.packed import Pack, framed, pack, with_length
from simulator.verdict import Verdict
from simulator.verdict.seen import UNJUDGED

GATHERED: Final = 512
"""So many entries go at once, if they come that fast."""
FLUSH_SECONDS: Final = 0.05
LARGEST_ANSWER_BYTES: Final = 1 << 30
UNTOLD: Final = UNJUDGED - {ClientSubscribed, FaultStruck}
"""What no judge takes in."""


class Question(NamedTuple):
    """What a judge is asked."""

    what: Literal["verdict", "violated"]
    cloud_n: int = 0
    cloud_at: float = 0.0


class JudgeProcess:
    """See `Judging`. `around` gets the entries that are shown around what a verdict found, once there is one.

    Who enters it is cut short if its process ends before: then leaving it raises ProcessLostError.
    """

    def __init__(self, around: Callable[[Entry], None] = lambda entry: None) -> None:
        self._around = around
        self._process: asyncio.subprocess.Process | None = None
        self._entries: list[Entry] = []
        self._asking = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._has_begun = False
        self._tied = Tied()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *command("judge"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LARGEST_ANSWER_BYTES,
        )
        self._tied.tie()
        self._watching = asyncio.create_task(self._watch(self._process))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        assert self._watching is not None
        self._watching.cancel()
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        self._tied.untie()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        self._tied.cut(_lost(await process.wait()))

    @property
    def has_begun(self) -> bool:
        """See Judging."""
        return self._has_begun

    def feed(self, entry: Entry) -> None:
        """See Judging."""
        kind = type(entry.event)
        if kind in UNTOLD:
            return
        if kind is RunStarted:
            self._has_begun = True
        if not self._entries:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush)
        self._entries.append(entry)
        if len(self._entries) >= GATHERED:
            self._flush()

    def feed_all(self, pack: Pack) -> None:
        """See Judging."""
        self._flush()  # what came before it goes before it
        self._write(with_length(pack.frame))

    async def verdict(self) -> Verdict:
        """See Judging."""
        answer = await self._ask(Question("verdict"))
        for line in answer["around"]:
            if (entry := read_line(line, "the judge's answer")) is not None:
                self._around(entry)
        return Verdict.model_validate(answer["verdict"])

    async def violated(self, cloud_n: int, cloud_at: float) -> frozenset[str]:
        """See Judging."""
        answer = await self._ask(Question("violated", cloud_n, cloud_at))
        return frozenset(answer["violated"])

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        entries, self._entries = self._entries, []
        if entries:
            self._write(pack(entries))

    def _write(self, raw: bytes) -> None:
        assert self._process is not None, "it was entered before"
        assert self._process.stdin is not None
        if not self._process.stdin.is_closing():  # if it is, that is about to end the run
            self._process.stdin.write(raw)

    async def _ask(self, question: Question) -> dict[str, Any]:
        """Raises InputError, as a judge does; ProcessLostError."""
        assert self._process is not None, "it was entered before"
        assert self._process.stdout is not None
        async with self._asking:
            self._flush()
            self._write(framed(tuple(question)))
            line = await self._process.stdout.readline()
        if not line:
            raise _lost(await self._process.wait())
        answer: dict[str, Any] = json.loads(line)
        if "input_error" in answer:
            raise InputError(answer["input_error"])
        return answer


def _lost(code: int) -> ProcessLostError:
    how = f"the process that judges ended before the run did ({how_it_ended(code)})"
    return ProcessLostError(f"{how}, so there is no verdict, and nothing is kept")
