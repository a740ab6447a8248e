"""A play from its beginning to its end: played, judged, kept, and what came of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from simulator.engines.output import OutputDirectory
from simulator.engines.play import Play, Venue
from simulator.exit_codes import OF_OUTCOME, ExitCode
from simulator.scenario import Scenario
from simulator.trace import Entry, Sink
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

    `devices` and `versions` are as `Play` has them. `also` get every entry after the judge. `last_look` is awaited
    between the end and the verdict, with where what it sees is to go, such as the samples of a probe. Raises InputError
    if `out` cannot be written to: at once, or at the end, when whoever waited for the verdict has it.
    """

    def __init__(
        self,
        scenario: Scenario,
        venue: Venue,
        devices: int | Sequence[str],
        *,
        seed: int = 0,
        out: Path | None = None,
        also: Sequence[Sink] = (),
        started_at: str | None = None,
        versions: Mapping[str, tuple[str, ...]] | None = None,
        last_look: Callable[[Sink], Awaitable[object]] | None = None,
    ) -> None:
        self._out = out
        self._last_look = last_look
        self._verdict: Verdict | None = None
        self.judge = Judge()
        self.play = Play(scenario, devices, seed, self._feed, venue, started_at=started_at, versions=versions)
        self._output = OutputDirectory(out) if out else None
        keep: tuple[Sink, ...] = () if self._output is None else (self._output.write,)
        self._sinks = (self.judge.feed, *keep, *also)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if self._output is not None:
            with self._output:
                if exc_type is None and self._verdict is not None:
                    self._output.finish(self._verdict)

    async def result(self) -> Result:
        """Play it to its end, and judge. Raises InputError."""
        await self.play.play()
        if self._last_look is not None:
            await self._last_look(self._feed)
        self._verdict = self.judge.verdict()
        return Result(self._verdict, self._out)

    def _feed(self, entry: Entry) -> None:
        for take in self._sinks:
            take(entry)
