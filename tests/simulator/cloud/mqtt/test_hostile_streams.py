"""Whatever bytes come, on real sockets: another connection goes on, the process lives, and nothing is left behind."""

import asyncio
import contextlib
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.cloud.mqtt import GatewaySettings, fan_out
from simulator.cloud.mqtt.scheduler import TURN_SECONDS
from simulator.cloud.mqtt.shells import Gateway
from tests.fidelity.proofs import proves
from tests.within import within

from .packets import connect, length, publish, subscribe, text
from .peers import WAIT, Bare, Jobs

PING, PONG = b"\xc0\0", (0xD0, b"")

VALID = st.sampled_from(
    [
        connect(4),
        connect(5),
        connect(4, flags=0),
        connect(5, flags=0x2E, rest=text("dev") + b"\0" + text("will") + text("gone")),
        connect(5, properties=b"\x05\x11\xff\xff\xff\xff"),
        publish("a", b"x", qos=1),
        publish("a", b"x", 4, qos=1, retain=1),
        publish("$aws/ask/it", b"{}", qos=1),
        publish("$aws/nowhere", b"{}"),
        publish("", b"x", more=b"\x23\0\1"),
        publish("a", b"x", qos=2),
        publish("a", b"x", more=b"\x02\0\0\0\0\x26\0\1k\0\1v"),
        subscribe("a", "$aws/#", "#", "+/+"),
        subscribe("$share/g/a", version=4),
        subscribe("$share/g/a", "$share/g/#", "$share/h/+"),
        b"\xa2\x06\0\x09\0" + text("a")[1:] + b"a",
        b"\x40\x02\0\x01",
        b"\x50\x02\0\x01",
        PING,
        b"\xe0\0",
        b"\xe0\x02\x04\0",
        b"\xf0\0",
    ]
)


@st.composite
def changed(draw: Any) -> bytes:
    """A packet with a few bytes changed, cut out or put in."""
    raw = bytearray(draw(VALID))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(raw)


FRAMED = st.builds(
    lambda first, body: bytes((first,)) + length(body) + body, st.integers(0, 255), st.binary(max_size=60)
)
"""The right length, whatever is in it."""
STREAM = st.lists(VALID | changed() | FRAMED | st.binary(max_size=30), min_size=1, max_size=8)


async def _bystander(port: int) -> Bare:
    made = Bare(*await asyncio.open_connection("127.0.0.1", port))
    made.send(connect(5, rest=text("bystander")), subscribe("only/for/me", options=0))
    assert [(await made.packet())[0] for _ in range(2)] == [0x20, 0x90]
    return made


async def _endures(streams: list[tuple[list[bytes], int, bool]], turn_seconds: float) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    gateway = Gateway(Jobs(), GatewaySettings(connects_per_second=None))
    gateway.broker.context.scheduler.turn_seconds = turn_seconds
    gateway.broker.router.fan_out.at_once = 0 if turn_seconds == 0 else fan_out.AT_ONCE
    port = await gateway.listen("127.0.0.1", 0)
    try:
        bystander = await _bystander(port)
        for packets, pieces, says_hello in streams:
            await _send(port, b"".join(([connect(5)] if says_hello else []) + packets), pieces)
            bystander.send(publish("only/for/me", b"!"), PING)
            heard = [await bystander.packet() for _ in range(2)]
            assert heard == [(0x30, publish("only/for/me", b"!")[2:]), PONG]
        bystander.close()
        await bystander.rest()
        gateway.broker.sweep(gateway.broker.context.now + 1e6)
        cleared = asyncio.Event()
        gateway.broker.router.fan_out.when_caught_up(cleared.set)  # behind what clears up, if there is little of it
        await cleared.wait()
        assert not faults
        assert not gateway.broker.clients
        assert not gateway.broker.sessions.by_client_id
        assert not gateway.broker.router.subscriptions
        assert not gateway.broker.router.sharing.groups.by_text
    finally:
        await gateway.close()


async def _send(port: int, raw: bytes, pieces: int) -> None:
    """Send it all in pieces, whether or not the gateway still listens, and see its side close."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    # The gateway may have closed long before; uvloop calls that a RuntimeError.
    with contextlib.suppress(OSError, RuntimeError):
        for start in range(0, len(raw), step := max(1, len(raw) // pieces)):
            writer.write(raw[start : start + step])
            await asyncio.sleep(0)
        writer.write_eof()
    await within(_read_out(reader), WAIT)
    writer.close()


async def _read_out(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(65536):
            pass


@proves("hostile-bytes-disturb-nobody")
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(STREAM, st.integers(1, 12), st.booleans()), min_size=1, max_size=6),
    st.sampled_from([TURN_SECONDS, 0.0]),
)
def test_no_stream_of_bytes_disturbs_anybody_else(
    run: Any, streams: list[tuple[list[bytes], int, bool]], turn_seconds: float
):
    run(within(_endures(streams, turn_seconds), WAIT))
