"""Lifecycle events: what each says, and which reason an end has."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.shells import Gateway
from tests.fidelity.proofs import proves
from tests.within import within

from .packets import connect, publish, subscribe, text
from .peers import V5, WAIT, Bare, BareConnect, Connect, Jobs

AT = 1_700_000_000.1234


@pytest.fixture
async def gateway(service: Jobs, settings: GatewaySettings):
    ids = iter(f"session-{number}" for number in range(100))
    gateway = Gateway(service, settings, clock=lambda: AT, new_id=lambda: next(ids))
    yield gateway
    await gateway.close()


class Watcher:
    """Hears every lifecycle event but its own."""

    def __init__(self, peer: Any) -> None:
        self.peer = peer

    async def next(self) -> tuple[str, dict[str, Any]]:
        topic, payload, _ = await self.peer.next()
        return topic.removeprefix("$aws/events/"), json.loads(payload)

    async def stays(self) -> None:
        """Show that it is still there."""
        self.peer.client.publish("x", b"", 1)
        assert await self.peer.next() == ("published", "Success")


@pytest.fixture
async def watcher(peer: Connect) -> Watcher:
    made = await peer("watcher", V5, keep_alive=1200)
    await made.subscribe("$aws/events/presence/+/dev", "$aws/events/subscriptions/+/dev", qos=0)
    return Watcher(made)


@proves("presence-is-told")
async def test_who_comes_and_goes_is_told(watcher: Watcher, bare: BareConnect):
    client = await bare()
    assert await watcher.next() == (
        "presence/connected/dev",
        {
            "clientId": "dev",
            "timestamp": 1_700_000_000_123,
            "eventType": "connected",
            "sessionIdentifier": "session-0",
            "principalIdentifier": "",
            "ipAddress": "127.0.0.1",
            "versionNumber": 0,
        },
    )
    client.send(b"\xe0\0")
    assert await watcher.next() == (
        "presence/disconnected/dev",
        {
            "clientId": "dev",
            "timestamp": 1_700_000_000_123,
            "eventType": "disconnected",
            "sessionIdentifier": "session-0",
            "principalIdentifier": "",
            "clientInitiatedDisconnect": True,
            "disconnectReason": "CLIENT_INITIATED_DISCONNECT",
            "versionNumber": 0,
        },
    )


@proves("subscriptions-are-told")
async def test_what_is_subscribed_and_given_up_is_told(watcher: Watcher, bare: BareConnect):
    client = await bare()
    await watcher.next()
    client.send(subscribe("a/+", "a/#/b", "b"), b"\xa2\x0a\0\x09\0" + text("b") + text("zz"))
    told = {
        "clientId": "dev",
        "timestamp": 1_700_000_000_123,
        "sessionIdentifier": "session-0",
        "principalIdentifier": "",
    }
    topic, event = await watcher.next()
    assert (topic, event) == (
        "subscriptions/subscribed/dev",
        told | {"eventType": "subscribed", "topics": ["a/+", "b"]},
    )
    topic, event = await watcher.next()
    assert (topic, event) == ("subscriptions/unsubscribed/dev", told | {"eventType": "unsubscribed", "topics": ["b"]})


async def _lost(client: Bare, gateway: Gateway, port: int) -> None:
    client.writer.transport.abort()


async def _silent(client: Bare, gateway: Gateway, port: int) -> None:
    gateway.broker.sweep(gateway.broker.context.now + 100)


async def _taken_over(client: Bare, gateway: Gateway, port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(connect(5, rest=text("dev")))
    await client.rest()
    writer.close()


def _sends(raw: bytes) -> Callable[[Bare, Gateway, int], Any]:
    async def act(client: Bare, gateway: Gateway, port: int) -> None:
        client.send(raw)

    return act


@proves("ends-have-their-reasons")
@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        pytest.param(_sends(b"\xe0\0"), "CLIENT_INITIATED_DISCONNECT", id="it takes leave"),
        pytest.param(_sends(connect(5)), "CLIENT_ERROR", id="it sends CONNECT twice"),
        pytest.param(_sends(publish("a", bytes(128 * 1024 + 1))), "CLIENT_ERROR", id="it publishes too much"),
        pytest.param(_sends(b"\xff\xff\xff\xff\xff\xff"), "CLIENT_ERROR", id="it sends nonsense"),
        pytest.param(_lost, "CONNECTION_LOST", id="its connection breaks"),
        pytest.param(_silent, "MQTT_KEEP_ALIVE_TIMEOUT", id="it is silent"),
        pytest.param(_taken_over, "DUPLICATE_CLIENTID", id="another comes with its client id"),
    ],
)
async def test_an_end_has_its_reason(
    gateway: Gateway, port: int, watcher: Watcher, bare: BareConnect, ends: Any, reason: str
):
    client = await bare()
    await watcher.next()
    await ends(client, gateway, port)
    topic, event = await watcher.next()
    assert (topic, event["disconnectReason"]) == ("presence/disconnected/dev", reason)
    assert event["clientInitiatedDisconnect"] is (reason == "CLIENT_INITIATED_DISCONNECT")


@proves("version-numbers-pair-events")
async def test_version_numbers_grow_with_each_connection_and_begin_again_after_an_hour(
    gateway: Gateway, service: Jobs, watcher: Watcher, bare: BareConnect
):
    numbers, now = [], gateway.broker.context.now
    for away in (0, 0, 3500, 3700):
        for _ in range(away // 100):
            now += 100
            gateway.broker.sweep(now)
            await watcher.stays()
        client = await bare()
        client.send(b"\xe0\0")
        events = [(await watcher.next())[1] for _ in range(2)]
        assert len({event["versionNumber"] for event in events}) == 1, "the same for both"
        assert len({event["sessionIdentifier"] for event in events}) == 1
        numbers.append(events[0]["versionNumber"])
    assert numbers == [0, 1, 2, 0]


@proves("client-ids-with-wildcards-have-no-events")
@pytest.mark.parametrize("name", ["a+b", "a#b"])
async def test_a_client_id_with_a_wildcard_has_no_events(service: Jobs, peer: Connect, bare: BareConnect, name: str):
    watcher = await peer("watcher", V5)
    await watcher.subscribe("$aws/events/#")
    assert (await watcher.next())[0] == "$aws/events/subscriptions/subscribed/watcher"
    await bare(5, name)
    await bare(5, "plain")
    assert (await watcher.next())[0] == "$aws/events/presence/connected/plain"


@proves("presence-is-told")
@pytest.mark.parametrize("settings", [GatewaySettings(lifecycle_events=False)])
async def test_events_can_be_switched_off(gateway: Gateway, peer: Connect, bare: BareConnect):
    watcher = await peer("watcher", V5)
    await watcher.subscribe("$aws/events/#", "now")
    await bare()
    gateway.broker.publish("now", b"")
    assert await within(watcher.next(), WAIT) == ("now", b"", 1)
