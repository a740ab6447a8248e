"""What whoever plays tells: the controller of deletions, the engine of the run, the probes of a device not ours."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from simulator.trace.cloud_events import ProcessStalled

# ── the controller's and the engine's ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DeletionRequested:
    """The controller asks for a deletion, or for a cancellation; `why` names the trigger that fired."""

    job_id: str
    forced: bool
    why: str
    do: str = "delete-job"
    type: Literal["deletion.requested"] = "deletion.requested"


@dataclass(frozen=True, slots=True)
class DeletionAccepted:
    """The service took it on."""

    job_id: str
    do: str = "delete-job"
    type: Literal["deletion.accepted"] = "deletion.accepted"


@dataclass(frozen=True, slots=True)
class DeletionRefused:
    """The service refused; `retry` says whether the controller will ask again."""

    job_id: str
    code: str
    retry: bool
    type: Literal["deletion.refused"] = "deletion.refused"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A scenario begins. `things` play in it; `bounds` and `must_reach` are the scenario's, as JSON.

    `finish_after_switch` are the things whose owner's policy is to go forward once the boot selector is switched,
    `leap_unanswered` those that pass the point of no return if nobody has answered for so many seconds.
    Where several agents share one thing, `things` has their names, and `shared` for each the thing and its namespace.
    `version` is that of the ghostjob that plays, `started_at` the time of day, in UTC as ISO 8601 has it,
    of a run that had one: in virtual time, the same seed has the same bytes.
    `one_clock`: the devices live in the engine's own process, and tell the time by its clock.
    `jobs` are those of the run if the cloud may have others besides, of earlier runs or made to provoke: what concerns
    those is nothing that this run judges. Empty: all. `are_foreign`: the devices are not ours, give no account of
    themselves, and may use any client id; `step_key` is the key of statusDetails by which they name their steps.
    `tells_presence`: a thing is connected only from when the trace says so; else, one of which it says nothing is.
    `groups` tells who plays in which part, such as good and bad devices side by side. Nobody is judged by it.
    `stands_for` has for how many devices a thing plays, itself among them: for those that are alike. Not named: one.
    `shards` is in how many parts the fleet plays; the things are those of one, and the trace tells of them.
    `versions` has, for each job, what a device runs once that has succeeded, in the words of its probes; several, if
    the job's id is used again for another. A job of which that is not known is not in it.
    """

    scenario: str
    engine: str
    things: tuple[str, ...]
    bounds: dict[str, Any] = field(default_factory=dict)
    must_reach: tuple[dict[str, Any], ...] = ()
    finish_after_switch: tuple[str, ...] = ()
    leap_unanswered: dict[str, float] = field(default_factory=dict)
    shared: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    seed: int | None = None
    version: str | None = None
    started_at: str | None = None
    one_clock: bool = False
    jobs: tuple[str, ...] = ()
    are_foreign: bool = False
    step_key: str = "step"
    tells_presence: bool = False
    versions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    stands_for: dict[str, int] = field(default_factory=dict)
    shards: Annotated[int, Field(exclude_if=lambda count: count == 1)] = 1
    type: Literal["run.started"] = "run.started"

    @property
    def devices(self) -> int:
        """How many there are, with those that are stood for."""
        return sum(self.stands_for.get(name.partition("@")[0], 1) for name in self.things)


@dataclass(frozen=True, slots=True)
class DeviceJoined:
    """Somebody had a further device of ours play, in the same part as the thing `like`, which has been there before.

    Nobody tells anything of it sooner.
    """

    thing: str
    like: str
    why: str
    type: Literal["device.joined"] = "device.joined"


@dataclass(frozen=True, slots=True)
class PaceChanged:
    """From now on the play goes `slow` times slower than it would by itself, or, if `held_at` says where, stands still.

    All times of the trace are those of the play, which are no longer for that. `why` says who wanted it.
    """

    slow: float
    held_at: str = ""
    why: str = ""
    type: Literal["pace.changed"] = "pace.changed"


@dataclass(frozen=True, slots=True)
class PowerCutOff:
    """The engine cut the power of a device that is not ours; `why` names the cut.

    `job_id` is what it had in hand, and `step` the one that it had reported of that, as far as the cloud knew.
    """

    thing: str
    why: str
    job_id: str | None = None
    step: str | None = None
    type: Literal["power.cut"] = "power.cut"


@dataclass(frozen=True, slots=True)
class PowerRestored:
    """The engine gave it its power back."""

    thing: str
    type: Literal["power.restored"] = "power.restored"


@dataclass(frozen=True, slots=True)
class ProcessEnded:
    """The process that a device is ended by itself, and is started again, as whoever looks after it would.

    `why` says how, with the last of what it wrote; `crashed`: by a signal, or with an exit code that is not 0.
    """

    thing: str
    why: str
    crashed: bool
    type: Literal["process.ended"] = "process.ended"


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Nothing more will be played; `why` is `finished`, `timed-out` or `interrupted`.

    `waited_for` says what a run that timed out was waiting for, `missed` what one that finished was to do and never
    came to, each with why: of runs with our own devices, only that for which some of them never came.
    """

    why: Literal["finished", "timed-out", "interrupted"]
    waited_for: str = ""
    missed: tuple[str, ...] = ()
    type: Literal["run.ended"] = "run.ended"


# ── the probes' ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ProbeSampled:
    """What a probe of a device saw that is not ours: whether it is `alive`, and which `version` runs.

    `alive` null: it could not be sampled, which says nothing of the device; `why` says what was wrong. The sample was
    over at the entry's time and took `seconds`: what it shows was so at some instant in those. Only changes are told,
    and one sample in a few seconds besides; until `not_before`, on the same clock, it had been seen as told before.
    """

    thing: str
    probe: str
    alive: bool | None
    version: str | None = None
    why: str = ""
    seconds: float = 0.0
    not_before: float | None = None
    type: Literal["probe.sampled"] = "probe.sampled"


ControllerEvent: TypeAlias = DeletionRequested | DeletionAccepted | DeletionRefused
EngineEvent: TypeAlias = (
    RunStarted | ProcessStalled | DeviceJoined | PaceChanged | PowerCutOff | PowerRestored | ProcessEnded | RunEnded
)
