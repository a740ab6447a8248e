"""What AWS does not say, or what a test wants otherwise: the Jobs service's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobsSettings:
    """Defaults follow the documentation where it speaks, and clients' observations where it does not.

    deletion_seconds: how long a deleted job stays DELETION_IN_PROGRESS (on AWS in the order of a minute).
    removal_delay_seconds: between the deletion's start and the removal of the executions' records.
    deletions_at_once: documented, "Only 10 jobs may have status DELETION_IN_PROGRESS at the same time".
    pending_listed: entries in a notify or GetPending answer, documented.
    head_across_namespaces: whether the head of the queue is one per thing, so that a job of another namespace holds
        back this namespace's notify-next (observed: aws-greengrass-lite#1151).
    documented_notify: mirror each list notification to `jobs/JOB/notify-namespace-NS/` too.
    stale_reads_seconds: how long Describe and GetPending may show what was, after the service took something away, and
        how long `$next` and GetPending leave out what was queued (observed by Greengrass, after a notify).
    requests_per_second: the account's quota of reads, and of writes, through the device API (documented: 200 each);
    None for none.
    """

    deletion_seconds: float = 3.0
    removal_delay_seconds: float = 0.0
    deletions_at_once: int = 10
    pending_listed: int = 10
    head_across_namespaces: bool = True
    documented_notify: bool = True
    stale_reads_seconds: float = 0.0
    requests_per_second: int | None = None
