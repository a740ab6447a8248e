"""Jobs and executions: states, timers, rollouts, aborts, retries, schedules."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

STATES = "AWS IoT Developer Guide, Jobs and job execution states"
CONFIGURATIONS = "AWS IoT Developer Guide, How job configurations work"
API = "AWS IoT API Reference, CreateJob"

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "device-transitions",
        Section.STATE_MACHINES,
        "documented",
        "From QUEUED and IN_PROGRESS a device sets IN_PROGRESS, SUCCEEDED, FAILED or REJECTED; nothing leads out of a "
        "terminal state.",
        STATES,
    ),
    Claim(
        "snapshot-jobs-complete",
        Section.STATE_MACHINES,
        "documented",
        "A snapshot job is COMPLETED when all its executions are terminal, and never before its rollout is done; a "
        "continuous one never is.",
        STATES,
    ),
    Claim(
        "in-progress-timer",
        Section.STATE_MACHINES,
        "documented",
        "The in-progress timer starts with the first IN_PROGRESS, no update sets it again, and its end is TIMED_OUT.",
        CONFIGURATIONS,
    ),
    Claim(
        "step-timer",
        Section.STATE_MACHINES,
        "documented",
        "Each stepTimeoutInMinutes takes the place of the one before, -1 stops it; the timer that ends first counts.",
        CONFIGURATIONS,
    ),
    Claim(
        "seconds-before-timed-out",
        Section.STATE_MACHINES,
        "documented",
        "approximateSecondsBeforeTimedOut is told while a timer runs, and never of a terminal execution.",
        "AWS IoT API Reference, JobExecution",
    ),
    Claim(
        "time-outs-may-be-late",
        Section.STATE_MACHINES,
        "documented",
        "An execution may be timed out up to a minute after its timer; here it is at once.",
        "AWS IoT API Reference, JobExecution",
        Setting("timeouts_late_seconds", 0.0, ("up to 60: so much later",)),
    ),
    Claim(
        "constant-rollout",
        Section.STATE_MACHINES,
        "documented",
        "With maximumPerMinute that many executions are queued in a minute.",
        CONFIGURATIONS,
    ),
    Claim(
        "exponential-rollout",
        Section.STATE_MACHINES,
        "documented",
        "An exponential rate is the base rate times the factor once for each numberOfNotifiedThings or "
        "numberOfSucceededThings that is reached.",
        CONFIGURATIONS,
    ),
    Claim(
        "at-most-a-thousand-a-minute",
        Section.STATE_MACHINES,
        "documented",
        "No rate is above a thousand a minute.",
        "AWS IoT Developer Guide, AWS IoT Jobs limits",
        Setting("rollout_per_minute", 1000, ("any other number",)),
    ),
    Claim(
        "abort",
        Section.STATE_MACHINES,
        "documented",
        "Once enough executions have ended and the part of them that failed in a criterion's way reaches its "
        "threshold, the job is CANCELED; QUEUED executions are cancelled, those IN_PROGRESS go on.",
        CONFIGURATIONS,
    ),
    Claim(
        "retries",
        Section.STATE_MACHINES,
        "documented",
        "An execution that is FAILED or TIMED_OUT is queued again as often as the criterion of its failure allows.",
        CONFIGURATIONS,
    ),
    Claim(
        "a-retry-has-the-next-number",
        Section.STATE_MACHINES,
        "inferred",
        "A retry is a new execution: its executionNumber is the next, its retryAttempt counts from 1.",
        "AWS IoT API Reference, JobExecutionSummary",
    ),
    Claim(
        "counts-count-executions",
        Section.STATE_MACHINES,
        "observed",
        "jobProcessDetails counts executions, so with retries its numbers may exceed that of things.",
        "boto/boto3#4656",
    ),
    Claim(
        "continuous-targets",
        Section.STATE_MACHINES,
        "documented",
        "A thing that joins a continuous job's group gets an execution; when it leaves, what is pending is REMOVED; "
        "when it comes back it gets a new one.",
        CONFIGURATIONS,
    ),
    Claim(
        "deleted-things",
        Section.STATE_MACHINES,
        "documented",
        "When a thing is deleted, its pending executions become REMOVED.",
        STATES,
        Setting("deleted_thing", "removed", ("stays: they stay as they are, as seen on the live service in 2026",)),
    ),
    Claim(
        "scheduled-jobs",
        Section.STATE_MACHINES,
        "documented",
        "A job with a startTime is SCHEDULED until then; at its endTime it stops its rollout, is cancelled, or is "
        "cancelled by force.",
        "AWS IoT API Reference, SchedulingConfig",
    ),
    Claim(
        "maintenance-windows",
        Section.STATE_MACHINES,
        "documented",
        "A job with maintenance windows is rolled out only while one is open.",
        "AWS IoT API Reference, SchedulingConfig",
    ),
    Claim(
        "times-are-thirty-minutes-apart",
        Section.STATE_MACHINES,
        "documented",
        "A startTime is at least thirty minutes ahead, and an endTime thirty minutes after it.",
        "AWS IoT API Reference, SchedulingConfig",
        Setting("schedule_lead_seconds", 1800.0, ("less: jobs can be scheduled sooner, for a test",)),
    ),
    Claim(
        "presigned-urls-at-delivery",
        Section.STATE_MACHINES,
        "documented",
        "Placeholders of presigned URLs, s3-presigned-url and s3-presigned-url-v2, are replaced each time that the "
        "document is delivered to a device, and stand in what the control plane shows.",
        "AWS IoT Developer Guide, Managing jobs",
    ),
)
