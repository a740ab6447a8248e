"""The gateway, with real MQTT clients on it, and with peers that behave badly."""

import asyncio

import pytest

from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.mqtt.shells import Gateway
from tests.fidelity.proofs import proves
from tests.within import within

from .packets import connect, text
from .peers import V3, V5, VERSIONS, WAIT, Connect, Jobs, Twice, transport_of

# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────


@proves("answers-go-to-the-asker-alone", "subscribed-asker-gets-one-copy", "an-answer-comes-before-its-notifications")
@VERSIONS
@pytest.mark.parametrize("qos", [0, 1])
async def test_an_answer_goes_to_the_asker_alone_once_and_before_the_news(peer: Connect, version, qos):
    asker, other = await peer("asker", version), await peer("other", version)
    for each in (asker, other):
        await each.subscribe("$aws/news", "$aws/ask/+/accepted", "$aws/ask/it/accepted")
    asker.client.publish("$aws/ask/it", b"x", qos)
    heard = [await asker.next() for _ in range(3)]
    assert [event for event in heard if event[0] != "published"] == [
        ("$aws/ask/it/accepted", b"x", qos),
        ("$aws/news", b"x", 1),
    ]
    assert await other.next() == ("$aws/news", b"x", 1)
    other.client.publish("$aws/ask/end", b"y", 0)
    assert await other.next() == ("published", "Success")
    assert await other.next() == ("$aws/ask/end/accepted", b"y", 0), "nothing of the other's answer came before"


@VERSIONS
@pytest.mark.parametrize("qos", [0, 1])
async def test_the_service_learns_that_an_answer_was_delivered(service: Jobs, peer: Connect, version, qos):
    asker = await peer("asker", version)
    asker.client.publish("$aws/ask/this", "1", qos=qos)
    await asker.next()
    assert await service.delivered_to.get() == ("receipt of 1", bool(qos))
    assert service.delivered_to.empty()  # of the news that it published besides, nobody wants to know


async def test_copies_of_a_request_are_marked_and_late_ones_say_how_late(
    gateway: Gateway, service: Jobs, peer: Connect
):
    gateway.broker.put_behind(Twice("$aws/ask/this", 0.01))
    asker = await peer("asker", V5)
    asker.client.publish("$aws/ask/this", "1", qos=1)
    while len(service.asked) < 2:
        await asker.next()
    assert service.asked == [(False, 0.0), (True, 0.01)]


@VERSIONS
async def test_the_service_learns_whether_a_client_goes_on_with_its_session(service: Jobs, peer: Connect, version):
    lasting = {"SessionExpiryInterval": 60} if version == V5 else {}
    first = await peer("lamp", version, clean=False, **lasting)
    await asyncio.to_thread(first.close)
    await service.gone.get()
    await peer("lamp", version, clean=False, present=True, **lasting)
    assert service.came == [("lamp", False), ("lamp", True)]


async def test_a_reserved_topic_that_takes_nothing_is_refused(peer: Connect):
    five, three = await peer("five", V5), await peer("three", V3)
    five.client.publish("$aws/nowhere", b"x", 1)
    assert await five.next() == ("published", "Topic name invalid")
    three.client.publish("$aws/nowhere", b"x", 1)
    kind, _ = await three.next()
    assert kind == "disconnected"


# ── messages between clients ──────────────────────────────────────────────────────────────────────────────────


@VERSIONS
@pytest.mark.parametrize(("published", "subscribed", "delivered"), [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 1)])
async def test_a_message_is_delivered_at_the_lower_qos(peer: Connect, version, published, subscribed, delivered):
    sender, receiver = await peer("sender", version), await peer("receiver", version)
    await receiver.subscribe("a/+", qos=subscribed)
    sender.client.publish("a/b", b"x", published)
    assert await receiver.next() == ("a/b", b"x", delivered)


@VERSIONS
async def test_bad_filters_are_not_granted(peer: Connect, version):
    client = await peer("client", version)
    good = "Granted QoS 1"
    codes = await client.subscribe("$share/g")
    assert codes != [good]
    assert await client.subscribe("b") == [good]


async def test_what_a_client_asks_with_qos_2_ends_its_connection_with_the_reason(peer: Connect):
    client = await peer("client", V5)
    client.client.publish("a", b"x", 2)
    assert await client.next() == ("disconnected", "QoS not supported")


async def test_more_than_a_client_can_take_waits_until_it_acknowledges(gateway: Gateway, port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(connect(4) + b"\x82\x06\0\x01" + text("a") + b"\x01")
    assert (await reader.readexactly(4))[0] == 0x20
    assert (await reader.readexactly(5))[0] == 0x90
    for number in range(5):
        gateway.broker.publish("a", b"%d" % number)
    frames = [await reader.readexactly(8) for _ in range(3)]
    assert [frame[-1:] for frame in frames] == [b"0", b"1", b"2"]
    writer.write(b"\x40\x02" + frames[0][5:7])
    assert (await reader.readexactly(8))[-1:] == b"3"
    writer.close()


# ── sessions ──────────────────────────────────────────────────────────────────────────────────────────────────


@VERSIONS
async def test_a_persistent_session_keeps_subscriptions_and_qos_1_messages(
    gateway: Gateway, service: Jobs, peer: Connect, version
):
    options = {"clean": False} | ({"SessionExpiryInterval": 60} if version == V5 else {})
    first = await peer("keeps", version, **options)
    await first.subscribe("a")
    await asyncio.to_thread(first.close)
    assert await within(service.gone.get(), WAIT) == ("keeps", "CLIENT_INITIATED_DISCONNECT")
    gateway.broker.publish("a", b"kept", 1)
    gateway.broker.publish("a", b"lost", 0)
    again = await peer("keeps", version, present=True, **options)
    assert await again.next() == ("a", b"kept", 1)


@VERSIONS
async def test_a_clean_session_forgets(gateway: Gateway, service: Jobs, peer: Connect, version):
    first = await peer("forgets", version)
    await first.subscribe("a")
    await asyncio.to_thread(first.close)
    await within(service.gone.get(), WAIT)
    gateway.broker.publish("a", b"x", 1)
    again = await peer("forgets", version)
    await again.subscribe("b")
    gateway.broker.publish("b", b"y", 1)
    assert await again.next() == ("b", b"y", 1)


async def test_a_session_that_has_expired_is_not_there(gateway: Gateway, service: Jobs, peer: Connect):
    first = await peer("expires", V5, clean=False, SessionExpiryInterval=60)
    await asyncio.to_thread(first.close)
    await within(service.gone.get(), WAIT)
    gateway.broker.sweep(gateway.broker.context.now + 61)
    await peer("expires", V5, clean=False, SessionExpiryInterval=60, present=False)


@proves("second-connection-takes-over")
@VERSIONS
async def test_a_second_connection_of_the_same_id_takes_over(service: Jobs, peer: Connect, version):
    first = await peer("same", version, will=("will/of/same", b"gone", 1))
    watcher = await peer("watcher", version)
    await watcher.subscribe("will/of/same")
    await peer("same", version)
    kind, reason = await first.next()
    assert kind == "disconnected"
    if version == V5:
        assert reason == "Session taken over"
    assert await within(service.gone.get(), WAIT) == ("same", "DUPLICATE_CLIENTID")
    assert await watcher.next() == ("will/of/same", b"gone", 1)


@VERSIONS
async def test_who_takes_leave_leaves_no_will(service: Jobs, peer: Connect, version):
    watcher = await peer("watcher", version)
    await watcher.subscribe("#")
    polite = await peer("polite", version, will=("will", b"x", 1))
    await asyncio.to_thread(polite.close)
    await within(service.gone.get(), WAIT)
    watcher.client.publish("end", b"", 0)
    assert await watcher.next() == ("published", "Success")
    assert await watcher.next() == ("end", b"", 0)


@VERSIONS
async def test_silence_beyond_one_and_a_half_keep_alives_ends_a_connection(
    gateway: Gateway, service: Jobs, peer: Connect, version
):
    silent = await peer("silent", version)
    gateway.broker.sweep(gateway.broker.context.now + 30 * 1.5 + 2)
    assert await within(service.gone.get(), WAIT) == ("silent", "MQTT_KEEP_ALIVE_TIMEOUT")
    kind, reason = await silent.next()
    assert kind == "disconnected"
    if version == V5:
        assert reason == "Keep alive timeout"


# ── bad peers ─────────────────────────────────────────────────────────────────────────────────────────────────


@proves("client-ids-have-rules")
@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        pytest.param(b"\x30\x04\0\x01tx", b"", id="no CONNECT first: closed without a word"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"", id="another protocol: closed without a word"),
        pytest.param(connect(version=3), b"\x20\x02\0\x01", id="MQTT 3.1: told that it is not spoken"),
        pytest.param(
            connect(4, flags=0, rest=text("")), b"\x20\x02\0\x02", id="3.1.1: no client id for a session that lasts"
        ),
        pytest.param(connect(4, rest=text("$x")), b"\x20\x02\0\x02", id="3.1.1: a reserved client id"),
        pytest.param(connect(5, rest=text("$x")), b"\x20\x03\0\x85\0", id="5: a reserved client id"),
    ],
)
async def test_a_bad_beginning_ends_the_connection(port: int, sent: bytes, answer: bytes):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    assert await within(reader.read(), WAIT) == answer
    writer.close()


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        pytest.param(b"\x30\xff\xff\xff\xff\x01", Reason.MALFORMED_PACKET, id="a length of five bytes"),
        pytest.param(b"\x30\xff\xff\x7f", Reason.PACKET_TOO_LARGE, id="too large"),
        pytest.param(connect(), Reason.PROTOCOL_ERROR, id="a second CONNECT"),
        pytest.param(b"\x82\x03\0\x01\0", Reason.PROTOCOL_ERROR, id="no filter"),
        pytest.param(b"\x30\x0f\0\x0c$aws/nowhere\0", Reason.TOPIC_NAME_INVALID, id="a reserved topic, QoS 0"),
    ],
)
async def test_a_malformed_packet_ends_that_connection_with_its_reason_and_no_other(
    port: int, peer: Connect, sent, reason
):
    bystander = await peer("bystander", V5)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(connect(rest=text("bad")))
    length = (await reader.readexactly(2))[1]
    await reader.readexactly(length)
    writer.write(sent)
    assert await within(reader.read(), WAIT) == bytes((0xE0, 1, reason))
    writer.close()
    bystander.client.publish("$aws/ask/it", b"still here", 0)
    assert await bystander.next() == ("published", "Success")
    assert (await bystander.next())[1] == b"still here"


async def test_a_packet_may_come_a_byte_at_a_time(port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for byte in connect(4) + b"\xc0\x00":
        writer.write(bytes((byte,)))
        await writer.drain()
    assert await within(reader.readexactly(6), WAIT) == b"\x20\x02\0\0\xd0\0"
    writer.close()


async def test_who_never_says_connect_is_let_go(gateway: Gateway, port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x10")
    await writer.drain()
    await asyncio.to_thread(lambda: None)
    gateway.broker.sweep(gateway.broker.context.now + 60)
    assert await within(reader.read(), WAIT) == b""
    writer.close()


async def test_a_reader_that_does_not_read_costs_bounded_memory_and_nobody_else_anything(
    gateway: Gateway, port: int, peer: Connect
):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(connect(4, rest=text("slow")) + b"\x82\x06\0\x01" + text("a") + b"\0")
    await reader.readexactly(9)
    bystander = await peer("bystander", V5)
    message = bytes(100_000)
    for _ in range(300):
        gateway.broker.publish("a", message, 0)
        bystander.client.publish("$aws/ask/it", b"x", 0)
        assert await bystander.next() == ("published", "Success")
        assert (await bystander.next())[0] == "$aws/ask/it/accepted"
    [slow] = [connection for connection in gateway.broker.clients if connection.session.client_id == "slow"]
    assert transport_of(slow).get_write_buffer_size() < 2_000_000, "30 MB were published"
    writer.close()


# ── commits ───────────────────────────────────────────────────────────────────────────────────────────────────


@VERSIONS
async def test_what_has_to_wait_for_a_commit_leaves_after_it_in_order_and_holds_nobody_else_back(
    gateway: Gateway, service: Jobs, peer: Connect, version
):
    asker, listener, other = await peer("asker", version), await peer("listener", version), await peer("other", version)
    await listener.subscribe("$aws/news")
    service.after = 7
    asker.client.publish("$aws/ask/first", b"1", 1)
    assert await service.heard.get() == b"1"
    service.after = 0
    asker.client.publish("$aws/ask/second", b"2", 1)
    assert await service.heard.get() == b"2"
    gateway.broker.context.commits.commit(6)
    other.client.publish("$aws/ask/third", b"3", 0)
    assert await other.next() == ("published", "Success")
    assert await other.next() == ("$aws/ask/third/accepted", b"3", 0)
    assert asker.heard.empty()
    assert listener.heard.empty()
    gateway.broker.context.commits.commit(7)
    heard = [await asker.next() for _ in range(4)]
    assert [event for event in heard if event[0] != "published"] == [
        ("$aws/ask/first/accepted", b"1", 1),
        ("$aws/ask/second/accepted", b"2", 1),
    ]
    assert [(await listener.next())[1] for _ in range(3)] == [b"1", b"2", b"3"]


async def test_an_answer_that_was_held_back_is_lost_with_its_connection_and_the_client_hears_why_it_ended(
    gateway: Gateway, service: Jobs, peer: Connect
):
    asker = await peer("asker", V5)
    service.after = 1
    asker.client.publish("$aws/ask/this", b"1", 0)
    assert await asker.next() == ("published", "Success")
    await service.heard.get()
    again = await peer("asker", V5)
    assert await asker.next() == ("disconnected", "Session taken over")
    gateway.broker.context.commits.commit(1)
    service.after = 0
    again.client.publish("$aws/ask/that", b"2", 0)
    assert await again.next() == ("published", "Success")
    assert await again.next() == ("$aws/ask/that/accepted", b"2", 0)


async def test_a_session_that_goes_on_elsewhere_does_not_tell_before_the_commit_what_its_old_connection_could_not(
    gateway: Gateway, service: Jobs, peer: Connect
):
    asker = await peer("asker", V3, clean=False)
    service.after = 1
    asker.client.publish("$aws/ask/this", b"1", 1)
    await service.heard.get()
    again = await peer("asker", V3, clean=False, present=True)
    assert (await asker.next())[0] == "disconnected"
    service.after = 0
    again.client.publish("$aws/ask/that", b"2", 0)
    assert await service.heard.get() == b"2", "so whatever its connection had to tell at first has been told"
    assert await again.next() == ("published", "Success")
    assert again.heard.empty()
    gateway.broker.context.commits.commit(1)
    assert [(await again.next())[1] for _ in range(2)] == [b"1", b"2"]
