"""The data plane over HTTP."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

MODEL: Final = "AWS service model iot-jobs-data, 2017-09-29"

CLAIMS: Final = (
    Claim(
        "the-device-api-stands-at-the-models-paths",
        Section.DATA_PLANE,
        "documented",
        "The four requests of the device API have the methods, paths, parameters and outputs of the service model.",
        MODEL,
    ),
    Claim(
        "http-has-the-document-as-a-string",
        Section.DATA_PLANE,
        "documented",
        "Over HTTP the job document is a string, over MQTT a JSON object.",
        MODEL,
    ),
    Claim(
        "http-has-times-in-whole-seconds",
        Section.DATA_PLANE,
        "documented",
        "Times in the data plane are whole epoch seconds.",
        MODEL,
    ),
    Claim(
        "http-has-names-of-its-own-for-errors",
        Section.DATA_PLANE,
        "documented",
        "Errors have the names and statuses of the service model: Throttling 429, TerminalState 410, "
        "InvalidStateTransition 409.",
        MODEL,
    ),
    Claim(
        "a-conflict-shows-the-state",
        Section.DATA_PLANE,
        "documented",
        "The body of an InvalidStateTransitionException has the executionState too.",
        f"{MODEL}, InvalidStateTransitionException",
    ),
    Claim(
        "http-has-no-version-mismatch",
        Section.DATA_PLANE,
        "observed",
        "An update over HTTP with a wrong expectedVersion ends in InvalidRequestException.",
        "another emulator's notes of the live service; the service model has no such error",
        Setting(
            "version_mismatch_over_http",
            "InvalidRequestException",
            ("InvalidStateTransitionException: the other candidate, with 409",),
        ),
    ),
    Claim(
        "a-namespace-stands-in-the-query",
        Section.DATA_PLANE,
        "documented",
        "The query parameter namespaceId, which the service model lacks, names the namespace.",
        "AWS IoT Developer Guide, Authorizing your devices to use AWS IoT Jobs securely on the data plane",
    ),
    Claim(
        "a-certificate-opens-what-its-policies-say",
        Section.DATA_PLANE,
        "documented",
        "With a client certificate the policies on it decide, by actions iotjobsdata:* on the thing.",
        "AWS IoT Developer Guide, Authorizing your devices to use AWS IoT Jobs securely on the data plane",
    ),
    Claim(
        "an-inactive-certificate-is-invalid",
        Section.DATA_PLANE,
        "inferred",
        "A certificate that is not registered, or not ACTIVE, ends in CertificateValidationException.",
        f"{MODEL}: the certificate is invalid; on AWS such a connection may not come about at all",
    ),
    Claim(
        "reserved-topics-are-not-published-to-over-http",
        Section.DATA_PLANE,
        "observed",
        "Publishing over HTTP to a reserved topic ends in 400, publishing to a restricted topic.",
        "another emulator's notes of the live service",
    ),
    Claim(
        "http-publishes-with-properties",
        Section.DATA_PLANE,
        "documented",
        "A message published over HTTP carries MQTT 5's properties: content type, response topic and expiry from the "
        "query; payload format, correlation data and user properties, these two in base64, from headers.",
        "AWS IoT API Reference, Publish (AWS IoT data)",
    ),
    Claim(
        "retained-messages-are-read-over-http",
        Section.DATA_PLANE,
        "documented",
        "GetRetainedMessage tells what is retained on a topic, with its user properties; ListRetainedMessages the "
        "topics, without payloads, at most 200 a page.",
        "AWS IoT API Reference, GetRetainedMessage and ListRetainedMessages (AWS IoT data)",
    ),
    Claim(
        "reading-retained-messages-needs-leave",
        Section.DATA_PLANE,
        "documented",
        "With a client certificate, policies must allow iot:GetRetainedMessage on the topic, or "
        "iot:ListRetainedMessages on everything.",
        "Service Authorization Reference, Actions, resources, and condition keys for AWS IoT",
    ),
)
