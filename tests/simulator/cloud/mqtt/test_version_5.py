"""What MQTT 5 adds, as far as AWS has it."""

import asyncio
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.mqtt.shells import Gateway
from tests.fidelity.proofs import proves
from tests.within import within

from .packets import connect, publish, subscribe, text
from .peers import V3, V5, WAIT, BareConnect, Connect, Jobs


def _properties(kind: int, **values: Any) -> Properties:
    made = Properties(kind)
    for name, value in values.items():
        setattr(made, name, value)
    return made


@proves("mqtt-5-is-offered-as-aws-does")
async def test_the_gateway_says_what_it_offers(peer: Connect):
    client = await peer("lamp", V5, keep_alive=60)
    assert client.granted.json() == {
        "SessionExpiryInterval": 0,
        "ServerKeepAlive": 60,
        "ReceiveMaximum": 3,
        "MaximumQoS": 1,
        "RetainAvailable": 1,
        "MaximumPacketSize": 146 * 1024,
        "TopicAliasMaximum": 8,
        "SubscriptionIdentifierAvailable": 0,
        "SharedSubscriptionAvailable": 1,
    }


@proves("mqtt-5-properties-are-handed-on")
async def test_what_a_message_carries_is_handed_on_to_version_5_and_left_out_for_3_1_1(peer: Connect):
    sender, five, three = await peer("sender", V5), await peer("five", V5), await peer("three", V3)
    for each in (five, three):
        await each.subscribe("a")
    carried = _properties(
        PacketTypes.PUBLISH,
        PayloadFormatIndicator=1,
        ContentType="text/plain",
        ResponseTopic="answers/here",
        CorrelationData=b"\0\1",
        UserProperty=[("one", "1"), ("two", "2")],
    )
    sender.client.publish("a", b"x", 1, properties=carried)
    assert await five.next() == ("a", b"x", 1)
    assert five.messages[0].properties.json() == carried.json()
    assert await three.next() == ("a", b"x", 1)


@proves("mqtt-5-aliases-expiry-and-delayed-wills")
async def test_an_alias_stands_for_the_topic_it_was_given(bare: BareConnect):
    sender, receiver = await bare(5, "sender"), await bare(5, "receiver")
    receiver.send(subscribe("long/topic", "other", options=0))
    await receiver.packet()
    sender.send(publish("long/topic", b"1", more=b"\x23\0\1"), publish("", b"2", more=b"\x23\0\1"))
    sender.send(publish("other", b"3", more=b"\x23\0\1"), publish("", b"4", more=b"\x23\0\1"))
    heard = [(await receiver.packet())[1] for _ in range(4)]
    named = [text("long/topic") + b"\0"] * 2 + [text("other") + b"\0"] * 2
    assert heard == [topic + payload for topic, payload in zip(named, (b"1", b"2", b"3", b"4"), strict=True)]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        pytest.param(publish("a", more=b"\x23\0\0"), Reason.TOPIC_ALIAS_INVALID, id="alias 0"),
        pytest.param(publish("a", more=b"\x23\0\x09"), Reason.TOPIC_ALIAS_INVALID, id="an alias above 8"),
        pytest.param(publish("", more=b"\x23\0\2"), Reason.PROTOCOL_ERROR, id="an alias that stands for nothing"),
        pytest.param(publish(""), Reason.TOPIC_NAME_INVALID, id="neither topic nor alias"),
        pytest.param(
            b"\x82\x09\0\x01\x02\x0b\x05\0\x01t\0", Reason.SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, id="an identifier"
        ),
    ],
)
async def test_what_aws_does_not_have_ends_the_connection(bare: BareConnect, sent: bytes, reason: Reason):
    client = await bare()
    client.send(sent)
    assert await client.rest() == bytes((0xE0, 1, reason))


async def test_an_alias_ends_with_its_connection(service: Jobs, bare: BareConnect):
    first = await bare()
    first.send(publish("a", more=b"\x23\0\1"), b"\xe0\0")
    await service.gone.get()
    again = await bare()
    again.send(publish("", more=b"\x23\0\1"))
    assert await again.rest() == bytes((0xE0, 1, Reason.PROTOCOL_ERROR))


@proves("mqtt-5-aliases-expiry-and-delayed-wills")
async def test_a_message_that_expires_while_its_client_is_away_is_not_sent(
    gateway: Gateway, service: Jobs, peer: Connect, bare: BareConnect
):
    away = await peer("away", V5, clean=False, SessionExpiryInterval=3600)
    await away.subscribe("a")
    await asyncio.to_thread(away.close)
    await service.gone.get()
    sender = await bare(5, "sender")
    sender.send(
        publish("a", b"short", qos=1, more=b"\x02\0\0\0\x05"), publish("a", b"long", qos=1, more=b"\x02\0\0\0\x3c")
    )
    assert [(await sender.packet())[0] for _ in range(2)] == [0x40, 0x40]
    gateway.broker.sweep(gateway.broker.context.now + 20)
    back = await peer("away", V5, clean=False, SessionExpiryInterval=3600, present=True)
    assert await back.next() == ("a", b"long", 1)
    assert back.messages[0].properties.MessageExpiryInterval == 40
    gateway.broker.publish("a", b"next")
    assert (await back.next())[1] == b"next"


# ── wills ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _dies(peer: Connect, service: Jobs, delay: int, session: int) -> None:
    will = {"properties": _properties(PacketTypes.WILLMESSAGE, WillDelayInterval=delay, UserProperty=("k", "v"))}
    dying = await peer("dying", V5, SessionExpiryInterval=session, will=("will", b"gone", 1), will_options=will)
    dying.lose()
    assert await service.gone.get() == ("dying", "CONNECTION_LOST")


@proves("mqtt-5-aliases-expiry-and-delayed-wills")
@pytest.mark.parametrize(
    ("delay", "session", "after"),
    [
        pytest.param(0, 3600, 0, id="no delay: at once"),
        pytest.param(10, 0, 0, id="a session that ends at once takes the delay with it"),
        pytest.param(10, 3600, 10, id="after its delay"),
        pytest.param(100, 20, 20, id="when the session ends before that"),
    ],
)
async def test_a_will_waits_for_its_delay(
    gateway: Gateway, service: Jobs, peer: Connect, delay: int, session: int, after: int
):
    watcher = await peer("watcher", V5)
    await watcher.subscribe("will", "now")
    await _dies(peer, service, delay, session)
    start = gateway.broker.context.now
    if after:
        gateway.broker.sweep(start + after - 2)
        gateway.broker.publish("now", b"")
        assert await watcher.next() == ("now", b"", 1)
        gateway.broker.sweep(start + after + 1)
    assert await watcher.next() == ("will", b"gone", 1)
    assert watcher.messages[-1].properties.UserProperty == [("k", "v")]


async def test_who_comes_back_within_the_delay_leaves_no_will(gateway: Gateway, service: Jobs, peer: Connect):
    watcher = await peer("watcher", V5)
    await watcher.subscribe("will", "now")
    await _dies(peer, service, 10, 3600)
    await peer("dying", V5, clean=False, SessionExpiryInterval=3600, present=True)
    gateway.broker.sweep(gateway.broker.context.now + 11)
    gateway.broker.publish("now", b"")
    assert await watcher.next() == ("now", b"", 1)


async def test_a_session_that_was_not_to_last_cannot_be_made_to_on_leaving(bare: BareConnect):
    client = await bare()
    client.send(b"\xe0\x07\0\x05\x11\0\0\0\x3c")
    assert await client.rest() == bytes((0xE0, 1, Reason.PROTOCOL_ERROR))


@pytest.mark.parametrize("settings", [GatewaySettings()])
async def test_who_brings_no_client_id_is_given_one(port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(connect(5, rest=text("")))
    first = await within(reader.readexactly(2), WAIT)
    assert b"\x12" + text("assigned-1") in await reader.readexactly(first[1])
    writer.close()


@pytest.mark.parametrize("settings", [GatewaySettings()])
async def test_who_brings_no_client_id_is_not_given_one_that_another_was_given_by_an_earlier_broker(port: int):
    earlier, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(connect(5, rest=text("assigned-1")))
    first = await within(earlier.readexactly(2), WAIT)
    await earlier.readexactly(first[1])
    reader, other = await asyncio.open_connection("127.0.0.1", port)
    other.write(connect(5, rest=text("")))
    first = await within(reader.readexactly(2), WAIT)
    assert b"\x12" + text("assigned-2") in await reader.readexactly(first[1])
    writer.write(b"\xc0\0")
    assert await within(earlier.readexactly(2), WAIT) == b"\xd0\0", "it is still there"
    writer.close()
    other.close()
