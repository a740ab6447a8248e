"""Notifications: which change publishes which, and what they look like."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

NOTIFICATIONS = "AWS IoT Developer Guide, Jobs notifications"

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "what-each-event-publishes",
        Section.NOTIFICATIONS,
        "documented",
        "notify follows when an execution is added to or removed from the pending list, notify-next when another one, "
        "or none, becomes the head; neither when a listed one merely changes.",
        NOTIFICATIONS,
    ),
    Claim(
        "payload-of-notify",
        Section.NOTIFICATIONS,
        "documented",
        'notify has the keys IN_PROGRESS and QUEUED only if there are such executions; an empty list is "jobs":{}.',
        NOTIFICATIONS,
    ),
    Claim(
        "payload-of-notify-next",
        Section.NOTIFICATIONS,
        "documented",
        "notify-next carries the head with its document, and no key execution if there is none.",
        NOTIFICATIONS,
    ),
    Claim(
        "in-progress-before-queued",
        Section.NOTIFICATIONS,
        "documented",
        "The order of a queue is: IN_PROGRESS before QUEUED, then by queue time.",
        NOTIFICATIONS,
    ),
    Claim(
        "a-retry-is-told-as-a-new-execution",
        Section.NOTIFICATIONS,
        "inferred",
        "An execution that is queued again is told as any new one is, after the end of the one before.",
        NOTIFICATIONS,
    ),
    Claim(
        "ten-are-listed",
        Section.NOTIFICATIONS,
        "documented",
        "A list holds ten executions at most.",
        "AWS IoT Developer Guide, AWS IoT Jobs limits",
        Setting("pending_listed", 10, ("any other number",)),
    ),
    Claim(
        "fifteen-are-listed-in-a-window",
        Section.NOTIFICATIONS,
        "documented",
        "While a maintenance window of a listed job is open, a list holds fifteen at most.",
        "AWS IoT Developer Guide, AWS IoT Jobs limits",
        Setting("pending_listed_in_window", 15, ("any other number",)),
    ),
    Claim(
        "reads-may-lag-behind",
        Section.NOTIFICATIONS,
        "observed",
        "Reads show a change at once; the live service's may not, and $next may leave out what notify announced.",
        "aws-greengrass-nucleus, IotJobsHelper.java",
        Setting("stale_reads_seconds", 0.0, ("more than 0: for so long reads show what was before",)),
    ),
)
