"""Force delete, and how it differs from other removals."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

CLAIMS: Final = (
    Claim(
        "force-deleted-execution-is-removed",
        Section.FORCE_DELETE,
        "documented",
        "An execution that is force-deleted while IN_PROGRESS is removed, not moved to a terminal state; the device "
        "sees only its absence in notify and notify-next.",
        "AWS IoT Developer Guide, Jobs notifications",
    ),
    Claim(
        "deletion-removes-records-at-once",
        Section.FORCE_DELETE,
        "inferred",
        "For the device an execution is gone as soon as the deletion of its job began, though the job itself stays "
        "DELETION_IN_PROGRESS for a while.",
        "AWS IoT Developer Guide, Jobs and job execution states: it gives the order, not the moment",
        Setting("removal_delay_seconds", 0.0, ("more than 0: so much later the executions' records go",)),
    ),
)
