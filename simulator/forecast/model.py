"""What a forecast says, as it stands in `forecast.json`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

ActionName = Literal["wait", "cancel", "cancel-force", "delete-force", "waves"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Band(_Model):
    """A number over all seeds: the least, the one in the middle, the largest; null is never, and larger than all."""

    low: float | None
    middle: float | None
    high: float | None


class Point(_Model):
    """One point of a curve over all seeds; `seconds` after the button was pressed."""

    seconds: float
    low: float
    middle: float
    high: float


class Place(_Model):
    """How many `devices` are `where`: QUEUED, `starting`, in a step by its name, or `ended`."""

    where: str
    devices: int


class Now(_Model):
    """How the fleet stands when the button is pressed.

    `why` says in words which instant that is; `past_no_return` are past their point of no return, in mid-execution.
    `ended` had ended before, by status; `overdue` are IN_PROGRESS for longer than a whole job takes in the scenario,
    so that it is not known where they are: they count as being anywhere in it.
    """

    why: str
    devices: int
    places: tuple[Place, ...]
    past_no_return: int
    ended: dict[str, int]
    overdue: int


class UsedQuotas(_Model):
    """What the forecast reckons with: requests of devices (reads and writes have as many each), calls of each operation
    of the control plane, and how long a deleted job stays.
    """

    requests_per_second: int
    operations_per_second: float
    deletion_seconds: float
    deletion_seconds_per_execution: float


class Alternative(_Model):
    """What comes of one way to go on; counts are of the fleet's executions.

    `deleted_seconds` is how long until the job is gone, null where it stays. A device is healthy once its record has
    ended or is gone, it is done with it, and rests on firmware that is whole; `healthy_p50`, `healthy_p90` and
    `healthy_all` are seconds until so many percent of those that had not ended before are. `never_healthy` were not as
    long as it was played.
    `stranded` were past their point of no return when the service took the execution away; `safe` gave up and take no
    job, `bricked` have nothing whole to boot from. `records` are gone for good, those that had ended among them;
    `undone` is work that was taken back, `kept` runs an update that no record explains. `reads_peak` and `writes_peak`
    are the most requests in any one second, `throttled` those that were refused.
    """

    action: ActionName
    words: str
    things_at_once: int | None
    pause_seconds: float | None
    deleted_seconds: Band | None
    healthy_p50: Band
    healthy_p90: Band
    healthy_all: Band
    never_healthy: Band
    stranded: Band
    safe: Band
    bricked: Band
    records: Band
    undone: Band
    kept: Band
    reads_peak: Band
    writes_peak: Band
    throttled: Band
    is_within_quotas: bool
    healthy_curve: tuple[Point, ...]
    """The part of the executions, from 0 to 1."""
    reads_curve: tuple[Point, ...]
    writes_curve: tuple[Point, ...]
    """Requests a second."""


class TriedWave(_Model):
    """A size of waves, and the most requests in any one second, on any seed that it was played with: a size that is too
    large with the first is played with no other.
    """

    things: int
    reads_peak: int
    writes_peak: int
    is_within_quotas: bool


class WaveSizes(_Model):
    """`largest` is the largest size that was tried and stays within the quotas, or, where waiting does not, asks for no
    more than waiting; null if none does. `is_within_quotas` says which.

    `is_any`: even all of them in one wave do, since the control plane takes so few calls a second.
    """

    largest: int | None
    is_any: bool
    is_within_quotas: bool
    tried: tuple[TriedWave, ...]


class Forecast(_Model):
    """`forecast.json`. `played` devices stand for `now.devices`: what is in `scaled` was multiplied accordingly.

    `assumptions` are sentences: what the forecast takes to be so and cannot know.
    """

    scenario: str
    version: str
    jobs: tuple[str, ...]
    seeds: tuple[int, ...]
    played: int
    scaled: tuple[str, ...]
    now: Now
    quotas: UsedQuotas
    alternatives: tuple[Alternative, ...]
    waves: WaveSizes
    recommendation: str
    assumptions: tuple[str, ...]
