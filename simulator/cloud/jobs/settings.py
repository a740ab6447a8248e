"""What AWS does not say, or what a test wants otherwise: the Jobs service's settings.

Defaults follow the documentation where it speaks, and clients' observations where it does not.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal, TypeAlias

from simulator.cloud.jobs.errors import ErrorKind

WhileDeleting: TypeAlias = Literal["gone", "reads-answer", "answers", "answers-and-lists", "terminal"]
DocumentedNotify: TypeAlias = Literal["none", "added", "added-and-removed"]

SECONDS: Final = {"ge": 0, "le": 86_400}
COUNT: Final = {"ge": 1}
"""Bounds of what comes in as JSON: pydantic reads them, and nobody here needs pydantic."""


@dataclass(frozen=True, slots=True)
class JobsSettings:
    """Each setting once, with its default: the core's, `ghostjob cloud --settings`' and a scenario's `cloud`.

    Deletion.

    deletion_seconds, deletion_seconds_per_execution: how long a deleted job stays DELETION_IN_PROGRESS at least, and so
        much longer for each of its executions (documented: it "can take time, depending on the number of job
        executions"; on AWS in the order of a minute).
    removal_delay_seconds: between the deletion's start and the removal of the executions' records.
    removals_per_second: how fast they go then, one after the other (undocumented); None: as fast as it may.
    removal_delays: the same for the jobs whose id matches a pattern such as `fw-*`; the first that matches counts.
    while_deleting: what a device meets that asks for an execution by its job's id before its record is removed
        (undocumented): `gone`, nothing; `reads-answer`, a description, but updates find nothing; `answers`, all as
        before; `answers-and-lists`, and the lists and `$next` show it too; `terminal`, what one answers that is
        REMOVED.
    deletions_at_once: documented, "Only 10 jobs may have status DELETION_IN_PROGRESS at the same time".
    deleting_again, cancelling_deleted: the error for a job that is DELETION_IN_PROGRESS (undocumented which).
    wrong_namespace: the error for a namespaceId that is not the job's (undocumented).
    queued_deletion_needs_force: whether DeleteJobExecution of a QUEUED one does (the Developer Guide says that it does
        not, the API reference that it does).

    Notifications.

    pending_listed, pending_listed_in_window: entries in a notify or GetPending answer, and while a maintenance window
        is open, documented.
    head_across_namespaces: whether the head of the queue is one per thing, so that a job of another namespace holds
        back this namespace's notify-next (observed: aws-greengrass-lite#1151).
    documented_notify: when to publish to `jobs/JOB/notify-namespace-NS/`, which is documented and used by no client.
    documented_payload: what is published there, the list or the head (undocumented).
    aws_namespaces_reserved: whether customers are refused namespaces that begin with `aws-` (observed).

    Devices.

    forbidden_status: the error for a device that sets what only the service sets (observed; the other is inferred).
    timeouts_late_seconds: how long after its timer an execution becomes TIMED_OUT (documented: up to 60 s).
    deleted_thing: whether the executions of a deleted thing become REMOVED (documented), or stay (observed).
    details: pairs in statusDetails.
    detail_length: characters of one value (2019: 128).
    stale_reads_seconds: how long Describe and GetPending may show what was, after the service took something away, and
        how long `$next` and GetPending leave out what was queued (observed by Greengrass, after a notify).
    requests_per_second: the account's quota of reads, and of writes, through the device API (documented: 200 each);
        None for none.

    Jobs.

    targets, document_bytes, placeholders, retries, rollout_per_minute: documented quotas of one job; targets of None:
        any number.
    document_depth: how deep arrays and objects may stand in one another in a job document. AWS states no limit (its
        device shadows have 8 levels); devices have one: coreJSON reads 32 levels, many others some hundred.
    active_jobs: snapshot jobs, and continuous ones, that may be IN_PROGRESS (100 in 2019, more today); None: any.
    schedule_lead_seconds: how far ahead a start time must be, and the end after it (documented: 30 minutes).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}  # they also come in as JSON

    deletion_seconds: float = field(default=3.0, metadata=SECONDS)
    deletion_seconds_per_execution: float = field(default=0.001, metadata=SECONDS)
    removal_delay_seconds: float = field(default=0.0, metadata=SECONDS)
    removals_per_second: int | None = field(default=None, metadata=COUNT)
    removal_delays: tuple[tuple[str, float], ...] = ()
    while_deleting: WhileDeleting = "gone"
    deletions_at_once: int = field(default=10, metadata={"ge": 1, "le": 10})
    deleting_again: ErrorKind = "InvalidStateTransition"
    cancelling_deleted: ErrorKind = "InvalidRequest"
    wrong_namespace: ErrorKind = "ResourceNotFound"
    queued_deletion_needs_force: bool = False

    pending_listed: int = field(default=10, metadata=COUNT)
    pending_listed_in_window: int = field(default=15, metadata=COUNT)
    head_across_namespaces: bool = True
    documented_notify: DocumentedNotify = "added-and-removed"
    documented_payload: Literal["list", "next"] = "list"
    aws_namespaces_reserved: bool = True

    forbidden_status: Literal["InvalidStateTransition", "InvalidRequest"] = "InvalidStateTransition"
    timeouts_late_seconds: float = field(default=0.0, metadata=SECONDS)
    deleted_thing: Literal["removed", "stays"] = "removed"
    details: int = field(default=10, metadata={"ge": 1, "le": 10})
    detail_length: int = field(default=1024, metadata={"ge": 1, "le": 1024})
    stale_reads_seconds: float = field(default=0.0, metadata=SECONDS)
    requests_per_second: int | None = field(default=200, metadata=COUNT)

    targets: int | None = field(default=100, metadata=COUNT)
    document_bytes: int = field(default=32_768, metadata=COUNT)
    document_depth: int = field(default=100, metadata={"ge": 1, "le": 500})
    placeholders: int = field(default=10, metadata={"ge": 0})
    retries: int = field(default=10, metadata={"ge": 0})
    rollout_per_minute: int = field(default=1000, metadata=COUNT)
    active_jobs: int | None = field(default=None, metadata=COUNT)
    schedule_lead_seconds: float = field(default=1800.0, metadata=SECONDS)
