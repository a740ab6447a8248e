"""The device API over MQTT: requests, answers, error codes."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

MQTT = "AWS IoT Developer Guide, Jobs device MQTT API"
ERRORS = "AWS IoT Developer Guide, Jobs device MQTT API, ErrorResponse"

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "an-empty-payload-is-an-empty-request",
        Section.DEVICE_API,
        "observed",
        "A request without a payload is answered as one with {}.",
        "Jobs-for-AWS-IoT-embedded-sdk demo: it publishes an empty message to start-next",
    ),
    Claim(
        "client-token-comes-back",
        Section.DEVICE_API,
        "documented",
        "clientToken comes back in the answer as it was sent, whether accepted or rejected; without one there is none.",
        f"{MQTT}; that the key is absent then is inferred",
    ),
    Claim(
        "device-times-are-whole-seconds",
        Section.DEVICE_API,
        "observed",
        "Every answer has a timestamp; it and all times of executions are whole seconds.",
        "aws/amazon-freertos#3368; rustot, src/jobs/data_types.rs; ministackorg/ministack#1584",
    ),
    Claim(
        "unknown-members-of-requests-are-ignored",
        Section.DEVICE_API,
        "observed",
        "Members that a request does not have are ignored.",
        "aws-greengrass-lite iot_jobs_listener.c: it sends jobId and thingName with Describe",
    ),
    Claim(
        "an-execution-shows-what-it-has",
        Section.DEVICE_API,
        "observed",
        "An execution over MQTT has its document as an object and no thingName, statusDetails once any were set, "
        "startedAt once it was IN_PROGRESS; versionNumber and executionNumber begin at 1.",
        "rustot, src/jobs/data_types.rs: captured payloads; ministackorg/ministack#1598",
    ),
    Claim(
        "documents-arrive-as-they-were-written",
        Section.DEVICE_API,
        "inferred",
        "A job document reaches a device as CreateJob was given it: the same text, put among the members of a payload, "
        "with URLs in the place of their placeholders.",
        "AWS does not say; members that were null have been left out on the live service, a fix was announced: "
        "aws/aws-iot-device-sdk-python#163, aws/aws-iot-device-sdk-python-v2#597",
    ),
    Claim(
        "what-is-told-beside-a-document-arrives-as-it-was-written",
        Section.DEVICE_API,
        "inferred",
        "statusDetails, descriptions, comments and tags come back as they were given, in the same order.",
        "AWS does not say",
    ),
    Claim(
        "what-is-no-utf-8-json-is-invalid-json",
        Section.DEVICE_API,
        "documented",
        "A request that is not UTF-8 JSON is refused with InvalidJson, also for NaN or half a surrogate pair in it.",
        ERRORS,
    ),
    Claim(
        "pending-has-both-lists",
        Section.DEVICE_API,
        "observed",
        "GetPending is answered with both lists, empty ones too, of summaries without status and document.",
        "rustot, src/jobs/data_types.rs: captured payloads",
    ),
    Claim(
        "things-without-jobs-have-empty-lists",
        Section.DEVICE_API,
        "inferred",
        "GetPending for a thing that has no executions, or is in no registry, is answered with empty lists.",
        "undocumented over MQTT; HTTP's model also has a ResourceNotFoundException",
    ),
    Claim(
        "describe-tells-the-document-unless-told-not-to",
        Section.DEVICE_API,
        "documented",
        "Describe tells of the latest execution, with its document unless includeJobDocument is false.",
        MQTT,
    ),
    Claim(
        "step-timeouts-have-bounds",
        Section.DEVICE_API,
        "documented",
        "stepTimeoutInMinutes is 1 to 10080, in an update also -1; other numbers are refused with InvalidRequest.",
        "AWS IoT API Reference, UpdateJobExecution and StartNextPendingJobExecution",
    ),
    Claim(
        "an-answer-comes-before-its-notifications",
        Section.DEVICE_API,
        "observed",
        "Who asks gets the answer before the notifications that the request brings about.",
        "measurements of another emulator's author against the live service, 2026",
    ),
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
