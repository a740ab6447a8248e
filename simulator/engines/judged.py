"""A play from its beginning to its end: played, judged, kept, and what came of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from simulator.engines.judging import Judging, JudgingHere
from simulator.engines.meeting import Meeting
from simulator.engines.outlets import DeviceHands
from simulator.engines.output import NO_FACES, Face, OutputDirectory
from simulator.engines.patience import Patience
from simulator.engines.play import FleetOf, Play
from simulator.engines.stand_ins import Crew
from simulator.engines.steering import Steering
from simulator.engines.venue import Venue
from simulator.engines.whole_files import Tell, log_it
from simulator.exit_codes import OF_OUTCOME, ExitCode
from simulator.scenario import Scenario
from simulator.trace import CLOUD, Entry, Sink
from simulator.trace.packed import Pack
from simulator.verdict import Judge, Verdict


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run; `directory` has its trace and verdict, if it was to be kept."""

    verdict: Verdict
    directory: Path | None

    @property
    def exit_code(self) -> ExitCode:
        """What the command line ends with."""
        return OF_OUTCOME[self.verdict.outcome]


class JudgedPlay:
    """Plays a scenario at a venue. A context: what it keeps has its name at the end.

    `devices`, `versions`, `are_there`, `steering`, `groups`, `is_busy`, `meeting`, `shards` and `fleet_of` are as
    `Play` has them; `skip` are invariants that are not judged.
    `usual_seconds` are what a device that is not ours usually needs, as `Patience` has it. `also` get every entry after
    the judge, or only those with events of the kinds `heeded`; `faces` are kept beside trace and verdict, and `tell`
    hears which cannot be made, as OutputDirectory has them. `judging` is who judges, if that is not `judge`, the one in
    this process; who gives it enters and leaves it.
    `last_look` is awaited between the end and the verdict, with where what it sees is to go, such as the samples
    of a probe, and whether the run has failed already. Raises InputError if `out` cannot be written to: at once, or at
    the end, when whoever waited for the verdict has it.
    """

    def __init__(
        self,
        scenario: Scenario,
        venue: Venue,
        devices: int | Crew | Sequence[str],
        *,
        seed: int = 0,
        out: Path | None = None,
        also: Sequence[Sink] = (),
        heeded: frozenset[type] | None = None,
        faces: Mapping[str, Face] = NO_FACES,
        started_at: str | None = None,
        hands: DeviceHands | None = None,
        versions: Mapping[str, tuple[str, ...]] | None = None,
        last_look: Callable[[Sink, bool], Awaitable[object]] | None = None,
        skip: frozenset[str] = frozenset(),
        are_there: bool = False,
        usual_seconds: float | None = None,
        steering: Steering | None = None,
        groups: Mapping[str, str] | None = None,
        is_busy: Callable[[], bool] = lambda: False,
        tell: Tell = log_it,
        judging: Judging | None = None,
        meeting: Meeting | None = None,
        shards: int = 1,
        fleet_of: FleetOf | None = None,
    ) -> None:
        self._out = out
        self._last_look = last_look
        self._verdict: Verdict | None = None
        self._cloud_n = 0
        self.judge = Judge(skip)
        self._judging: Judging = JudgingHere(self.judge) if judging is None else judging
        self._also = also
        self._heeded = heeded if also else frozenset()
        self.play = Play(
            scenario,
            devices,
            seed,
            self._feed,
            venue,
            started_at=started_at,
            hands=hands,
            versions=versions,
            patience=Patience(scenario.bounds, usual_seconds, self._violated),
            are_there=are_there,
            steering=steering,
            groups=groups,
            is_busy=is_busy,
            meeting=meeting,
            shards=shards,
            packs=None if out or self._heeded is None else self._feed_all,
            fleet_of=fleet_of,
        )
        self._output = OutputDirectory(out, faces, tell) if out else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if self._output is not None:
            with self._output:
                if exc_type is None and self._verdict is not None:
                    self._output.finish(self._verdict)

    @property
    def kept(self) -> tuple[str, ...]:
        """The names of the files that are there, once this context has ended."""
        return () if self._output is None else self._output.kept

    async def result(self) -> Result:
        """Play it to its end, and judge. Raises InputError."""
        await self.play.play()
        if self._last_look is not None:
            async with self.play.looked_after():
                await self._last_look(self._feed, (await self._judging.verdict()).outcome == "failed")
        self._verdict = await self._judging.verdict()
        return Result(self._verdict, self._out)

    async def cut_short(self) -> Verdict | None:
        """The verdict on what was played until it was interrupted, which is kept as any other; None if nothing was."""
        if self._verdict is None and self._judging.has_begun:
            self._verdict = await self._judging.verdict()
        return self._verdict

    async def _violated(self, cloud_at: float) -> frozenset[str]:
        """What is held against a device at that time of the cloud's clock, if nothing more comes."""
        if self._cloud_n == 0:
            return frozenset()
        return await self._judging.violated(self._cloud_n + 1, cloud_at)

    def _feed(self, entry: Entry) -> None:
        if entry.source == CLOUD:
            self._cloud_n = entry.n
        self._judging.feed(entry)
        if self._output is not None:
            self._output.write(entry)
        if self._heeded is None or type(entry.event) in self._heeded:
            self._show(entry)

    def _feed_all(self, pack: Pack) -> None:
        """What the cloud tells, if nobody keeps it, and few look at some of it."""
        self._cloud_n = pack.n
        self._judging.feed_all(pack)
        if self._heeded:
            for entry in pack.of(self._heeded):
                self._show(entry)

    def _show(self, entry: Entry) -> None:
        for take in self._also:
            take(entry)
