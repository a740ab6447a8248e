"""Retained messages, as AWS has them."""

import pytest

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.mqtt.shells import Gateway
from tests.fidelity.proofs import proves

from .packets import publish, subscribe
from .peers import V3, V5, VERSIONS, BareConnect, Connect, Jobs

EACH = pytest.mark.parametrize("version", [4, 5], ids=["3.1.1", "5"])


@proves("retained-messages-on-ordinary-topics")
@VERSIONS
async def test_a_retained_message_is_sent_to_who_subscribes_to_its_topic_later(peer: Connect, version):
    sender, early = await peer("sender", version), await peer("early", version)
    await early.subscribe("state/lamp")
    sender.client.publish("state/lamp", b"on", 1, retain=True)
    assert await early.next() == ("state/lamp", b"on", 1)
    assert not early.messages[0].retain, "it is news to who was there"
    assert await sender.next() == ("published", "Success")
    late = await peer("late", version)
    await late.subscribe("state/lamp")
    assert await late.next() == ("state/lamp", b"on", 1)
    assert late.messages[0].retain


@VERSIONS
async def test_only_the_last_one_is_kept_and_an_empty_one_ends_it(peer: Connect, version):
    sender = await peer("sender", version)
    for payload in (b"on", b"off"):
        sender.client.publish("state", payload, 1, retain=True)
        await sender.next()
    await sender.subscribe("state", qos=0)
    assert await sender.next() == ("state", b"off", 0)
    sender.client.publish("state", b"", 0, retain=True)
    assert {await sender.next(), await sender.next()} == {("state", b"", 0), ("published", "Success")}
    late = await peer("late", version)
    await late.subscribe("state")
    sender.client.publish("state", b"next", 0)
    assert (await late.next())[1] == b"next"


@proves("retained-messages-on-ordinary-topics")
@VERSIONS
async def test_a_filter_with_wildcards_fetches_none(peer: Connect, version):
    sender = await peer("sender", version)
    sender.client.publish("state/lamp", b"on", 1, retain=True)
    await sender.next()
    for each in ("state/+", "state/#", "#"):
        await sender.subscribe(each)
    sender.client.publish("state/lamp", b"later", 0)
    assert {await sender.next(), await sender.next()} == {("state/lamp", b"later", 0), ("published", "Success")}


@proves("reserved-topics-retain-nothing")
@EACH
@pytest.mark.parametrize("qos", [0, 1])
async def test_a_reserved_topic_keeps_none(service: Jobs, bare: BareConnect, version: int, qos: int):
    client = await bare(version)
    client.send(publish("$aws/ask/it", b"x", version, qos=qos, retain=1))
    if version == 5 and qos:
        assert await client.packet() == (0x40, b"\0\x07" + bytes((Reason.TOPIC_NAME_INVALID,)))
    else:
        await client.rest()
        assert await service.gone.get() == ("dev", "CLIENT_ERROR")
    assert not service.asked


@EACH
async def test_a_retained_will_is_kept(service: Jobs, peer: Connect, bare: BareConnect, version: int):
    dying = await peer(
        "dying", V5 if version == 5 else V3, will=("state/dying", b"gone", 1), will_options={"retain": True}
    )
    dying.lose()
    assert await service.gone.get() == ("dying", "CONNECTION_LOST")
    late = await bare(version, "late")
    late.send(subscribe("state/dying", version=version, options=0))
    assert (await late.packet())[0] == 0x90
    first, body = await late.packet()
    assert (first, body[-4:]) == (0x31, b"gone")


@pytest.mark.parametrize("settings", [GatewaySettings(retained_messages=2)])
@EACH
async def test_what_is_more_than_may_be_kept_is_not_taken(bare: BareConnect, version: int):
    client = await bare(version)
    client.send(*(publish(topic, b"x", version, qos=1, retain=1) for topic in ("a", "b", "c", "a")))
    refused = [(0x40, b"\0\x07" + bytes((Reason.QUOTA_EXCEEDED,)))] if version == 5 else []
    expected = [(0x40, b"\0\x07"), (0x40, b"\0\x07"), *refused, (0x40, b"\0\x07")]
    assert [await client.packet() for _ in expected] == expected


@pytest.mark.parametrize(
    ("options", "again", "expected"),
    [
        pytest.param(0x00, False, True, id="handling 0: sent"),
        pytest.param(0x10, False, True, id="handling 1: sent with a new subscription"),
        pytest.param(0x10, True, False, id="handling 1: not sent with one that there is"),
        pytest.param(0x00, True, True, id="handling 0: sent with one that there is, too"),
        pytest.param(0x20, False, False, id="handling 2: not sent"),
    ],
)
async def test_a_subscriber_says_whether_it_wants_what_is_retained(
    bare: BareConnect, options: int, again: bool, expected: bool
):
    client = await bare()
    client.send(publish("a", b"kept", retain=1))
    if again:
        client.send(subscribe("a", options=0x20))
        await client.packet()
    client.send(subscribe("a", options=options), publish("a", b"last"))
    assert (await client.packet())[0] == 0x90
    heard = [(await client.packet())[1][-4:] for _ in range(1 + expected)]
    assert heard == [b"kept", b"last"][not expected :]


async def test_a_subscriber_may_want_to_know_what_is_published_as_retained(bare: BareConnect):
    client = await bare()
    client.send(subscribe("a", options=0x08), publish("a", retain=1), publish("a"))
    assert (await client.packet())[0] == 0x90
    assert [(await client.packet())[0] for _ in range(2)] == [0x31, 0x30]


async def test_a_retained_message_that_has_expired_is_gone(gateway: Gateway, bare: BareConnect):
    client = await bare()
    client.send(publish("a", b"kept", retain=1, more=b"\x02\0\0\0\x0a"), subscribe("a", options=0))
    assert (await client.packet())[0] == 0x90
    assert (await client.packet())[1][-9:] == b"\x02\0\0\0\x0akept"
    gateway.broker.sweep(gateway.broker.context.now + 4)
    client.send(subscribe("a", options=0))
    assert (await client.packet())[0] == 0x90
    assert (await client.packet())[1][-9:] == b"\x02\0\0\0\x06kept", "six seconds are left"
    gateway.broker.sweep(gateway.broker.context.now + 6)
    client.send(subscribe("a", options=0), b"\xc0\0")
    assert [(await client.packet())[0] for _ in range(2)] == [0x90, 0xD0]
