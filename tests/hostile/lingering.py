"""Hostile clients that take their time: what they began is never finished, and what is sent to them never read."""

import asyncio
from contextlib import AsyncExitStack
from random import Random
from typing import Final

from tests.hostile.carriers import client_hello, reset, upgrade, websocket_header
from tests.hostile.clients import heard, joined, opened, paced, slow_socket
from tests.hostile.victim import Victim
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text

HALF_REQUESTS: Final = 150
HALF_HANDSHAKES: Final = 150
DRIPPING: Final = 20
SLOW: Final = 6
LARGE: Final = bytes(120 * 1024)
EIGHT_GIB: Final = 8 << 30
MOST_SENT: Final = 24 << 20
"""Bytes of one endless frame or packet."""


async def endless_packets(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """Packets of 256 MiB, before a CONNECT and after one; and large ones that come byte by byte."""
    done = {"packets of 256 MiB": 0, "bytes one by one": 0}
    start = publish("lab/endless", LARGE, 4)[: -DRIPPING * 500]
    async with AsyncExitStack() as stack:
        dripping = [await joined(cloud, stack, f"drip-{each}") for each in range(DRIPPING)]
        for talk in dripping:
            talk.transport.write(start)
        async for turn in paced(0.02, until):
            for talk in dripping:
                if not talk.transport.is_closing():
                    talk.transport.write(b"x")
                    done["bytes one by one"] += 1
            if turn % 5 == 0:
                for hello in (b"", connect(4, rest=text(f"endless-{turn}"))):
                    first = hello + (b"\x30" if hello else b"\x10") + b"\xff\xff\xff\x7f" + LARGE
                    await opened(cloud, stack, "mqtt", first)
                    done["packets of 256 MiB"] += 1
    return done


async def slow_readers(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """Clients that subscribe with QoS 1 and do not read; others publish to them what one connection may in a second."""
    done = {"clients that do not read": 0, "messages for them": 0}
    async with AsyncExitStack() as stack:
        for each in range(SLOW):
            hello = connect(4, rest=text(f"slow-{each}")) + subscribe(f"slow/{each}", version=4, options=1)
            stack.callback(slow_socket(cloud.address("mqtt"), hello).close)
            done["clients that do not read"] += 1
        publishers = [await joined(cloud, stack, f"loud-{each}") for each in range(2 * SLOW)]
        async for _ in paced(1.05, until):
            for number, talk in enumerate(publishers):
                for _ in range(4):
                    talk.transport.write(publish(f"slow/{number % SLOW}", LARGE, 4, qos=1))
                    done["messages for them"] += 1
            for talk in publishers:
                talk.heard.clear()
    return done


async def slow_requests(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """Heads and bodies over HTTP that come a few bytes at a time; and clients that leave in the middle of a body."""
    done = {"half heads": 0, "half bodies": 0, "left in a body": 0}
    head = "GET /things HTTP/1.1\r\nHost: localhost\r\n"
    body = "PUT /jobs/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{"
    async with AsyncExitStack() as stack:
        talks = []
        for each in range(HALF_REQUESTS):
            talks.append(await opened(cloud, stack, "api", (body if each % 2 else head).encode()))
            done["half bodies" if each % 2 else "half heads"] += 1
        async for turn in paced(0.1, until):
            for talk in talks[turn % 10 :: 10]:
                if not talk.transport.is_closing():
                    talk.transport.write(b"X-A: b\r\n")
            leaving = await opened(cloud, stack, "api", body.encode())
            await asyncio.sleep(0.005)  # the head is to be taken in before
            reset(leaving.transport)
            done["left in a body"] += 1
    return done


async def endless_frames(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """A WebSocket frame that says it has 8 GiB, before any CONNECT; as much of it as is taken."""
    done = {"frames of 8 GiB": 0, "MiB": 0}
    sent = 0
    async with AsyncExitStack() as stack:
        talk, mine = None, 0
        async for _ in paced(0.01, until):
            if talk is None or talk.transport.is_closing() or mine >= MOST_SENT:
                talk, mine = await opened(cloud, stack, "api", upgrade()), 0
                await heard((talk,))
                talk.transport.write(websocket_header(EIGHT_GIB))
                done["frames of 8 GiB"] += 1
            if talk.transport.get_write_buffer_size() < 1 << 20:
                talk.transport.write(LARGE * 4)
                mine += len(LARGE) * 4
                sent += len(LARGE) * 4
    return done | {"MiB": sent >> 20}


async def half_handshakes(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """TLS handshakes that stop in the middle, and some that turn into rubbish."""
    done = {"half handshakes": 0, "rubbish": 0}
    hello = client_hello()
    async with AsyncExitStack() as stack:
        for _ in range(HALF_HANDSHAKES):
            await opened(cloud, stack, "mqtts", hello[: rng.randrange(1, len(hello))])
            done["half handshakes"] += 1
        async for _ in paced(0.05, until):
            await opened(cloud, stack, "mqtts", hello[:50] + rng.randbytes(200))
            done["rubbish"] += 1
    return done
