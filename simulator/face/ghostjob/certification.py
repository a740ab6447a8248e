"""What comes of certifying a device: cells, and the certificate over them.

Field names are those of `certificate.json`, and members that this version does not know are left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from ghostjob._result import Invariant, Reached, RunOutcome, invariant_of

__all__ = [
    "Afterwards",
    "Bricked",
    "Cell",
    "CellResult",
    "Certification",
    "Evidence",
    "NotMet",
    "ProbeSeen",
]
CellOutcome: TypeAlias = Literal["passed", "failed", "inconclusive", "not-applicable"]
Read = TypeVar("Read")


class Cell(NamedTuple):
    """One cell of the matrix: a `point` at which a job is deleted, under a `condition`; `shows` says what for."""

    id: str
    point: str
    condition: str
    shows: str
    needs: tuple[str, ...]
    quick: bool
    default: bool


class Evidence(NamedTuple):
    """An entry of a cell's trace, such as a packet, in words; `pointed_at`: a violation or a doubt names this very one.

    `type` is the entry's, as in the trace; `at` is in seconds on the clock of who saw it. If the trace does not have
    the entry any more, they are empty and None.
    """

    id: str
    at: float | None
    text: str
    pointed_at: bool = False
    type: str = ""


class ProbeSeen(NamedTuple):
    """What a probe showed: in `alive` of so many `samples` the device was, and `unknown` could not be taken.

    `versions` has each time that another one ran; `why` is what was wrong when it was not alive the last time.
    """

    probe: str
    samples: int
    alive: int
    unknown: int
    versions: tuple[str, ...]
    why: str


class Afterwards(NamedTuple):
    """How the device was after a cell: `ready`, `bricked`, or what brought it back: `by-a-job`, `by-restart`, …"""

    left: str
    why: str = ""


class Bricked(NamedTuple):
    """After this `cell` nothing brought the device back to work."""

    cell: str
    why: str
    evidence: tuple[Evidence, ...] = ()


class NotMet(NamedTuple):
    """The device did not come, or did not do an undisturbed job; `failed`: by its own fault, as `evidence` shows."""

    why: str
    failed: bool = False
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class CellResult:
    """What a device did in one cell: the `evidence` shows it, and the whole trace is in `directory`, if it is kept."""

    id: str
    point: str
    condition: str
    shows: str
    outcome: CellOutcome
    why: str
    seconds: float
    device_seconds: float
    """For how much of them the device was waited for."""
    invariants: tuple[Invariant, ...] = ()
    reached: tuple[Reached, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    probes: tuple[ProbeSeen, ...] = ()
    afterwards: Afterwards | None = None
    directory: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the device was right, and the cell could show it."""
        return self.outcome == "passed"

    @property
    def is_bricked(self) -> bool:
        """Whether nothing brought the device back afterwards."""
        return self.afterwards is not None and self.afterwards.left == "bricked"


@dataclass(frozen=True, slots=True)
class Certification:
    """`certificate.json`: how a device fared in all cells that it was asked to play."""

    outcome: RunOutcome
    why: str
    thing: str
    schema_version: int
    version: str
    namespace_id: str | None
    started_at: str
    seconds: float
    device_share: float
    """For how much of that, from 0 to 1, the device was waited for."""
    learned: Mapping[str, Any]
    """What an undisturbed job showed of the device; empty if it did none."""
    probes: tuple[str, ...]
    cells: tuple[CellResult, ...]
    not_seen: Mapping[str, str]
    """By invariant, why nothing could be said of it from outside."""
    seed: int | None = None
    command: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    """What else of the command line bears on how a cell is played."""
    not_met: NotMet | None = None
    bricked: Bricked | None = None
    warnings: tuple[str, ...] = ()
    """What went wrong around the device, such as a probe that was lost, and what was not judged for it."""

    @property
    def passed(self) -> bool:
        """Whether the device passed each cell that applies to it."""
        return self.outcome == "passed"


def cell_of(data: Mapping[str, Any]) -> Cell:
    """A row of `ghostjob certify --list --json`."""
    return Cell(**{name: data[name] for name in Cell._fields} | {"needs": tuple(data["needs"])})


def cell_result_of(data: Mapping[str, Any]) -> CellResult:
    """A cell of the certificate, and of the event that says that it has ended."""
    after = data.get("afterwards")
    return _read(
        CellResult,
        data,
        invariants=tuple(map(invariant_of, data.get("invariants", ()))),
        reached=tuple(_named(Reached, each) for each in data.get("reached", ())),
        evidence=_evidence(data),
        probes=tuple(_named(ProbeSeen, each, versions=tuple(each["versions"])) for each in data.get("probes", ())),
        afterwards=after and _named(Afterwards, after),
    )


def certification_of(data: Mapping[str, Any]) -> Certification:
    """`certificate.json`."""
    bricked, not_met = data.get("bricked"), data.get("not_met")
    return _read(
        Certification,
        data,
        cells=tuple(map(cell_result_of, data["cells"])),
        probes=tuple(data["probes"]),
        command=tuple(data.get("command", ())),
        options=tuple(data.get("options", ())),
        warnings=tuple(data.get("warnings", ())),
        bricked=bricked and _named(Bricked, bricked, evidence=_evidence(bricked)),
        not_met=not_met and _named(NotMet, not_met, evidence=_evidence(not_met)),
    )


def _evidence(data: Mapping[str, Any]) -> tuple[Evidence, ...]:
    return tuple(_named(Evidence, each) for each in data.get("evidence", ()))


def _read(kind: type[Read], data: Mapping[str, Any], **made: object) -> Read:
    """A dataclass with what of the members this version knows. Raises TypeError if one is missing."""
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in data.items() if name in known} | made)


def _named(kind: Callable[..., Read], data: Mapping[str, Any], **made: object) -> Read:
    """The same for a named tuple."""
    known: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    return kind(**{name: value for name, value in data.items() if name in known} | made)
