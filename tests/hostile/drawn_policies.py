"""Policies drawn from a seed, with all that the oracle knows in them; and that of a certificate of `ghostjob certs`."""

from random import Random
from typing import Any, Final

ARN: Final = "arn:aws:iot:us-east-1:000000000000:"
ACTIONS: Final = (
    "iot:Connect", "iot:Publish", "iot:RetainPublish", "iot:Subscribe", "iot:Receive", "iot:*", "*", "iot:Re*",
    "IOT:publish", "iot:?ublish", "iotjobsdata:*", "iotjobsdata:DescribeJobExecution", "iotjobsdata:Get*",
    "iot:GetRetainedMessage", "iot:ListRetainedMessages", "iot:*Retained*",
)  # fmt: skip
VARIABLES: Final = (
    "${iot:ClientId}", "${iot:Connection.Thing.ThingName}", "${iot:Certificate.Subject.CommonName}",
    "${iot:CertificateId}", "${*}", "${?}", "${iot:No.Such}", "lamp", "other", "*", "?",
)  # fmt: skip
RESOURCES: Final = (
    "*", "{arn}*", "{arn}client/{v}", "{arn}topic/{v}/state", "{arn}topic/{v}/*", "{arn}topic/{v}",
    "{arn}topic/*/state", "{arn}topic/?????/state", "{arn}topic/+/state", "{arn}topic/#", "{arn}topicfilter/{v}/*",
    "{arn}topicfilter/{v}/#", "{arn}topicfilter/+/state", "{arn}topicfilter/#", "{arn}topicfilter/*",
    "{arn}topic/$aws/things/{v}/jobs/*", "{arn}topicfilter/$aws/things/{v}/jobs/*", "{arn}thing/{v}", "{arn}topic*",
    "arn:aws:iot:us-east-1:*:topic/{v}/state", "arn:aws:iot:eu-west-1:000000000000:*", "arn:aws:iot:*:*:client/{v}",
    "{arn}t*/{v}/state",
)  # fmt: skip
CONDITIONS: Final[tuple[dict[str, Any], ...]] = (
    {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}, {"Bool": {"iot:Connection.Thing.IsAttached": "false"}},
    {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8"]}}, {"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}},
    {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "10.0.0.0/8"]}},
    {"StringEquals": {"iot:ClientId": ["lamp", "${iot:Certificate.Subject.CommonName}"]}},
    {"StringNotEquals": {"iot:ClientId": "lamp"}}, {"StringLike": {"iot:ClientId": "l*p"}},
    {"StringLikeIfExists": {"iot:ClientId": "pu?p"}}, {"Null": {"iot:Connection.Thing.ThingName": "true"}},
    {"StringNotLike": {"iot:Connection.Thing.ThingName": "la*"}},
    {"StringEqualsIfExists": {"iot:Connection.Thing.ThingName": "${iot:ClientId}"}},
    {"StringEquals": {"iot:Connection.Thing.ThingName": "lamp"}, "Bool": {"iot:Connection.Thing.IsAttached": "TRUE"}},
)  # fmt: skip


def drawn(rng: Random) -> dict[str, Any]:
    """A policy."""
    statements = []
    for _ in range(rng.randint(1, 5)):
        resources = [
            rng.choice(RESOURCES).replace("{arn}", ARN).replace("{v}", rng.choice(VARIABLES))
            for _ in range(rng.randint(1, 4))
        ]
        statement: dict[str, Any] = {
            "Effect": "Allow" if rng.randrange(4) else "Deny",
            "Action": rng.choice(ACTIONS) if rng.randrange(3) else rng.sample(ACTIONS, 4),
            "Resource": resources if rng.randrange(2) else resources[0],
        }
        if rng.randrange(4) == 0:
            statement["Condition"] = rng.choice(CONDITIONS)
        statements.append(statement)
    if rng.randrange(2):  # else most could not even connect
        statements.append({"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"})
    return {"Version": "2012-10-17", "Statement": statements}


def own(thing: str) -> dict[str, Any]:
    """What a certificate of `ghostjob certs` may do, by the README: everything of its own thing, and nothing else."""
    topics, filters = (
        [f"{ARN}{kind}/{each}" for each in (f"{thing}/*", f"$aws/things/{thing}/*")]
        for kind in ("topic", "topicfilter")
    )
    return {
        "Statement": [
            {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{ARN}client/{thing}"},
            {"Effect": "Allow", "Action": ["iot:Publish", "iot:RetainPublish", "iot:Receive"], "Resource": topics},
            {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": filters},
            {"Effect": "Allow", "Action": "iotjobsdata:*", "Resource": f"{ARN}thing/{thing}"},
        ]
    }
