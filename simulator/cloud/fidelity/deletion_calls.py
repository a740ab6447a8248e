"""The control plane's two deletions: what each may delete, and how it refuses."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

DELETE_JOB = "AWS CLI Command Reference, iot delete-job"
DELETE_EXECUTION = "AWS IoT API Reference, DeleteJobExecution"

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "delete-job-without-force",
        Section.CONTROL_PLANE,
        "documented",
        "Without force a job is deleted only if it is COMPLETED or CANCELED, else InvalidStateTransitionException.",
        DELETE_JOB,
    ),
    Claim(
        "delete-job-with-force",
        Section.CONTROL_PLANE,
        "documented",
        "With force a job that is IN_PROGRESS is deleted with all its executions, in whatever state.",
        DELETE_JOB,
    ),
    Claim(
        "scheduled-jobs-need-force",
        Section.CONTROL_PLANE,
        "inferred",
        "A SCHEDULED job is deleted only with force.",
        DELETE_JOB,
    ),
    Claim(
        "deleting-a-job-twice",
        Section.CONTROL_PLANE,
        "documented",
        "Deleting a job that is DELETION_IN_PROGRESS results in an error, whose name is not documented.",
        DELETE_JOB,
        Setting("deleting_again", "InvalidStateTransition", ("InvalidRequest: and any other error of DeleteJob",)),
    ),
    Claim(
        "cancelling-a-job-that-is-being-deleted",
        Section.CONTROL_PLANE,
        "documented",
        "Cancelling a job that is DELETION_IN_PROGRESS results in an error, whose name is not documented.",
        DELETE_JOB,
        Setting("cancelling_deleted", "InvalidRequest", ("InvalidStateTransition: which CancelJob's model lacks",)),
    ),
    Claim(
        "ten-deletions-at-once",
        Section.CONTROL_PLANE,
        "documented",
        "Ten jobs may be DELETION_IN_PROGRESS at a time, whatever their namespaces; the next gets "
        "LimitExceededException.",
        DELETE_JOB,
        Setting("deletions_at_once", 10, ("fewer: as if others in the account deleted too",)),
    ),
    Claim(
        "unknown-jobs-are-not-found",
        Section.CONTROL_PLANE,
        "documented",
        "Deleting a job that does not exist gets ResourceNotFoundException.",
        DELETE_JOB,
    ),
    Claim(
        "job-id-is-free-afterwards",
        Section.CONTROL_PLANE,
        "documented",
        "A job id can be used again when its deletion is complete, and not before.",
        DELETE_JOB,
    ),
    Claim(
        "deletions-last",
        Section.CONTROL_PLANE,
        "inferred",
        "A job stays DELETION_IN_PROGRESS for a while however few its executions are; on AWS for about a minute.",
        "aws-greengrass-lite#1144: wait at least one minute",
        Setting("deletion_seconds", 3.0, ("0 to 86400: so many seconds",)),
    ),
    Claim(
        "deletions-last-longer-the-more-executions-there-are",
        Section.CONTROL_PLANE,
        "documented",
        "How long a job stays DELETION_IN_PROGRESS depends on the number of its executions.",
        DELETE_JOB,
        Setting("deletion_seconds_per_execution", 0.001, ("0 to 86400: so many seconds more for each",)),
    ),
    Claim(
        "another-namespace-does-not-find-it",
        Section.CONTROL_PLANE,
        "inferred",
        "A namespaced job that is addressed without its namespaceId, or with another, is not found.",
        DELETE_JOB,
        Setting("wrong_namespace", "ResourceNotFound", ("InvalidRequest: the other candidate",)),
    ),
    Claim(
        "delete-execution-without-force",
        Section.CONTROL_PLANE,
        "documented",
        "Without force an execution is deleted unless IN_PROGRESS, which gets InvalidStateTransitionException.",
        "AWS IoT Developer Guide, Create and manage jobs by using the AWS CLI",
    ),
    Claim(
        "queued-executions-need-no-force",
        Section.CONTROL_PLANE,
        "documented",
        "A QUEUED execution is deleted without force; the API reference, unlike the guide, names terminal ones only.",
        "AWS IoT Developer Guide, Create and manage jobs by using the AWS CLI",
        Setting("queued_deletion_needs_force", False, ("true: as the API reference has it",)),
    ),
    Claim(
        "wrong-execution-numbers-are-not-found",
        Section.CONTROL_PLANE,
        "inferred",
        "DeleteJobExecution with a number that the thing's execution does not have gets ResourceNotFoundException.",
        DELETE_EXECUTION,
    ),
    Claim(
        "deleted-executions-do-not-count",
        Section.CONTROL_PLANE,
        "documented",
        "A deleted execution is gone from the job's counts; the job stays, and a snapshot job whose last pending one "
        "it was is COMPLETED.",
        "AWS IoT Developer Guide, How job configurations work",
    ),
    Claim(
        "a-hundred-targets",
        Section.CONTROL_PLANE,
        "documented",
        "A job has at most a hundred targets.",
        "AWS IoT Developer Guide, AWS IoT Jobs limits",
        Setting("targets", 100, ("null: any number, as in scenarios",)),
    ),
    Claim(
        "a-document-of-32-kilobytes",
        Section.CONTROL_PLANE,
        "documented",
        "A job document has at most 32768 bytes.",
        "AWS IoT Developer Guide, AWS IoT Jobs limits",
        Setting("document_bytes", 32_768, ("less: for a test",)),
    ),
    Claim(
        "a-document-of-a-hundred-levels",
        Section.CONTROL_PLANE,
        "inferred",
        "Arrays and objects of a job document stand at most 100 deep in one another; AWS states no limit.",
        "AWS IoT Core quotas: 8 levels for device shadows; coreJSON: JSON_MAX_DEPTH is 32",
        Setting("document_depth", 100, ("less: for a device that reads less", "up to 500: to see what a device does")),
    ),
    Claim(
        "active-jobs",
        Section.CONTROL_PLANE,
        "inferred",
        "Any number of jobs may be IN_PROGRESS; AWS has a quota for snapshot jobs and one for continuous ones.",
        "AWS IoT Limits (2019): 100 each, more today",
        Setting("active_jobs", None, ("a number: one more gets LimitExceededException",)),
    ),
)
