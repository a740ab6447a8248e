"""AWS's quotas on the device gateway, and what exceeding each does. Settings are AWS's unless a test says otherwise."""

import asyncio

import pytest

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.mqtt.shells import Gateway
from tests.fidelity.proofs import proves
from tests.within import within

from .packets import connect, publish, subscribe, text
from .peers import V3, V5, WAIT, BareConnect, Connect, Jobs

EACH = pytest.mark.parametrize("version", [4, 5], ids=["3.1.1", "5"])
PING, PONG = b"\xc0\0", (0xD0, b"")


@pytest.fixture
def settings() -> GatewaySettings:
    return GatewaySettings()


def row(sentence: str, *cells: object, marks=()):
    return pytest.param(*cells, id=sentence, marks=marks)


def _told(reason: Reason, version: int) -> bytes:
    """What a client hears whose connection ends for that reason."""
    return bytes((0xE0, 1, reason)) if version == 5 else b""


# ── keep-alive ────────────────────────────────────────────────────────────────────────────────────────────────


@proves("keep-alive-is-bounded")
@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        row("0 is the longest", 0, 1200),
        row("less than 30 is 30", 1, 30),
        row("just below 30 is 30", 29, 30),
        row("30 stays", 30, 30),
        row("1200 stays", 1200, 1200),
        row("more than 1200 is 1200", 1201, 1200),
        row("much more is 1200", 65535, 1200),
    ],
)
@pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
async def test_a_keep_alive_is_brought_within_its_bounds(
    gateway: Gateway, service: Jobs, peer: Connect, version, asked: int, granted: int
):
    client = await peer("lamp", version, keep_alive=asked)
    if version == V5:
        assert client.granted.ServerKeepAlive == granted
    start = gateway.broker.context.now
    gateway.broker.sweep(start + granted * 1.5 - 1)
    assert service.gone.empty()
    gateway.broker.sweep(start + granted * 1.5 + 3)
    assert await within(service.gone.get(), WAIT) == ("lamp", "MQTT_KEEP_ALIVE_TIMEOUT")


async def test_half_a_packet_does_not_keep_a_connection_alive(gateway: Gateway, service: Jobs, bare: BareConnect):
    client = await bare()
    gateway.broker.context.now += 80
    client.send(b"\x30\x7f")
    client.send(PING[:1])
    await client.writer.drain()
    await asyncio.to_thread(lambda: None)
    gateway.broker.sweep(gateway.broker.context.now + 100)
    assert await within(service.gone.get(), WAIT) == ("dev", "MQTT_KEEP_ALIVE_TIMEOUT")


# ── what is too large or too deep ─────────────────────────────────────────────────────────────────────────────


@proves("payloads-have-128-kb")
@EACH
async def test_a_payload_of_128_kb_is_taken_and_a_larger_one_ends_the_connection(
    service: Jobs, bare: BareConnect, version: int
):
    client = await bare(version)
    client.send(publish("a", bytes(128 * 1024), version), PING)
    assert await client.packet() == PONG
    client.send(publish("a", bytes(128 * 1024 + 1), version))
    assert await client.rest() == _told(Reason.PACKET_TOO_LARGE, version)
    assert await service.gone.get() == ("dev", "CLIENT_ERROR")


DEEP = "a/b/c/d/e/f/g/h"
LONG = "a" * 256


@proves("topics-have-256-bytes-and-seven-slashes")
@EACH
@pytest.mark.parametrize("topic", [row("7 slashes", DEEP), row("256 bytes", LONG), row("256 bytes of é", "é" * 128)])
async def test_a_topic_at_the_limit_is_taken(bare: BareConnect, version: int, topic: str):
    client = await bare(version)
    client.send(subscribe(topic, version=version, options=0))
    assert (await client.packet())[1][-1:] == b"\0"
    client.send(publish(topic, b"x", version))
    assert (await client.packet())[1].endswith(b"x")


TOO_MUCH = [row("8 slashes", DEEP + "/i"), row("257 bytes", LONG + "a"), row("258 bytes of é", "é" * 129)]


@proves("topics-have-256-bytes-and-seven-slashes")
@EACH
@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("topic", TOO_MUCH)
async def test_a_topic_beyond_the_limit_is_not_taken(bare: BareConnect, version: int, qos: int, topic: str):
    client = await bare(version)
    client.send(publish(topic, b"x", version, qos=qos))
    if version == 5 and qos:
        assert await client.packet() == (0x40, b"\0\x07" + bytes((Reason.TOPIC_NAME_INVALID,)))
    else:
        assert await client.rest() == _told(Reason.TOPIC_NAME_INVALID, version)


@proves("topics-have-256-bytes-and-seven-slashes")
@EACH
@pytest.mark.parametrize("topic", TOO_MUCH)
async def test_a_filter_beyond_the_limit_is_not_granted(bare: BareConnect, version: int, topic: str):
    client = await bare(version)
    client.send(subscribe(topic, "good", version=version))
    code = Reason.TOPIC_FILTER_INVALID if version == 5 else 0x80
    assert (await client.packet())[1][-2:] == bytes((code, 1))


# ── subscriptions ─────────────────────────────────────────────────────────────────────────────────────────────


@proves("eight-filters-a-subscribe")
@EACH
async def test_eight_filters_in_a_subscribe_are_granted_and_nine_end_the_connection(
    service: Jobs, bare: BareConnect, version: int
):
    client = await bare(version)
    client.send(subscribe(*"abcdefgh", version=version))
    assert (await client.packet())[1][-8:] == b"\1" * 8
    client.send(subscribe(*"abcdefghi", version=version))
    assert await client.rest() == _told(Reason.QUOTA_EXCEEDED, version)
    assert await service.gone.get() == ("dev", "CLIENT_ERROR")


@proves("fifty-subscriptions-a-connection")
@EACH
async def test_the_fifty_first_subscription_is_refused_and_one_given_up_makes_room(bare: BareConnect, version: int):
    client = await bare(version)
    for number in range(50):
        client.send(subscribe(f"a/{number}", version=version))
        assert (await client.packet())[1][-1:] == b"\1"
    client.send(subscribe("a/50", version=version), subscribe("a/0", version=version))
    assert (await client.packet())[1][-1:] == bytes((Reason.QUOTA_EXCEEDED if version == 5 else 0x80,))
    assert (await client.packet())[1][-1:] == b"\1", "one that it has already"
    properties = b"\0" if version == 5 else b""
    client.send(b"\xa2" + bytes((7 + len(properties),)) + b"\0\x09" + properties + text("a/1"))
    assert (await client.packet())[0] == 0xB0
    client.send(subscribe("a/50", version=version))
    assert (await client.packet())[1][-1:] == b"\1"


@proves("fifty-subscriptions-a-connection")
@EACH
@pytest.mark.parametrize("settings", [GatewaySettings(subscriptions=1, too_many_subscriptions="close")])
async def test_one_subscription_too_many_may_also_end_the_connection(bare: BareConnect, version: int):
    client = await bare(version)
    client.send(subscribe("a", "b", version=version))
    assert (await client.packet())[0] == 0x90
    assert await client.rest() == _told(Reason.QUOTA_EXCEEDED, version)


@proves("unknown-reserved-filters-end-the-connection")
@EACH
@pytest.mark.parametrize("topic", ["$SYS/#", "$other/a", "$"])
async def test_a_reserved_filter_that_aws_does_not_know_ends_the_connection(
    bare: BareConnect, version: int, topic: str
):
    client = await bare(version)
    client.send(subscribe(topic, version=version))
    assert await client.rest() == _told(Reason.TOPIC_FILTER_INVALID, version)


@proves("number-sign-does-not-match-the-parent")
async def test_a_filter_ending_in_a_number_sign_does_not_match_its_parent(bare: BareConnect):
    client = await bare()
    client.send(subscribe("sensor/#"), publish("sensor"), publish("sensor/", b"1"), publish("sensor/a/b", b"2"))
    assert (await client.packet())[0] == 0x90
    assert [(await client.packet())[1][-1:] for _ in range(2)] == [b"1", b"2"]


# ── rates ─────────────────────────────────────────────────────────────────────────────────────────────────────


@proves("hundred-publications-a-second")
@EACH
async def test_what_is_published_beyond_100_a_second_is_discarded(
    gateway: Gateway, service: Jobs, bare: BareConnect, version: int
):
    client = await bare(version)
    client.send(*(publish("a", b"x", version, qos=1) for _ in range(103)), PING)
    acks = [await client.packet() for _ in range(100)]
    assert acks == [(0x40, b"\0\x07")] * 100
    if version == 5:
        refused = [await client.packet() for _ in range(3)]
        assert refused == [(0x40, b"\0\x07" + bytes((Reason.QUOTA_EXCEEDED,)))] * 3
    assert await client.packet() == PONG
    gateway.broker.sweep(gateway.broker.context.now + 1)
    client.send(publish("a", b"x", version, qos=1))
    assert await client.packet() == (0x40, b"\0\x07")


@proves("hundred-publications-a-second")
async def test_what_is_published_beyond_512_kib_a_second_is_discarded(gateway: Gateway, bare: BareConnect):
    client = await bare(4)
    client.send(*(publish("a", bytes(128 * 1024), 4, qos=1) for _ in range(5)), PING)
    assert [(await client.packet())[0] for _ in range(5)] == [0x40] * 4 + [0xD0]


@EACH
async def test_one_connection_does_not_use_up_anothers_rate(bare: BareConnect, version: int):
    busy, other = await bare(version, "busy"), await bare(version, "other")
    busy.send(*(publish("a", b"x", version) for _ in range(200)), PING)
    assert await busy.packet() == PONG
    other.send(publish("a", b"x", version, qos=1))
    assert await other.packet() == (0x40, b"\0\x07")


@proves("one-connect-a-second")
@pytest.mark.parametrize(
    ("version", "answer"),
    [row("3.1.1 hears that the server is unavailable", 4, b"\0\x03"), row("5 hears why", 5, b"\0\x9f\0")],
)
async def test_a_client_id_is_let_in_once_a_second(port: int, bare: BareConnect, version: int, answer: bytes):
    first = await bare(version, "same")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(connect(version, rest=text("same")))
    assert (await within(reader.read(), WAIT))[2:] == answer
    writer.close()
    first.send(PING)
    assert await first.packet() == PONG, "the connection that there is stays"


# ── QoS 2 ─────────────────────────────────────────────────────────────────────────────────────────────────────


@proves("qos-2-gets-no-answer")
async def test_qos_2_gets_no_answer_from_3_1_1(bare: BareConnect):
    client = await bare(4)
    client.send(publish("a", b"x", 4, qos=2), subscribe("a", version=4, options=2), PING)
    assert await client.packet() == PONG
    client.send(publish("a", b"x", 4), PING)
    assert await client.packet() == PONG, "it was not subscribed"


@proves("qos-2-ends-mqtt-5")
async def test_qos_2_ends_a_connection_of_version_5_and_a_subscription_gets_qos_1(bare: BareConnect):
    client = await bare(5)
    client.send(subscribe("a", options=2))
    assert (await client.packet())[1][-1:] == b"\1"
    client.send(publish("a", qos=2))
    assert await client.rest() == _told(Reason.QOS_NOT_SUPPORTED, 5)


# ── sessions ──────────────────────────────────────────────────────────────────────────────────────────────────


@proves("stored-messages-come-ten-a-second")
@pytest.mark.parametrize("settings", [GatewaySettings(connects_per_second=None)])
@pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
async def test_stored_messages_are_replayed_ten_a_second_and_new_ones_do_not_wait(
    gateway: Gateway, service: Jobs, peer: Connect, version
):
    lasting = {"SessionExpiryInterval": 3600} if version == V5 else {}
    first = await peer("lamp", version, clean=False, **lasting)
    await first.subscribe("a")
    await asyncio.to_thread(first.close)
    await service.gone.get()
    for number in range(25):
        gateway.broker.publish("a", b"%d" % number)
    again = await peer("lamp", version, clean=False, present=True, **lasting)
    assert [int((await again.next())[1]) for _ in range(10)] == list(range(10))
    gateway.broker.publish("a", b"100")
    assert (await again.next())[1] == b"100"
    gateway.broker.sweep(gateway.broker.context.now + 1)
    assert [int((await again.next())[1]) for _ in range(10)] == list(range(10, 20))
    gateway.broker.sweep(gateway.broker.context.now + 1)
    assert [int((await again.next())[1]) for _ in range(5)] == list(range(20, 25))


@proves("sessions-last-an-hour")
@pytest.mark.parametrize("settings", [GatewaySettings(connects_per_second=None)])
@pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
async def test_a_session_lasts_an_hour(gateway: Gateway, service: Jobs, peer: Connect, version):
    lasting = {"SessionExpiryInterval": 0xFFFFFFFF} if version == V5 else {}
    first = await peer("lamp", version, clean=False, **lasting)
    if version == V5:
        assert first.granted.SessionExpiryInterval == 3600
    await asyncio.to_thread(first.close)
    await service.gone.get()
    gateway.broker.sweep(gateway.broker.context.now + 3590)
    second = await peer("lamp", version, clean=False, present=True, **lasting)
    await asyncio.to_thread(second.close)
    await service.gone.get()
    gateway.broker.sweep(gateway.broker.context.now + 3610)
    await peer("lamp", version, clean=False, present=False, **lasting)


@proves("unacknowledged-messages-come-again", "redelivery-interval")
@EACH
async def test_what_is_not_acknowledged_comes_again_until_an_hour_has_passed(
    gateway: Gateway, bare: BareConnect, version: int
):
    client = await bare(version)
    client.send(subscribe("a", version=version))
    await client.packet()
    gateway.broker.publish("a", b"x")
    first, body = await client.packet()
    assert first == 0x32
    start = gateway.broker.context.now
    for seconds in (29, 31, 59, 61):
        client.send(PING)
        await client.packet()
        gateway.broker.sweep(start + seconds)
        client.send(PING)
        if seconds in (31, 61):
            assert await client.packet() == (0x3A, body), "DUP, and the same identifier"
        assert await client.packet() == PONG
    for seconds in range(120, 3720, 60):
        client.send(PING)
        while await client.packet() != PONG:
            pass
        gateway.broker.sweep(start + seconds)
    client.send(PING)
    while await client.packet() != PONG:
        pass
    [session] = gateway.broker.router.connected
    assert not session.in_flight
