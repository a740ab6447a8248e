"""What very many hear, or one client sends at once, is done in turns; for each client nothing changes its order."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simulator.cloud.mqtt import GatewaySettings, broker, fan_out
from simulator.cloud.mqtt.fan_out import AT_ONCE, FanOut, Owed
from simulator.cloud.mqtt.persistence import Persistence
from simulator.cloud.mqtt.scheduler import Scheduler
from simulator.cloud.mqtt.session import Message, Session
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.notices.refusals import Notice
from tests.within import within

from .packets import LASTING, connect, publish, subscribe, text
from .peers import WAIT, Bare, BareConnect, Jobs, transport_of

MANY = AT_ONCE + 8
PING, PONG = b"\xc0\0", (0xD0, b"")


@pytest.fixture
def settings() -> GatewaySettings:
    return GatewaySettings(connects_per_second=None, publishes_per_second=None, payload_per_second=None)


@pytest.fixture
def _short_turns(gateway: Gateway) -> None:
    """One thing a turn."""
    gateway.broker.context.scheduler.turn_seconds = 0.0


async def _all(bare: BareConnect, topic: str = "all", **more: Any) -> list[Bare]:
    clients = [await bare(5, f"c{number}", **more) for number in range(MANY)]
    for client in clients:
        client.send(subscribe(topic))
        await client.packet()
    return clients


async def _turns_until(is_done: Callable[[], bool]) -> int:
    """How many turns of the loop it takes."""
    for turns in range(10_000):
        if is_done():
            return turns
        await asyncio.sleep(0)
    raise AssertionError("it never is")


def _nothing_is_owed(gateway: Gateway) -> bool:
    return not any(
        session in gateway.broker.router.fan_out.owed for session in gateway.broker.sessions.by_client_id.values()
    )


async def _payload(client: Bare) -> bytes:
    """Of the next message, of QoS 1 and without properties."""
    _, body = await client.packet()
    return body[2 + int.from_bytes(body[:2], "big") + 3 :]


# ── to many ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("_short_turns")
async def test_others_have_their_turn_while_many_are_given_a_message(gateway: Gateway, bare: BareConnect):
    await _all(bare)
    gateway.broker.publish("all", b"1")
    assert await _turns_until(lambda: _nothing_is_owed(gateway)) >= MANY


@pytest.mark.usefixtures("_short_turns")
async def test_everybody_gets_every_message_in_order(gateway: Gateway, bare: BareConnect):
    clients = await _all(bare)
    for number in range(5):
        gateway.broker.publish("all", b"%d" % number)
    for client in clients:
        assert [await _payload(client) for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.usefixtures("_short_turns")
async def test_an_answer_does_not_overtake_what_was_told_before(gateway: Gateway, bare: BareConnect):
    clients = await _all(bare)
    gateway.broker.publish("all", b"told before")
    last = gateway.broker.router.connected.get(gateway.broker.sessions.by_client_id[f"c{MANY - 1}"])
    assert last is not None
    gateway.broker.router.fan_out.settle(last.session)
    last.deliver(Message("$aws/ask/accepted", b"answer", None, None, 0.0), 1)
    gateway.broker.publish("all", b"told after")
    assert [await _payload(clients[-1]) for _ in range(3)] == [b"told before", b"answer", b"told after"]


@pytest.mark.usefixtures("_short_turns")
async def test_a_message_that_few_hear_does_not_overtake_one_that_many_do(gateway: Gateway, bare: BareConnect):
    clients = await _all(bare)
    clients[-1].send(subscribe("mine"))
    await clients[-1].packet()
    gateway.broker.publish("all", b"to all")
    gateway.broker.publish("mine", b"to me")
    assert [await _payload(clients[-1]) for _ in range(2)] == [b"to all", b"to me"]


async def test_who_unsubscribed_hears_before_the_answer_what_came_before(gateway: Gateway, bare: BareConnect):
    clients = await _all(bare)
    session = gateway.broker.sessions.by_client_id[f"c{MANY - 1}"]
    gateway.broker.publish("all", b"1")
    gateway.broker.router.unsubscribe(session, "all")
    assert session not in gateway.broker.router.fan_out.owed
    assert await _payload(clients[-1]) == b"1"


async def test_what_is_owed_to_who_goes_waits_for_it_to_come_back(gateway: Gateway, service: Jobs, bare: BareConnect):
    await _all(bare, properties=LASTING)
    gateway.broker.publish("all", b"1")
    for session in gateway.broker.sessions.by_client_id.values():
        there = gateway.broker.router.connected.get(session)
        assert there is not None
        there.end("CLIENT_ERROR")
    gateway.broker.publish("all", b"2")
    await _turns_until(lambda: _nothing_is_owed(gateway))
    for session in gateway.broker.sessions.by_client_id.values():
        assert [message.payload for message in session.stored or ()] == [b"1", b"2"]


async def test_what_waits_for_who_goes_stays_before_what_comes_later(
    gateway: Gateway, service: Jobs, bare: BareConnect
):
    client = await bare(5, "dev", properties=b"\x08\x11\0\0\0\x3c\x21\0\1")  # one message at a time
    client.send(subscribe("a"))
    await client.packet()
    for number in (b"1", b"2", b"3"):
        gateway.broker.publish("a", number)
    client.close()
    await within(service.gone.get(), WAIT)
    gateway.broker.publish("a", b"4")
    again = Bare(*await asyncio.open_connection(*client.writer.get_extra_info("peername")[:2]))
    again.send(connect(5, flags=0, properties=LASTING, rest=text("dev")))
    await again.packet()
    assert [await _payload(again) for _ in range(4)] == [b"1", b"2", b"3", b"4"]
    again.close()


async def test_what_is_owed_is_written_down_with_what_waits(gateway: Gateway, bare: BareConnect):
    persistence = Persistence(lambda source: 1, lambda: 0.0, lambda: 0.0)
    persistence.owed = gateway.broker.router.fan_out.waiting
    gateway.broker.context.persistence = persistence
    gateway.broker.context.commits.committed = 1  # nobody has to wait for what comes before
    await _all(bare, properties=LASTING)
    tuple(persistence.rows())
    gateway.broker.publish("all", b"1")
    assert all(
        session in gateway.broker.router.fan_out.owed for session in gateway.broker.sessions.by_client_id.values()
    )
    kept = [record for kind, _, record in persistence.rows() if kind == "message"]
    assert [(record.payload, record.qos) for record in kept] == [(b"1", 1)] * MANY


async def test_many_groups_are_given_a_message_in_turns_and_each_once(gateway: Gateway, bare: BareConnect):
    client = await bare(5)
    for number in range(MANY):
        client.send(subscribe(f"$share/g{number}/all"))
        await client.packet()
    gateway.broker.publish("all", b"1")
    assert (
        sum(
            group.queue in gateway.broker.router.fan_out.owed
            for group in gateway.broker.router.sharing.groups.index.matching("all")
        )
        == MANY
    )
    assert [await _payload(client) for _ in range(MANY)] == [b"1"] * MANY


# ── too much ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def given() -> list[tuple[Session, bytes]]:
    return []


@pytest.fixture
def lost() -> list[tuple[Session, bytes]]:
    return []


@pytest.fixture
def scheduler() -> Scheduler:
    """Nobody is in a hurry."""
    return Scheduler(lambda: 0.0)


@pytest.fixture
def owing(scheduler: Scheduler, given: list[tuple[Session, bytes]], lost: list[tuple[Session, bytes]]) -> FanOut:
    return FanOut(
        scheduler,
        lambda session, owed: given.append((session, owed.message.payload)),
        lambda session, owed: lost.append((session, owed.message.payload)),
    )


def _owed(payload: bytes) -> Owed:
    return Owed(Message("all", payload, None, None, 0.0), 1, 0)


def test_the_oldest_of_what_one_session_is_owed_goes(
    owing: FanOut, lost: list[tuple[Session, bytes]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fan_out, "MOST_OWED", 2)
    one, other = Session("one"), Session("other")
    for payload in (b"1", b"2", b"3"):
        owing.owe(one, _owed(payload))
    owing.owe(other, _owed(b"4"))
    assert lost == [(one, b"1")]
    assert [message.payload for message in owing.waiting(one)] == [b"2", b"3"]


async def test_a_session_that_is_owed_too_much_is_told_of(
    gateway: Gateway, bare: BareConnect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fan_out, "MOST_OWED", 1)
    told: list[Notice] = []
    gateway.broker.context.tell = told.append
    await _all(bare)
    for payload in (b"1", b"2"):
        gateway.broker.publish("all", payload)
    assert {(notice.code, notice.resource) for notice in told} == {("queue-full", "topic/all")}
    assert {notice.client_id for notice in told} == {f"c{number}" for number in range(MANY)}


def test_a_turn_that_fails_is_not_the_last(scheduler: Scheduler, faults: list[str]):
    given: list[bytes] = []

    def give(session: Session, owed: Owed) -> None:
        if owed.message.payload == b"bad":
            raise ValueError
        given.append(owed.message.payload)

    owing, one = FanOut(scheduler, give, lambda session, owed: None), Session("one")
    for payload in (b"1", b"bad", b"2"):
        owing.owe(one, _owed(payload))
    while scheduler._soon:
        scheduler.run(0.0)
    assert given == [b"1", b"2"]
    assert faults == ["a turn of the broker"]


async def test_who_publishes_to_many_waits_while_they_are_behind(
    gateway: Gateway, bare: BareConnect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fan_out, "BEHIND", MANY)
    clients = await _all(bare)
    most = 0

    def watch() -> Iterator[None]:
        nonlocal most
        while True:
            most = max(most, gateway.broker.router.fan_out._count)
            yield

    publisher = await bare(5, "publisher")
    publisher.send(*(publish("all", b"%d" % number, qos=1) for number in range(20)), PING)
    acknowledged, watching = 0, watch()
    while acknowledged < 20:
        next(watching)
        acknowledged += (await publisher.packet())[0] == 0x40
    assert await publisher.packet() == PONG
    assert most <= 2 * MANY
    for client in clients:
        assert [await _payload(client) for _ in range(20)] == [b"%d" % number for number in range(20)]


# ── from one ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("_short_turns")
async def test_others_have_their_turn_while_many_packets_of_one_are_handled(gateway: Gateway, bare: BareConnect):
    flood, other = await bare(5, "flood"), await bare(5, "other")
    [there] = [each for each in gateway.broker.clients if each.session and each.session.client_id == "flood"]
    gateway.broker.receive(there, PING * 50 + publish("a", b"x", qos=1), 0.0)
    assert await _turns_until(lambda: not there.has_more) >= 50
    other.send(PING)
    assert await other.packet() == PONG
    assert [await flood.packet() for _ in range(50)] == [PONG] * 50
    assert (await flood.packet())[0] == 0x40


@pytest.mark.usefixtures("_short_turns")
async def test_what_one_sends_in_many_packets_comes_whole_and_in_order(gateway: Gateway, bare: BareConnect):
    listener, talker = await bare(5, "listener"), await bare(5, "talker")
    listener.send(subscribe("a"))
    await listener.packet()
    raw = b"".join(publish("a", b"%d" % number, qos=1) for number in range(100))
    for start in range(0, len(raw), 37):
        talker.send(raw[start : start + 37])
        await asyncio.sleep(0)
    assert [await _payload(listener) for _ in range(100)] == [b"%d" % number for number in range(100)]


@pytest.mark.usefixtures("_short_turns")
async def test_who_takes_leave_after_many_packets_leaves_no_will(gateway: Gateway, service: Jobs, port: int):
    client = Bare(*await asyncio.open_connection("127.0.0.1", port))
    will = text("dev") + b"\0" + text("will") + text("gone")
    client.send(connect(5, flags=0x06, rest=will), PING * 200, b"\xe0\0")
    client.writer.write_eof()
    assert (await client.rest()).endswith(b"\xd0\0" * 200)
    assert await within(service.gone.get(), WAIT) == ("dev", "CLIENT_INITIATED_DISCONNECT")
    client.close()


async def test_who_is_not_heard_while_others_are_behind_is_not_called_silent(
    gateway: Gateway, bare: BareConnect, monkeypatch: pytest.MonkeyPatch
):
    await _all(bare)
    talker = await bare(5, "talker")
    monkeypatch.setattr(fan_out.FanOut, "is_behind", True)
    talker.send(publish("all", qos=1), PING)
    there = gateway.broker.router.connected.get(gateway.broker.sessions.by_client_id["talker"])
    assert there is not None
    await _turns_until(lambda: there.has_more)
    others = [each for each in gateway.broker.clients if each is not there]
    gateway.broker.sweep(gateway.broker.context.now + 1000)
    assert not set(others) & set(gateway.broker.clients), "they were silent"
    assert there in gateway.broker.clients
    monkeypatch.setattr(fan_out.FanOut, "is_behind", False)
    assert (await talker.packet())[0] == 0x40
    assert await talker.packet() == PONG
    gateway.broker.sweep(gateway.broker.context.now + 1000)
    assert there not in gateway.broker.clients


@pytest.mark.usefixtures("_short_turns")
async def test_a_fault_in_a_later_turn_of_a_client_ends_its_connection(
    service: Jobs, bare: BareConnect, monkeypatch: pytest.MonkeyPatch, faults: list[str]
):
    client = await bare(5)
    monkeypatch.setattr(broker, "publish", lambda *_: 1 / 0)
    client.send(PING * 3, publish("a"), PING)
    assert await client.rest() == b"\xd0\0" * 3
    assert await within(service.gone.get(), WAIT) == ("dev", "SERVER_ERROR")
    assert faults == ["handling packets"], "it is told, and stays here"


async def test_of_who_left_while_others_are_behind_not_everybody_is_heard_out(
    gateway: Gateway, service: Jobs, bare: BareConnect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(broker, "MOST_HEARD_OUT", 2)
    told: list[Notice] = []
    gateway.broker.context.tell = told.append
    listeners = await _all(bare)
    monkeypatch.setattr(fan_out.FanOut, "is_behind", True)
    talkers = []
    for name in ("t1", "t2", "t3"):
        (await bare(5, name)).send(publish("all", b"first"), publish("all", name.encode()), PING)
        there = gateway.broker.router.connected.get(gateway.broker.sessions.by_client_id[name])
        assert there is not None
        await _turns_until(lambda there=there: there.has_more)
        talkers.append(there)
    for there in talkers:
        transport_of(there).abort()
    assert await within(service.gone.get(), WAIT) == ("t1", "CONNECTION_LOST")
    assert not talkers[0].protocol.unread
    assert service.gone.empty()
    assert [(notice.code, notice.client_id) for notice in told] == [("quota", "t1")]
    monkeypatch.setattr(fan_out.FanOut, "is_behind", False)
    for name in ("t2", "t3"):
        assert await within(service.gone.get(), WAIT) == (name, "CONNECTION_LOST")
    heard = {(await listeners[0].packet())[1][6:] for _ in range(5)}
    assert heard == {b"first", b"t2", b"t3"}
    assert not gateway.broker._heard_out


@pytest.mark.parametrize("takes_leave", [True, False], ids=["and has taken leave", "and has not"])
async def test_who_comes_back_at_once_comes_after_all_that_it_said(
    gateway: Gateway,
    service: Jobs,
    bare: BareConnect,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
    takes_leave: bool,
):
    told: list[Notice] = []
    gateway.broker.context.tell = told.append
    listeners = await _all(bare)
    monkeypatch.setattr(fan_out.FanOut, "is_behind", True)
    hello = connect(5, flags=0x06, rest=text("talker") + b"\0" + text("all") + text("will"))
    first, second = [Bare(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(2)]
    first.send(hello, publish("all", b"1"), publish("all", b"2"), b"\xe0\0" if takes_leave else PING)
    await _turns_until(lambda: any(each.has_more for each in gateway.broker.clients))
    second.send(hello, PING)
    await _turns_until(lambda: sum(each.has_more for each in gateway.broker.clients) == 2)
    gateway.broker.sweep(gateway.broker.context.now + 20)
    assert service.gone.empty()
    monkeypatch.setattr(fan_out.FanOut, "is_behind", False)
    assert (await second.packet())[0] == 0x20
    assert await second.packet() == PONG
    reason = "CLIENT_INITIATED_DISCONNECT" if takes_leave else "DUPLICATE_CLIENTID"
    assert service.gone.get_nowait() == ("talker", reason)
    assert [notice.code for notice in told] == ([] if takes_leave else ["taken-over"])
    await _turns_until(lambda: _nothing_is_owed(gateway))
    said = [(await listeners[0].packet())[1][6:] for _ in range(2 if takes_leave else 3)]
    assert said == ([b"1", b"2"] if takes_leave else [b"1", b"2", b"will"])
    first.close()
    second.close()
