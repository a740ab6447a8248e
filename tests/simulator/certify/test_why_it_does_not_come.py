"""Why a device does not come: real clients before a real desk, each wrong in one way, and the sentence that is told."""

import asyncio
import datetime
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulator.certs import authority_in, make_certificates
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text
from tests.simulator.cloud.mqtt.peers import V5
from tests.within import within

from .conftest import World, opened

Story = Callable[[World], Awaitable[None]]
JOBS = "$aws/things/pump-7/jobs"
GIVE = "give it {cert} with the key {key}"


async def _bytes(world: World, port: int | None, raw: bytes, **how: Any) -> None:
    """Somebody who connects, says this, and stays until something is told, or the other end hangs up."""
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, **how)
        writer.write(raw)
        waiting = {asyncio.ensure_future(reader.read()), asyncio.ensure_future(world.until(world.arrival.wrong))}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        writer.close()


async def _handshake(world: World, context: ssl.SSLContext, name: str) -> None:
    """By blocking calls, as most MQTT clients have it: they send an alert before they hang up."""

    def shake() -> None:
        with (
            socket.create_connection(("127.0.0.1", world.desk.offer.mqtts_port or 0)) as raw,
            suppress(ssl.SSLError),
            context.wrap_socket(raw, server_hostname=name),
        ):
            pass

    await asyncio.to_thread(shake)


async def _paho(world: World, **options: Any) -> None:
    with suppress(OSError):
        await world.visit(**options)


# ── the door ──────────────────────────────────────────────────────────────────────────────────────────────────


def _trusting(world: World) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(world.certs / "ca.pem"))
    context.check_hostname = False
    return context


async def no_certificate(world: World) -> None:
    await _paho(world, tls=_trusting(world))


async def another_ca(world: World) -> None:
    context, elsewhere = _trusting(world), world.certs / "elsewhere"
    make_certificates(elsewhere, ["pump-7"])
    context.load_cert_chain(elsewhere / "pump-7.pem", elsewhere / "pump-7.key")
    await _paho(world, tls=context)


async def another_device(world: World) -> None:
    await _paho(world, tls=world.tls("pump-8"))


async def old_certificate(world: World) -> None:
    ca, key = authority_in(world.certs)
    private, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pump-7")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(ca.subject)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now - datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    both = world.certs / "old.txt"
    both.write_bytes(made.public_bytes(serialization.Encoding.PEM) + pem)
    context = _trusting(world)
    context.load_cert_chain(both)
    await _paho(world, tls=context)


async def inactive(world: World) -> None:
    certificates = world.desk.cloud.core.registry.certificates
    (own,) = certificates.after(None, 2, newest_first=True)
    certificates.set_status(own.certificate_id, "INACTIVE", 0.0)
    await _paho(world)


async def public_roots_only(world: World) -> None:
    context = ssl.create_default_context()
    context.load_cert_chain(world.certs / "pump-7.pem", world.certs / "pump-7.key")
    await _handshake(world, context, "localhost")


async def another_name(world: World) -> None:
    await _handshake(world, world.tls(), "iot.example.com")


async def no_tls(world: World) -> None:
    await _paho(world, plain=True, port=world.desk.offer.mqtts_port)


async def plain_http(world: World) -> None:
    await _bytes(world, world.desk.offer.mqtts_port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


async def https_without_alpn(world: World) -> None:
    raw = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    await _bytes(world, world.desk.offer.mqtts_port, raw, ssl=world.tls(), server_hostname="localhost")


async def mqtt_by_the_name_of_http(world: World) -> None:
    context = world.tls()
    context.set_alpn_protocols(["x-amzn-http-ca"])
    raw = connect(4, rest=text("pump-7"))
    await _bytes(world, world.desk.offer.mqtts_port, raw, ssl=context, server_hostname="localhost")


async def mqtt_to_the_data_port(world: World) -> None:
    await _paho(world, port=world.desk.offer.data_port)


async def tls_to_the_port_without(world: World) -> None:
    with suppress(OSError):
        await asyncio.open_connection(
            "127.0.0.1", world.desk.offer.mqtt_port, ssl=world.tls(), server_hostname="localhost"
        )


async def http_to_the_plain_port(world: World) -> None:
    await _bytes(world, world.desk.offer.mqtt_port, b"POST /things HTTP/1.1\r\n\r\n")


async def nonsense(world: World) -> None:
    await _bytes(world, world.desk.offer.mqtts_port, b"hello", ssl=world.tls(), server_hostname="localhost")


async def mqtt_3_1(world: World) -> None:
    await _paho(world, version=3)


async def another_client_id(world: World) -> None:
    await _paho(world, name="mqttjs_1f3a")


async def a_client_id_with_a_dollar(world: World) -> None:
    await _paho(world, name="$pump")


DOOR = [
    (no_certificate, "a client from 127.0.0.1 shows no client certificate: " + GIVE),
    (another_ca, "a client from 127.0.0.1 shows a certificate of another CA: " + GIVE),
    (another_device, "a client from 127.0.0.1 shows a certificate of this CA that is not this device's: " + GIVE),
    (
        old_certificate,
        "a client from 127.0.0.1 shows a certificate that is not valid now: "
        + GIVE
        + "; if it has these, remove both files and start again, and they are made anew",
    ),
    (inactive, "a client from 127.0.0.1 shows a certificate that somebody made inactive: aws iot update-certificate"),
    (
        public_roots_only,
        "a client from 127.0.0.1 does not accept the cloud's certificate (unknown ca): give it {ca} as its CA, in the"
        " place of Amazon's root CA",
    ),
    (
        another_name,
        "a client from 127.0.0.1 does not accept the cloud's certificate (bad certificate): give it {ca} as its CA, in"
        " the place of Amazon's root CA; connect by 127.0.0.1, not by another name; and is its clock right?",
    ),
    (
        no_tls,
        "a client from 127.0.0.1 speaks without TLS to a port with TLS: turn TLS on, with {cert} with the key {key},"
        " and the CA {ca}",
    ),
    (
        plain_http,
        "a client from 127.0.0.1 speaks HTTP without TLS to a port with TLS: use https://, with {cert} with the key",
    ),
    (
        https_without_alpn,
        "a client from 127.0.0.1 speaks HTTP to the port for MQTT: HTTPS is on port {data_port}",
    ),
    (
        mqtt_by_the_name_of_http,
        "a client from 127.0.0.1 speaks MQTT where HTTP is spoken: MQTT with TLS is on port {mqtts_port}, with"
        " x-amzn-mqtt-ca in ALPN or none, and not with x-amzn-http-ca",
    ),
    (
        mqtt_to_the_data_port,
        "a client from 127.0.0.1 speaks MQTT where HTTP is spoken: MQTT with TLS is on port {mqtts_port}",
    ),
    (
        tls_to_the_port_without,
        "a client from 127.0.0.1 speaks TLS to the port without it: MQTT with TLS is on port {mqtts_port}",
    ),
    (http_to_the_plain_port, "a client from 127.0.0.1 speaks HTTP to the port for MQTT: HTTPS is on port {data_port}"),
    (nonsense, "a client from 127.0.0.1 does not begin with an MQTT CONNECT: speak MQTT 3.1.1 or 5 there"),
    (mqtt_3_1, "a client from 127.0.0.1 speaks another version (protocol 'MQIsdp' version 3; AWS IoT speaks MQTT"),
    (
        another_client_id,
        "the client mqttjs_1f3a from 127.0.0.1 may not connect by that client id: it has to be pump-7, and of further"
        " connections pump-7-…",
    ),
    (
        a_client_id_with_a_dollar,
        "the client $pump from 127.0.0.1 has a client id that AWS IoT does not take (a client id has at most 128 bytes,"
        " and does not begin with $): use pump-7",
    ),
]


# ── topics, once it is in ─────────────────────────────────────────────────────────────────────────────────────


def subscribes(*filters: str, qos: int = 1, version: Any = V5) -> Story:
    async def story(world: World) -> None:
        peer = await world.connect(version=version)
        peer.client.subscribe([(each, qos) for each in filters])

    return story


def publishes(topic: str, qos: int = 0, *, retain: bool = False, version: Any = 4) -> Story:
    async def story(world: World) -> None:
        peer = await world.connect(version=version)
        peer.client.publish(topic, b"{}", qos, retain=retain)

    return story


def says(raw: bytes) -> Story:
    async def story(world: World) -> None:
        hello = connect(4, rest=text("pump-7"))
        port = world.desk.offer.mqtts_port
        await _bytes(world, port, hello + raw, ssl=world.tls(), server_hostname="localhost")

    return story


HAS = "its policy has $aws/things/pump-7/jobs/… and dut/pump-7/…; if the device needs it, add --allow-topic"
MAY_NOT = "the client pump-7 from 127.0.0.1 may not "
TOPICS = [
    (
        subscribes("things/pump-7/jobs/notify"),
        MAY_NOT + "subscribe to things/pump-7/jobs/notify, which does not begin with $aws/: topics of Jobs are"
        " $aws/things/pump-7/jobs/…",
    ),
    (
        subscribes("$aws/things/pump-8/jobs/notify-next"),
        MAY_NOT + "subscribe to $aws/things/pump-8/jobs/notify-next, which is about the thing pump-8, and this one is"
        " pump-7: use $aws/things/pump-7/jobs/…",
    ),
    (
        subscribes("$aws/things/+/jobs/notify"),
        MAY_NOT + "subscribe to $aws/things/+/jobs/notify, which is about the thing +, and this one is pump-7",
    ),
    (
        subscribes("$aws/things/pump-7/shadow/update/delta"),
        MAY_NOT + "subscribe to $aws/things/pump-7/shadow/update/delta: " + HAS,
    ),
    (subscribes("#"), MAY_NOT + "subscribe to #: " + HAS + " '#'"),
    (publishes("telemetry/pump-7"), MAY_NOT + "publish to telemetry/pump-7: " + HAS + " 'telemetry/pump-7'"),
    (publishes("telemetry/pump-7", 1, version=V5), MAY_NOT + "publish to telemetry/pump-7: " + HAS),
    (
        publishes("$aws/things/pump-8/jobs/start-next"),
        MAY_NOT + "publish to $aws/things/pump-8/jobs/start-next, which is about the thing pump-8",
    ),
    (
        publishes(f"{JOBS}/notify"),
        "the client pump-7 from 127.0.0.1 publishes to $aws/things/pump-7/jobs/notify, which",
    ),
    (
        subscribes(f"{JOBS}/notify", qos=2, version=4),
        "the client pump-7 from 127.0.0.1 uses QoS 2 ($aws/things/pump-7/jobs/notify), which AWS IoT does not have:"
        " use QoS 0 or 1",
    ),
    (publishes(f"{JOBS}/start-next", 2), "the client pump-7 from 127.0.0.1 uses QoS 2 ($aws/things/pump-7/jobs/start-"),
    (
        subscribes(*(f"{JOBS}/{number}/get/accepted" for number in range(9))),
        "the client pump-7 from 127.0.0.1 asks for more than AWS IoT gives (9 filters in one SUBSCRIBE, of 8 at most)",
    ),
    (says(b"\xf0\x00"), "the client pump-7 from 127.0.0.1 sends a packet that AWS IoT does not take ("),
    (
        says(subscribe("$share/g", version=4)),
        "the client pump-7 from 127.0.0.1 subscribes to $share/g, which is not served: no valid topic filter",
    ),
    (says(publish("a/+/b", version=4)), "the client pump-7 from 127.0.0.1 "),
]


@pytest.mark.parametrize(("story", "sentence"), DOOR + TOPICS, ids=lambda each: getattr(each, "__name__", "is told"))
async def test_whoever_is_refused_reads_why_and_what_to_do(certs: Path, story: Story, sentence: str):
    async with opened(certs, mqtt_port=0) as world:
        await within(story(world), 20)
        await world.until(world.arrival.wrong)
        fields = world.desk.offer.placeholders()
        assert (world.arrival.wrong() or "").startswith(sentence.format(**fields) if "{" in sentence else sentence)
        assert world.arrival.trouble() == world.arrival.wrong()
        assert not world.arrival.is_there
