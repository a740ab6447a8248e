"""Samples a device's probes all the time and when asked, and writes down what changed.

Each sample took some time, and what it shows was so at some instant in that: an entry says when the sample was over,
how long it took, and until when at least it was as told before. Times are the cloud's: see `simulator.trace.PROBE`.
Only changes are told, and, so that it is seen that it goes on, one sample in `keep_seconds` that shows the same.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, Self

from agent.log import get_logger
from simulator.certify.probes.sample import Probe, Sample, bounded, unsampled
from simulator.trace import PROBE, Entry, ProbeSampled, Recorder, Sink

EVERY_SECONDS: Final = 0.25
KEEP_SECONDS: Final = 5.0
IDLE_SHARE: Final = 4
"""A sample that takes long, as of a program that has to start, is followed by so many times its length of rest."""
MOST_A_SECOND: Final = 50
"""Changes of one probe that are written down; of a device that says more, the last one is."""
PATIENCE_SECONDS: Final = 30.0
"""No probe takes so long by its own limit; one that does is told of, and not waited for."""

_log = get_logger("ghostjob.certify")


class Sampling:
    """A context: the probes of a thing are sampled while it lasts, and closed at its end.

    `clock` is that of the cloud whose trace `sink` belongs to. Raises InputError on entering if a probe has nothing to
    watch.
    """

    def __init__(
        self,
        thing: str,
        probes: Iterable[Probe],
        sink: Sink,
        *,
        clock: Callable[[], float] = time.monotonic,
        every_seconds: float = EVERY_SECONDS,
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        record = Recorder(PROBE, clock, self._tell)
        self._sink = sink
        self._followed = [_Followed(thing, probe, record, clock, keep_seconds, self._changed) for probe in probes]
        self._every_seconds = every_seconds
        self._standing: dict[str, Entry] = {}
        self._change = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        try:
            for each in self._followed:
                each.probe.watch(each.heard)
        except BaseException:
            await self._close()
            raise
        asked = [each for each in self._followed if not each.probe.announces]
        self._tasks = [asyncio.create_task(each.go_on(self._every_seconds)) for each in asked]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def now(self) -> Sample:
        """What all probes say, of which each that can be asked was asked after this call; it is written down.

        Of probes that hang it takes their time limit, and the rest of that of a sample under way.
        """
        await asyncio.gather(*(each.ask(keep=True) for each in self._followed))
        return self.last

    async def until(self, enough: Callable[[Sample], bool], within_seconds: float) -> Sample:
        """The first sample that is enough, or the last one within that time."""
        await self.now()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while not enough(self.last):
                    self._change.clear()
                    await self._change.wait()
        return self.last

    @property
    def last(self) -> Sample:
        """What is known, of all probes together: dead if one says so, and the version that the first tells."""
        samples = [each.last for each in self._followed]
        said = [each.alive for each in samples]
        alive = False if False in said else True if True in said else None
        version = next((each.version for each in samples if each.version is not None), None)
        several = len(self._followed) > 1
        whys = [f"{each.probe.text if several else ''}: {each.last.why}" for each in self._followed if each.last.why]
        return Sample(alive, version, bounded("; ".join(whys).removeprefix(": ")))

    @property
    def each(self) -> dict[str, Sample]:
        """What every probe said last, by its text."""
        return {each.probe.text: each.last for each in self._followed}

    def standing(self) -> tuple[Entry, ...]:
        """The last entry of every probe: what a new judge must know."""
        return tuple(self._standing.values())

    def _tell(self, entry: Entry) -> None:
        assert isinstance(entry.event, ProbeSampled), "nothing else is recorded here"
        self._standing[entry.event.probe] = entry
        self._sink(entry)

    def _changed(self) -> None:
        self._change.set()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(each.probe.close() for each in self._followed))


class _Followed:
    """One probe, and what it said."""

    def __init__(
        self,
        thing: str,
        probe: Probe,
        record: Callable[[ProbeSampled], None],
        clock: Callable[[], float],
        keep_seconds: float,
        changed: Callable[[], None],
    ) -> None:
        self.probe = probe
        self.last = unsampled(f"nothing came by {probe.text} yet" if probe.announces else "not sampled yet")
        self._thing = thing
        self._record = record
        self._clock = clock
        self._keep_seconds = keep_seconds
        self._changed = changed
        self._turn = asyncio.Lock()
        self._told: Sample | None = None
        self._told_at = float("-inf")
        self._same_at: float | None = None
        """When the last sample began that showed what was told last."""
        self._changes: list[float] = []
        self._heard = 0
        self._heard_at = float("-inf")
        """How often, and when last, it told of itself."""

    async def go_on(self, every_seconds: float) -> None:
        """Sample it again and again."""
        while True:
            began = self._clock()
            await self.ask()
            await asyncio.sleep(max(every_seconds, IDLE_SHARE * (self._clock() - began)))

    async def ask(self, *, keep: bool = False) -> None:
        """Sample it, after whoever does that now; of one that announces, what it said last stands."""
        if self.probe.announces:
            self._catch_up(keep=keep)
            return
        async with self._turn:
            began, heard = self._clock(), self._heard
            sample = await self._asked()
            # What it told of itself meanwhile is newer than what it was asked before.
            self._saw(sample if heard == self._heard else self.last, began, keep=keep)

    def heard(self, sample: Sample) -> None:
        """It told of a change itself."""
        self._heard += 1
        self._heard_at = self._clock()
        self._saw(sample, self._heard_at, keep=False)

    async def _asked(self) -> Sample:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self.probe.sample()
        except TimeoutError:
            return unsampled(f"gave no answer within {PATIENCE_SECONDS:g} s")
        except Exception as error:
            _log.error("probe.failed", probe=self.probe.text, exc_info=error)
            return unsampled(f"the probe failed: {type(error).__name__}")

    def _saw(self, sample: Sample, began: float, *, keep: bool) -> None:
        now = self._clock()
        is_new = sample != self.last
        self.last = sample
        if sample != self._told:
            if self._may_tell(now):
                self._write(sample, began, now)
        elif keep or now - self._told_at >= self._keep_seconds:
            self._write(sample, began, now)
        if sample == self._told:
            self._same_at = began
        if is_new:
            self._changed()

    def _catch_up(self, *, keep: bool) -> None:
        """Tell what it said last, if that stands nowhere yet: there was too much, or it was nothing new."""
        if keep and self._heard and (self._heard_at > self._told_at or self._told != self.last):
            self._write(self.last, self._heard_at, self._clock())

    def _may_tell(self, now: float) -> bool:
        self._changes = [at for at in self._changes if at > now - 1][-MOST_A_SECOND:]
        if len(self._changes) >= MOST_A_SECOND:
            return False
        self._changes.append(now)
        return True

    def _write(self, sample: Sample, began: float, now: float) -> None:
        is_bound = self._same_at is not None and not self.probe.announces and sample != self._told
        same_at = round(self._same_at, 6) if is_bound and self._same_at is not None else None
        self._told, self._told_at = sample, now
        took = round(max(now - began, 0.0), 6)
        text, alive = self.probe.text, sample.alive
        self._record(ProbeSampled(self._thing, text, alive, sample.version, sample.why, took, same_at))
