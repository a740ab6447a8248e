"""One play with the device on the desk: its verdict, and all that was seen of it."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from agent.log import get_logger
from agent.values import Status
from simulator.certify.device import Device
from simulator.certify.draft import longest_wait
from simulator.certify.held_to_schedule import HeldToSchedule
from simulator.certify.means import Means
from simulator.certify.names import Names
from simulator.certify.probes import Sample
from simulator.certify.turns import Turns
from simulator.engines.judged import JudgedPlay
from simulator.engines.output import UnwritableError
from simulator.scenario import Scenario
from simulator.trace import Entry, ExecutionChanged, ExecutionQueued, FaultOver, RequestReceived, Sink
from simulator.verdict import Verdict

MOST_ENTRIES = 50_000
"""So many of one play are remembered for its report, half of them the first and half the last; whatever a device floods
us with, the verdict needs none."""
FAILED_AT: Final = (
    "ghostjob itself failed at something that it was told, and may have missed what that shows: see its log"
)
SPARE_SECONDS: Final = 1.0
UNKNOWN_SECONDS: Final = 2.0
"""How long to wait for a version that the probes may have other words for."""
SILENT_SECONDS: Final = 5.0
"""Whoever watches is told what is waited for, if it takes longer."""
BEFORE: Final = "before"
"""Stands for the job that brought what the device runs as a play begins."""


@dataclass(frozen=True, slots=True)
class Played:
    """What a play showed. `seconds` is how long it took; `device_seconds` how long of that the device was at it.

    `directory` has its trace and verdict, if it was kept; `ended` the last status of each job's execution; `trouble` is
    what the tool itself could not do, so that the cell was not what it says.
    """

    scenario: Scenario
    verdict: Verdict
    entries: tuple[Entry, ...]
    seconds: float
    device_seconds: float
    directory: Path | None
    ended: dict[str, str]
    trouble: str | None = None

    @property
    def last_job_succeeded(self) -> bool:
        """Whether the device was done with the job that the play ends with."""
        return self.ended.get(self.scenario.jobs[-1].id) == Status.SUCCEEDED


@dataclass(slots=True)
class Account:
    """What is remembered of a play while it goes on. Times are the cloud's clock."""

    trouble: str | None = None
    _early: list[Entry] = field(default_factory=list)
    _late: deque[Entry] = field(default_factory=lambda: deque(maxlen=MOST_ENTRIES // 2))
    ended: dict[str, str] = field(default_factory=dict)
    _first_at: float | None = None
    _last_at: float = 0.0

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        (self._early if len(self._early) < MOST_ENTRIES // 2 else self._late).append(entry)
        match entry.event:
            case FaultOver(why="limit" | "full"):
                let_go = f"a packet was let go before what it was held for had come [{entry.id}]"
                self.trouble = self.trouble or f"{let_go}: is the machine too busy?"
            case ExecutionQueued(execution=key):
                self.ended.pop(key.job_id, None)  # of an id that is used again, the first execution's end says nothing
                self._first_at = entry.at if self._first_at is None else self._first_at
            case ExecutionChanged(execution=key, status=status, by=by):
                self.ended[key.job_id] = status
                self._last_at = entry.at if by == "device" else self._last_at
            case RequestReceived():
                self._last_at = entry.at
            case _:
                pass

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Those that are remembered."""
        return (*self._early, *self._late)

    @property
    def device_seconds(self) -> float:
        """From the first job to the last thing that it said, or that its job's record shows it to have said."""
        return 0.0 if self._first_at is None else max(self._last_at - self._first_at, 0.0)


def nobody(_: Entry) -> None:
    """Nobody is to get an entry."""


class DevicePlays:
    """Plays scenarios with one device, one after the other. `out` is where each is kept; None: nowhere.

    `watched` gets every entry of each.
    """

    def __init__(
        self,
        means: Means,
        device: Device,
        names: Names,
        seed: int,
        out: Path | None,
        waits: Callable[[str], None],
        watched: Sink = nobody,
    ) -> None:
        self._watched = watched
        self._means = means
        self._desk, self._wiretap, self._sampling = means.desk, means.wiretap, means.sampling
        self._device = device
        self._names = names
        self._seed = seed
        self._out = out
        self._waits = waits
        self.runs: str | None = None
        """The version that the probes showed last, if they speak of versions as the job documents do."""
        self.life_is_shown = False
        """Whether the probes ever showed that the device is alive, or that it is not."""
        self.usual_seconds: float | None = None
        """What the device needs for whatever it does when nothing is lost; None: that is not known yet."""
        self.unkept: UnwritableError | None = None
        """Why a play was not kept, if one was not: the session goes on, and says so at its end."""
        self._played: Played | None = None
        self._shown_seconds = UNKNOWN_SECONDS
        """The longest that it took the probes to show what a job had brought."""

    async def play(self, scenario: Scenario, name: str, also: Sink = nobody, turns: Turns | None = None) -> Played:
        """Play it to its end, held to a schedule if it is one's. Raises InputError.

        `name` is the directory's, below `out`; `also` gets each entry.
        """
        directory = None if self._out is None else self._out / as_path(name)
        try:
            return await self._play(scenario, name, also, directory, turns)
        except UnwritableError as error:
            self.unkept, played = self.unkept or error, self._played
            if self.usual_seconds is None:
                raise  # nothing is lost by saying so at once
            get_logger("ghostjob").warning("play.unkept", path=str(directory), why=str(error))
        if played is None:
            return await self._play(scenario, name, also, None, turns)
        return replace(played, directory=None)

    async def _play(
        self, scenario: Scenario, name: str, also: Sink, directory: Path | None, turns: Turns | None
    ) -> Played:
        """Raises UnwritableError before it is played, or afterwards: then what came of it is there."""
        self._played = None
        account, began, faults = Account(), time.monotonic(), self._wiretap.faults
        conducting = None if turns is None else self._means.conducting(turns, scenario, self.usual_seconds or 0.0)
        venue = self._means.venue(scenario, conducting)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with (
            JudgedPlay(
                scenario,
                venue,
                [self._desk.offer.thing],
                seed=self._seed,
                out=directory,
                also=(account.feed, self._watched, also, *(() if conducting is None else (conducting.feed,))),
                started_at=now,
                hands=self._device,
                versions=self._versions(scenario),
                last_look=None if self._sampling is None else partial(self._look, scenario, account),
                skip=self._means.skip,
                are_there=not self._means.sees_requests,
                usual_seconds=self.usual_seconds,
                is_busy=lambda: conducting is not None and not conducting.is_over,
            ) as run,
            self._saying_if_slow(scenario, name),
        ):
            result = await run.result()
            seconds = time.monotonic() - began
            self._played = played = Played(
                scenario,
                result.verdict,
                account.entries,
                seconds,
                min(account.device_seconds, seconds),
                directory,
                account.ended,
                self._trouble(account, conducting) if self._wiretap.faults == faults else FAILED_AT,
            )
        return played

    def _trouble(self, account: Account, conducting: HeldToSchedule | None) -> str | None:
        """Why a play was not what its scenario says, if it was not."""
        if conducting is not None:
            self._waits(conducting.told)
        return account.trouble or (None if conducting is None else conducting.parted)

    @contextmanager
    def _saying_if_slow(self, scenario: Scenario, name: str) -> Iterator[None]:
        """Say how long a device that is known is waited for, once it takes longer than was to be expected."""
        after, more = slow_after(scenario)
        says = f"is not done with {name} yet: it has up to {more:.0f} s more, unless --bound says less"
        timer = asyncio.get_running_loop().call_later(after, self._waits, says)
        if self.usual_seconds is None:
            timer.cancel()
        try:
            yield
        finally:
            timer.cancel()

    def _versions(self, scenario: Scenario) -> dict[str, tuple[str, ...]]:
        """What each job brings, and what the device runs before the first."""
        before = {} if self.runs is None else {BEFORE: (self.runs,)}
        return before | self._names.versions(scenario.jobs)

    async def _look(self, scenario: Scenario, account: Account, sink: Sink, is_failed: bool) -> None:
        """What the probes show, once that is what the last job brought, if it was done, or they had the time to.

        Of a play that has failed already they need not show a fault, only whether the device is back where it was.
        """
        bounds = scenario.bounds
        leave = self._wiretap.join(sink)
        last = scenario.jobs[-1].id
        expected = self._names.version_of(last) if account.ended.get(last) == Status.SUCCEEDED else None
        patience = bounds.ready_seconds + bounds.uninterruptible_seconds + SPARE_SECONDS
        silence = bounds.silence_seconds + SPARE_SECONDS
        if is_failed and self.usual_seconds is not None:
            patience, silence = (min(2 * self._shown_seconds, patience), min(self.usual_seconds, silence))
        try:
            if expected is not None:
                await self._until_it_runs(expected, UNKNOWN_SECONDS if self.runs is None else patience)
            sample = await self._until(_is_not_dead, silence, "that it is alive")
        finally:
            leave()
        self.life_is_shown = self.life_is_shown or sample.alive is not None
        if self._names.knows(sample.version):
            self.runs = sample.version

    async def _until_it_runs(self, version: str, within_seconds: float) -> None:
        is_there, began = partial(_runs, version), time.monotonic()
        if is_there(await self._until(is_there, within_seconds, f"version {version}")):
            self._shown_seconds = max(self._shown_seconds, time.monotonic() - began)

    async def _until(self, enough: Callable[[Sample], bool], within_seconds: float, what: str) -> Sample:
        """As `Sampling.until`; if it takes long, `what` the probes are to show is said, and what they do show."""
        assert self._sampling is not None, "there are some"
        silent_seconds = min(within_seconds, SILENT_SECONDS)
        sample = await self._sampling.until(enough, silent_seconds)
        if enough(sample) or silent_seconds == within_seconds:
            return sample
        self._waits(f"waited for up to {within_seconds:.0f} s until the probes show {what}: {in_words(sample)}")
        return await self._sampling.until(enough, within_seconds - silent_seconds)


def slow_after(scenario: Scenario) -> tuple[float, float]:
    """After how many seconds a play takes longer than was to be expected, and how many more it may then take."""
    more = longest_wait(scenario.bounds)
    return max(scenario.time_limit_seconds - more, SILENT_SECONDS), more


def in_words(sample: Sample) -> str:
    """What the probes show, for people."""
    why = f" ({sample.why})" if sample.why else ""
    if sample.alive is False:
        return f"they find it dead{why}"
    if sample.version is not None:
        return f"they show version {sample.version}"
    return f"they show it alive, and no version{why}" if sample.alive else f"they show nothing{why}"


def _runs(version: str, sample: Sample) -> bool:
    return sample.version == version


def _is_not_dead(sample: Sample) -> bool:
    return sample.alive is not False


def as_path(name: str) -> str:
    """A cell's id may have slashes, and nothing else that a path could mind."""
    return re.sub(r"[^a-z0-9/-]", "-", name)
