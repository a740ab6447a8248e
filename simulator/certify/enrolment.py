"""The thing of the device under test, its certificate, and what its policy allows: Jobs and probes, and nothing else.

A topic that is missing in a device's policy is among the first mistakes that people make, so none is let through here.
`--allow-topic` gives a device what else it needs to run at all, such as where it sends its telemetry.
"""

import json
import time
from typing import Final

from agent.errors import InputError
from simulator.certify.offer import FURTHER
from simulator.cloud.access.policies import MalformedPolicy, parse
from simulator.cloud.arns import AccountRegion
from simulator.cloud.registry import Registry
from simulator.cloud.registry.things import EXCLUSIVE

POLICY: Final = "ghostjob-device-under-test"
ASKED_FOR: Final = "ghostjob-allowed-besides"
NAME: Final = "${iot:Connection.Thing.ThingName}"


def enrol(registry: Registry, thing: str, pem: str, allow: tuple[str, ...] = ()) -> None:
    """Have a new cloud know the thing, its certificate, and what its policies allow. Raises InputError."""
    now, account = time.time(), AccountRegion()
    registry.things.create(thing)
    principal = f"cert/{registry.register_certificate(pem, now).certificate_id}"
    registry.things.attach(thing, principal, EXCLUSIVE)
    documents = {POLICY: policy_of(account)}
    if allow:
        documents[ASKED_FOR] = _besides(account, allow)
    for name, document in documents.items():
        registry.policies.create(name, document, now)
        registry.policies.attach(name, principal)


def policy_of(account: AccountRegion) -> str:
    """What a device of AWS IoT Jobs needs, and probes (`dut/THING/…`): the policy of each thing's own certificate.

    A certificate that is one thing's exclusively has the variable of its name whatever its client id is, and over HTTP
    (Developer Guide, "Thing policy variables").
    """
    own = (f"$aws/things/{NAME}/jobs/*", f"dut/{NAME}/*")
    allowed: dict[tuple[str, ...], list[str]] = {
        ("iot:Connect",): [account.arn("client", f"{NAME}{more}") for more in ("", *(f"{mark}*" for mark in FURTHER))],
        ("iot:Publish", "iot:Receive"): [account.arn("topic", name) for name in own],
        ("iot:RetainPublish",): [account.arn("topic", own[1])],
        ("iot:Subscribe",): [account.arn("topicfilter", name) for name in own],
        ("iotjobsdata:*",): [account.arn("thing", NAME)],
    }
    return _document(allowed)


def _besides(account: AccountRegion, topics: tuple[str, ...]) -> str:
    """In policies * is the wildcard; + and # are plain characters, which filters have to have there too."""
    names = [topic.replace("#", "*").replace("+", "*") for topic in topics]
    document = _document(
        {
            ("iot:Publish", "iot:RetainPublish", "iot:Receive"): [account.arn("topic", name) for name in names],
            ("iot:Subscribe",): [account.arn("topicfilter", name) for name in names],
        }
    )
    try:
        parse(document)
    except MalformedPolicy as error:
        raise InputError(f"--allow-topic {topics[0]} …: {error}; fewer topics, with wildcards, do") from None
    return document


def _document(allowed: dict[tuple[str, ...], list[str]]) -> str:
    statements = [
        {"Effect": "Allow", "Action": list(actions), "Resource": resources} for actions, resources in allowed.items()
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
