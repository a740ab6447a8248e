"""What came of a run, read from the directory in which it was kept: `verdict.json` and `trace.jsonl`.

Field names are those of the files; `ghostjob schema verdict` has them, and members that this version does not know are
left out.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ghostjob._errors import InputError

RunOutcome: TypeAlias = Literal["passed", "failed", "inconclusive"]
TRACE: Final = "trace.jsonl"
VERDICT: Final = "verdict.json"


class Violation(NamedTuple):
    """One device that broke an invariant, or of which it cannot be said; `events` are ids of trace entries."""

    thing: str
    job: str | None
    message: str
    events: tuple[str, ...]
    stands_for: int = 1
    """How many devices that befell: in a fleet of which not all play, those for which it played as well."""


class Invariant(NamedTuple):
    """One invariant over all devices; `opportunities` counts how often it could have been broken."""

    id: str
    outcome: Literal["held", "violated", "undecided", "not-exercised"]
    opportunities: int
    violations: tuple[Violation, ...]
    doubts: tuple[Violation, ...]


class Reached(NamedTuple):
    """How many `devices` reached a place, `of` those that were asked to."""

    id: str
    devices: int
    of: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """`verdict.json`: what held over all devices, where they were, and how long recovery took."""

    outcome: RunOutcome
    why: str
    passed: bool
    scenario: str
    engine: str
    seed: int | None
    version: str | None
    started_at: str | None
    seconds: float | None
    devices: int
    recovered: int
    invariants: tuple[Invariant, ...]
    reached: tuple[Reached, ...]
    recovery_seconds: dict[str, float] | None
    """By percentile: p50, p90, p99 and max."""
    requests_per_second_peak: int
    explored: dict[str, Any] | None = None


class Entry(NamedTuple):
    """One entry of the trace: `type` of what happened, `source` of who saw it, its number there, seconds on its clock.

    `data` are the members of that type, such as `thing` or `job_id`.
    """

    id: str
    source: str
    n: int
    at: float
    type: str
    data: Mapping[str, Any]


class Result:
    """Reads what `ghostjob run --out DIRECTORY` keeps. Raises InputError if there is none.

    >>> import ghostjob
    >>> result = ghostjob.play("delete-in-write", engine="virtual", model="recovers-without-undoing")
    >>> result.passed
    False
    >>> [invariant.id for invariant in result.verdict.invariants if invariant.violations]
    ['bootable']
    >>> sum(entry.type == "execution.removed" for entry in result.trace)
    10
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        path = self.directory / VERDICT
        try:
            self.verdict = _verdict(json.loads(path.read_text("utf-8")))
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: no verdict of ghostjob's: {error!r}") from None

    def __repr__(self) -> str:
        return f"<Result {self.outcome}: {self.why}>"

    @property
    def outcome(self) -> RunOutcome:
        """The verdict's: passed, failed, or inconclusive if the run could not show what it was to show."""
        return self.verdict.outcome

    @property
    def why(self) -> str:
        """The outcome in a sentence."""
        return self.verdict.why

    @property
    def passed(self) -> bool:
        """Whether no invariant was violated, and every place that the scenario names was reached."""
        return self.verdict.passed

    @property
    def trace(self) -> Iterator[Entry]:
        """Everything that happened, in the order in which it became known; read as it is asked for."""
        with (self.directory / TRACE).open(encoding="utf-8") as lines:
            for line in lines:
                data = json.loads(line)
                head = [data.pop(name) for name in Entry._fields[:-1]]
                yield Entry._make((*head, data))


def _verdict(data: dict[str, Any]) -> Verdict:
    reached = tuple(Reached(each["id"], each["devices"], each["of"]) for each in data["reached"])
    given = {name: data[name] for name in Verdict.__slots__ if name in data}
    return Verdict(**{**given, "invariants": tuple(map(invariant_of, data["invariants"])), "reached": reached})


def invariant_of(data: Mapping[str, Any]) -> Invariant:
    """One of a verdict, or of a cell."""
    shown, open_ = (tuple(map(_violation, data[name])) for name in ("violations", "doubts"))
    return Invariant(data["id"], data["outcome"], data["opportunities"], shown, open_)


def _violation(data: Mapping[str, Any]) -> Violation:
    thing, job, message, events = (data[name] for name in Violation._fields[:-1])
    return Violation(thing, job, message, tuple(events), data.get("stands_for", 1))
