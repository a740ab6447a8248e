"""One play with the device on the desk: its verdict, and all that was seen of it."""

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from agent.values import Status
from simulator.certify.device import Device
from simulator.certify.means import AnyDesk, Means
from simulator.certify.names import Names
from simulator.certify.probes import Sample, Sampling
from simulator.certify.wiretap import Wiretap
from simulator.engines.judged import JudgedPlay
from simulator.scenario import Scenario
from simulator.trace import Entry, ExecutionChanged, ExecutionQueued, RequestReceived, Sink
from simulator.verdict import Verdict

MOST_ENTRIES: Final = 50_000
"""So many of one play are remembered for its report; whatever a device floods us with, the verdict needs none."""
SPARE_SECONDS: Final = 1.0
UNKNOWN_SECONDS: Final = 2.0
"""How long to wait for a version that the probes may have other words for."""
BEFORE: Final = "before"
"""Stands for the job that brought what the device runs as a play begins."""


@dataclass(frozen=True, slots=True)
class Played:
    """What a play showed. `seconds` is how long it took; `device_seconds` how long of that the device was at it.

    `directory` has its trace and verdict, if it was kept; `ended` the last status of each job's execution.
    """

    scenario: Scenario
    verdict: Verdict
    entries: tuple[Entry, ...]
    seconds: float
    device_seconds: float
    directory: Path | None
    ended: dict[str, str]

    @property
    def last_job_succeeded(self) -> bool:
        """Whether the device was done with the job that the play ends with."""
        return self.ended.get(self.scenario.jobs[-1].id) == Status.SUCCEEDED


@dataclass(slots=True)
class _Account:
    """What is remembered of a play while it goes on. Times are the cloud's clock."""

    entries: list[Entry] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    first: float | None = None
    last: float = 0.0

    def feed(self, entry: Entry) -> None:
        if len(self.entries) < MOST_ENTRIES:
            self.entries.append(entry)
        match entry.event:
            case ExecutionQueued():
                self.first = entry.at if self.first is None else self.first
            case ExecutionChanged(execution=key, status=status, by=by):
                self.ended[key.job_id] = status
                self.last = entry.at if by == "device" else self.last
            case RequestReceived():
                self.last = entry.at
            case _:
                pass

    @property
    def device_seconds(self) -> float:
        """From the first job to the last thing that it said, or that its job's record shows it to have said."""
        return 0.0 if self.first is None else max(self.last - self.first, 0.0)


class Plays:
    """Plays scenarios with one device, one after the other. `out` is where each is kept; None: nowhere."""

    def __init__(
        self,
        desk: AnyDesk,
        means: Means,
        device: Device,
        wiretap: Wiretap,
        sampling: Sampling | None,
        names: Names,
        seed: int,
        out: Path | None,
    ) -> None:
        self._desk = desk
        self._means = means
        self._device = device
        self._wiretap = wiretap
        self._sampling = sampling
        self._names = names
        self._seed = seed
        self._out = out
        self.runs: str | None = None
        """The version that the probes showed last, if they speak of versions as the job documents do."""

    async def play(self, scenario: Scenario, name: str) -> Played:
        """Play it to its end. `name` is the directory's, below `out`. Raises InputError."""
        account, began = _Account(), time.monotonic()
        directory = None if self._out is None else self._out / _as_path(name)
        venue = self._means.venue(scenario)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with JudgedPlay(
            scenario,
            venue,
            [self._desk.offer.thing],
            seed=self._seed,
            out=directory,
            also=(account.feed,),
            started_at=now,
            hands=self._device,
            versions=self._versions(scenario),
            last_look=None if self._sampling is None else partial(self._look, scenario),
            skip=self._means.skip,
            are_there=not self._means.sees_requests,
        ) as run:
            result = await run.result()
        seconds = time.monotonic() - began
        return Played(
            scenario,
            result.verdict,
            tuple(account.entries),
            seconds,
            min(account.device_seconds, seconds),
            directory,
            account.ended,
        )

    def _versions(self, scenario: Scenario) -> dict[str, tuple[str, ...]]:
        """What each job brings, and what the device runs before the first."""
        before = {} if self.runs is None else {BEFORE: (self.runs,)}
        return before | self._names.versions(scenario.jobs)

    async def _look(self, scenario: Scenario, sink: Sink) -> None:
        """At what the probes show, once they show what the last job brought, or have had the time to."""
        sampling, bounds = self._sampling, scenario.bounds
        assert sampling is not None, "there are some"
        leave = self._wiretap.join(sink)
        expected = self._names.version_of(scenario.jobs[-1].id)
        patience = bounds.ready_seconds + bounds.uninterruptible_seconds + SPARE_SECONDS
        try:
            if expected is not None:
                is_there = partial(_runs, expected)
                await sampling.until(is_there, UNKNOWN_SECONDS if self.runs is None else patience)
            sample = await sampling.until(_is_not_dead, bounds.silence_seconds + SPARE_SECONDS)
        finally:
            leave()
        if self._names.knows(sample.version):
            self.runs = sample.version


def _runs(version: str, sample: Sample) -> bool:
    return sample.version == version


def _is_not_dead(sample: Sample) -> bool:
    return sample.alive is not False


def _as_path(name: str) -> str:
    """A cell's id may have slashes, and nothing else that a path could mind."""
    return re.sub(r"[^a-z0-9/-]", "-", name)
