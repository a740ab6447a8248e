"""What a verdict says, as it stands in `verdict.json`, and which places a run was told to reach."""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from math import ceil
from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from simulator.verdict.explored import Explored

InvariantOutcome: TypeAlias = Literal["held", "violated", "undecided", "not-exercised"]
"""Of one invariant."""

RunOutcome: TypeAlias = Literal["passed", "failed", "inconclusive"]
"""Of a run: an invariant was violated, or else the run could not show what it was to show, or else it passed."""


PlaceName: TypeAlias = Literal[
    "deleted-before-start",
    "deleted-in-step",
    "deleted-before-leap",
    "deleted-after-leap",
    "deleted-after-report-left",
    "deleted-while-offline",
    "deleted-while-rebooting",
    "deleted-while-powerless",
    "deleted-beside-another",
    "deletion-refused",
    "cancelled-in-step",
    "recovered",
    "succeeded",
    "reused-id",
    "stale-update-after-recreation",
    "power-lost-in",
    "power-lost-before-publishing",
    "throttled-while-suspect",
    "failed-in-step",
    "rolled-back",
    "failed-unchanged",
    "told-stale",
    "told-too-early",
    "answer-lost",
    "delivered-twice",
    "announced-after-deletion",
    "heard",
    "heard-absence",
    "never-heard",
    "fault-struck",
]
"""The dangerous places that a run is told to reach: see `simulator.scenario.Place`."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class PlaceToReach(_Model):
    """A `simulator.scenario.Place` with its groups resolved to `things`, as it stands in `run.started`.

    `id` is what reports call it, such as `deleted-in-step fw write`. `devices` `all`: each of `things` must get
    there (so none of none is reached); `any`: at least one.
    """

    id: str
    place: PlaceName
    job: str
    step: str | None = None
    instant: str | None = None
    hint: str | None = None
    fault: str | None = None
    devices: Literal["all", "any"] = "all"
    things: tuple[str, ...] = ()


class _OfOneDevice(_Model):
    thing: str
    job: str | None
    message: str
    events: tuple[str, ...]
    stands_for: int = Field(default=1, exclude_if=lambda devices: devices == 1)
    """How many devices that befell: this one, and those for which it played as well."""


class Violation(_OfOneDevice):
    """One device breaking an invariant; `events` are the ids of the trace entries that show it, in order of cause."""


class Doubt(_OfOneDevice):
    """Why it cannot be said whether one device broke an invariant, and the entries between which that lies."""


class InvariantVerdict(_Model):
    """One invariant over all devices; `opportunities` counts how often it could have been broken."""

    id: str
    outcome: InvariantOutcome
    opportunities: int
    violations: tuple[Violation, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @classmethod
    def of(cls, name: str, opportunities: int, violations: tuple[Violation, ...], doubts: tuple[Doubt, ...]) -> Self:
        """What that comes to: one violation is enough, and then one doubt."""
        outcome: InvariantOutcome = (
            "violated" if violations else "undecided" if doubts else "held" if opportunities else "not-exercised"
        )
        return cls(id=name, outcome=outcome, opportunities=opportunities, violations=violations, doubts=doubts)


class Reached(_Model):
    """How many `devices` reached a place, `of` those that were asked to."""

    id: str
    devices: int
    of: int


class RecoverySeconds(_Model):
    """Nearest-rank percentiles of the seconds from losing a job to being IN_PROGRESS on the next."""

    p50: float
    p90: float
    p99: float
    max: float


def percentiles(seconds: Mapping[float, int]) -> RecoverySeconds | None:
    """Nearest-rank percentiles of how often there was which: the smallest value that at least so many percent do not
    exceed. None of none.
    """
    if not seconds:
        return None
    ordered = sorted(seconds)
    upto = list(accumulate(seconds[each] for each in ordered))

    def rank(percent: int) -> float:
        return ordered[bisect_left(upto, ceil(upto[-1] * percent / 100))]

    return RecoverySeconds(p50=rank(50), p90=rank(90), p99=rank(99), max=ordered[-1])


class Verdict(_Model):
    """`verdict.json`.

    `why` is one sentence, with the thing, the job and the first entry of the trace that shows it. `passed` says of
    `outcome` what scripts ask most. `version` is that of the ghostjob that played, `started_at` when, in UTC as ISO
    8601 has it, and `seconds` how long; each is None if the trace does not tell.

    `recovered` counts the devices that lost a job in mid-execution and went IN_PROGRESS on the next, each time
    there was one. `requests_per_second_peak` is the most requests that reached the cloud within any one second.
    `explored` is there for the explore engine only.
    """

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
    invariants: tuple[InvariantVerdict, ...]
    reached: tuple[Reached, ...]
    recovery_seconds: RecoverySeconds | None
    requests_per_second_peak: int
    explored: Explored | None = None

    @model_serializer(mode="wrap")
    def _without_idle_parts(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        data: dict[str, object] = serialize(self)
        if self.explored is None:
            data.pop("explored", None)
        return data
