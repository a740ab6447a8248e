"""The broker with nothing around it: time is an argument, what clients hear is bytes, and turns are counted."""

import itertools

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.client import SLOW_READER_BYTES
from simulator.cloud.mqtt.persistence import Persistence
from simulator.cloud.notices.refusals import Notice

from .direct import UNLIMITED, Direct, broker_without_loop, connected, turns_out
from .packets import LASTING, connect, publish, subscribe, text
from .peers import Jobs, Twice
from .test_hostile_streams import STREAM

PING, PONG = b"\xc0\0", b"\xd0\0"


def _payloads(packets: list[bytes]) -> list[bytes]:
    """Of one byte each."""
    return [packet[-1:] for packet in packets if packet[0] >> 4 == 3]


# ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("silent_seconds", "is_over"),
    [pytest.param(91.0, False, id="within its keep-alive"), pytest.param(91.1, True, id="beyond it")],
)
def test_a_client_may_be_silent_for_one_and_a_half_keep_alives_and_a_look(silent_seconds: float, is_over: bool):
    service = Jobs()
    broker = broker_without_loop(service)
    client = connected(broker, now=1000.0)
    broker.sweep(1000.0 + silent_seconds)
    assert (client.client not in broker.clients) == is_over
    assert client.hear() == ([b"\xe0\x01\x8d"] if is_over else [])
    assert service.gone.empty() != is_over


@pytest.mark.parametrize(("seconds", "is_over"), [(10.0, False), (10.1, True)])
def test_who_never_says_connect_may_stay_for_the_limit(seconds: float, is_over: bool):
    broker, told = broker_without_loop(), list[Notice]()
    broker.context.tell = told.append
    client = Direct(broker, now=50.0)
    client.say(connect(5)[:5], now=55.0)
    broker.sweep(50.0 + seconds)
    assert (client.client not in broker.clients) == is_over
    assert [notice.code for notice in told] == (["connect-timeout"] if is_over else [])


@pytest.mark.parametrize(("seconds", "is_there"), [(59.9, True), (60.0, False)])
def test_a_session_waits_for_its_client_for_as_long_as_it_said(seconds: float, is_there: bool):
    broker = broker_without_loop()
    client = connected(broker, properties=LASTING, now=100.0)
    broker.lost(client.client, 200.0)
    broker.sweep(200.0 + seconds)
    assert bool(broker.sessions.by_client_id) == is_there


@pytest.mark.parametrize(
    ("delay", "session", "published_at"),
    [
        pytest.param(0, 3600, 0.0, id="at once"),
        pytest.param(10, 0, 0.0, id="with its session, which ends at once"),
        pytest.param(10, 3600, 10.0, id="after its delay"),
        pytest.param(100, 20, 20.0, id="with its session, which ends before"),
    ],
)
def test_a_will_is_published_when_its_delay_or_its_session_is_over(delay: int, session: int, published_at: float):
    broker = broker_without_loop()
    watcher = connected(broker, "watcher")
    watcher.say(subscribe("will"))
    will = text("dying") + b"\x05\x18" + delay.to_bytes(4, "big") + text("will") + text("x")
    dying = connected(broker, flags=0x06, properties=b"\x05\x11" + session.to_bytes(4, "big"), rest=will)
    broker.lost(dying.client, 0.0)
    if published_at:
        broker.sweep(published_at - 0.1)
        assert not _payloads(watcher.hear())
        broker.sweep(published_at)
    assert _payloads(watcher.hear()) == [b"x"]


def test_what_is_not_acknowledged_comes_again_after_its_interval():
    broker = broker_without_loop()
    client = connected(broker)
    client.say(subscribe("a"))
    broker.publish("a", b"1")
    assert [packet[0] for packet in client.hear()] == [0x32]
    broker.sweep(29.0)
    assert not client.hear()
    broker.sweep(30.0)
    assert [packet[0] for packet in client.hear()] == [0x3A]


def test_a_rate_is_of_a_second_that_begins_with_a_message():
    broker = broker_without_loop(settings=GatewaySettings(publishes_per_second=2))
    client = connected(broker)
    one = publish("a", qos=1)
    assert [packet[1] for packet in client.say(one, one, one, now=10.5)] == [2, 2, 3], "the third with a reason"
    assert [packet[1] for packet in client.say(one, now=11.4)] == [3]
    assert [packet[1] for packet in client.say(one, now=11.5)] == [2]


def test_a_late_copy_comes_when_its_time_has_come():
    broker = broker_without_loop(network=Twice("$aws/ask/it", 5.0))
    client = connected(broker)
    answers = client.say(publish("$aws/ask/it", b"1"), now=10.0)
    assert len(answers) == 1
    broker.run(14.9)
    assert not client.hear()
    broker.run(15.0)
    assert len(client.hear()) == 1


# ── who does not read ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("qos", [0, 1])
def test_what_waits_for_who_does_not_read_is_bounded_and_others_are_served(qos: int):
    broker, told = broker_without_loop(), list[Notice]()
    broker.context.tell = told.append
    deaf, other = connected(broker, "deaf"), connected(broker, "other")
    for client in (deaf, other):
        client.say(subscribe("a", options=qos))
    deaf.reads = False
    for _ in range(20):
        broker.publish("a", bytes(100_000))
        for packet in other.hear():
            if qos:
                other.say(b"\x40\x02" + packet[7:9])
    assert deaf.client.waiting_bytes < SLOW_READER_BYTES + 100_100
    assert {notice.code for notice in told} == (set() if qos else {"slow-reader"})
    assert deaf.step == "wait"
    deaf.reads = True
    assert len(deaf.hear()) == 3, "what had been sent, and no more than it may have unacknowledged"
    assert deaf.step == "read"


def test_what_waits_for_a_commit_leaves_after_it_and_is_counted():
    service = Jobs()
    broker = broker_without_loop(service)
    client, other = connected(broker, "one"), connected(broker, "other")
    service.after = 7
    assert not client.say(publish("$aws/ask/it", b"1", qos=1))
    assert client.client.waiting_bytes > 0
    service.after = 0
    assert other.say(PING) == [PONG]
    broker.context.commits.commit(6)
    assert not client.say(PING)
    broker.context.commits.commit(7)
    assert [packet[0] >> 4 for packet in client.hear()] == [4, 3, 13]
    assert client.client.waiting_bytes == 0


def test_who_is_told_to_go_loses_what_waits_for_a_commit():
    service = Jobs()
    broker = broker_without_loop(service)
    client = connected(broker)
    service.after = 1
    client.say(publish("$aws/ask/it", b"1", qos=1))
    broker.part_with(broker.clients)
    assert client.hear() == [b"\xe0\x01\x8b"]
    broker.context.commits.commit(1)
    assert not client.hear()


# ── turns ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_many_packets_of_one_client_take_many_turns_and_are_answered_in_order():
    broker = broker_without_loop(hurries=True)
    flood, other = connected(broker, "flood"), connected(broker, "other")
    broker.receive(flood.client, PING * 50 + publish("a", qos=1), 0.0)
    assert flood.client.has_more
    assert flood.step == "wait"
    broker.receive(other.client, PING, 0.0)
    assert other.heard == PONG, "in between"
    assert turns_out(broker) >= 49
    assert flood.hear() == [PONG] * 50 + [b"\x40\x02\0\x07"]


def test_what_many_hear_goes_in_turns_and_nothing_overtakes_it():
    broker = broker_without_loop(hurries=True, at_once=2)
    clients = [connected(broker, f"c{number}") for number in range(10)]
    for client in clients:
        client.say(subscribe("all"))
    broker.publish("all", b"1")
    asked = publish("$aws/ask/it", b"2", qos=1)
    broker.receive(clients[-1].client, asked, 0.0)
    broker.publish("all", b"3")
    assert turns_out(broker) >= 10
    heard = clients[-1].hear()
    assert [packet[-1:] for packet in heard if packet[0] >> 4 == 3] == [b"1", b"2", b"3"]
    assert all(_payloads(client.hear()) == [b"1", b"3"] for client in clients[:-1])


def test_of_many_who_leave_in_one_moment_those_beyond_a_turns_time_are_seen_off_in_later_turns():
    broker = broker_without_loop()
    clients = [connected(broker, f"c{number}") for number in range(10)]
    times = itertools.count(step=0.3)
    broker.context.scheduler.stopwatch = lambda: next(times)
    for client in clients:
        broker.lost(client.client, 0.0)
    assert list(broker.clients) == [client.client for client in clients[2:]], "two in the half second of a turn"
    again = connected(broker, "c9")
    turns_out(broker)
    assert list(broker.clients) == [again.client]
    assert list(broker.sessions.by_client_id) == ["c9"]


def test_a_fault_ends_the_connection_that_met_it_and_no_other(faults: list[str]):
    class Fails(Jobs):
        def request(self, *_: object, **__: object) -> None:
            raise ZeroDivisionError

    service = Fails()
    broker = broker_without_loop(service)
    client, other = connected(broker), connected(broker, "other")
    client.say(publish("$aws/ask/it", qos=1))
    assert faults == ["handling packets"]
    assert service.gone.get_nowait() == ("dev", "SERVER_ERROR")
    assert other.say(PING) == [PONG]


def test_a_session_is_noted_and_its_answers_wait_until_it_is_written_down():
    broker = broker_without_loop()
    persistence = broker.context.persistence = Persistence(lambda source: 3, lambda: 0.0, lambda: 0.0)
    client = Direct(broker)
    assert not client.say(connect(5, properties=LASTING))
    assert [(kind, key) for kind, key, _ in persistence.rows()] == [("session", "dev")]
    broker.context.commits.commit(3)
    assert [packet[0] for packet in client.hear()] == [0x20]


# ── whatever comes ────────────────────────────────────────────────────────────────────────────────────────────────


@examples(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(STREAM, st.integers(1, 12), st.booleans(), st.booleans()), min_size=1, max_size=4), st.booleans()
)
def test_no_stream_of_bytes_leaves_anything_behind_or_meets_a_fault(
    streams: list[tuple[list[bytes], int, bool, bool]], hurries: bool
):
    broker = broker_without_loop(settings=UNLIMITED, hurries=hurries, at_once=0 if hurries else 32)
    bystander = connected(broker, "bystander")
    bystander.say(subscribe("only/for/me", options=0))
    for packets, pieces, says_hello, leaves in streams:
        raw = b"".join(([connect(5)] if says_hello else []) + packets)
        client = Direct(broker)
        for start in range(0, len(raw), step := max(1, len(raw) // pieces)):
            broker.receive(client.client, raw[start : start + step], 0.0)
        if leaves:
            broker.lost(client.client, 0.0)
        client.hear()
        assert not client.client.has_more
        mine = publish("only/for/me", b"!")
        assert bystander.say(mine, PING) == [mine, PONG]
    broker.sweep(1e6)
    broker.sweep(2e6)
    turns_out(broker)
    assert not broker.clients
    assert not broker.sessions.by_client_id
    assert not broker.router.subscriptions
    assert not broker.router.sharing.groups.by_text


def test_nobody_is_busy_while_what_a_client_is_to_get_waits_for_a_commit():
    service = Jobs()
    broker = broker_without_loop(service, UNLIMITED)
    client = connected(broker)
    client.say(subscribe("a"))
    service.after = 1
    client.say(publish("$aws/ask/it", bytes(SLOW_READER_BYTES // 3), qos=1), publish("$aws/ask/it", bytes(120_000)))
    client.say(publish("$aws/ask/it", bytes(120_000)))
    for _ in range(5):
        broker.publish("a", b"1")
        client.hear()
    assert client.step == "wait"
    broker.context.commits.commit(1)
    assert _payloads(client.hear())[-2:] == [b"1", b"1"], "as many as it may have unacknowledged"
