"""What is done to valid packets, and how they come: the inputs of the packet fuzz, each from a seed and a number."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, TypeAlias

from simulator.cloud.mqtt.packets import V5, V311
from tests.hostile.packets_of_clients import THINGS, Field, Packet, connect, four, packet, payload, plain, topic, two

Carrier: TypeAlias = Literal["plain", "tls", "websocket", "no-tls", "no-http"]
"""How bytes come: as they are; in TLS; in WebSocket frames; or spoiled where TLS or a WebSocket's HTTP is expected."""
CARRIERS: Final[tuple[Carrier, ...]] = (
    ("plain",) * 84 + ("websocket",) * 8 + ("no-http",) * 4 + ("no-tls",) * 2 + ("tls",) * 2
)
"""By how dear they are: a handshake with TLS takes as long as thirty connections without."""

TEXTS: Final[tuple[bytes, ...]] = (
    b"",
    b"\0",
    b"a\0b",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xef\xbf\xbf",
    b"\xc0\x80",
    b"#",
    b"+",
    b"a/#/b",
    b"a+/b",
    b"/" * 300,
    b"$",
    b"$aws",
    b"$aws/",
    b"$aws/things//jobs/get",
    b"$aws/things/hostile-0/jobs/../get",
    b"$aws/things/hostile-0/jobs/get/accepted",
    b"$aws/things/hostile-0/jobs/fuzz-0/namespace-/get",
    b"$aws/things/+/jobs/get",
    b"$aws/rules/",
    b"$share",
    b"$share//lab",
    b"$share/g/",
    b"$share/g/$share/g/lab",
    b"x" * 129,
    b"x" * 257,
    b"x" * 4000,
    "ü€😀".encode(),
    b"%s%n{0}{}",
    b"\x1b[31m\r\n",
)
NUMBERS: Final = (
    b"\0",
    b"\xff",
    two(0),
    two(1),
    two(0x7FFF),
    two(0xFFFF),
    four(0),
    four(1),
    four(0xFFFFFFFF),
    b"\x80" * 4,
)
BODIES: Final[tuple[bytes, ...]] = (
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"1e999",
    b"NaN",
    b"{}" * 50,
    b"[" * 2000,
    b'{"a":' * 400 + b"1" + b"}" * 400,
    b'{"clientToken":' + b"9" * 5000 + b"}",
    b'{"clientToken":"' + b"t" * 300 + b'"}',
    b'{"clientToken":"\\ud800"}',
    b'{"status":["IN_PROGRESS"]}',
    b'{"status":"IN_PROGRESS","expectedVersion":1e400}',
    b'{"status":"IN_PROGRESS","expectedVersion":-9223372036854775809}',
    b'{"status":"IN_PROGRESS","statusDetails":{"a":{"b":1}}}',
    b'{"status":"IN_PROGRESS","statusDetails":{"":""}}',
    b'{"status":"IN_PROGRESS","statusDetails":{"a":"\\u0000"}}',
    b'{"executionNumber":true,"includeJobDocument":"yes"}',
    b'{"stepTimeoutInMinutes":1e30,"status":"IN_PROGRESS"}',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b"x" * 100_000,
)
HEADERS: Final = (
    b"\0",
    b"\x7f",
    b"\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff",
    b"\x80\x80\x80\x00",
    b"\x80\x80\x80\x80\x01",
    b"\x81\x00",
)
"""Remaining lengths: none, some, the most, and what is none."""


@dataclass(frozen=True, slots=True)
class Case:
    """What goes over one connection: `segments` one after the other; `packets` of them are mutated.

    With `greets` a valid CONNECT comes first, of `version`; `aborts`: it is reset and not closed.
    """

    number: int
    carrier: Carrier
    version: int
    greets: bool
    aborts: bool
    kinds: tuple[str, ...]
    segments: tuple[bytes, ...]

    @property
    def packets(self) -> int:
        return len(self.kinds)


def case(seed: int, number: int, carriers: tuple[Carrier, ...] = CARRIERS) -> Case:
    """The same for the same seed and number."""
    rng = Random(f"{seed}/{number}")
    carrier, version, greets = rng.choice(carriers), rng.choice((V311, V5)), rng.random() < 0.85
    name = _client_id(rng, number, carrier)
    parts = [connect(rng, version, name).encoded()] if greets else []
    kinds = []
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        kind, made = packet(rng, version)
        if not greets and not kinds:
            kind, made = "CONNECT", connect(rng, version, name)
        kinds.append(kind)
        parts.append(spoiled(rng, made))
    return Case(
        number, carrier, version, greets, rng.random() < 0.03, tuple(kinds), tuple(_split(rng, b"".join(parts)))
    )


def _client_id(rng: Random, number: int, carrier: Carrier) -> str:
    """One's own, mostly; else one that several have, so that sessions are taken over and resumed."""
    if carrier == "tls":
        return thing_of(number)  # its certificate lets it be nobody else
    return f"fuzz-{number}" if rng.random() < 0.8 else f"shared-{rng.randrange(16)}"


def thing_of(number: int) -> str:
    """Whose certificate the case of that number shows, where it shows one."""
    return f"hostile-{number % THINGS}"


def spoiled(rng: Random, made: Packet) -> bytes:
    """A valid packet with something wrong, now and then with several things."""
    for _ in range(rng.choice((0, 0, 1, 1, 1, 2))):
        rng.choice(FIELD_LEVEL)(rng, made)
    raw = made.encoded()
    for _ in range(rng.choice((0, 0, 0, 0, 1, 2))):
        raw = rng.choice(BYTE_LEVEL)(rng, raw)
    return raw


# ── fields ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _first_byte(rng: Random, made: Packet) -> None:
    made.first = rng.choice((made.first ^ 1 << rng.randrange(8), rng.randrange(256)))


def _remaining_length(rng: Random, made: Packet) -> None:
    if rng.random() < 0.5:
        made.lie = rng.choice((-1, 1, -2, 5, 127, 20_000))
    else:
        made.header = rng.choice(HEADERS)


def _a_length(rng: Random, made: Packet) -> None:
    if chosen := _one_of(rng, made):
        chosen.lie = rng.choice((-1, 1, -len(chosen.value), 0xFFFF - len(chosen.value), 200))


def _a_value(rng: Random, made: Packet) -> None:
    if not (chosen := _one_of(rng, made)):
        return
    if chosen.how == "counted":
        chosen.value = rng.choice((rng.choice(TEXTS), topic(rng).encode(), payload(rng)))
    elif chosen.how == "properties":
        chosen.value += rng.choice((chosen.value, rng.randbytes(3), b"\x26\0\0\0\0" * rng.choice((1, 50, 2000))))
    else:
        chosen.value = rng.choice((*NUMBERS, *BODIES))


def _a_property(rng: Random, made: Packet) -> None:
    for each in made.fields:
        if each.how == "properties":
            value = rng.choice((b"", *NUMBERS, two(3) + b"abc", two(1) + rng.choice(TEXTS)[:1]))
            each.value += bytes((rng.randrange(256),)) + value


def _drop(rng: Random, made: Packet) -> None:
    if made.fields:
        made.fields.pop(rng.randrange(len(made.fields)))


def _double(rng: Random, made: Packet) -> None:
    if chosen := _one_of(rng, made):
        made.fields.insert(rng.randrange(len(made.fields) + 1), Field(chosen.how, chosen.value, chosen.lie))


def _swap(rng: Random, made: Packet) -> None:
    rng.shuffle(made.fields)


def _append(rng: Random, made: Packet) -> None:
    made.fields.append(plain(rng.choice((b"\0", rng.randbytes(rng.randrange(1, 40)), rng.choice(BODIES)))))


def _one_of(rng: Random, made: Packet) -> Field | None:
    return rng.choice(made.fields) if made.fields else None


FIELD_LEVEL: Final[tuple[Callable[[Random, Packet], None], ...]] = (
    _first_byte,
    _remaining_length,
    _a_length,
    _a_value,
    _a_value,
    _a_property,
    _drop,
    _double,
    _swap,
    _append,
)


# ── bytes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _flip(rng: Random, raw: bytes) -> bytes:
    spoilt = bytearray(raw)
    for _ in range(rng.choice((1, 1, 4))):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def _cut(rng: Random, raw: bytes) -> bytes:
    return raw[: rng.randrange(1, len(raw) + 1)]


def _insert(rng: Random, raw: bytes) -> bytes:
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + rng.choice((rng.randbytes(rng.randrange(1, 9)), raw)) + raw[at:]


def _leave_out(rng: Random, raw: bytes) -> bytes:
    start = rng.randrange(len(raw))
    return (raw[:start] + raw[start + rng.randrange(1, 9) :]) or raw


def _noise(rng: Random, raw: bytes) -> bytes:
    return rng.randbytes(rng.randrange(1, 200))


BYTE_LEVEL: Final[tuple[Callable[[Random, bytes], bytes], ...]] = (_flip, _flip, _cut, _insert, _leave_out, _noise)


def _split(rng: Random, raw: bytes) -> list[bytes]:
    """In one piece, mostly; else cut anywhere, and now and then into single bytes."""
    if rng.random() < 0.7 or len(raw) < 2:
        return [raw]
    if rng.random() < 0.1:
        return [raw[index : index + 1] for index in range(min(len(raw), 60))] + [raw[60:]]
    cuts = sorted(rng.sample(range(1, len(raw)), min(len(raw) - 1, rng.randrange(1, 5))))
    return [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
