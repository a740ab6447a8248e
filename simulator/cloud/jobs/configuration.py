"""How a job is to be rolled out, aborted, timed, retried, scheduled: CreateJob's configurations as frozen values.

They come parsed and within the bounds of AWS's model (API reference, CreateJob); None or () is what was not given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from agent.values import JobDocument

FailureType: TypeAlias = Literal["FAILED", "TIMED_OUT", "REJECTED", "ALL"]
EndBehavior: TypeAlias = Literal["STOP_ROLLOUT", "CANCEL", "FORCE_CANCEL"]
Presign: TypeAlias = Callable[[JobDocument, float, int], JobDocument]
"""Puts URLs in the place of a document's placeholders, as it is delivered at that time; they hold so many seconds."""


@dataclass(frozen=True, slots=True)
class ExponentialRate:
    """So many a minute at first, and `increment_factor` times as many each time that another so many are reached.

    Of `per_notified` and `per_succeeded` exactly one is set.
    """

    base_per_minute: int
    increment_factor: float
    per_notified: int | None = None
    per_succeeded: int | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """How many executions are queued in a minute at most: always as many, or more and more."""

    maximum_per_minute: int | None = None
    exponential: ExponentialRate | None = None


@dataclass(frozen=True, slots=True)
class AbortCriterion:
    """The job is cancelled once, of at least `min_executed` executions that ended, this part failed in this way."""

    failure_type: FailureType
    threshold_percentage: float
    min_executed: int


@dataclass(frozen=True, slots=True)
class RetryCriterion:
    """A thing's execution that fails in this way is queued again, so many times; ALL is FAILED and TIMED_OUT."""

    failure_type: FailureType
    retries: int


@dataclass(frozen=True, slots=True)
class PresignedUrls:
    """How long the URLs hold that take the place of a document's placeholders; the role is only shown again."""

    role_arn: str | None = None
    expires_seconds: int = 3600


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """`cron` as AWS writes it, six fields in UTC, with or without `cron(…)` around them."""

    cron: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job begins and ends, in epoch seconds; None: at once, and never.

    `start_text` and `end_text` are what was given, to be shown again.
    """

    start_at: float | None = None
    end_at: float | None = None
    end_behavior: EndBehavior | None = None
    windows: tuple[MaintenanceWindow, ...] = ()
    start_text: str | None = None
    end_text: str | None = None


@dataclass(frozen=True, slots=True)
class JobUpdate:
    """What UpdateJob changes; None leaves it as it is."""

    description: str | None = None
    presigned_urls: PresignedUrls | None = None
    rollout: Rollout | None = None
    abort: tuple[AbortCriterion, ...] | None = None
    timeout_minutes: int | None = None
    retries: tuple[RetryCriterion, ...] | None = None
