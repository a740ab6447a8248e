"""What a connection takes of the cloud's memory, by kind: so many are opened, and its resident set is looked at."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final

from simulator.certificate_files import client_context
from tests.hostile.carriers import upgrade, websocket_header
from tests.hostile.clients import heard, joined, opened, slow_socket
from tests.hostile.victim import THINGS, Victim, victim
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text

MANY: Final = 200
SLOW: Final = 2
"""That many do not read."""
SLOW_SECONDS: Final = 5.0
PUBLISHERS: Final = 24
PUBLISHING_SECONDS: Final = 5
"""Each publishes as much as one connection may: 28 MiB for each of the slow in all."""
LARGE: Final = bytes(120 * 1024)
SETTINGS: Final[dict[str, Any]] = {
    # So that what is sent again and again comes often enough to be seen.
    "gateway": {"redelivery_seconds": 1, "connects_per_second": None},
}


async def kib_by_kind() -> dict[str, float]:
    """KiB a connection takes at most, by kind."""
    kib: dict[str, float] = {}
    for name, hold in KINDS.items():
        async with victim(SETTINGS, tls=True) as cloud:
            before = (await cloud.read(collect=True)).resident_kib
            async with AsyncExitStack() as stack:
                how_many = await hold(cloud, stack)
                most = (await cloud.read(collect=True)).resident_kib
                until = time.monotonic() + (SLOW_SECONDS if how_many == SLOW else 0)
                while time.monotonic() < until:
                    await asyncio.sleep(0.25)
                    most = max(most, (await cloud.read()).resident_kib)
            kib[name] = (most - before) / how_many
    return kib


async def _idle(cloud: Victim, stack: AsyncExitStack) -> int:
    for each in range(MANY):
        await joined(cloud, stack, f"idle-{each}")
    return MANY


async def _tls(cloud: Victim, stack: AsyncExitStack) -> int:
    certs = cloud.certs
    assert certs is not None
    tls = client_context(certs / "ca.pem", certs / f"{THINGS[0]}.pem", certs / f"{THINGS[0]}.key")
    for _ in range(MANY):
        await opened(cloud, stack, "mqtts", ssl=tls, server_hostname="localhost")
    return MANY


async def _websocket(cloud: Victim, stack: AsyncExitStack) -> int:
    talks = []
    for each in range(MANY):
        hello = connect(4, rest=text(f"web-{each}"))
        talks.append(await opened(cloud, stack, "api", upgrade() + websocket_header(len(hello)) + hello))
    await heard(talks)
    return MANY


async def _half_a_head(cloud: Victim, stack: AsyncExitStack) -> int:
    for _ in range(MANY):
        await opened(cloud, stack, "api", b"GET /things HTTP/1.1\r\nHost: localhost\r\nX-Filler: " + b"x" * 2000)
    await asyncio.sleep(1)
    return MANY


async def _half_a_packet(cloud: Victim, stack: AsyncExitStack) -> int:
    half = publish("lab/half", LARGE, 4)[:-1]
    for each in range(MANY):
        await opened(cloud, stack, "mqtt", connect(4, rest=text(f"half-{each}")) + half)
    await asyncio.sleep(2)
    return MANY


def _does_not_read(qos: int) -> Callable[[Victim, AsyncExitStack], Awaitable[int]]:
    async def hold(cloud: Victim, stack: AsyncExitStack) -> int:
        for each in range(SLOW):
            hello = connect(4, rest=text(f"slow-{each}")) + subscribe(f"slow/{each}", version=4, options=qos)
            stack.callback(slow_socket(cloud.address("mqtt"), hello).close)
        publishers = [await joined(cloud, stack, f"loud-{each}") for each in range(PUBLISHERS)]
        for turn in range(PUBLISHING_SECONDS):
            for number, talk in enumerate(publishers):
                for _ in range(4):  # as much as one connection may publish in a second
                    talk.transport.write(publish(f"slow/{number % SLOW}", LARGE, 4, qos=qos))
            await asyncio.sleep(1.1 if turn < PUBLISHING_SECONDS - 1 else 0)
        return SLOW

    return hold


KEPT: Final = "does not read, QoS 1"
KINDS: Final[dict[str, Callable[[Victim, AsyncExitStack], Awaitable[int]]]] = {
    "plain MQTT, idle": _idle,
    "TLS, after its handshake": _tls,
    "WebSocket, idle": _websocket,
    "half a head over HTTP": _half_a_head,
    "a large packet but for its last byte": _half_a_packet,
    "does not read, QoS 0": _does_not_read(0),
    KEPT: _does_not_read(1),
}
