"""A device can touch only what its policy lets it: real clients with certificates against a local cloud."""

import asyncio
import datetime
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulator.certificate_files import client_context
from simulator.certs import authority_in, make_certificates
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.settings.cloud import CloudSettings
from simulator.trace import ClientDisconnected
from tests.fidelity.proofs import proves
from tests.simulator.cloud.mqtt.packets import connect, text
from tests.simulator.cloud.mqtt.peers import V3, V5, VERSIONS, WAIT, Peer
from tests.within import within

LONG = "a-thing-whose-name-is-longer-than-a-common-name-may-be-" + "x" * 60
ARN = "arn:aws:iot:us-east-1:000000000000:"
OPEN = GatewaySettings(connects_per_second=None)


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["lamp", "other", LONG])
    return directory


def tls_of(directory: Path, name: str, ca: Path | None = None) -> ssl.SSLContext:
    return client_context((ca or directory) / "ca.pem", directory / f"{name}.pem", directory / f"{name}.key")


@dataclass
class World:
    """A cloud with certificates, who connects to it, and its operator."""

    cloud: LocalCloud
    certs: Path
    api: aiohttp.ClientSession
    gone: "asyncio.Queue[ClientDisconnected]"
    opened: list[Peer] = field(default_factory=list)

    async def connect(
        self, name: str, version: Any = V5, *, holds: str = "lamp", expects: str = "Success", **options: Any
    ) -> Peer:
        port = int((self.cloud.endpoints["mqtts"] or "").rpartition(":")[2])
        options["tls"] = tls_of(self.certs, holds)
        made = await asyncio.to_thread(Peer, asyncio.get_running_loop(), port, name, version, **options)
        self.opened.append(made)
        assert await made.next() == ("connected", False, expects)
        return made

    async def operate(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        async with self.api.request(method, path, json=body or None) as response:
            told = await response.read()
            assert response.status == 200, told
            return json.loads(told) if told else {}

    async def id_of(self, name: str) -> str:
        pem = (self.certs / f"{name}.pem").read_bytes()
        return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()

    async def give(self, name: str, *statements: dict[str, Any]) -> None:
        """Take a certificate's own policy away, and give it this one."""
        target = f"{ARN}cert/{await self.id_of(name)}"
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        await self.operate("POST", "/target-policies/ghostjob-own-thing", target=target)
        await self.operate("POST", f"/policies/for-{name}", policyDocument=document)
        await self.operate("PUT", f"/target-policies/for-{name}", target=target)


@asynccontextmanager
async def running(certs: Path, settings: GatewaySettings) -> AsyncIterator[World]:
    gone: asyncio.Queue[ClientDisconnected] = asyncio.Queue()

    def observe(event: object) -> None:
        if isinstance(event, ClientDisconnected):
            gone.put_nowait(event)

    options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=0, data_port=0, certs=certs, gateway=settings)
    async with LocalCloud(options, observe) as cloud, aiohttp.ClientSession(cloud.endpoints["api"]) as api:
        world = World(cloud, certs, api, gone)
        yield world
        for each in world.opened:
            await asyncio.to_thread(each.close)


@pytest.fixture
async def world(certs: Path) -> AsyncIterator[World]:
    async with running(certs, OPEN) as made:
        yield made


def allow(actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


# ── a certificate of `ghostjob certs` ─────────────────────────────────────────────────────────────────────────


@proves("own-certificates-are-registered")
@VERSIONS
@pytest.mark.parametrize("thing", ["lamp", LONG], ids=["a name", "a long name"])
async def test_a_device_has_its_own_thing_without_further_ado(world: World, version: Any, thing: str):
    lamp = await world.connect(thing, version, holds=thing)
    jobs = f"$aws/things/{thing}/jobs"
    good = ["Granted QoS 1"] * 3
    assert await lamp.subscribe(f"{jobs}/notify", f"{jobs}/+/get/+", f"{thing}/#") == good
    lamp.client.publish(f"{jobs}/get", b'{"clientToken":"t"}', 0)
    assert await lamp.next() == ("published", "Success")
    topic, payload, _ = await lamp.next()
    assert (topic, json.loads(payload)["clientToken"]) == (f"{jobs}/get/accepted", "t")
    lamp.client.publish(f"{thing}/state", b"on", 1, retain=True)
    assert {await lamp.next(), await lamp.next()} == {("published", "Success"), (f"{thing}/state", b"on", 1)}


@VERSIONS
@pytest.mark.parametrize("name", ["other", "lam", "lamp-2", "*", "$x"])
async def test_a_device_connects_as_nobody_else(world: World, version: Any, name: str):
    refused = "Client identifier not valid" if name == "$x" else "Not authorized"
    if version == V3 and name != "$x":
        refused = "Unspecified error"  # paho's word for AWS's own return code 7
    await world.connect(name, version, expects=refused)
    assert world.gone.empty(), "it never was there"


@proves("connack-7-when-not-authorised")
@pytest.mark.parametrize(("version", "answer"), [(4, b"\x20\x02\0\x07"), (5, b"\x20\x03\0\x87\0")], ids=["3.1.1", "5"])
async def test_the_return_code_of_who_may_not_connect_is_aws_own(world: World, version: int, answer: bytes):
    port = int((world.cloud.endpoints["mqtts"] or "").rpartition(":")[2])
    tls = tls_of(world.certs, "lamp")
    reader, writer = await asyncio.open_connection("localhost", port, ssl=tls, family=2)
    writer.write(connect(version, rest=text("other")))
    assert await within(reader.read(), WAIT) == answer
    writer.close()


ELSEWHERE = ["$aws/things/other/jobs/get", "other/state", "anything", "lamp"]


@proves("unauthorised-publish-5")
@pytest.mark.parametrize("topic", ELSEWHERE)
async def test_what_it_may_not_publish_is_refused_in_the_acknowledgement_of_version_5(world: World, topic: str):
    lamp = await world.connect("lamp")
    lamp.client.publish(topic, b"{}", 1)
    assert await lamp.next() == ("published", "Not authorized")
    lamp.client.publish("lamp/still-here", b"", 1)
    assert await lamp.next() == ("published", "Success")


@proves("unauthorised-publish-3-1-1", "unauthorised-publish-5")
@pytest.mark.parametrize(
    ("version", "qos"), [(V5, 0), (V3, 0), (V3, 1)], ids=["5, QoS 0", "3.1.1, QoS 0", "3.1.1, QoS 1"]
)
async def test_what_it_may_not_publish_ends_its_connection_otherwise(world: World, version: Any, qos: int):
    lamp = await world.connect("lamp", version)
    lamp.client.publish("$aws/things/other/jobs/get", b"{}", qos)
    heard = [await lamp.next() for _ in range(2 - qos)]
    assert heard[-1][0] == "disconnected"
    if version == V5:
        assert heard[-1][1] == "Not authorized"
    assert await world.gone.get() == ClientDisconnected("lamp", "AUTH_ERROR")


FILTERS = ["$aws/things/other/jobs/notify", "$aws/things/+/jobs/notify", "#", "$aws/events/#", "other/#"]


@proves("unauthorised-subscribe")
@pytest.mark.parametrize("topic", FILTERS)
async def test_what_it_may_not_subscribe_is_refused(world: World, topic: str):
    five, three = await world.connect("lamp"), await world.connect("other", V3, holds="other")
    assert await five.subscribe(topic, "lamp/a") == ["Not authorized", "Granted QoS 1"]
    forbidden = topic.replace("other", "lamp")
    assert await three.subscribe(forbidden) == ["Unspecified error"]
    assert (await three.next())[0] == "disconnected", "AWS: AUTH_ERROR"
    assert await world.gone.get() == ClientDisconnected("other", "AUTH_ERROR")


async def test_its_will_is_published_where_it_may_publish(world: World):
    watcher = await world.connect("lamp")
    await world.give("lamp", allow("iot:*", "*"))
    await watcher.subscribe("#")
    for topic in ("lamp/will", "elsewhere/will", "other/will"):
        dying = await world.connect("other", holds="other", will=(topic, b"gone", 1))
        dying.lose()
        assert await world.gone.get() == ClientDisconnected("other", "CONNECTION_LOST")
    assert await watcher.next() == ("other/will", b"gone", 1)


# ── policies that somebody attached ───────────────────────────────────────────────────────────────────────────


async def test_a_policy_counts_as_soon_as_it_is_attached_and_for_who_is_connected(world: World):
    lamp = await world.connect("lamp")
    lamp.client.publish("hall/1", b"", 1)
    assert await lamp.next() == ("published", "Not authorized")
    await world.give("lamp", allow("iot:*", [ARN + "client/lamp", ARN + "topic/hall/*"]))
    lamp.client.publish("hall/1", b"", 1)
    assert await lamp.next() == ("published", "Success")
    lamp.client.publish("lamp/state", b"", 1)
    assert await lamp.next() == ("published", "Not authorized")


@proves("receive-is-asked-for-each-delivery")
async def test_who_may_subscribe_but_not_receive_hears_nothing(world: World):
    lamp = await world.connect("lamp")
    may = [ARN + "client/*", ARN + "topicfilter/*", ARN + "topic/loud"]
    await world.give("lamp", allow(["iot:Connect", "iot:Subscribe"], may), allow("iot:Receive", ARN + "topic/loud"))
    await lamp.subscribe("#")
    world.cloud._gateway.broker.publish("quiet", b"")
    world.cloud._gateway.broker.publish("loud", b"")
    assert await lamp.next() == ("loud", b"", 1)


async def test_an_answer_needs_the_permission_to_receive_it(world: World):
    lamp = await world.connect("lamp")
    jobs = ARN + "topic/$aws/things/lamp/jobs"
    await world.give("lamp", allow("iot:Publish", jobs + "/*"), allow("iot:Receive", jobs + "/start-next/accepted"))
    for request in ("get", "start-next"):
        lamp.client.publish(f"$aws/things/lamp/jobs/{request}", b"{}", 0)
    heard = [await lamp.next() for _ in range(3)]
    assert [event[0] for event in heard if event[0] != "published"] == ["$aws/things/lamp/jobs/start-next/accepted"]


@proves("retaining-needs-its-own-permission")
async def test_a_retained_message_needs_a_permission_of_its_own(world: World):
    lamp = await world.connect("lamp")
    await world.give("lamp", allow("iot:Publish", ARN + "topic/*"))
    lamp.client.publish("a", b"x", 1, retain=True)
    assert await lamp.next() == ("published", "Not authorized")
    lamp.client.publish("a", b"x", 1)
    assert await lamp.next() == ("published", "Success")


@proves("policy-variables-stand-for-the-connection")
@pytest.mark.parametrize(
    ("condition", "options", "is_let_in"),
    [
        pytest.param({"Bool": {"iot:Connection.Thing.IsAttached": "true"}}, {}, True, id="attached"),
        pytest.param({"StringEquals": {"iot:Connection.Thing.Attributes[site]": "hall"}}, {}, True, id="an attribute"),
        pytest.param({"StringEquals": {"iot:Connection.Thing.ThingTypeName": "lamp"}}, {}, True, id="its type"),
        pytest.param({"StringEquals": {"iot:DomainName": "localhost"}}, {}, True, id="the name it called"),
        pytest.param({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, {}, True, id="from here"),
        pytest.param({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {}, False, id="from elsewhere"),
        pytest.param({"ForAllValues:StringEquals": {"iot:ConnectAttributes": []}}, {}, True, id="no attribute used"),
        pytest.param(
            {"ForAllValues:StringEquals": {"iot:ConnectAttributes": []}},
            {"will": ("w", b"", 0)},
            False,
            id="a will is one",
        ),
        pytest.param(
            {"ForAllValues:StringEquals": {"iot:ConnectAttributes": ["LastWill"]}},
            {"will": ("w", b"", 0), "SessionExpiryInterval": 60},
            False,
            id="a session that lasts is another",
        ),
        pytest.param(
            {"ArnEquals": {"iot:LastWillTopic": ARN + "topic/my/*"}},
            {"will": ("my/will", b"", 0)},
            True,
            id="the will's topic",
        ),
    ],
)
async def test_conditions_know_the_connection(world: World, condition: Any, options: Any, is_let_in: bool):
    await world.connect("lamp")
    arn = f"{ARN}cert/{await world.id_of('lamp')}"
    await world.operate("POST", "/things/lamp", thingTypeName="lamp", attributePayload={"attributes": {"site": "hall"}})
    async with world.api.put("/things/lamp/principals", headers={"x-amzn-principal": arn}) as response:
        assert response.status == 200
    await world.give("lamp", allow("iot:Connect", "*", Condition=condition))
    await world.connect("lamp", expects="Success" if is_let_in else "Not authorized", **options)


# ── certificates ──────────────────────────────────────────────────────────────────────────────────────────────


@proves("inactive-certificates-stay-out")
async def test_a_certificate_that_is_switched_off_ends_its_connection_and_comes_in_no_more(world: World):
    lamp = await world.connect("lamp")
    await world.operate("PUT", f"/certificates/{await world.id_of('lamp')}?newStatus=INACTIVE")
    assert await lamp.next() == ("disconnected", "Not authorized")
    assert await world.gone.get() == ClientDisconnected("lamp", "AUTH_ERROR")
    assert await _is_turned_away(world, tls_of(world.certs, "lamp"))
    await world.operate("PUT", f"/certificates/{await world.id_of('lamp')}?newStatus=ACTIVE")
    await world.connect("lamp")


async def test_a_certificate_that_was_deleted_stays_away(world: World):
    await world.connect("lamp")
    path = f"/certificates/{await world.id_of('lamp')}"
    await world.operate("PUT", f"{path}?newStatus=INACTIVE")
    await world.operate("DELETE", f"{path}?forceDelete=true")
    assert await _is_turned_away(world, tls_of(world.certs, "lamp"))


@proves("own-certificates-are-registered")
async def test_with_the_setting_only_registered_certificates_come_in(certs: Path):
    async with running(certs, GatewaySettings(own_certificates="unknown", connects_per_second=None)) as world:
        assert await _is_turned_away(world, tls_of(certs, "lamp"))
        pem = (certs / "lamp.pem").read_text()
        made = await world.operate("POST", "/certificate/register-no-ca", certificatePem=pem, status="ACTIVE")
        await world.connect("lamp", expects="Not authorized")
        document = json.dumps({"Version": "2012-10-17", "Statement": allow("iot:Connect", ARN + "client/lamp")})
        await world.operate("POST", "/policies/in", policyDocument=document)
        await world.operate("PUT", "/target-policies/in", target=made["certificateArn"])
        await world.connect("lamp")


def _made_elsewhere(directory: Path, certs: Path) -> ssl.SSLContext:
    make_certificates(directory, ["lamp"])
    return tls_of(directory, "lamp", certs)


def _expired(directory: Path, certs: Path) -> ssl.SSLContext:
    ca, key = authority_in(certs)
    private, day = ec.generate_private_key(ec.SECP256R1()), datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lamp")]))
    builder = builder.issuer_name(ca.subject).public_key(private.public_key()).serial_number(7)
    made = builder.not_valid_before(now - 2 * day).not_valid_after(now - day).sign(key, hashes.SHA256())
    (directory / "old.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (directory / "old.key").write_bytes(pem)
    return client_context(certs / "ca.pem", directory / "old.pem", directory / "old.key")


def _without(directory: Path, certs: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certs / "ca.pem")


@pytest.mark.parametrize(
    "comes_with",
    [
        pytest.param(_made_elsewhere, id="from another CA"),
        pytest.param(_expired, id="expired"),
        pytest.param(_without, id="none"),
    ],
)
async def test_a_certificate_that_is_no_good_does_not_get_through_tls(
    world: World, tmp_path: Path, comes_with: Callable[[Path, Path], ssl.SSLContext]
):
    assert await _is_turned_away(world, comes_with(tmp_path, world.certs))
    await world.connect("lamp")


async def _is_turned_away(world: World, tls: ssl.SSLContext) -> bool:
    """Whether a CONNECT gets no answer at all."""
    port = int((world.cloud.endpoints["mqtts"] or "").rpartition(":")[2])
    try:
        reader, writer = await asyncio.open_connection("localhost", port, ssl=tls, family=2)
    except (ssl.SSLError, ConnectionError):
        return True
    try:
        writer.write(connect(5, rest=text("lamp")))
        return not await within(reader.read(1), WAIT)
    except (ssl.SSLError, ConnectionError):
        return True
    finally:
        writer.close()


# ── shared subscriptions and Basic Ingest ─────────────────────────────────────────────────────────────────────


@proves("policies-name-shared-subscriptions")
@pytest.mark.parametrize("received", ["topic/hall/*", "topic/$share/workers/hall/*", "topic/$share/*/hall/1"])
@VERSIONS
async def test_a_policy_names_a_shared_subscription_with_its_prefix(world: World, version: Any, received: str):
    lamp = await world.connect("lamp", version)
    await world.give(
        "lamp",
        allow("iot:Subscribe", ARN + "topicfilter/$share/workers/hall/*"),
        allow("iot:Publish", "*"),
        allow("iot:Receive", ARN + received),
    )
    assert await lamp.subscribe("$share/workers/hall/+") == ["Granted QoS 1"]
    lamp.client.publish("hall/1", b"x", 1)
    assert {await lamp.next(), await lamp.next()} == {("published", "Success"), ("hall/1", b"x", 1)}


@proves("policies-name-shared-subscriptions")
async def test_a_policy_for_the_filter_alone_opens_no_shared_subscription(world: World):
    lamp = await world.connect("lamp")
    await world.give("lamp", allow("iot:Subscribe", ARN + "topicfilter/hall/*"))
    assert await lamp.subscribe("$share/workers/hall/1") == ["Not authorized"]


async def test_who_may_not_receive_gets_nothing_of_a_group_and_others_do(world: World):
    lamp, other = await world.connect("lamp"), await world.connect("other", holds="other")
    may = allow(["iot:Subscribe", "iot:Publish"], "*")
    await world.give("lamp", may)
    await world.give("other", may, allow("iot:Receive", "*"))
    for member in (lamp, other):
        assert await member.subscribe("$share/g/hall") == ["Granted QoS 1"]
    for number in range(5):
        lamp.client.publish("hall", b"%d" % number, 1)
        assert await lamp.next() == ("published", "Success")
        assert await other.next() == ("hall", b"%d" % number, 1)


@proves("basic-ingest-is-accepted")
async def test_basic_ingest_needs_the_permission_to_publish(world: World):
    lamp = await world.connect("lamp")
    lamp.client.publish("$aws/rules/one/lamp/state", b"on", 1)
    assert await lamp.next() == ("published", "Not authorized")
    await world.give("lamp", allow("iot:Publish", ARN + "topic/$aws/rules/one/*"))
    for topic, answer in [("$aws/rules/one/lamp/state", "Success"), ("$aws/rules/two/lamp/state", "Not authorized")]:
        lamp.client.publish(topic, b"on", 1)
        assert await lamp.next() == ("published", answer)
