"""One connection without a loop: bytes in, packets out, and when it has been silent for too long."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.packets import Connect, Malformed, Packet, PingReq, Publish, Reason, Subscribe
from simulator.cloud.mqtt.protocol import NotMqttError, ServerProtocol

from .packets import connect, publish, subscribe

PING = b"\xc0\0"
STREAM = connect(5) + subscribe("a") + publish("a", b"x" * 300, qos=1) + PING + publish("b", b"y") + PING


def _read(protocol: ServerProtocol, now: float = 0.0) -> list[Packet]:
    """All packets that are whole."""
    found = []
    while (packet := protocol.next_packet(now)) is not None:
        found.append(packet)
        if isinstance(packet, Connect):
            protocol.accept(60)
    return found


def _accepted(version: int = 5) -> ServerProtocol:
    protocol = ServerProtocol(GatewaySettings(), 0.0)
    protocol.receive(connect(version))
    assert len(_read(protocol)) == 1
    return protocol


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_packets_are_the_same_however_their_bytes_are_cut(cuts: list[int]):
    protocol, found = ServerProtocol(GatewaySettings(), 0.0), list[Packet]()
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(edges):
        protocol.receive(STREAM[start:end])
        found += _read(protocol)
    assert [type(packet) for packet in found] == [Connect, Subscribe, Publish, PingReq, Publish, PingReq]
    assert not protocol.unread


def test_packets_are_read_one_at_a_time_and_the_others_stay():
    protocol = _accepted()
    protocol.receive(PING + publish("a", b"1"))
    assert protocol.next_packet(0.0) == PingReq()
    protocol.receive(publish("a", b"2"))
    assert [packet.payload for packet in _read(protocol) if isinstance(packet, Publish)] == [b"1", b"2"]


def test_what_was_read_is_not_kept_while_half_a_packet_is_awaited():
    protocol = _accepted()
    protocol.receive(publish("a", bytes(1000)) + b"\x30")
    assert len(_read(protocol)) == 1
    assert protocol.unread == b"\x30"


@pytest.mark.parametrize("first", [b"\x30", b"GET / HTTP/1.1", b"\x16\x03\x01", b"\0"])
def test_nobody_waits_for_the_rest_of_what_is_no_connect(first: bytes):
    protocol = ServerProtocol(GatewaySettings(), 0.0)
    protocol.receive(first)
    with pytest.raises(NotMqttError):
        protocol.next_packet(0.0)


@pytest.mark.parametrize(
    ("version", "told"),
    [pytest.param(5, b"\xe0\x01\x8d", id="5 hears why"), pytest.param(4, b"", id="3.1.1 cannot")],
)
def test_who_is_refused_hears_why_if_its_version_can(version: int, told: bytes):
    protocol = _accepted(version)
    protocol.refuse(Reason.KEEP_ALIVE_TIMEOUT)
    assert protocol.data_to_send() == told


@pytest.mark.parametrize(
    ("version", "told"), [(5, b"\x20\x03\0\x87\0"), (4, b"\x20\x02\0\x07"), (3, b"\x20\x02\0\x07")]
)
def test_a_connect_that_is_refused_is_answered_in_its_own_version(version: int, told: bytes):
    protocol = ServerProtocol(GatewaySettings(), 0.0)
    protocol.receive(connect(version))
    if version == 3:
        with pytest.raises(Malformed):
            protocol.next_packet(0.0)
    else:
        protocol.next_packet(0.0)
    protocol.refuse(Reason.NOT_AUTHORIZED)
    assert protocol.data_to_send() == told


def test_what_is_sent_gathers_until_it_is_taken():
    protocol = ServerProtocol(GatewaySettings(), 0.0)
    protocol.send(b"ab")
    protocol.send(b"c")
    assert protocol.unsent == 3
    assert protocol.data_to_send() == b"abc"
    assert (protocol.data_to_send(), protocol.unsent) == (b"", 0)


def test_only_a_whole_packet_is_a_sign_of_life():
    protocol = ServerProtocol(GatewaySettings(connect_limit_seconds=10), 100.0)
    assert protocol.deadline() == 110
    protocol.receive(connect(5))
    _read(protocol, 105.0)
    assert protocol.deadline() == 105 + 60 * 1.5 + 1
    protocol.receive(PING[:1])
    _read(protocol, 150.0)
    assert protocol.deadline() == 105 + 60 * 1.5 + 1
    protocol.receive(PING[1:])
    _read(protocol, 160.0)
    assert protocol.deadline() == 160 + 60 * 1.5 + 1


def test_who_is_closed_is_not_heard():
    protocol = _accepted()
    protocol.receive(PING * 3)
    protocol.close()
    assert protocol.next_packet(0.0) is None


def test_an_alias_stands_for_its_topic_in_every_packet_that_has_it():
    protocol = _accepted()
    protocol.receive(publish("a/b", more=b"\x23\0\1") + publish("", more=b"\x23\0\1"))
    assert [packet.topic for packet in _read(protocol) if isinstance(packet, Publish)] == ["a/b", "a/b"]
