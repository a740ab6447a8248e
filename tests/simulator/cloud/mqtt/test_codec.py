"""The codec: what a peer may send is read, what it may not is refused with the reason, and nothing else happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from simulator.cloud.mqtt.codec import MOST_FILTERS, decode, decode_publish, frame
from simulator.cloud.mqtt.encode import publish_bytes
from simulator.cloud.mqtt.fields import MOST_USER_PROPERTIES
from simulator.cloud.mqtt.packets import V5, V311, Connect, Malformed, Publish, Reason, Subscribe, Unsubscribe
from tests.effort import bytes_kept, lines_run

from .packets import connect, length, publish, text

LIMIT = 128 * 1024 + 512
VERSIONS = pytest.mark.parametrize("version", [V311, V5])


def read(raw: bytes, version: int = V5):
    found = frame(raw, 0, LIMIT)
    assert found is not None, "a whole packet"
    first, start, end = found
    return decode(first, raw[start:end], version)


@VERSIONS
@given(
    topic=st.text(min_size=1, max_size=40).filter(lambda t: not set("+#\0") & set(t) and t.isprintable()),
    payload=st.binary(max_size=400),
    qos=st.integers(0, 1),
    packet_id=st.integers(1, 65535),
    dup=st.booleans(),
)
def test_a_publish_reads_back_as_it_was_written(version, topic, payload, qos, packet_id, dup):
    expected = Publish(topic, payload, qos, packet_id if qos else 0, dup)
    assert read(publish_bytes(topic, payload, qos, packet_id, dup, version), version) == expected


def read_publish(flags: int, data: bytes, start: int, end: int, version: int) -> Publish | str:
    """What is read of a body, or how it is refused."""
    try:
        return decode_publish(flags, data, start, end, version)
    except Malformed as error:
        return f"{error.reason!r} {error}"


@VERSIONS
@given(
    body=st.binary(max_size=60)
    | st.builds(
        lambda topic, rest: len(topic).to_bytes(2, "big") + topic + rest, st.binary(max_size=9), st.binary(max_size=40)
    ),
    flags=st.integers(0, 15),
    before=st.binary(max_size=9),
    behind=st.binary(max_size=9),
)
def test_a_publish_among_other_bytes_is_read_as_if_it_were_alone(version, body, flags, before, behind):
    alone = read_publish(flags, body, 0, len(body), version)
    start = len(before)
    assert read_publish(flags, before + body + behind, start, start + len(body), version) == alone


def fault_of(raw: bytes, version: int) -> int | None:
    """The reason for which these bytes are malformed; None if they are a packet, or the beginning of one."""
    try:
        found = frame(raw, 0, LIMIT)
        if found is not None:
            first, start, end = found
            decode(first, raw[start:end], version)
    except Malformed as error:
        return error.reason
    return None


@given(st.binary(max_size=200), st.sampled_from([V311, V5]))
def test_whatever_bytes_come_they_are_a_packet_or_malformed(raw: bytes, version: int):
    assert (fault_of(raw, version) or Reason.UNSPECIFIED_ERROR) >= 0x80


@given(st.data())
def test_a_valid_packet_with_a_byte_changed_is_a_packet_or_malformed(data):
    raw = bytearray(data.draw(st.sampled_from([connect(), connect(V311), b"\x82\x09\0\x01\0\0\x03a/b\x01"])))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert (fault_of(bytes(raw), V5) or Reason.UNSPECIFIED_ERROR) >= 0x80


@pytest.mark.parametrize("cut", range(len(connect())))
def test_a_packet_that_is_not_all_there_is_waited_for(cut: int):
    assert frame(connect()[:cut], 0, LIMIT) is None


def test_connect_as_paho_writes_its_properties():
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 77
    properties.ReceiveMaximum = 5
    properties.MaximumPacketSize = 4096
    properties.UserProperty = ("a", "b")
    assert read(connect(properties=properties.pack())) == Connect(V5, "dev", True, 60, None, 77, 5, 4096)


@VERSIONS
def test_subscribe_and_unsubscribe(version: int):
    properties = b"\0" if version == V5 else b""
    body = b"\0\x07" + properties + text("a/+") + b"\x01" + text("b") + b"\0"
    assert read(b"\x82" + bytes((len(body),)) + body, version) == Subscribe(7, (("a/+", 1, 0), ("b", 0, 0)))
    body = b"\0\x08" + properties + text("a/+")
    assert read(b"\xa2" + bytes((len(body),)) + body, version) == Unsubscribe(8, ("a/+",))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b"\x30\xff\xff\xff\xff\x01", Reason.MALFORMED_PACKET, id="a length of five bytes"),
        pytest.param(b"\x30\xff\xff\x7f", Reason.PACKET_TOO_LARGE, id="two megabytes"),
        pytest.param(connect(version=3), Reason.UNSUPPORTED_PROTOCOL_VERSION, id="MQTT 3.1"),
        pytest.param(b"\x10\x0a" + text("MQTX") + b"\x05\x02\0\x3c", Reason.UNSUPPORTED_PROTOCOL_VERSION, id="MQTX"),
        pytest.param(connect(flags=3), Reason.MALFORMED_PACKET, id="the reserved CONNECT flag"),
        pytest.param(connect(flags=0x0A), Reason.MALFORMED_PACKET, id="will QoS without a will"),
        pytest.param(
            connect(flags=0x16, rest=text("d") + b"\0" + text("t") + text("p")),
            Reason.QOS_NOT_SUPPORTED,
            id="will of QoS 2",
        ),
        pytest.param(connect(properties=b"\x03\x21\0\0"), Reason.PROTOCOL_ERROR, id="receive maximum 0"),
        pytest.param(connect(properties=b"\x06\x21\0\x05\x21\0\x05"), Reason.PROTOCOL_ERROR, id="a property twice"),
        pytest.param(connect(properties=b"\x03\x23\0\x05"), Reason.MALFORMED_PACKET, id="a property of another packet"),
        pytest.param(connect(rest=b"\0\x09dev"), Reason.MALFORMED_PACKET, id="a string cut off"),
        pytest.param(connect(rest=b"\0\x02\xff\xfe"), Reason.MALFORMED_PACKET, id="not UTF-8"),
        pytest.param(connect(rest=b"\0\x02a\0"), Reason.MALFORMED_PACKET, id="a null character"),
        pytest.param(connect(rest=text("d") + b"x"), Reason.MALFORMED_PACKET, id="bytes after the end"),
        pytest.param(b"\x34\x07\0\x01t\0\x01\0x", Reason.QOS_NOT_SUPPORTED, id="PUBLISH of QoS 2"),
        pytest.param(b"\x36\x07\0\x01t\0\x01\0x", Reason.MALFORMED_PACKET, id="PUBLISH of QoS 3"),
        pytest.param(b"\x32\x06\0\x01t\0\0\0", Reason.MALFORMED_PACKET, id="QoS 1 with packet identifier 0"),
        pytest.param(b"\x30\x05\0\x02t+\0x", Reason.TOPIC_NAME_INVALID, id="a wildcard in a topic name"),
        pytest.param(b"\x30\x04\0\0\0x", Reason.TOPIC_NAME_INVALID, id="an empty topic without an alias"),
        pytest.param(b"\x30\x07\0\x01t\x03\x23\0\0", Reason.TOPIC_ALIAS_INVALID, id="topic alias 0"),
        pytest.param(b"\x82\x03\0\x01\0", Reason.PROTOCOL_ERROR, id="SUBSCRIBE without a filter"),
        pytest.param(b"\x80\x07\0\x01\0\0\x01t\0", Reason.MALFORMED_PACKET, id="SUBSCRIBE with the wrong flags"),
        pytest.param(b"\x82\x07\0\x01\0\0\x01t\x03", Reason.MALFORMED_PACKET, id="subscription of QoS 3"),
        pytest.param(
            b"\x82\x09\0\x01\x02\x0b\x05\0\x01t\0",
            Reason.SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
            id="subscription identifier",
        ),
        pytest.param(b"\x50\x02\0\x01", Reason.PROTOCOL_ERROR, id="PUBREC"),
        pytest.param(b"\xf0\x00", Reason.PROTOCOL_ERROR, id="AUTH"),
        pytest.param(b"\x00\x00", Reason.PROTOCOL_ERROR, id="packet type 0"),
        pytest.param(b"\xc1\x00", Reason.MALFORMED_PACKET, id="PINGREQ with flags"),
    ],
)
def test_what_may_not_come_is_refused_with_its_reason(raw: bytes, reason: Reason):
    with pytest.raises(Malformed) as caught:
        read(raw)
    assert caught.value.reason is reason


def _with_users(count: int) -> bytes:
    """A PUBLISH with so many empty user properties."""
    users = b"\x26\0\0\0\0" * count
    body = text("a") + length(users) + users
    return b"\x30" + length(body) + body


def test_so_many_user_properties_are_read_and_no_more():
    read(_with_users(MOST_USER_PROPERTIES))
    assert fault_of(_with_users(MOST_USER_PROPERTIES + 1), V5) == Reason.QUOTA_EXCEEDED


def test_user_properties_cost_as_many_lines_as_there_are():
    ten, hundred = (lines_run(lambda count=count: read(_with_users(count))) for count in (10, 100))
    assert hundred < 10 * ten


@pytest.mark.parametrize(("first", "options"), [(0x82, b"\1"), (0xA2, b"")], ids=["SUBSCRIBE", "UNSUBSCRIBE"])
@VERSIONS
def test_so_many_filters_are_read_and_no_more(version: int, first: int, options: bytes):
    def packet(count: int) -> bytes:
        body = b"\0\7" + (b"\0" if version == V5 else b"") + (text("a") + options) * count
        return bytes((first,)) + length(body) + body

    assert len(read(packet(MOST_FILTERS), version).filters) == MOST_FILTERS
    assert fault_of(packet(MOST_FILTERS + 1), version) == Reason.QUOTA_EXCEEDED


def test_a_topic_that_came_is_not_kept():
    def come() -> None:
        for number in range(100):
            read(publish(f"{number}/{'a' * 60_000}", version=V5))
            publish_bytes(f"{number}/{'a' * 60_000}", b"", 0, 0, False, V5)

    assert bytes_kept(come) < 100_000
