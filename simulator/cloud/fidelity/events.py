"""Events and quotas."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

EVENTS = "AWS IoT Developer Guide, Jobs events"

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "events-are-opt-in",
        Section.EVENTS_AND_QUOTAS,
        "documented",
        "Job and job-execution events are published only if their kind is enabled.",
        EVENTS,
    ),
    Claim(
        "job-events",
        Section.EVENTS_AND_QUOTAS,
        "documented",
        "A job's completion, and the beginning and end of cancellation and deletion, are told on $aws/events/job/JOB.",
        EVENTS,
    ),
    Claim(
        "execution-events",
        Section.EVENTS_AND_QUOTAS,
        "documented",
        "An execution's end in each terminal state is told on $aws/events/jobExecution/JOB, with its thing and "
        "statusDetails.",
        EVENTS,
    ),
    Claim(
        "event-of-a-deleted-execution",
        Section.EVENTS_AND_QUOTAS,
        "inferred",
        "The removal of an execution's record is told on $aws/events/jobExecution/JOB/deleted, with its last status.",
        "AWS IoT Developer Guide, Jobs events: it lists the topic, and no payload",
    ),
    Claim(
        "reads-and-writes-a-second",
        Section.EVENTS_AND_QUOTAS,
        "documented",
        "An account's reads, and its writes, through the device API are throttled above 200 a second each.",
        "AWS IoT Device Management endpoints and quotas",
        Setting("requests_per_second", 200, ("null: any number, as in scenarios", "a number: that many")),
    ),
    Claim(
        "ten-retries",
        Section.EVENTS_AND_QUOTAS,
        "documented",
        "A job has at most ten retries a thing, all criteria together.",
        "AWS IoT Developer Guide, AWS IoT Jobs limits",
        Setting("retries", 10, ("fewer: for a test",)),
    ),
    Claim(
        "ten-placeholders",
        Section.EVENTS_AND_QUOTAS,
        "documented",
        "A job document has at most ten placeholders of presigned URLs.",
        "AWS IoT Limits (2019)",
        Setting("placeholders", 10, ("fewer: for a test",)),
    ),
    Claim(
        "texts-and-pages-have-the-documented-bounds",
        Section.EVENTS_AND_QUOTAS,
        "documented",
        "A description and a comment have at most 2028 characters, a reason code 128, a page 1 to 250 entries.",
        "AWS IoT Limits (2019); service model of iot",
    ),
)
