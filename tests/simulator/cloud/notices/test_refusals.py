"""A client that does not get what it wants leaves a line and an event that say who, what, why, and what to do.

Real clients with real certificates against a local cloud; each row is one way to be refused.
"""

import asyncio
import contextlib
import json
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.settings.cloud import CloudSettings
from simulator.trace import ClientRefused, CloudEvent, MessageDropped
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text
from tests.simulator.cloud.mqtt.peers import V3, V5, WAIT, Bare, Peer
from tests.within import within

ARN = "arn:aws:iot:us-east-1:000000000000:"


@dataclass
class World:
    """A cloud with certificates and access keys, and what it told of who was refused."""

    cloud: LocalCloud
    certs: Path
    elsewhere: Path
    """Certificates of another CA."""
    api: aiohttp.ClientSession
    told: "asyncio.Queue[ClientRefused | MessageDropped]"
    lines: list[dict[str, Any]]
    opened: list[Any] = field(default_factory=list)

    def port(self, name: str) -> int:
        return int((self.cloud.endpoints[name] or "").rpartition(":")[2])

    def tls(
        self, holds: str | None = "lamp", *, trusts: Path | None = None, made: Path | None = None
    ) -> ssl.SSLContext:
        made, ca = made or self.certs, (trusts or self.certs) / "ca.pem"
        if holds is None:
            return ssl.create_default_context(cafile=ca)
        return client_context(ca, made / f"{holds}.pem", made / f"{holds}.key")

    async def peer(self, name: str, version: Any = V5, *, holds: str | None = "lamp", **options: Any) -> Peer:
        """A paho client, with a certificate or on the plain port."""
        if holds is not None:
            options["tls"] = self.tls(holds)
        port = self.port("mqtt" if holds is None else "mqtts")
        made = await asyncio.to_thread(Peer, asyncio.get_running_loop(), port, name, version, **options)
        self.opened.append(made)
        await made.next()
        return made

    async def bare(self, *raw: bytes, port: str = "mqtt", tls: ssl.SSLContext | None = None) -> Bare:
        """A peer that says just these bytes."""
        made = Bare(*await asyncio.open_connection("localhost", self.port(port), ssl=tls, family=2))
        self.opened.append(made)
        made.send(*raw)
        return made

    async def shake_hands(self, tls: ssl.SSLContext, port: str = "mqtts") -> None:
        """A handshake, which may fail at either side, and at the client's only when it reads."""
        with contextlib.suppress(OSError):
            made = await self.bare(connect(5), port=port, tls=tls)
            await made.rest()

    async def give(self, name: str, *statements: dict[str, Any]) -> None:
        """Take a certificate's own policy away, and give it this one; none: none."""
        target = f"{ARN}cert/{self.id_of(name)}"
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        await self.operate("POST", "/target-policies/ghostjob-own-thing", target=target)
        if statements:
            await self.operate("POST", f"/policies/for-{name}", policyDocument=document)
            await self.operate("PUT", f"/target-policies/for-{name}", target=target)

    async def operate(self, method: str, path: str, **body: Any) -> None:
        async with self.api.request(method, path, json=body or None) as response:
            assert response.status == 200, await response.read()

    def id_of(self, name: str) -> str:
        pem = (self.certs / f"{name}.pem").read_bytes()
        return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()

    async def next(self) -> ClientRefused | MessageDropped:
        return await within(self.told.get(), WAIT)


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    certs, elsewhere = tmp_path_factory.mktemp("certs"), tmp_path_factory.mktemp("elsewhere")
    make_certificates(certs, ["lamp", "other"])
    make_certificates(elsewhere, ["lamp"])
    return certs, elsewhere


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What a program that configured structlog as our commands do would have seen."""
    before, seen = structlog.get_config(), list[dict[str, Any]]()

    def see(_logger: object, level: str, said: Any) -> Any:
        seen.append({**said, "level": level})
        raise structlog.DropEvent

    structlog.configure(processors=[see], wrapper_class=structlog.make_filtering_bound_logger(30))
    yield seen
    structlog.configure(**before)


@contextlib.asynccontextmanager
async def running(
    directories: tuple[Path, Path], lines: list[dict[str, Any]], settings: GatewaySettings, **more: Any
) -> AsyncIterator[World]:
    told: asyncio.Queue[ClientRefused | MessageDropped] = asyncio.Queue()

    def observe(event: CloudEvent) -> None:
        if isinstance(event, ClientRefused | MessageDropped):
            told.put_nowait(event)

    certs, elsewhere = directories
    options = CloudSettings(api_port=0, mqtt_port=0, mqtts_port=0, data_port=0, certs=certs, gateway=settings, **more)
    async with LocalCloud(options, observe) as cloud, aiohttp.ClientSession(cloud.endpoints["api"]) as api:
        world = World(cloud, certs, elsewhere, api, told, lines)
        yield world
        for each in world.opened:
            await asyncio.to_thread(each.close)


FREE = GatewaySettings(connects_per_second=None)


@pytest.fixture
async def world(directories: tuple[Path, Path], lines: list[dict[str, Any]]) -> AsyncIterator[World]:
    async with running(directories, lines, FREE) as made:
        yield made


# ── the ways to be refused ────────────────────────────────────────────────────────────────────────────────────


async def connects_as_another(world: World) -> None:
    await world.peer("other")


async def connects_as_another_in_3_1_1(world: World) -> None:
    await world.peer("other", V3)


async def has_no_policy(world: World) -> None:
    await world.peer("lamp")
    await world.give("lamp")
    await world.peer("lamp")


async def has_a_policy_of_another_account(world: World) -> None:
    await world.peer("lamp")
    theirs = "arn:aws:iot:eu-west-1:123456789012:client/lamp"
    await world.give("lamp", {"Effect": "Allow", "Action": "iot:*", "Resource": theirs})
    await world.peer("lamp")


async def is_denied_by_a_statement(world: World) -> None:
    lamp = await world.peer("lamp")
    await world.give(
        "lamp",
        {"Effect": "Allow", "Action": "iot:*", "Resource": "*"},
        {"Sid": "NotTheHall", "Effect": "Deny", "Action": "iot:Publish", "Resource": f"{ARN}topic/hall/*"},
    )
    lamp.client.publish("hall/1", b"", 1)


async def subscribes_by_a_policy_about_topics(world: World) -> None:
    lamp = await world.peer("lamp")
    await world.give("lamp", {"Effect": "Allow", "Action": "iot:*", "Resource": f"{ARN}topic/hall/*"})
    await lamp.subscribe("hall/1")


async def subscribes_by_a_policy_with_mqtt_s_wildcards(world: World) -> None:
    lamp = await world.peer("lamp")
    await world.give("lamp", {"Effect": "Allow", "Action": "iot:*", "Resource": f"{ARN}topicfilter/hall/#"})
    await lamp.subscribe("hall/1")


async def uses_a_thing_that_it_is_not(world: World) -> None:
    lamp, mine = await world.peer("lamp"), "topic/${iot:Connection.Thing.ThingName}/*"
    await world.give("lamp", {"Effect": "Allow", "Action": "iot:*", "Resource": f"{ARN}{mine}"})
    lamp.client.publish("lamp/1", b"", 1)


async def publishes_elsewhere(world: World) -> None:
    (await world.peer("lamp")).client.publish("other/state", b"", 1)


async def publishes_elsewhere_with_qos_0(world: World) -> None:
    (await world.peer("lamp")).client.publish("other/state", b"", 0)


async def publishes_elsewhere_in_3_1_1(world: World) -> None:
    (await world.peer("lamp", V3)).client.publish("other/state", b"", 1)


async def retains_without_permission(world: World) -> None:
    lamp = await world.peer("lamp")
    await world.give("lamp", {"Effect": "Allow", "Action": "iot:Publish", "Resource": "*"})
    lamp.client.publish("lamp/state", b"on", 1, retain=True)


async def subscribes_elsewhere(world: World) -> None:
    await (await world.peer("lamp")).subscribe("other/#")


async def may_not_receive(world: World) -> None:
    lamp = await world.peer("lamp")
    await world.give("lamp", {"Effect": "Allow", "Action": ["iot:Subscribe", "iot:Publish"], "Resource": "*"})
    await lamp.subscribe("hall/1")
    lamp.client.publish("hall/1", b"", 1)


async def leaves_a_will_elsewhere(world: World) -> None:
    (await world.peer("lamp", will=("other/will", b"gone", 1))).lose()


async def publishes_where_nothing_is_served(world: World) -> None:
    (await world.peer("dev", holds=None)).client.publish("$aws/things/dev/shadow/update", b"{}", 1)


async def is_inactive(world: World) -> None:
    await world.peer("lamp")
    await world.operate("PUT", f"/certificates/{world.id_of('lamp')}?newStatus=INACTIVE")
    assert (await world.next()).code == "certificate-inactive", "that of the connection which it had"
    await world.shake_hands(world.tls())


async def comes_from_another_ca(world: World) -> None:
    await world.shake_hands(world.tls(made=world.elsewhere))


async def comes_without_a_certificate(world: World) -> None:
    await world.shake_hands(world.tls(None))


async def comes_to_https_without_a_certificate(world: World) -> None:
    await world.shake_hands(world.tls(None), "data")


async def trusts_another_ca(world: World) -> None:
    await asyncio.to_thread(_shake_hands_by_hand, world.port("mqtts"), world.tls(trusts=world.elsewhere))


async def trusts_another_ca_at_the_api(world: World) -> None:
    await asyncio.to_thread(_shake_hands_by_hand, world.port("api"), world.tls(trusts=world.elsewhere))


async def hangs_up_instead_of_shaking_hands(world: World) -> None:
    await world.shake_hands(world.tls(trusts=world.elsewhere))


def _shake_hands_by_hand(port: int, tls: ssl.SSLContext) -> None:
    """As paho does; asyncio's clients hang up without a word of what they do not like."""
    with socket.create_connection(("127.0.0.1", port), WAIT) as plain, contextlib.suppress(ssl.SSLError):
        tls.wrap_socket(plain, server_hostname="localhost")


async def speaks_no_tls(world: World) -> None:
    await (await world.bare(connect(5), port="mqtts")).rest()


async def speaks_tls_to_the_plain_port(world: World) -> None:
    await world.shake_hands(world.tls(), "mqtt")


async def speaks_http_to_mqtt(world: World) -> None:
    await (await world.bare(b"GET / HTTP/1.1\r\n\r\n")).rest()


async def speaks_http_without_naming_it(world: World) -> None:
    await (await world.bare(b"GET /things/lamp/jobs HTTP/1.1\r\n\r\n", port="mqtts", tls=world.tls())).rest()


async def names_https_and_speaks_mqtt(world: World) -> None:
    tls = world.tls()
    tls.set_alpn_protocols(["x-amzn-http-ca"])
    await (await world.bare(connect(5) + b"\r\n\r\n", port="mqtts", tls=tls)).rest()


async def speaks_mqtt_3_1(world: World) -> None:
    await (await world.bare(b"\x10\x11\0\6MQIsdp\3\2\0\x3c\0\3dev")).rest()


async def sends_a_broken_connect(world: World) -> None:
    await (await world.bare(connect(5, flags=3))).rest()


async def has_a_client_id_of_aws(world: World) -> None:
    await (await world.bare(connect(5, rest=text("$dev")))).rest()


async def comes_twice(world: World) -> None:
    await world.peer("dev", holds=None)
    await world.peer("dev", holds=None)


async def sends_what_is_no_packet(world: World) -> None:
    await (await world.bare(connect(5), b"\x83\0")).rest()


async def sends_too_much(world: World) -> None:
    (await world.peer("dev", holds=None)).client.publish("big", b"x" * (128 * 1024 + 1), 1)


async def goes_too_deep(world: World) -> None:
    (await world.peer("dev", holds=None)).client.publish("1/2/3/4/5/6/7/8/9", b"", 1)


async def publishes_with_qos_2(world: World) -> None:
    (await world.peer("dev", V3, holds=None)).client.publish("a", b"", 2)


async def subscribes_with_qos_2(world: World) -> None:
    await world.bare(connect(4), subscribe("a", version=4, options=2))


async def subscribes_to_nine_at_once(world: World) -> None:
    await (await world.bare(connect(5), subscribe(*"abcdefghi"))).rest()


async def subscribes_to_fifty_one(world: World) -> None:
    dev = await world.peer("dev", holds=None)
    for start in range(0, 51, 3):
        await dev.subscribe(*(f"t/{number}" for number in range(start, start + 3)))


async def subscribes_to_what_is_no_filter(world: World) -> None:
    await world.bare(connect(5), subscribe("a/#/b"))


async def publishes_a_hundred_and_one(world: World) -> None:
    await world.bare(connect(5), *[publish("a")] * 101)


async def opens_no_websocket(world: World) -> None:
    async with world.api.get("/mqtt") as answer:
        assert answer.status == 400


async def asks_for_jobs_of_another(world: World) -> None:
    async with data_plane(world) as http, http.get("/things/other/jobs") as answer:
        assert answer.status == 403


async def publishes_elsewhere_over_https(world: World) -> None:
    async with data_plane(world) as http, http.post("/topics/other/state", data=b"") as answer:
        assert answer.status == 403


async def _with_an_inactive_certificate(world: World, method: str, path: str) -> int:
    """The status that answers a request whose certificate was good a moment ago."""
    async with data_plane(world) as http:
        async with http.get("/things/lamp/jobs") as answer:
            assert answer.status == 404, "no such thing, and nobody is refused"
        await world.operate("PUT", f"/certificates/{world.id_of('lamp')}?newStatus=INACTIVE")
        async with http.request(method, path) as answer:
            return answer.status


async def asks_for_jobs_with_an_inactive_certificate(world: World) -> None:
    assert await _with_an_inactive_certificate(world, "GET", "/things/lamp/jobs") == 400


async def publishes_with_an_inactive_certificate(world: World) -> None:
    assert await _with_an_inactive_certificate(world, "POST", "/topics/lamp/state") == 403


async def reads_what_is_retained_with_an_inactive_certificate(world: World) -> None:
    assert await _with_an_inactive_certificate(world, "GET", "/retainedMessage/state") == 403


@contextlib.asynccontextmanager
async def data_plane(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(ssl=world.tls(), family=2)
    url = f"https://localhost:{world.port('data')}"
    async with aiohttp.ClientSession(url, connector=connector) as http:
        yield http


def row(how: Callable[[World], Awaitable[None]], code: str, action: str, resource: str, **told: str | None):
    return pytest.param(how, code, action, resource, told, id=how.__name__.replace("_", " "))


NONE_ALLOWS = "no statement of its policies (ghostjob-own-thing) allows it"
ITS_OWN = "this certificate is for the thing lamp alone"


@pytest.mark.parametrize(
    ("how", "code", "action", "resource", "told"),
    [
        row(connects_as_another, "not-allowed", "iot:Connect", "client/other", client_id="other", principal="lamp",
            why=NONE_ALLOWS, statement=None, hint="connect with client_id=lamp, or make a certificate for other"),
        row(connects_as_another_in_3_1_1, "not-allowed", "iot:Connect", "client/other", hint="client_id=lamp"),
        row(has_no_policy, "not-allowed", "iot:Connect", "client/lamp", why="no policy is attached",
            hint="aws iot attach-policy"),
        row(has_a_policy_of_another_account, "not-allowed", "iot:Connect", "client/lamp",
            hint="the policy says arn:aws:iot:eu-west-1:123456789012:client/lamp; here ARNs begin with arn:aws:iot"),
        row(is_denied_by_a_statement, "not-allowed", "iot:Publish", "topic/hall/1", client_id="lamp",
            why="denies it", statement="policy for-lamp, statement 2 (NotTheHall)"),
        row(subscribes_by_a_policy_about_topics, "not-allowed", "iot:Subscribe", "topicfilter/hall/1",
            hint="iot:Subscribe is about topicfilter/…"),
        row(subscribes_by_a_policy_with_mqtt_s_wildcards, "not-allowed", "iot:Subscribe", "topicfilter/hall/1",
            hint="in policies * is the wildcard"),
        row(uses_a_thing_that_it_is_not, "not-allowed", "iot:Publish", "topic/lamp/1",
            hint="attached to no thing of that client id"),
        row(publishes_elsewhere, "not-allowed", "iot:Publish", "topic/other/state", client_id="lamp",
            principal="lamp", why=NONE_ALLOWS, hint=ITS_OWN),
        row(publishes_elsewhere_with_qos_0, "not-allowed", "iot:Publish", "topic/other/state", hint=ITS_OWN),
        row(publishes_elsewhere_in_3_1_1, "not-allowed", "iot:Publish", "topic/other/state", hint=ITS_OWN),
        row(retains_without_permission, "not-allowed", "iot:RetainPublish", "topic/lamp/state"),
        row(subscribes_elsewhere, "not-allowed", "iot:Subscribe", "topicfilter/other/#", client_id="lamp",
            why=NONE_ALLOWS, hint=ITS_OWN),
        row(may_not_receive, "not-allowed", "iot:Receive", "topic/hall/1", client_id="lamp",
            why="no statement of its policies (for-lamp)"),
        row(leaves_a_will_elsewhere, "not-allowed", "iot:Publish", "topic/other/will", client_id="lamp", hint=ITS_OWN),
        row(publishes_where_nothing_is_served, "topic", "iot:Publish", "topic/$aws/things/dev/shadow/update",
            client_id="dev"),
        row(is_inactive, "certificate-inactive", "iot:Connect", "", principal="lamp",
            why="the certificate of lamp is INACTIVE", hint="aws iot update-certificate"),
        row(comes_from_another_ca, "certificate-foreign", "tls", "", hint="ghostjob certs"),
        row(comes_without_a_certificate, "certificate-missing", "tls", "", hint="ghostjob certs"),
        row(comes_to_https_without_a_certificate, "certificate-missing", "tls", ""),
        row(trusts_another_ca, "server-not-trusted", "tls", "", hint="give it ca.pem"),
        row(trusts_another_ca_at_the_api, "server-not-trusted", "tls", "", hint="give it ca.pem"),
        row(hangs_up_instead_of_shaking_hands, "tls-failed", "tls", "", why="hung up", hint="give it ca.pem"),
        row(speaks_no_tls, "tls-failed", "tls", "", why="no TLS", hint="MQTT port without TLS"),
        row(speaks_tls_to_the_plain_port, "not-mqtt", "iot:Connect", "", hint="this is TLS"),
        row(speaks_http_to_mqtt, "not-mqtt", "iot:Connect", "", hint="this is HTTP"),
        row(speaks_http_without_naming_it, "not-mqtt", "iot:Connect", "", principal="lamp", hint="x-amzn-http-ca"),
        row(names_https_and_speaks_mqtt, "not-http", "http", "", hint="this is MQTT"),
        row(speaks_mqtt_3_1, "protocol-version", "iot:Connect", "", why="version 3; AWS IoT speaks MQTT 3.1.1"),
        row(sends_a_broken_connect, "malformed", "iot:Connect", "", why="the reserved CONNECT flag"),
        row(has_a_client_id_of_aws, "client-id", "iot:Connect", "client/$dev", client_id="$dev"),
        row(comes_twice, "taken-over", "iot:Connect", "client/dev", client_id="dev", hint="two clients use one id"),
        row(sends_what_is_no_packet, "malformed", "iot:Subscribe", "", client_id="dev"),
        row(sends_too_much, "too-large", "iot:Publish", "topic/big", client_id="dev"),
        row(goes_too_deep, "topic", "iot:Publish", "topic/1/2/3/4/5/6/7/8/9", why="7 slashes"),
        row(publishes_with_qos_2, "qos-2", "iot:Publish", "topic/a", client_id="dev"),
        row(subscribes_with_qos_2, "qos-2", "iot:Subscribe", "topicfilter/a", client_id="dev"),
        row(subscribes_to_nine_at_once, "quota", "iot:Subscribe", "", why="9 filters in one SUBSCRIBE, of 8"),
        row(subscribes_to_fifty_one, "quota", "iot:Subscribe", "topicfilter/t/50", why="50 subscriptions"),
        row(subscribes_to_what_is_no_filter, "topic", "iot:Subscribe", "topicfilter/a/#/b"),
        row(publishes_a_hundred_and_one, "publish-rate", "iot:Publish", "topic/a", why="100 messages"),
        row(opens_no_websocket, "not-mqtt", "iot:Connect", "GET /mqtt"),
        row(asks_for_jobs_of_another, "not-allowed", "iotjobsdata:GetPendingJobExecutions", "thing/other",
            principal="lamp", why=NONE_ALLOWS, hint=ITS_OWN),
        row(publishes_elsewhere_over_https, "not-allowed", "iot:Publish", "topic/other/state", principal="lamp"),
        row(asks_for_jobs_with_an_inactive_certificate, "certificate-inactive", "http", "GET /things/lamp/jobs",
            principal="lamp", why="the certificate of lamp is INACTIVE"),
        row(publishes_with_an_inactive_certificate, "certificate-inactive", "http", "POST /topics/lamp/state",
            principal="lamp"),
        row(reads_what_is_retained_with_an_inactive_certificate, "certificate-inactive", "http",
            "GET /retainedMessage/state", principal="lamp"),
    ],
)  # fmt: skip
async def test_who_is_refused_leaves_a_line_and_an_event(
    world: World,
    how: Callable[[World], Awaitable[None]],
    code: str,
    action: str,
    resource: str,
    told: dict[str, str | None],
):
    await how(world)
    event = await world.next()
    assert (event.code, event.action, event.resource) == (code, action, resource)
    assert event.address == "127.0.0.1" or action == "iot:Publish", "a will is published when its client is gone"
    assert event.times == 1
    for name, expected in told.items():
        found = getattr(event, name)
        if name == "principal":
            assert found == world.id_of(expected or "")
        elif name in ("why", "hint") and expected is not None:
            assert expected in (found or "")
        else:
            assert found == expected, name
    said = {"event": event.type, "level": "warning", "code": code, "action": action, "why": event.why}
    line = next(line for line in world.lines if line["code"] == code and line["why"] == event.why)
    assert line.items() >= said.items()
    assert line.get("hint") == event.hint
    assert (line.get("resource", ""), line.get("client_id", "")) == (event.resource, event.client_id)


async def test_a_client_that_connects_too_soon_again_is_told_of(directories: Any, lines: Any):
    async with running(directories, lines, GatewaySettings()) as world:
        await world.peer("dev", holds=None)
        await world.peer("dev", holds=None)
        event = await world.next()
        assert (event.code, event.action, event.resource) == ("connect-rate", "iot:Connect", "client/dev")
        assert event.hint is not None
        assert "gateway.connects_per_second" in event.hint


async def test_a_certificate_that_nobody_registered_is_told_of(directories: Any, lines: Any):
    async with running(directories, lines, GatewaySettings(own_certificates="unknown")) as world:
        await world.shake_hands(world.tls())
        event = await world.next()
        assert (event.code, event.principal) == ("certificate-unregistered", world.id_of("lamp"))
        assert event.why == "the certificate of lamp is not registered"


SIGNED = (
    "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261128T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
    "&X-Amz-Credential={key}%2F20261128%2Fus-east-1%2Fiotdevicegateway%2Faws4_request"
)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "MissingAuthenticationTokenException"),
        ("?X-Amz-Algorithm=AWS4-HMAC-SHA256", "IncompleteSignatureException"),
        (SIGNED.format(key="NOBODY"), "UnrecognizedClientException"),
        (SIGNED.format(key="AKID"), "InvalidSignatureException"),
    ],
    ids=["none", "half of one", "of an unknown key", "a wrong one"],
)
async def test_a_signature_that_is_no_good_is_told_of(directories: Any, lines: Any, query: str, why: str):
    async with running(directories, lines, FREE, access_keys=(("AKID", "secret"),)) as world:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await world.api.ws_connect(f"/mqtt{query}", protocols=["mqtt"])
        event = await world.next()
        assert (event.code, event.action) == ("signature", "iot:Connect")
        assert event.why.startswith(why)
        assert event.address == "127.0.0.1"
        assert event.principal == (re.findall("NOBODY|AKID", query) or [""])[0]


async def test_an_operation_without_a_signature_is_told_of(directories: Any, lines: Any):
    async with running(directories, lines, FREE, access_keys=(("AKID", "secret"),)) as world:
        async with world.api.get("/things") as answer:
            assert answer.status == 403
        event = await world.next()
        assert (event.code, event.action, event.resource) == ("signature", "http", "GET /things")
        assert event.hint == "sign with one of the keys of --access-key, --access-key-file or GHOSTJOB_ACCESS_KEYS"


async def test_a_file_that_is_not_there_or_not_signed_for_is_told_of(directories: Any, lines: Any, tmp_path: Path):
    async with running(directories, lines, FREE, files=tmp_path) as world:
        assert world.cloud._urls is not None
        good = world.cloud._urls.url("https://s3.amazonaws.com/bucket/key", time.time(), 60)
        late = world.cloud._urls.url("https://s3.amazonaws.com/bucket/key", time.time() - 100, 60)
        for url, code, why in [
            (good, "no-file", f"no such file below {tmp_path}"),
            (late, "signature", "its URL has expired"),
            (good.replace("key", "other"), "signature", "does not match"),
        ]:
            async with world.api.get(url) as answer:
                assert answer.status in (403, 404)
            event = await world.next()
            assert (event.code, event.action) == (code, "http")
            assert event.resource.startswith("GET bucket/")
            assert why in event.why


async def test_what_is_like_it_is_counted_and_told_at_the_end(directories: Any, lines: Any):
    async with running(directories, lines, FREE) as world:
        lamp = await world.peer("lamp")
        for _ in range(20):
            lamp.client.publish("other/state", b"", 1)
            assert await lamp.next() == ("published", "Not authorized")
        assert (await world.next()).times == 1
        assert world.told.empty()
    last = await world.next()
    assert (last.code, last.resource, last.times) == ("not-allowed", "topic/other/state", 19)
    assert [line["why"] for line in lines] == [last.why, f"{last.why} (and 19 more like it)"]


async def test_a_library_prints_nothing(directories: Any, capfd: pytest.CaptureFixture[str], caplog: Any):
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        async with running(directories, [], FREE) as world:
            await world.peer("other")
            await world.next()
    finally:
        structlog.configure(**before)
    assert capfd.readouterr() == ("", "")
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("ghostjob.cloud", "WARNING")
    assert "client.refused" in record.message
    assert "client_id=lamp" in record.message
