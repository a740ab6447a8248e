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
        "steps-of-a-force-delete",
        Section.FORCE_DELETE,
        "documented",
        "The job is DELETION_IN_PROGRESS first, then each execution's record goes and the device is told, then the job "
        "goes; the events deletion_in_progress, deleted of each execution and deleted of the job come in this order.",
        "AWS IoT Developer Guide, Jobs and job execution states; Jobs events",
    ),
    Claim(
        "after-a-force-delete-nothing-is-found",
        Section.FORCE_DELETE,
        "inferred",
        "When its record is gone, Describe and Update of the execution get ResourceNotFound without executionState, "
        "expectedVersion or not; $next, StartNext and GetPending know nothing of it.",
        "AWS IoT Developer Guide, Device workflow; ErrorResponse defines the code",
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
    Claim(
        "the-window-can-be-stretched-for-a-job",
        Section.FORCE_DELETE,
        "inferred",
        "How long the records outlast the beginning of the deletion can be said for jobs whose id matches a pattern, "
        "and for one by its tag ghostjob:removal-delay-seconds.",
        "AWS IoT Developer Guide, Jobs and job execution states: it gives the order, not the moment",
        Setting("removal_delays", (), ("pairs of a pattern and seconds: the first that matches counts",)),
    ),
    Claim(
        "between-deletion-and-removal",
        Section.FORCE_DELETE,
        "inferred",
        "Between the beginning of the deletion and the removal of its record an execution answers as if it were gone.",
        "AWS CLI Command Reference, iot delete-job: a device is then unable to access it",
        Setting(
            "while_deleting",
            "gone",
            (
                "reads-answer: it is described, but updates find nothing",
                "answers: it is described and updated as before, though no list shows it",
                "answers-and-lists: and the lists and $next show it too",
                "terminal: TerminalStateReached to Describe, InvalidStateTransition, with REMOVED, to Update",
            ),
        ),
    ),
    Claim(
        "six-removals-compared",
        Section.FORCE_DELETE,
        "documented",
        "After a deletion Describe and Update find nothing; after a cancellation, a removal from the targets or a "
        "time-out Describe gets TerminalStateReached and Update InvalidStateTransition with the status. The "
        "notifications are the same.",
        "AWS IoT Developer Guide, Jobs notifications; ErrorResponse",
    ),
)
