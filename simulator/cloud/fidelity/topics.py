"""Topics and namespaces: what a topic means, and who hears of a namespace's jobs."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

CLAIMS: Final[tuple[Claim, ...]] = (
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
        Setting("head_across_namespaces", True, ("False: each namespace has a head of its own",)),
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
        Setting("aws_namespaces_reserved", True, ("False: everybody may",)),
    ),
)
