"""Every kind of certificate × action × topic over real TLS, held against an oracle of the policy rules (`oracle`).

A round draws policies anew, from the seed. A pair is one thing that one holder tries: to connect with a client id, to
publish, to retain, to subscribe, to receive, or what the data port offers. A finding is a pair in which the cloud and
the oracle are of two minds.
"""

import json
import ssl
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.settings.cloud import CloudSettings
from tests.hostile.drawn_policies import ARN, drawn, own
from tests.hostile.mqtt5 import Mqtt
from tests.hostile.oracle import allowed
from tests.hostile.raw import NoAnswerError, Wire
from tests.hostile.report import Bounds, Report
from tests.simulator.cloud.mqtt.packets import text

MOST_FINDINGS: Final = 50
LONG: Final = "a-thing-whose-name-is-longer-than-a-common-name-may-be-" + "x" * 20
EVERYTHING: Final = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
UNLIMITED: Final = GatewaySettings(
    connects_per_second=None,
    publishes_per_second=None,
    payload_per_second=None,
    subscriptions=None,
    lifecycle_events=False,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of certificate. `policies`: its own-thing policy, none, all that there is, or drawn ones, on the
    certificate or on the group of its thing."""

    name: str
    policies: str = "drawn"
    things: tuple[str, ...] = ()
    is_exclusive: bool = False
    status: str = "ACTIVE"
    thing: str | None = None
    """Of `ghostjob certs`: which it was made for."""


KINDS: Final = (
    Kind("own", "own", thing="own"),
    Kind(LONG, "own", thing=LONG),
    Kind("bare", "none"),
    Kind("alone"),
    Kind("alone2"),
    Kind("attached", things=("attached",)),
    Kind("attached2", things=("lamp",)),
    Kind("several", things=("several", "lamp")),
    Kind("exclusive", things=("pump",), is_exclusive=True),
    Kind("grouped", "group", things=("grouped",)),
    Kind("inactive", "all", status="INACTIVE"),
    Kind("revoked", "all", status="REVOKED"),
    Kind("deleted", "all", status="deleted"),
    Kind("unknown", "all", status="unknown"),
)
THINGS: Final = ("own", LONG, "attached", "lamp", "several", "pump", "grouped", "other")
NAMES: Final = ("lamp", "pump", "other")


def topics_for(name: str) -> tuple[str, ...]:
    """What the holder of that name publishes to and receives, its own and others'."""
    return (
        f"{name}/state", f"{name}/a/b", "other/state", "lamp/state", "state", name, f"$aws/things/{name}/jobs/get",
        "$aws/things/other/jobs/get", "$aws/things/lamp/jobs/fw/get", "*/state",
    )  # fmt: skip


def filters_for(name: str) -> tuple[tuple[str, str], ...]:
    """Filters, each with a topic that it matches."""
    return (
        (f"{name}/#", f"{name}/state"), ("#", "other/state"), ("+/state", "lamp/state"),
        ("other/state", "other/state"), (f"{name}/+", f"{name}/state"),
        (f"$aws/things/{name}/jobs/#", f"$aws/things/{name}/jobs/notify"), ("state", "state"),
        ("$aws/things/other/jobs/notify", "$aws/things/other/jobs/notify"),
        ("$aws/things/+/jobs/notify-next", "$aws/things/lamp/jobs/notify-next"),
    )  # fmt: skip


# ── who tries ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Holder:
    """Somebody with a certificate of a kind, and what the oracle has to know of him."""

    kind: Kind
    certificate_id: str
    tls: ssl.SSLContext
    documents: list[dict[str, Any]] = field(default_factory=list)

    def may(self, action: str, resource: str, client_id: str | None) -> bool:
        """What the oracle says; `client_id` is None over HTTP."""
        if self.kind.status != "ACTIVE":
            return False
        thing = self._thing(client_id)
        known = {
            "aws:SourceIp": "127.0.0.1",
            "iot:CertificateId": self.certificate_id,
            "iot:Certificate.Subject.CommonName": self.kind.name[:64],
            "iot:ClientId": client_id,
            "iot:Connection.Thing.ThingName": thing,
            "iot:Connection.Thing.IsAttached": "false" if thing is None else "true",
        }
        context = {name: value for name, value in known.items() if value is not None}
        return allowed(self.documents, action, resource if resource == "*" else ARN + resource, context)

    def _thing(self, client_id: str | None) -> str | None:
        things = self.kind.things
        if self.kind.is_exclusive or (client_id is None and len(things) == 1):
            return things[0]
        return client_id if client_id in things else None


# ── the attack ────────────────────────────────────────────────────────────────────────────────────────────────


class World:
    """A cloud with a holder of each kind."""

    def __init__(self, cloud: LocalCloud, certs: Path) -> None:
        self.cloud = cloud
        self._control = cloud._http.serve(cloud._tenants.home).control_plane
        self.mqtts = int((cloud.endpoints["mqtts"] or "").rpartition(":")[2])
        self.data = int((cloud.endpoints["data"] or "").rpartition(":")[2])
        self._policies = 0
        for thing in THINGS:
            self._control.call("CreateThing", {"thingName": thing})
        self.holders = [self._holder(kind, certs) for kind in KINDS]

    def _holder(self, kind: Kind, certs: Path) -> Holder:
        call, name = self._control.call, kind.name
        pem = (certs / f"{name}.pem").read_text()
        parsed = x509.load_pem_x509_certificate(pem.encode())
        holder = Holder(
            kind,
            parsed.fingerprint(hashes.SHA256()).hex(),
            client_context(certs / "ca.pem", certs / f"{name}.pem", certs / f"{name}.key"),
        )
        if kind.thing is not None:
            holder.documents = [own(kind.thing)]
            return holder
        if kind.status == "unknown":
            (certs / f"{name}.pem").unlink()  # so that it is none of --certs
            return holder
        call("RegisterCertificateWithoutCA", {"certificatePem": pem, "status": "ACTIVE"})
        target = f"{ARN}cert/{holder.certificate_id}"
        for thing in kind.things:
            how = {"thingPrincipalType": "EXCLUSIVE_THING"} if kind.is_exclusive else {}
            call("AttachThingPrincipal", {"thingName": thing, "principal": target, **how})
        if kind.policies == "group":
            call("CreateThingGroup", {"thingGroupName": "outer"})
            call("CreateThingGroup", {"thingGroupName": "inner", "parentGroupName": "outer"})
            call("AddThingToThingGroup", {"thingGroupName": "inner", "thingName": kind.things[0]})
        if kind.policies == "all":
            holder.documents = [EVERYTHING]
            self._attach(EVERYTHING, target)
        if kind.status != "ACTIVE":
            status = "REVOKED" if kind.status == "deleted" else kind.status
            call("UpdateCertificate", {"certificateId": holder.certificate_id, "newStatus": status})
        if kind.status == "deleted":
            call("DeleteCertificate", {"certificateId": holder.certificate_id, "forceDelete": True})
        return holder

    def _attach(self, document: dict[str, Any], target: str) -> str:
        self._policies += 1
        name = f"policy-{self._policies}"
        self._control.call("CreatePolicy", {"policyName": name, "policyDocument": json.dumps(document)})
        self._control.call("AttachPolicy", {"policyName": name, "target": target})
        return name

    def give(self, holder: Holder, rng: Random) -> Iterator[tuple[str, str]]:
        """Policies for this round; each with what it is attached to."""
        targets = {
            "drawn": [f"{ARN}cert/{holder.certificate_id}"],
            "group": [f"{ARN}thinggroup/{each}" for each in ("inner", "outer")],
        }
        if holder.kind.policies in targets:
            holder.documents = []
            for target in targets[holder.kind.policies] * rng.randint(1, 2):
                holder.documents.append(drawn(rng))
                yield self._attach(holder.documents[-1], target), target

    def take(self, policy: str, target: str) -> None:
        """Away again."""
        self._control.call("DetachPolicy", {"policyName": policy, "target": target})
        self._control.call("DeletePolicy", {"policyName": policy})


@asynccontextmanager
async def _world() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory() as directory:
        certs = Path(directory)
        make_certificates(certs, [kind.name for kind in KINDS])
        options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=0, data_port=0, certs=certs, gateway=UNLIMITED)
        async with LocalCloud(options) as cloud:
            yield World(cloud, certs)


async def attack(bounds: Bounds) -> Report:
    """So many pairs, or for so long."""
    report, rng, verdicts = Report(), Random(f"{bounds.seed}/pairs"), Counter[str]()
    until = time.monotonic() + bounds.seconds
    async with _world() as world:
        while time.monotonic() < until and report.tried < bounds.count and len(report.findings) < MOST_FINDINGS:
            for holder in world.holders:
                given = list(world.give(holder, rng))
                async for action, resource, client_id, did in _tried(world, holder, rng):
                    report.tried += 1
                    may = holder.may(action, resource, client_id)
                    verdicts[f"{action.partition(':')[0]} {'allowed' if may else 'denied'}"] += 1
                    if did is not may:
                        policies = json.dumps(holder.documents)
                        what = f"{holder.kind.name} as {client_id}: {action} {resource}"
                        report.findings.append(f"{what} was {'allowed' if did else 'denied'}, by {policies}")
                for policy, target in given:
                    world.take(policy, target)
    report.figures["verdicts"] = ", ".join(f"{name}: {count:,}" for name, count in sorted(verdicts.items()))
    return report


async def _tried(world: World, holder: Holder, rng: Random) -> AsyncIterator[tuple[str, str, str | None, bool]]:
    """Action, resource and client id of each pair, and whether the cloud let it be."""
    for client_id in (holder.kind.name, *rng.sample(NAMES, 2)):
        client = await Mqtt.connect(world.mqtts, holder.tls, client_id)
        yield "iot:Connect", f"client/{client_id}", client_id, client is not None
        if client is not None:
            async for pair in _over_mqtt(world, client, client_id, rng):
                yield *pair[:2], client_id, pair[2]
            client.close()
    async for action, resource, did in _over_http(world, holder, rng):
        yield action, resource, None, did


async def _over_mqtt(world: World, client: Mqtt, name: str, rng: Random) -> AsyncIterator[tuple[str, str, bool]]:
    for topic in rng.sample(topics_for(name), 6):
        may_publish = await client.publishes(topic, retain=False)
        yield "iot:Publish", f"topic/{topic}", may_publish
        if may_publish and not topic.startswith("$"):  # else the answer would be about publishing
            yield "iot:RetainPublish", f"topic/{topic}", await client.publishes(topic, retain=True)
    for topic_filter, topic in rng.sample(filters_for(name), 5):
        may_subscribe = await client.subscribes(topic_filter)
        yield "iot:Subscribe", f"topicfilter/{topic_filter}", may_subscribe
        if may_subscribe:
            await client.hears()  # what is retained
            world.cloud._gateway.broker.publish(topic, b"{}")
            yield "iot:Receive", f"topic/{topic}", any(text(topic) in body for body in await client.hears())
            await client.unsubscribes(topic_filter)


async def _over_http(world: World, holder: Holder, rng: Random) -> AsyncIterator[tuple[str, str, bool]]:
    names = (holder.kind.things or (holder.kind.name,))[0], "other", "lamp"
    jobs = [
        (f"iotjobsdata:{operation}", f"thing/{name}", method, f"/things/{name}/jobs{path}", body)
        for name in names
        for operation, method, path, body in (
            ("GetPendingJobExecutions", "GET", "", ""),
            ("DescribeJobExecution", "GET", "/$next", ""),
            ("StartNextPendingJobExecution", "PUT", "/$next", "{}"),
            ("UpdateJobExecution", "POST", "/fw", '{"status":"FAILED"}'),
        )
    ]
    messages = [("iot:ListRetainedMessages", "*", "GET", "/retainedMessage", "")]
    for name in names:
        messages.append(("iot:Publish", f"topic/{name}/state", "POST", f"/topics/{name}/state", "{}"))
        messages.append(
            ("iot:GetRetainedMessage", f"topic/{name}/state", "GET", f"/retainedMessage/{name}%2Fstate", "")
        )
    wire = Wire("127.0.0.1", world.data, holder.tls)
    for action, resource, method, path, body in rng.sample(jobs, 6) + rng.sample(messages, 4):
        raw = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        try:
            answer = await wire.ask(raw, method)
        except NoAnswerError:
            yield action, resource, False
            continue
        error = answer.headers.get("x-amzn-errortype")
        yield action, resource, error not in ("ForbiddenException", "CertificateValidationException")
    wire.close()
