"""The device API over MQTT: requests, answers, error codes."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

MQTT = "AWS IoT Developer Guide, Jobs device MQTT API"
ERRORS = "AWS IoT Developer Guide, Jobs device MQTT API, ErrorResponse"

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "start-next-starts-the-head",
        Section.DEVICE_API,
        "documented",
        "StartNext makes the execution at the head IN_PROGRESS, with startedAt, the given statusDetails and the next "
        "versionNumber, and answers with its document.",
        MQTT,
    ),
    Claim(
        "start-next-again-changes-nothing",
        Section.DEVICE_API,
        "documented",
        "If the head is IN_PROGRESS already, StartNext answers with it unchanged; its statusDetails are not updated.",
        MQTT,
    ),
    Claim(
        "nothing-pending-has-no-execution",
        Section.DEVICE_API,
        "observed",
        "If nothing is pending, StartNext and Describe of $next are accepted with timestamp and clientToken alone.",
        "aws/amazon-freertos#3368",
    ),
    Claim(
        "an-update-is-a-version",
        Section.DEVICE_API,
        "documented",
        "Every accepted update makes versionNumber one higher, from 1; answers carry executionState and jobDocument "
        "only if asked for.",
        MQTT,
    ),
    Claim(
        "details-are-replaced-whole",
        Section.DEVICE_API,
        "inferred",
        "statusDetails of an update take the place of all that were there; without any they stay.",
        MQTT,
    ),
    Claim(
        "expected-version-may-be-text",
        Section.DEVICE_API,
        "observed",
        "expectedVersion is understood as a number and as a decimal string.",
        "Jobs-for-AWS-IoT-embedded-sdk, source/include/jobs.h",
    ),
    Claim(
        "rejected-codes",
        Section.DEVICE_API,
        "documented",
        "Each refusal has its code, and executionState only with InvalidStateTransition and VersionMismatch.",
        ERRORS,
    ),
    Claim(
        "version-is-checked-before-the-transition",
        Section.DEVICE_API,
        "inferred",
        "Checks come in the order topic, JSON, fields, existence, expectedVersion, transition.",
        ERRORS,
    ),
    Claim(
        "statuses-of-the-service-are-no-transition",
        Section.DEVICE_API,
        "observed",
        "A device that sets QUEUED, CANCELED, TIMED_OUT or REMOVED is refused with InvalidStateTransition.",
        "measurements of another emulator's author against the live service, 2026",
        Setting("forbidden_status", "InvalidStateTransition", ("InvalidRequest: so the enum of the API suggests",)),
    ),
    Claim(
        "ten-details",
        Section.DEVICE_API,
        "documented",
        "statusDetails of more than ten pairs are refused with InvalidRequest.",
        "AWS IoT Limits (2019)",
        Setting("details", 10, ("fewer: that many pairs",)),
    ),
    Claim(
        "length-of-a-detail",
        Section.DEVICE_API,
        "documented",
        "A value of statusDetails of more than 1024 characters is refused with InvalidRequest.",
        "AWS IoT API Reference, JobExecution",
        Setting("detail_length", 1024, ("128: the limit of 2019",)),
    ),
)
