"""What the gateway keeps for who is not there is bounded, and each bound that is met is told."""

import asyncio
from typing import Any

import pytest

from simulator.cloud.device_api.fault_injection import About, Faults
from simulator.cloud.device_api.service import DeviceApi
from simulator.cloud.jobs import Jobs as JobsService
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.mqtt import GatewaySettings, presence, retained, session, sessions, wills
from simulator.cloud.mqtt.persistence import Persistence
from simulator.cloud.mqtt.records import KeptMessage, KeptSession, RememberedSessions
from simulator.cloud.mqtt.restoring import restore
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.notices.refusals import Code, Notice
from simulator.cloud.settings.service import Fault
from tests.within import within

from .packets import LASTING, connect, publish, subscribe, text
from .peers import WAIT, Bare, BareConnect, Jobs


@pytest.fixture
def settings() -> GatewaySettings:
    return GatewaySettings(connects_per_second=None, publishes_per_second=None, payload_per_second=None)


def _of(told: list[Notice], code: Code) -> Notice:
    [found] = [notice for notice in told if notice.code == code]
    return found


async def _come_and_go(service: Jobs, bare: BareConnect, *names: str, **more: Any) -> None:
    for name in names:
        client = await bare(5, name, **more)
        client.close()
        await within(service.gone.get(), WAIT)


async def test_clients_that_are_gone_are_forgotten_when_there_are_too_many(
    gateway: Gateway, service: Jobs, bare: BareConnect, told: list[Notice], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(presence, "MOST_GONE", 2)
    await _come_and_go(service, bare, "a", "b", "c")
    assert list(gateway.broker.presence._gone) == ["b", "c"]
    assert _of(told, "quota").why == "2 clients are gone: versionNumber of the one that went first begins again"


async def test_the_session_that_waited_longest_ends_when_there_are_too_many(
    gateway: Gateway, service: Jobs, bare: BareConnect, told: list[Notice], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sessions, "MOST_AWAY", 2)
    await _come_and_go(service, bare, "a", "b", properties=LASTING)
    back = await bare(5, "a", properties=LASTING, flags=0)
    await _come_and_go(service, bare, "c", "d", properties=LASTING)
    assert gateway.broker.sessions.by_client_id.keys() == {"a", "c", "d"}
    notice = _of(told, "session-over")
    assert notice.client_id == "b"
    assert notice.why == "2 clients are away: the session of the first ends, with 0 messages that it never got"
    back.close()


async def test_retained_messages_have_a_bound_in_bytes(
    gateway: Gateway, bare: BareConnect, told: list[Notice], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retained, "MOST_BYTES", 100)
    client = await bare(5)
    for topic, payload in (("a", b"x" * 60), ("b", b"x" * 60), ("a", b"x" * 20), ("c", b"x" * 60), ("a", b"")):
        client.send(publish(topic, payload, qos=1, retain=1))
        assert (await client.packet())[0] == 0x40
    assert {message.topic for message, _ in gateway.broker.router.retained.all(0)} == {"c"}
    assert _of(told, "retained-full").why == "retained messages take 61 bytes, and no more than 100 may"
    assert gateway.broker.router.retained._bytes == 61


async def test_a_will_that_finds_no_room_to_wait_is_published_at_once(
    gateway: Gateway, service: Jobs, bare: BareConnect, port: int, told: list[Notice], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(wills, "MOST_BYTES", 10)
    listener = await bare(5, "listener")
    listener.send(subscribe("will/#", options=0))
    await listener.packet()
    for name in ("one", "two"):
        client = Bare(*await asyncio.open_connection("127.0.0.1", port))
        will = text(name) + b"\x05\x18\0\0\0\x1e" + text(f"will/{name}") + text("x")
        client.send(connect(5, flags=0x06, properties=LASTING, rest=will))
        await client.packet()
        client.close()
        await within(service.gone.get(), WAIT)
    assert (await listener.packet())[1].startswith(text("will/two"))
    assert _of(told, "quota").resource == "topic/will/two"
    gateway.broker.sweep(gateway.broker.context.now + 31)
    assert (await listener.packet())[1].startswith(text("will/one"))
    assert gateway.broker.sessions.wills._bytes == 0


async def test_an_alias_for_a_topic_that_is_too_long_is_not_kept(gateway: Gateway, bare: BareConnect):
    client = await bare(5)
    client.send(publish("a" * 10_000, more=b"\x23\0\1", qos=1), publish("b", more=b"\x23\0\2", qos=1))
    assert [(await client.packet())[0] for _ in range(2)] == [0x40, 0x40]
    [connection] = gateway.broker.clients
    assert connection.protocol._aliases == {2: "b"}


async def test_messages_that_are_too_many_when_they_are_remembered_are_told_of(
    gateway: Gateway, told: list[Notice], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(session, "MOST_QUEUED", 2)
    kept = KeptSession("dev", 5, 60, 60.0, (("a", 1, 0),))
    messages = {f"dev/{number}": KeptMessage("dev", "a", b"%d" % number, 0.0) for number in range(5)}
    persistence = Persistence(lambda source: 1, lambda: 0.0, lambda: 0.0)
    restore(gateway.broker.sessions, persistence, RememberedSessions((kept,), messages, ()))
    assert [(notice.code, notice.client_id) for notice in told] == [("queue-full", "dev")] * 3


def test_things_that_faults_are_counted_for_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.cloud.device_api.fault_injection.MOST_THINGS", 2)
    faults = Faults((Fault(do="lose", messages=("describe",), first=3, rate=0.5),), "0")
    for number in range(10):
        faults.fate(f"thing-{number}", "describe", About("job"))
    assert len(faults._counts) == len(faults._chances) == 2


def test_things_whose_answers_are_counted_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.cloud.device_api.service.MOST_COUNTED", 2)
    api = DeviceApi(JobsService(JobsSettings()), lambda: 0.0, lambda event: None)
    for number in (1, 2, 3, 3):
        assert api.request("dev", f"$aws/things/thing-{number}/jobs/job/get", b"no JSON", False) is not None
    assert api._answers == {"thing-2": 1, "thing-3": 2}
