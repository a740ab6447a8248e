"""MQTT packets as fields, so that one field can be spoiled and the rest stay what they were.

A packet is its first byte and its fields. A field says how it is encoded, so that a length can lie about what follows.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal, TypeAlias

from simulator.cloud.mqtt.packets import V5
from tests.simulator.cloud.mqtt.packets import length

How: TypeAlias = Literal["plain", "counted", "properties"]
"""Bytes as they are; after two bytes that count them; or after a variable byte integer that does."""


@dataclass(slots=True)
class Field:
    """`lie` is added to the length that is said, where one is said."""

    how: How
    value: bytes
    lie: int = 0

    def encoded(self) -> bytes:
        size = len(self.value) + self.lie
        if self.how == "counted":
            return (size & 0xFFFF).to_bytes(2, "big") + self.value
        if self.how == "properties":
            return length(bytes(max(0, size))) + self.value
        return self.value


@dataclass(slots=True)
class Packet:
    """`lie` is added to the remaining length; `header` replaces it whole."""

    first: int
    fields: list[Field] = field(default_factory=list)
    lie: int = 0
    header: bytes | None = None

    def encoded(self) -> bytes:
        body = b"".join(each.encoded() for each in self.fields)
        said = length(bytes(max(0, len(body) + self.lie))) if self.header is None else self.header
        return bytes((self.first & 0xFF,)) + said + body


def plain(value: bytes | int) -> Field:
    return Field("plain", bytes((value,)) if isinstance(value, int) else value)


def counted(value: str | bytes) -> Field:
    return Field("counted", value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value)


def two(value: int) -> bytes:
    return value.to_bytes(2, "big")


def four(value: int) -> bytes:
    return value.to_bytes(4, "big")


PROPERTIES: Final[dict[str, tuple[bytes, ...]]] = {
    "connect": (
        b"\x11" + four(30),
        b"\x21" + two(20),
        b"\x27" + four(1000),
        b"\x22" + two(8),
        b"\x19\x01",
        b"\x17\x01",
        b"\x15" + counted("SCRAM").encoded(),
        b"\x16" + counted(b"\xff\0").encoded(),
    ),
    "will": (b"\x18" + four(1), b"\x01\x01", b"\x02" + four(60), b"\x03" + counted("text/plain").encoded()),
    "publish": (
        b"\x01\x01",
        b"\x02" + four(60),
        b"\x23" + two(3),
        b"\x08" + counted("answers/here").encoded(),
        b"\x09" + counted(b"1234").encoded(),
        b"\x03" + counted("application/json").encoded(),
        b"\x0b\x07",
    ),
    "ack": (b"\x1f" + counted("because").encoded(),),
    "subscribe": (b"\x0b\x07",),
    "unsubscribe": (),
    "disconnect": (b"\x11" + four(5), b"\x1f" + counted("bye").encoded(), b"\x1c" + counted("elsewhere").encoded()),
    "auth": (b"\x15" + counted("SCRAM").encoded(), b"\x16" + counted(b"data").encoded()),
}
"""Every property that a client may send, encoded, by packet."""
USER_PROPERTY: Final = b"\x26" + counted("name").encoded() + counted("value").encoded()


def properties(rng: Random, of: str, version: int) -> list[Field]:
    """Some of those that may be there; version 3.1.1 has none."""
    if version != V5:
        return []
    chosen = [each for each in PROPERTIES[of] if rng.random() < 0.3]
    chosen += [USER_PROPERTY] * rng.choice((0, 0, 0, 1, 3))
    return [Field("properties", b"".join(chosen))]


THINGS: Final = 8
JOBS: Final = ("fuzz-0", "fuzz-1", "$next")


def topic(rng: Random) -> str:
    """Of the Jobs contract, mostly; of a thing that there is, mostly."""
    thing, job = f"hostile-{rng.randrange(THINGS + 1)}", rng.choice(JOBS)
    jobs = f"$aws/things/{thing}/jobs"
    return rng.choice(
        (
            f"{jobs}/get",
            f"{jobs}/start-next",
            f"{jobs}/{job}/get",
            f"{jobs}/{job}/update",
            f"{jobs}/{job}/namespace-lab/get",
            f"{jobs}/{job}/namespace-lab/update",
            f"lab/{thing}/state",
            "lab/all",
            f"$aws/rules/rule/{thing}",
        )
    )


def topic_filter(rng: Random) -> str:
    thing = f"hostile-{rng.randrange(THINGS)}"
    jobs = f"$aws/things/{thing}/jobs"
    return rng.choice(
        (
            f"{jobs}/notify",
            f"{jobs}/notify-next",
            f"{jobs}/+/get/accepted",
            f"{jobs}/#",
            f"{jobs}/notify-namespace-lab",
            "lab/#",
            "lab/+/state",
            "+/+/+",
            "#",
            "$share/group/lab/#",
            "$aws/events/#",
        )
    )


def payload(rng: Random) -> bytes:
    """A request of the Jobs contract, or anything."""
    body: dict[str, object] = {"clientToken": f"token-{rng.randrange(1000)}"}
    if rng.random() < 0.6:
        body |= {"status": rng.choice(("IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "QUEUED"))}
        body |= {"statusDetails": {"step": "write", "progress": "50"}} if rng.random() < 0.5 else {}
        body |= {"expectedVersion": rng.choice((1, "1", 2))} if rng.random() < 0.3 else {}
        body |= {"stepTimeoutInMinutes": rng.choice((1, -1, 10080))} if rng.random() < 0.2 else {}
    if rng.random() < 0.3:
        body |= {"includeJobDocument": True, "includeJobExecutionState": True, "executionNumber": 1}
    return json.dumps(body).encode()


def connect(rng: Random, version: int, client_id: str) -> Packet:
    """CONNECT (3.1): with a will, a user name and a password now and then."""
    has_will, named = rng.random() < 0.3, rng.random() < 0.3
    flags = 0x02 if rng.random() < 0.7 else 0
    rest = [*properties(rng, "connect", version), counted(client_id)]
    if has_will:
        flags |= 0x04 | rng.choice((0, 0x08, 0x20, 0x28))
        rest += [*properties(rng, "will", version), counted(topic(rng)), counted(payload(rng))]
    if named:
        flags |= 0x80 | 0x40
        rest += [counted("?SDK=Fuzz&Version=1"), counted(b"secret")]
    return Packet(0x10, [counted("MQTT"), plain(version), plain(flags), plain(two(rng.choice((0, 30, 600)))), *rest])


def _publish(rng: Random, version: int) -> Packet:
    qos, retain, dup = rng.choice((0, 0, 1, 1, 1, 2)), rng.random() < 0.15, rng.random() < 0.1
    identifier = [plain(two(rng.randrange(1, 65536)))] if qos else []
    fields = [counted(topic(rng)), *identifier, *properties(rng, "publish", version), plain(payload(rng))]
    return Packet(0x30 | qos << 1 | retain | dup << 3, fields)


def _acknowledged(first: int) -> Callable[[Random, int], Packet]:
    def make(rng: Random, version: int) -> Packet:
        fields = [plain(two(rng.choice((1, 2, 3, 65535))))]
        if version == V5 and rng.random() < 0.5:
            fields += [plain(rng.choice((0, 0x10, 0x80, 0x97))), *properties(rng, "ack", version)]
        return Packet(first, fields)

    return make


def _subscribe(rng: Random, version: int) -> Packet:
    fields = [plain(two(rng.randrange(1, 65536))), *properties(rng, "subscribe", version)]
    for _ in range(rng.choice((1, 1, 2, 8))):
        fields += [counted(topic_filter(rng)), plain(rng.choice((0, 1, 1, 2, 0x2C if version == V5 else 0)))]
    return Packet(0x82, fields)


def _unsubscribe(rng: Random, version: int) -> Packet:
    filters = [counted(topic_filter(rng)) for _ in range(rng.choice((1, 2)))]
    return Packet(0xA2, [plain(two(rng.randrange(1, 65536))), *properties(rng, "unsubscribe", version), *filters])


def _with_reason(first: int, of: str) -> Callable[[Random, int], Packet]:
    def make(rng: Random, version: int) -> Packet:
        if version != V5 or rng.random() < 0.3:
            return Packet(first)
        return Packet(first, [plain(rng.choice((0, 4, 0x81, 0x8E))), *properties(rng, of, version)])

    return make


def _bare(first: int) -> Callable[[Random, int], Packet]:
    return lambda rng, version: Packet(first)


KINDS: Final[dict[str, Callable[[Random, int], Packet]]] = {
    "CONNECT": lambda rng, version: connect(rng, version, f"again-{rng.randrange(100)}"),
    "CONNACK": lambda rng, version: Packet(0x20, [plain(0), plain(0), *properties(rng, "ack", version)]),
    "PUBLISH": _publish,
    "PUBACK": _acknowledged(0x40),
    "PUBREC": _acknowledged(0x50),
    "PUBREL": _acknowledged(0x62),
    "PUBCOMP": _acknowledged(0x70),
    "SUBSCRIBE": _subscribe,
    "SUBACK": lambda rng, version: Packet(0x90, [plain(two(1)), *properties(rng, "ack", version), plain(1)]),
    "UNSUBSCRIBE": _unsubscribe,
    "UNSUBACK": lambda rng, version: Packet(0xB0, [plain(two(1)), *properties(rng, "ack", version), plain(0)]),
    "PINGREQ": _bare(0xC0),
    "PINGRESP": _bare(0xD0),
    "DISCONNECT": _with_reason(0xE0, "disconnect"),
    "AUTH": _with_reason(0xF0, "auth"),
}
"""One valid packet of each type (2.1.2), those included that only a server sends."""
OFTEN: Final = ("PUBLISH",) * 12 + ("SUBSCRIBE",) * 6 + ("UNSUBSCRIBE", "PUBACK", "PINGREQ") * 2
"""Types that a client may send at any time come more often: the others end the connection."""


def packet(rng: Random, version: int) -> tuple[str, Packet]:
    """A valid one, and its type."""
    name = rng.choice((*KINDS, *OFTEN))
    return name, KINDS[name](rng, version)
