"""What a limit of the gateway costs is told: who lost which message or connection, and by which limit."""

import asyncio
from dataclasses import replace

import pytest

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.client import SLOW_READER_BYTES
from simulator.cloud.mqtt.session import MOST_QUEUED
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.notices.refusals import Code, Notice
from tests.within import within

from .packets import LASTING, connect, publish, subscribe, text
from .peers import V5, WAIT, BareConnect, Connect, Jobs, transport_of


def _of(told: list[Notice], code: Code) -> Notice:
    [found] = [notice for notice in told if notice.code == code]
    return found


async def _away(service: Jobs, bare: BareConnect, name: str = "dev") -> None:
    """A client of that name subscribed to `a`, and is gone; its session lasts."""
    client = await bare(5, name, properties=LASTING)
    client.send(subscribe("a"))
    await client.packet()
    client.close()
    await within(service.gone.get(), WAIT)


async def test_the_oldest_message_of_a_full_queue_is_told_of(
    gateway: Gateway, service: Jobs, bare: BareConnect, told: list[Notice]
):
    await _away(service, bare)
    for number in range(MOST_QUEUED + 1):
        gateway.broker.publish("a", b"%d" % number)
    notice = _of(told, "queue-full")
    assert (notice.client_id, notice.action, notice.resource) == ("dev", "iot:Receive", "topic/a")
    [session] = gateway.broker.sessions.by_client_id.values()
    assert session.stored is not None
    assert session.stored[0].payload == b"1"


async def test_a_full_queue_of_who_does_not_acknowledge_is_told_of(
    gateway: Gateway, bare: BareConnect, told: list[Notice]
):
    client = await bare(5)
    client.send(subscribe("a"))
    await client.packet()
    for _ in range(gateway.broker.context.settings.receive_maximum + MOST_QUEUED):
        gateway.broker.publish("a", b"")
    assert not told
    gateway.broker.publish("a", b"")
    assert _of(told, "queue-full").address == "127.0.0.1"


async def test_a_session_that_ends_with_messages_is_told_of(
    gateway: Gateway, service: Jobs, bare: BareConnect, told: list[Notice]
):
    await _away(service, bare)
    gateway.broker.publish("a", b"1")
    gateway.broker.publish("a", b"2")
    gateway.broker.sweep(gateway.broker.context.now + 61)
    assert _of(told, "session-over").why == "its session ended after 60 s, with 2 messages that it never got"


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_message_too_large_for_its_client_is_told_of(
    gateway: Gateway, bare: BareConnect, told: list[Notice], qos: int
):
    client = await bare(5, properties=b"\x05\x27\0\0\0\x20")
    client.send(subscribe("a", options=qos))
    await client.packet()
    gateway.broker.publish("a", b"x" * 100)
    notice = _of(told, "too-large-for-client")
    assert "its CONNECT said at most 32" in notice.why
    assert notice.client_id == "dev"


async def test_who_does_not_read_is_told_of(gateway: Gateway, bare: BareConnect, told: list[Notice]):
    client = await bare(5)
    client.send(subscribe("a", options=0))
    await client.packet()
    [connection] = gateway.broker.clients
    transport = transport_of(connection)
    connection.is_paused = True
    for _ in range(200):  # what the kernel takes is beyond our count
        if transport.get_write_buffer_size() > SLOW_READER_BYTES:
            break
        gateway.broker.publish("a", b"x" * 100_000)
        connection.attend()
    gateway.broker.publish("a", b"x")
    assert _of(told, "slow-reader").resource == "topic/a"
    connection.is_paused = False


async def test_what_is_never_acknowledged_is_told_of(gateway: Gateway, bare: BareConnect, told: list[Notice]):
    client = await bare(5)
    client.send(subscribe("a"))
    await client.packet()
    gateway.broker.publish("a", b"x")
    [connection] = gateway.broker.clients
    connection.protocol.last_heard = gateway.broker.context.now + 3601
    gateway.broker.sweep(gateway.broker.context.now + 3601)
    assert _of(told, "not-acknowledged").why == "it was not acknowledged for 3600 s"


async def test_a_message_that_finds_no_room_to_be_retained_is_told_of(
    gateway: Gateway, bare: BareConnect, told: list[Notice]
):
    gateway.broker.router.retained._most = 0
    gateway.broker.context.settings = replace(gateway.broker.context.settings, retained_messages=0)
    client = await bare(5)
    client.send(publish("a", qos=1, retain=1))
    assert (await client.packet())[0] == 0x40
    notice = _of(told, "retained-full")
    assert (notice.resource, notice.client_id) == ("topic/a", "dev")


async def test_a_will_that_may_not_be_published_is_told_of(
    service: Jobs, peer: Connect, told: list[Notice], gateway: Gateway
):
    dying = await peer("dev", V5, will=("$aws/things/dev/jobs/get", b"{}", 1))
    dying.lose()
    await within(service.gone.get(), WAIT)
    notice = _of(told, "topic")
    assert (notice.resource, notice.client_id) == ("topic/$aws/things/dev/jobs/get", "dev")
    assert notice.why.startswith("its will ")


async def test_a_client_that_is_silent_for_too_long_is_told_of(gateway: Gateway, bare: BareConnect, told: list[Notice]):
    await bare(5)
    gateway.broker.sweep(gateway.broker.context.now + 100)
    notice = _of(told, "keep-alive")
    assert (notice.client_id, notice.address) == ("dev", "127.0.0.1")
    assert "a keep-alive of 60 s" in notice.why


async def test_who_never_sends_a_connect_is_told_of(port: int, gateway: Gateway, bare: BareConnect, told: list[Notice]):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(connect(5, rest=text("dev"))[:5])
    later = await bare(5, "later")
    assert len(gateway.broker.clients) == 2, "the gateway saw the first one before"
    later.send(b"\xe0\0")
    await later.rest()
    gateway.broker.sweep(gateway.broker.context.now + 11)
    assert not await within(reader.read(), WAIT)
    assert _of(told, "connect-timeout").why == "no CONNECT came for 10 s"
    writer.close()


@pytest.mark.parametrize("settings", [GatewaySettings()])
async def test_nothing_is_told_of_who_gets_what_it_wants(
    gateway: Gateway, service: Jobs, bare: BareConnect, told: list[Notice]
):
    client = await bare(5)
    client.send(subscribe("a"), publish("a", qos=1), publish("$aws/ask/it", b"{}"), b"\xc0\0", b"\xe0\0")
    await client.rest()
    await within(service.gone.get(), WAIT)
    assert not told


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        pytest.param(
            GatewaySettings(shared_group_members=1), "members of one shared subscription are 1 at most", id="members"
        ),
        pytest.param(GatewaySettings(shared_groups=1), "shared subscriptions are 1 at most", id="groups"),
    ],
)
async def test_whoever_is_one_too_many_for_a_shared_subscription_hears_of_the_limit_that_was_met(
    bare: BareConnect, told: list[Notice], settings: GatewaySettings, why: str
):
    first, second = await bare(5, "one"), await bare(5, "two")
    first.send(subscribe("$share/g/a"))
    await first.packet()
    second.send(subscribe("$share/g/a" if settings.shared_group_members else "$share/h/a"))
    await second.packet()
    assert (_of(told, "quota").client_id, _of(told, "quota").why) == ("two", why)
