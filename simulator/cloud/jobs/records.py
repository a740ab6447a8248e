"""What the Jobs service remembers: jobs and their executions, as small frozen records."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, TypeAlias

from agent.values import Execution, ExecutionKey, JobDocument, Status, StatusDetails
from simulator.cloud.jobs.configuration import AbortCriterion, PresignedUrls, RetryCriterion, Rollout, Schedule

JobAge: TypeAlias = tuple[float, str]
"""When a job was created, and its id."""


class JobStatus(StrEnum):
    """The states of a job (AWS IoT Developer Guide, "Jobs and job execution states")."""

    IN_PROGRESS = "IN_PROGRESS"
    CANCELED = "CANCELED"
    COMPLETED = "COMPLETED"
    SCHEDULED = "SCHEDULED"
    DELETION_IN_PROGRESS = "DELETION_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class NewJob:
    """What CreateJob asks for; `things` are the targets' things, `targets` the ARNs as given."""

    job_id: str
    things: tuple[str, ...]
    document: JobDocument
    targets: tuple[str, ...] = ()
    document_source: str | None = None
    description: str | None = None
    namespace_id: str | None = None
    target_selection: str = "SNAPSHOT"
    config: tuple[tuple[str, str], ...] = ()
    """Members that are kept only to be shown again, each as JSON text."""
    rollout: Rollout | None = None
    abort: tuple[AbortCriterion, ...] = ()
    timeout_minutes: int | None = None
    """How long an execution may be IN_PROGRESS."""
    retries: tuple[RetryCriterion, ...] = ()
    presigned_urls: PresignedUrls | None = None
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One job; times are epoch seconds. What is due is done by `tick`, and then None again."""

    new: NewJob
    status: JobStatus
    created_at: float
    last_updated_at: float
    completed_at: float | None = None
    force_canceled: bool = False
    reason_code: str | None = None
    comment: str | None = None
    more_targets: tuple[str, ...] = ()
    """ARNs that AssociateTargetsWithJob added."""
    more_things: tuple[str, ...] = ()
    """Things that came after the creation, and have to wait for their turn as those of `new` have."""
    skipped: tuple[str, ...] = ()
    """In records of earlier versions, what `skipped_turns` says, by the names of things."""
    rolled_out: int = 0
    """How many of `new.things` and then `more_things` have had their turn."""
    rollout_due: float | None = None
    """When the next of them have theirs."""
    is_stopped: bool = False
    """Whether its end time has come, and nobody else has a turn."""
    is_cancelling: bool = False
    """Whether executions are left to be cancelled."""
    removal_due: float | None = None
    """When the executions' records begin to go, while DELETION_IN_PROGRESS."""
    is_emptied: bool = False
    """Whether the last record is gone."""
    gone_due: float | None = None
    """When the job itself goes, if its records are gone by then."""
    force_deleted: bool = False
    """Whether its deletion was asked for with force."""
    skipped_turns: bytes = b""
    """Which turns nobody has, because their things are no targets any more: a bit each (see `rollout_order`)."""

    @property
    def job_id(self) -> str:
        """Its id, unique in the account while it exists."""
        return self.new.job_id

    @property
    def age(self) -> JobAge:
        """Its place among all jobs, the oldest first."""
        return self.created_at, self.new.job_id

    @property
    def namespace_id(self) -> str | None:
        """The namespace that its notifications go to."""
        return self.new.namespace_id

    @property
    def targets(self) -> tuple[str, ...]:
        """Every ARN that it is for."""
        return self.new.targets + self.more_targets

    @property
    def is_continuous(self) -> bool:
        """Whether things that join its targets later are for it too."""
        return self.new.target_selection == "CONTINUOUS"

    @property
    def is_followed(self) -> bool:
        """Whether it still comes to things that join its targets, and goes from those that leave them."""
        is_active = self.status in (JobStatus.IN_PROGRESS, JobStatus.SCHEDULED)
        return self.is_continuous and is_active and not self.is_stopped

    @property
    def things_in_all(self) -> int:
        """How many have a turn, or had one."""
        return len(self.new.things) + len(self.more_things)

    @property
    def is_rolled_out(self) -> bool:
        """Whether everything that it was made for has had its turn."""
        return self.rolled_out >= self.things_in_all

    @property
    def is_rolling_out(self) -> bool:
        """Whether there are things whose turn is still to come."""
        return self.status in (JobStatus.IN_PROGRESS, JobStatus.SCHEDULED) and not self.is_rolled_out

    def turns(self, first: int, until: int) -> tuple[str, ...]:
        """The things whose turns have these places, `until` left out."""
        new = len(self.new.things)
        return self.new.things[first:until] + self.more_things[max(0, first - new) : max(0, until - new)]

    @property
    def due(self) -> float | None:
        """When something is to be done about it next; what is under way already does not count."""
        match self.status:
            case JobStatus.DELETION_IN_PROGRESS if self.removal_due is not None:
                return self.removal_due
            case JobStatus.DELETION_IN_PROGRESS:
                return self.gone_due if self.is_emptied else None
            case JobStatus.SCHEDULED | JobStatus.IN_PROGRESS:
                end_at = None if self.new.schedule is None or self.is_stopped else self.new.schedule.end_at
                return min((due for due in (self.rollout_due, end_at) if due is not None), default=None)
            case _:
                return None


@dataclass(frozen=True, slots=True)
class News:
    """A thing joined the targets of these jobs, or left them."""

    what: Literal["joined", "left"]
    job_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThingNews:
    """What of a thing its jobs are still to learn, in this order."""

    thing: str
    news: tuple[News, ...]


@dataclass(frozen=True, slots=True)
class Rare:
    """What few executions have: it stands apart, so that the many stay small.

    `failed_retries` and `timed_out_retries`: how many earlier ones of this thing failed so and were queued again.
    """

    force_canceled: bool = False
    failed_retries: int = 0
    timed_out_retries: int = 0
    in_progress_due: float | None = None
    step_due: float | None = None

    @property
    def due(self) -> float | None:
        """When the execution times out: the sooner of its two timers."""
        if self.step_due is None or self.in_progress_due is None:
            return self.in_progress_due if self.step_due is None else self.step_due
        return min(self.step_due, self.in_progress_due)


COMMON = Rare()


@dataclass(frozen=True, slots=True)
class JobExecution:
    """One job on one thing; `serial` orders executions that were queued within the same second."""

    thing: str
    key: ExecutionKey
    serial: int
    status: Status
    version_number: int
    last_updated_at: float
    queued_at: float
    started_at: float | None = None
    status_details: StatusDetails = ()
    rare: Rare | None = None

    @property
    def force_canceled(self) -> bool:
        """Whether it was cancelled by force."""
        return self.rare is not None and self.rare.force_canceled

    @property
    def retry_attempt(self) -> int:
        """How many earlier executions of this job on this thing failed, and were queued again."""
        return 0 if self.rare is None else self.rare.failed_retries + self.rare.timed_out_retries

    @property
    def due(self) -> float | None:
        """Epoch second at which it times out; None while no timer runs."""
        return None if self.rare is None else self.rare.due

    def seconds_left(self, now: float) -> int | None:
        """approximateSecondsBeforeTimedOut; None while no timer runs."""
        return None if self.rare is None or (due := self.rare.due) is None else max(0, int(due - now))

    def canceled_by_force(self) -> "JobExecution":
        """The same, marked as cancelled by force."""
        return replace(self, rare=replace(self.rare or COMMON, force_canceled=True))

    def told(self, document: JobDocument | None = None, now: float | None = None) -> Execution:
        """As it stands in a message to a device; in a list, which says nothing of timers, without `now`."""
        return Execution(
            self.key,
            self.status,
            self.version_number,
            int(self.last_updated_at),
            None if self.started_at is None else int(self.started_at),
            self.status_details,
            document,
            None if self.rare is None or now is None else self.seconds_left(now),
        )
