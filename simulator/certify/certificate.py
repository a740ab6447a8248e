"""The certificate: what came of each cell of the matrix, with the packets that show it; `certificate.json`.

A claim needs evidence: a cell that failed without an entry of the trace that shows it cannot be made, nor a device that
is called bricked, nor a certificate that says something else than its cells.

Stable: what stands here under one SCHEMA_VERSION keeps its name, its type and its meaning. Members may be added.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, model_validator

from simulator.report.plain import first_line, plain
from simulator.verdict import InvariantVerdict, Reached, RunOutcome

SCHEMA_VERSION: Final = 1
LONGEST_WHY: Final = 800
"""Characters of the sentence that says why."""
ANYTHING: Final = TypeAdapter(object)

CellOutcome: TypeAlias = Literal["passed", "failed", "inconclusive", "not-applicable"]
"""Of one cell; `not-applicable`: it was not for this device."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Evidence(_Model):
    """An entry of the cell's trace in words: a packet with its topic and payload, as far as the trace has them, or else
    what happened.

    `type` is the entry's, as in the trace; `at` is in seconds on the clock of who saw it. If the trace does not have
    the entry any more, they are empty and None. `pointed_at`: a violation or a doubt names this very entry; the others
    tell what happened around it.
    """

    id: str
    type: str = ""
    at: float | None
    text: str
    pointed_at: bool = False


class ProbeSeen(_Model):
    """What a probe showed during a cell: of so many `samples` that the trace tells, the device was `alive` in some, and
    of `unknown` the probe could not be asked.

    `versions` has each time that another one ran, in order, `why` what was wrong the last time that it was not alive.
    """

    probe: str
    samples: int
    alive: int
    unknown: int
    versions: tuple[str, ...]
    why: str


CAME_BACK: Final = {
    "by-a-job": "afterwards it was not ready, and came back with another job",
    "by-restart": "afterwards it was not ready, and came back when it was restarted",
    "by-reset": "afterwards it was not ready, and came back when it was reset",
    "bricked": "afterwards it did not come back to work",
}


class Afterwards(_Model):
    """How the device was after a cell: ready for the next one, or what brought it back, and `why` that had to be.

    `by-a-job`: it was not ready, and did another job; `by-restart` and `by-reset`: that alone did not help.
    """

    left: Literal["ready", "by-a-job", "by-restart", "by-reset", "bricked"]
    why: str = ""

    @property
    def told(self) -> str:
        """In a sentence; empty if it was ready."""
        return "" if self.left == "ready" else f"{CAME_BACK[self.left]}: {self.why}"


class CellResult(_Model):
    """What came of a cell: a `point` at which the job was deleted, under a `condition`.

    `shows` is what the cell is for, `why` one sentence that says what came of it and names the packet. `seconds` is how
    long it took, `device_seconds` how much of that the device was waited for. `invariants` has the first violations and
    doubts only, `evidence` the entries that they point at and some around them; the whole trace is in `directory`,
    relative to the certificate, if it was kept.
    """

    id: str
    point: str
    condition: str
    shows: str
    outcome: CellOutcome
    why: str
    seconds: float = Field(ge=0, allow_inf_nan=False)
    device_seconds: float = Field(ge=0, allow_inf_nan=False)
    invariants: tuple[InvariantVerdict, ...] = ()
    reached: tuple[Reached, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    probes: tuple[ProbeSeen, ...] = ()
    afterwards: Afterwards | None = None
    directory: str | None = None

    @model_validator(mode="after")
    def _accuses_on_evidence(self) -> Self:
        violated = any(each.outcome == "violated" for each in self.invariants)
        if violated is not (self.outcome == "failed"):
            raise ValueError(f"{self.id}: a cell fails by a violated invariant, and by nothing else")
        if violated and not any(each.pointed_at for each in self.evidence):
            raise ValueError(f"{self.id}: failed, without an entry of the trace that shows it")
        return self


class Bricked(_Model):
    """After the cell of that id the device could not be brought back to work, for all that was tried.

    `evidence` is what was seen of it last.
    """

    cell: str
    why: str
    evidence: tuple[Evidence, ...] = Field(min_length=1)


class NotMet(_Model):
    """No cell was played: the device did not come, or did not do an undisturbed job; `why` may have several lines.

    `failed`: that is its own fault, by what `evidence` shows; else nothing is known of it.
    """

    why: str
    failed: bool = False
    evidence: tuple[Evidence, ...] = ()

    @model_validator(mode="after")
    def _accuses_on_evidence(self) -> Self:
        if self.failed and not self.evidence:
            raise ValueError("a first job that failed, without an entry of the trace that shows it")
        return self


class Certificate(_Model):
    """`certificate.json`.

    `version` is that of ghostjob; `started_at` is in UTC as ISO 8601 has it; `seconds` is the whole session's time, and
    `device_share` the part of it, from 0 to 1, for which the device was waited for. `command` started the device, if
    ghostjob did; `options` are those of the command line that bear on how a cell is played, beside thing, namespace,
    probes and seed. `learned` is what an undisturbed job showed of it, empty if it did not come so far. `not_seen` says
    of each invariant that could not be judged from outside why not; it is empty if nothing was judged. `warnings` are
    sentences on what else was not seen that was to be, such as by a probe that shows nothing any more.

    `outcome` is failed if a cell failed, or the device was bricked or failed an undisturbed job; inconclusive if a cell
    was, or none passed, or the session was cut short; else passed. `why` is one sentence.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    version: str
    thing: str
    namespace_id: str | None
    seed: int | None = None
    command: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    started_at: str
    seconds: float = Field(ge=0, allow_inf_nan=False)
    device_share: float = Field(ge=0, le=1)
    outcome: RunOutcome
    why: str
    learned: dict[str, JsonValue]
    probes: tuple[str, ...]
    cells: tuple[CellResult, ...]
    not_seen: dict[str, str]
    warnings: tuple[str, ...] = ()
    not_met: NotMet | None = None
    bricked: Bricked | None = None

    @model_validator(mode="after")
    def _says_what_its_cells_say(self) -> Self:
        least = _outcome(self.cells, self.bricked, self.not_met, None)
        if self.outcome != least and (self.outcome, least) != ("inconclusive", "passed"):
            raise ValueError(f"the cells come to {least}, and not to {self.outcome}")
        return self

    @property
    def not_played(self) -> dict[str, tuple[CellResult, ...]]:
        """The cells that were to be played and were not, by why not."""
        cells = [cell for cell in self.cells if cell.outcome == "inconclusive" and not cell.invariants]
        return {
            why: tuple(cell for cell in cells if cell.why == why) for why in dict.fromkeys(cell.why for cell in cells)
        }

    def with_outcome(self, outcome: CellOutcome) -> tuple[CellResult, ...]:
        """The cells of which that came."""
        return tuple(cell for cell in self.cells if cell.outcome == outcome)


def certificate_of(
    *,
    thing: str,
    namespace_id: str | None,
    started_at: str,
    seconds: float,
    cells: Sequence[CellResult],
    learned: object,
    probes: Sequence[str] = (),
    not_seen: Mapping[str, str],
    warnings: Sequence[str] = (),
    not_met: NotMet | None = None,
    bricked: Bricked | None = None,
    seed: int | None = None,
    command: Sequence[str] = (),
    options: Sequence[str] = (),
    cut_short: str | None = None,
) -> Certificate:
    """What the cells come to.

    `learned` is a dataclass or a mapping, None if nothing was. `not_seen` is `simulator.certify.unseen.not_seen`.
    `cut_short` says why not all was played that was asked for, if so.
    """
    devices = sum(cell.device_seconds for cell in cells)
    return Certificate(
        version=version("ghostjob"),
        thing=thing,
        namespace_id=namespace_id,
        seed=seed,
        command=tuple(map(_text, command)),
        options=tuple(map(_text, options)),
        started_at=started_at,
        seconds=seconds,
        device_share=min(1.0, devices / seconds) if seconds else 0.0,
        outcome=_outcome(cells, bricked, not_met, cut_short),
        why=_why(cells, bricked, not_met, cut_short),
        learned=ANYTHING.dump_python(learned, mode="json") or {},
        probes=tuple(map(_text, probes)),
        cells=tuple(cells),
        not_seen=dict(not_seen) if any(cell.invariants for cell in cells) else {},
        warnings=tuple(map(_text, warnings)),
        not_met=not_met,
        bricked=bricked,
    )


def explained(cell: CellResult) -> Iterator[str]:
    """Of each invariant that was violated what to read; of all but the first, which `why` tells, what was found too."""
    for number, invariant in enumerate(each for each in cell.invariants if each.violations):
        if number:
            yield f"{invariant.id} was violated, too: the device {invariant.violations[0].message}"
        yield f"what that means, and what to do: ghostjob explain {invariant.id}"


def alike(told: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Of names and why: each why once, with the names of which it is said."""
    found: dict[str, list[str]] = {}
    for name, why in told:
        found.setdefault(why, []).append(name)
    yield from found.items()


def came_back(cell: CellResult) -> str:
    """What had to be done for the device after a cell, in a sentence; empty if nothing had to be, or `why` says it."""
    told = "" if cell.afterwards is None else cell.afterwards.told
    return "" if plain(told, LONGEST_WHY) == cell.why else told


def _text(argument: str) -> str:
    """A word of the command line, of which bytes that are no UTF-8 become escapes."""
    return argument.encode("utf-8", "backslashreplace").decode("utf-8")


def _outcome(
    cells: Sequence[CellResult], bricked: Bricked | None, not_met: NotMet | None, cut_short: str | None
) -> RunOutcome:
    outcomes = {cell.outcome for cell in cells}
    if "failed" in outcomes or bricked is not None or (not_met is not None and not_met.failed):
        return "failed"
    if "inconclusive" in outcomes or "passed" not in outcomes or not_met is not None or cut_short is not None:
        return "inconclusive"
    return "passed"


def _why(cells: Sequence[CellResult], bricked: Bricked | None, not_met: NotMet | None, cut_short: str | None) -> str:
    """The worst first: what was found out, and then what could not be."""
    if not_met is not None:
        return plain(first_line(not_met.why), LONGEST_WHY)
    applicable = [cell for cell in cells if cell.outcome != "not-applicable"]
    failed = _first(applicable, "failed", "failed")
    if bricked is not None:
        return f"the device could not be brought back to work after {bricked.cell}: {bricked.why}" + (
            f"; {failed}" if failed else ""
        )
    if failed is not None:
        return failed
    if cut_short is not None:
        return f"{cut_short}; {_passed(applicable, len(cells))}"
    return _first(applicable, "inconclusive", "could not show it") or _passed(applicable, len(cells))


def _first(applicable: Sequence[CellResult], outcome: CellOutcome, verb: str) -> str | None:
    found = [cell for cell in applicable if cell.outcome == outcome]
    if not found:
        return None
    which = "it is" if len(found) == 1 else "the first is"
    return f"{len(found)} of {_count(len(applicable))} {verb}; {which} {found[0].id}: {found[0].why}"


def _passed(applicable: Sequence[CellResult], of: int) -> str:
    passed = sum(cell.outcome == "passed" for cell in applicable)
    if not applicable:
        return "no cell applied to this device" if of else "no cell was played"
    others = of - len(applicable)
    return f"{passed} of {_count(len(applicable))} passed" + (f", {others} did not apply" if others else "")


def _count(number: int) -> str:
    return f"{number} cell" if number == 1 else f"{number} cells"
