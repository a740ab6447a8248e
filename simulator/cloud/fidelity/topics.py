"""Topics and namespaces: what a topic means, and who hears of a namespace's jobs."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

RESERVED: Final = "AWS IoT Developer Guide, Reserved topics: Job topics"

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "identifiers-have-the-models-patterns",
        Section.TOPICS,
        "documented",
        "Names of things, jobs, namespaces and status details have the characters and lengths of the service model; "
        "what has not is refused with InvalidRequest.",
        "service model of iot, 2015-05-28",
    ),
    Claim(
        "next-is-for-describe-alone",
        Section.TOPICS,
        "inferred",
        "$next stands for a job in Describe only; an update of it is rejected with InvalidTopic.",
        "service model of iot-jobs-data, 2017-09-29: only DescribeJobExecution's jobId may be $next",
    ),
    Claim(
        "request-topics-are-answered",
        Section.TOPICS,
        "documented",
        "A client publishes to get, start-next, JOB/get and JOB/update below $aws/things/THING/jobs/, and is answered "
        "on the same topic with /accepted or /rejected at its end.",
        RESERVED,
    ),
    Claim(
        "next-is-answered-as-next",
        Section.TOPICS,
        "observed",
        "The answer about $next comes on a topic with $next in it, not with the job's id.",
        "aws-greengrass-nucleus, IotJobsClientWrapper.java; aws-iot-device-sdk-python-v2, awsiot/iotjobs.py",
    ),
    Claim(
        "service-topics-take-no-publication",
        Section.TOPICS,
        "documented",
        "Only the service publishes answers, notifications and events: a client that does is disconnected, or with "
        "MQTT 5 and QoS 1 is told that the topic name is invalid.",
        f"{RESERVED}; that MQTT 5 acknowledges with 0x90 is inferred",
    ),
    Claim(
        "job-topics-may-be-subscribed",
        Section.TOPICS,
        "documented",
        "A client may subscribe to answers, notifications and events, by name or with the wildcards that "
        "real clients use.",
        f"{RESERVED}; wildcards: awsiotsdk, aws-iot-device-client JobsFeature.cpp, aws-greengrass-lite",
    ),
    Claim(
        "topics-are-told-apart-by-their-levels",
        Section.TOPICS,
        "inferred",
        "A job may be called get or start-next: jobs/get/get describes the job get, jobs/get lists what is pending.",
        "follows from the pattern of jobIds in the service model; measurements of another emulator's author, 2026, say "
        "otherwise: such a job cannot be reached over MQTT",
    ),
    Claim(
        "unknown-job-topics-are-rejected",
        Section.TOPICS,
        "documented",
        "A publication below jobs/ that names no operation is rejected with InvalidTopic, on its own topic "
        "with /rejected.",
        "AWS IoT Developer Guide, AWS IoT jobs APIs: ErrorResponse; that the topic is its own is inferred",
    ),
    Claim(
        "longest-job-topics-fit",
        Section.TOPICS,
        "documented",
        "The longest topic of a job in Greengrass's namespace is within the limits of 256 bytes and seven slashes.",
        "AWS IoT Core endpoints and quotas: topic size, slashes; service model: lengths of names",
    ),
    Claim(
        "namespaced-topics-of-clients",
        Section.TOPICS,
        "observed",
        "A job with a namespaceId is told on jobs/notify-namespace-NS and jobs/notify-next-namespace-NS, and described "
        "and updated on jobs/JOB/namespace-NS/get and update.",
        "aws-greengrass-nucleus IotJobsClientWrapper.java; aws-greengrass-lite iot_jobs_listener.c",
    ),
    Claim(
        "namespaces-do-not-mix",
        Section.TOPICS,
        "inferred",
        "A namespaced job is in no list of the default namespace or of another one, and a request in another namespace "
        "does not find it.",
        "aws-greengrass-nucleus#587: the namespace is there so as not to collide with customers' jobs",
    ),
    Claim(
        "one-head-across-namespaces",
        Section.TOPICS,
        "observed",
        "Who is first is decided per thing across namespaces, so a default job holds back the notify-next of a "
        "namespaced one, but not its notify.",
        "aws-greengrass-lite#1151",
        Setting("head_across_namespaces", True, ("false: each namespace has a head of its own",)),
    ),
    Claim(
        "documented-topic-of-a-namespace",
        Section.TOPICS,
        "inferred",
        "The list is told on jobs/JOB/notify-namespace-NS/ as well, whenever the job's execution is added to it or "
        "removed from it.",
        "AWS IoT API Reference, namespaceId: it prints the topic; no client is known to use it",
        Setting(
            "documented_notify",
            "added-and-removed",
            ("none: nothing is published there", "added: only when an execution is added"),
        ),
    ),
    Claim(
        "payload-of-the-documented-topic",
        Section.TOPICS,
        "inferred",
        "What is published on the documented topic is the payload of notify.",
        "AWS IoT API Reference, namespaceId: it does not describe the payload",
        Setting("documented_payload", "list", ("next: the payload of notify-next",)),
    ),
    Claim(
        "aws-namespaces-are-reserved",
        Section.TOPICS,
        "observed",
        "A customer neither creates nor deletes jobs in a namespace that begins with aws-; AWS's own services do.",
        "aws-greengrass-nucleus#587",
        Setting("aws_namespaces_reserved", True, ("false: everybody may",)),
    ),
)
