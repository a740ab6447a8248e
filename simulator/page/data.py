"""All that the page shows, as JSON: `PageData`. The page works nothing out that is not drawing.

Instants (`at`, `start`, `end`) are seconds on one axis, the cloud's clock, on which 0 is the beginning of the run. What
other clocks tell is laid on it by who answered whom; `axis_note` says how far that can be off, if at all.

Ids in `events` name entries of the trace. Each of them is in `entries`, unless it was too long ago for the picture to
remember: then it is not named either.
"""

from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from simulator.certify.certificate import CellOutcome
from simulator.page.orders import Offered
from simulator.verdict.explored import Explored
from simulator.verdict.model import InvariantOutcome

FORMAT: Final = 1

Kind: TypeAlias = Literal["run", "cloud", "certify", "explore"]
"""What is shown: a scenario that is played, a cloud that stays up, a certification, a search through all orders."""
State: TypeAlias = Literal["waiting", "running", "passed", "failed", "inconclusive", "ended", "undrawn"]
"""`waiting`: nothing has happened yet. `ended`: it is over, and nobody has judged it. `undrawn`: the page has
stopped, by a fault of ghostjob's own, and what it shows goes on."""
Track: TypeAlias = Literal["cloud", "wire", "agent", "hardware", "ghost"]
"""The parts of a lane, from top to bottom; `ghost` lies behind all of them."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


# ── the devices ───────────────────────────────────────────────────────────────────────────────────────────────────


class Thing(_Model):
    """A device as it is now.

    `state` is a phase of the agent (`idle`, `executing`, …), or `offline`, `off` (no power), `crashed`, `bricked`; of a
    device that is not ours what the cloud knows. `step` is what it does, `knows` what it has come to know last, `done`
    how many jobs it has done. `bootable`: whether something would come up if the power went now; null: nobody knows.
    `version` is what runs, empty if that is not known. `group` tells apart who plays in which part, if there are any.
    `violated` has the ids of invariants.
    """

    thing: str
    namespace: str | None = None
    state: str
    job: str = ""
    step: str = ""
    knows: str = ""
    done: int = 0
    bootable: bool | None = None
    bricked: bool = False
    version: str = ""
    online: bool = False
    group: str = ""
    violated: tuple[str, ...] = ()


class Span(_Model):
    """What lasts. `end` null: it lasts yet.

    By track, `kind` is: cloud: the status of an execution; wire: `offline`; agent: a phase; hardware: `step`, `undo`,
    `boot`, `off`, `bricked`; ghost: `ghost`, from the removal of a record until the device was told.
    """

    track: Track
    start: float
    end: float | None = None
    kind: str
    text: str
    job: str = ""
    namespace: str | None = None
    events: tuple[str, ...] = ()


class Mark(_Model):
    """What happens at an instant.

    By track, `kind` is: cloud: `queued`, the last status of an execution, `removed`, `created-again`; wire: `to-cloud`,
    `to-device` (`ok`: whether it arrived; of messages only), `fault`, `refused`; agent: `told`, `taken`, `done`,
    `crashed`, `safe`; hardware: `power-lost`, `boot`, `commit`, `revert`, `leap` and, of a device that is not ours,
    `alive`, `dead` and `unknown`, by what a probe found.
    """

    track: Track
    at: float
    kind: str
    text: str
    job: str = ""
    namespace: str | None = None
    events: tuple[str, ...] = ()
    ok: bool | None = None


class Lane(_Model):
    """One device over time; both in order of time. `dropped` is how many there were before, and are not shown."""

    spans: tuple[Span, ...] = ()
    marks: tuple[Mark, ...] = ()
    dropped: int = 0


class Line(_Model):
    """What goes through all lanes: a deletion that was asked for, a job that is gone, and the like."""

    at: float
    kind: Literal["deletion", "deleted", "cancel", "created", "fault", "ended"]
    text: str
    job: str = ""
    events: tuple[str, ...] = ()


class Slot(_Model):
    """A run of flash: a slot, or what arrives. `holds` is the version in it, empty if there is none.

    `state`: `partial`, some of its sectors are missing; `flawed`, all are there, and something is wrong with them.
    `cells` has one character a sector: `.` erased, `#` of an image that was committed, `+` of a new one, `x` of no use
    (what is left of an image, or one that is never booted). What the page makes of them while something is done to them
    (see `Work`): `>` being written, `<` being erased. `runs`: it is what runs; `boots`: the bootloader would start it
    if the power went now; `trial`: only on trial.
    """

    name: str
    holds: str = ""
    state: Literal["empty", "partial", "whole", "flawed"] = "empty"
    cells: str
    runs: bool = False
    boots: bool = False
    trial: bool = False


class Work(_Model):
    """What the hardware does to a slot from `since` on, sector by sector, until the next instant says otherwise.

    First `erases` sectors are erased, from the last of so many to the first of the slot; then `writes` are written, the
    last `writes` of the slot, in order. Or `exchanges` of the first two slots change places, the last so many, in
    order; then `slot` is empty. `done` of these were done at `since`; each takes `seconds`, and 0: it stands still.
    """

    slot: str
    erases: int = 0
    writes: int = 0
    exchanges: int = 0
    done: int = 0
    seconds: float = 0.0
    since: float


class Flash(_Model):
    """The flash of a device from an instant on. `running` is the version that runs, empty while nothing does.

    Only simulated devices tell of `slots`, and of `work`, what is being done to them. `stores` are what else it keeps,
    names with values: configurations, files. `bootable`: whether something would come up if the power went now; null:
    nobody knows. `pending` is what is half done, in words; `does` what is being done, empty if nothing is; `power`:
    whether it has its power.
    """

    at: float
    slots: tuple[Slot, ...] = ()
    work: Work | None = None
    stores: tuple[tuple[str, str], ...] = ()
    running: str = ""
    bootable: bool | None = None
    pending: tuple[str, ...] = ()
    does: str = ""
    power: bool = True
    events: tuple[str, ...] = ()


# ── the verdict ───────────────────────────────────────────────────────────────────────────────────────────────────


class Shown(_Model):
    """An entry in a list of those that show something."""

    id: str
    at: float | None
    text: str


class Arrow(_Model):
    """A message of a sequence diagram, or, from one to itself, what somebody did. `id` is the entry's."""

    at: float
    from_: str = Field(validation_alias="from", serialization_alias="from")
    to: str
    text: str
    ok: bool = True
    id: str

    model_config = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class Diagram(_Model):
    """A sequence diagram, from left to right and from top to bottom; `mermaid` is the same to paste."""

    participants: tuple[str, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    mermaid: str = ""


class Found(_Model):
    """What one device did, or may have done, that breaks an invariant; `events` show it, `diagram` all around it."""

    thing: str
    job: str | None = None
    message: str
    events: tuple[Shown, ...] = ()
    diagram: Diagram = Diagram()


class Invariant(_Model):
    """`about` is what breaks it, in words. Of many devices the first `violations` and `doubts` are here, and how many
    there are beside them in `more`.
    """

    id: str
    outcome: InvariantOutcome
    opportunities: int
    about: str
    violations: tuple[Found, ...] = ()
    doubts: tuple[Found, ...] = ()
    more: int = 0


class Place(_Model):
    """A dangerous place, and how many devices got there of how many that were to."""

    id: str
    devices: int
    of: int
    about: str


class Cell(_Model):
    """What came of a cell of a certification. `shows` is what it is for, `why` what came of it; outcomes as in
    `certificate.json`, and `pending` while it has not been played.
    """

    id: str
    point: str
    condition: str
    outcome: CellOutcome | Literal["pending"]
    why: str
    seconds: float
    invariants: tuple[tuple[str, InvariantOutcome], ...] = ()
    shows: str = ""


class Matrix(_Model):
    """A certification: points at which a job is deleted, against conditions; not each of them has a cell."""

    points: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()


# ── many devices ──────────────────────────────────────────────────────────────────────────────────────────────────


class Histogram(_Model):
    """How many lie between an edge and the next; one edge more than counts."""

    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()


Distribution: TypeAlias = tuple[float, ...] | Histogram
"""Seconds, in order of size; of more than a thousand a histogram."""


class Times(_Model):
    """How long it took devices to be told that their record was gone (`detection`), and to be IN_PROGRESS on the next
    job (`recovery`, as the verdict counts it). `bound` is how long after the removal a step may yet begin.
    """

    detection: Distribution = ()
    recovery: Distribution = ()
    bound: float | None = None


class Heat(_Model):
    """Devices over time: `rows` are devices in order of their recovery, or groups of them; a cell is the index, in the
    order of `Crowd.states`, of the state that is most urgent in that group in that bin; as many as there are states:
    nobody of that group was there yet.
    """

    rows: tuple[str, ...] = ()
    cells: tuple[tuple[int, ...], ...] = ()


class Crowd(_Model):
    """All devices over time. `bins` are where they begin, all of one width; `states` has how many devices are in each
    state at the end of each bin, `requests` how many reached the cloud in it.
    """

    bins: tuple[float, ...] = ()
    states: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    requests: tuple[int, ...] = ()
    heat: Heat = Heat()


# ── the whole ─────────────────────────────────────────────────────────────────────────────────────────────────────


class EntryShown(_Model):
    """An entry of the trace: what a click shows. `text` is it in words, `raw` as it stands in the trace, without the
    members that say nothing.
    """

    at: float
    source: str
    type: str
    text: str
    raw: dict[str, JsonValue]


class PageData(_Model):
    """The whole page.

    `sentence` is the verdict in one short sentence; while it runs, what is going on. `why` is the verdict's own, with
    what shows it, as soon as `sentence` is made of it. `story` is what happened, in up to five sentences. `now` is
    where the axis ends. `facts` are names with values, in order. `things` are all devices up to a hundred, and of more
    those that have lanes; `counts` are of all of them, by state. `flash` is of those that have lanes, too, in order of
    time. `times` and `crowd` are of all of them. `explored` is there of a search, and all else then of one way in it.
    """

    format: Literal[1] = FORMAT
    kind: Kind
    title: str
    about: str
    state: State
    sentence: str
    why: str = ""
    story: tuple[str, ...] = Field((), max_length=5)
    now: float = 0.0
    is_over: bool = False
    axis_note: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    things: tuple[Thing, ...] = ()
    counts: dict[str, int] = Field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    lanes: dict[str, Lane] = Field(default_factory=dict)
    flash: dict[str, tuple[Flash, ...]] = Field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()
    reached: tuple[Place, ...] = ()
    matrix: Matrix | None = None
    explored: Explored | None = None
    times: Times = Times()
    crowd: Crowd | None = None
    entries: dict[str, EntryShown] = Field(default_factory=dict)
    controls: Offered | None = None
