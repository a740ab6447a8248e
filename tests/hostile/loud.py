"""Hostile clients that send much, or what is dear to read. Each gives what it did, counted by name."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import product
from random import Random
from typing import Final

from tests.hostile.carriers import Carriers
from tests.hostile.clients import heard, joined, opened, paced
from tests.hostile.mutations import case
from tests.hostile.victim import THINGS, Victim
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text

ARN: Final = "arn:aws:iot:us-east-1:000000000000:thing/{}"
LONG_TOPIC: Final = 60_000
PROPERTIES: Final = b"\x26\0\0\0\0" * 29_000
"""Empty user properties: 145,000 bytes, of the 149,504 that a packet may have."""
PROPERTIES_LENGTH: Final = (len(PROPERTIES) & 0x7F | 0x80, len(PROPERTIES) >> 7 & 0x7F | 0x80, len(PROPERTIES) >> 14)
WILDCARD_CLIENTS: Final = 400
WILDCARDS: Final = 50
FLOOD: Final = 1200
"""More than the victim has descriptors for."""
FLOOD_AT_ONCE: Final = 64
API_SECONDS: Final = 5.0
"""Until which an API call has to be answered, be the machine as busy as it likes."""


async def fresh_topics(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """Two clients publish to topics that nobody ever named, short ones and ones of 60,000 bytes, as fast as it goes."""
    done = {"messages": 0, "connections": 0, "MiB": 0}
    sent = 0
    async with AsyncExitStack() as stack:
        talks = []
        async for _ in paced(0.02, until):
            talks = [talk for talk in talks if not talk.transport.is_closing()]
            while len(talks) < 2:
                talks.append(await joined(cloud, stack, f"fresh-{done['connections']}"))
                done["connections"] += 1
            for talk in talks:
                names = [f"fresh/{rng.getrandbits(64):x}" for _ in range(40)]
                names += [f"{rng.getrandbits(64):x}".ljust(LONG_TOPIC, "x") for _ in range(12)]
                raw = b"".join(publish(name, b"", 4) for name in names)
                if talk.transport.get_write_buffer_size() < 1 << 20:
                    talk.transport.write(raw)
                    done["messages"] += len(names)
                    sent += len(raw)
    return done | {"MiB": sent >> 20}


async def user_properties(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """29,000 empty user properties in a CONNECT and in a PUBLISH, ten times a second each."""
    done = {"CONNECT": 0, "PUBLISH": 0}
    length = bytes(PROPERTIES_LENGTH)
    async with AsyncExitStack() as stack:
        talk = await joined(cloud, stack, "properties", version=5)
        async for turn in paced(0.1, until):
            if talk.transport.is_closing():
                talk = await joined(cloud, stack, f"properties-{turn}", version=5)
            talk.transport.write(_packet(0x30, text("lab/properties") + length + PROPERTIES))
            hello = text("MQTT") + b"\x05\x02\0\x3c" + length + PROPERTIES + text(f"properties-{turn}-c")
            await opened(cloud, stack, "mqtt", _packet(0x10, hello))
            done = {"CONNECT": done["CONNECT"] + 1, "PUBLISH": done["PUBLISH"] + 1}
    return done


def _packet(first: int, body: bytes) -> bytes:
    size = len(body)
    return bytes((first, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14)) + body


async def wildcards(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """400 clients with 50 filters each, which all match what is published of every job; and jobs, ten a second."""
    filters = list(_filters())[:WILDCARDS]
    done = {"clients": 0, "filters": 0, "jobs": 0}
    await cloud.call("POST", f"/things/{THINGS[0]}")
    async with AsyncExitStack() as stack:
        for number in range(WILDCARD_CLIENTS):
            talk = await joined(cloud, stack, f"wild-{number}")
            talk.first = asyncio.get_running_loop().create_future()
            for start in range(0, len(filters), 8):
                talk.transport.write(subscribe(*filters[start : start + 8], version=4))
            await heard((talk,))
            done["clients"] += 1
            done["filters"] += len(filters)
        async for turn in paced(0.1, max(until, time.monotonic() + 0.5)):
            body = {"targets": [ARN.format(THINGS[0])], "document": "{}"}
            status, _ = await cloud.call("PUT", f"/jobs/wild-{turn}", body)
            done["jobs"] += status == 200
            await cloud.call("DELETE", f"/jobs/wild-{turn}?force=true")
    return done


def _filters() -> Iterator[str]:
    """All of them match a thing's notify or notify-next."""
    for depth in range(1, 5):
        for levels in product(*((each, "+") for each in ("things", THINGS[0], "jobs")[: depth - 1])):
            yield "/".join(("$aws", *levels, "#"))
    for last in ("notify", "notify-next"):
        for levels in product(*((each, "+") for each in ("things", THINGS[0], "jobs", last))):
            yield "/".join(("$aws", *levels))
    for number in range(WILDCARDS):
        yield f"$aws/things/+/jobs/other-{number}/#"


async def connections(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """Connections without end: some that come and go, and more that stay than the cloud has descriptors for."""
    done = {"opened": 0, "stayed": 0, "API calls answered": 0, "API calls not answered": 0}
    async with AsyncExitStack() as stack:
        async for _ in paced(0.1, until):
            room = max(0, FLOOD - done["stayed"])
            await asyncio.gather(*(_open(cloud, stack, done, stay=True) for _ in range(min(300, room))))
            await asyncio.gather(*(_open(cloud, stack, done, stay=False) for _ in range(FLOOD_AT_ONCE)))
            done["API calls answered" if await _is_answered(cloud) else "API calls not answered"] += 1
    return done


async def _is_answered(cloud: Victim) -> bool:
    """An API call on a connection of its own."""
    async with AsyncExitStack() as stack:
        asked = await opened(cloud, stack, "api", b"GET /things HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.wait((asked.first,), timeout=API_SECONDS)
        return asked.heard.startswith(b"HTTP/1.1 200")


async def _open(cloud: Victim, stack: AsyncExitStack, done: dict[str, int], *, stay: bool) -> None:
    try:
        talk = await opened(cloud, stack, "mqtt")
    except OSError:
        return
    done["opened"] += 1
    if stay:
        done["stayed"] += 1
    else:
        talk.transport.write(connect(4, rest=text(f"flood-{done['opened']}")))
        talk.hang_up()


async def mutated_packets(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """The packet fuzz, on eight connections at a time."""
    carriers, numbers = Carriers.to(cloud), iter(range(1 << 60))
    done = {"packets": 0, "stuck": 0}
    seed = rng.getrandbits(32)

    async def work() -> None:
        while time.monotonic() < until:
            made = case(seed, next(numbers))
            outcome = await carriers.bring(made)
            done["packets"] += made.packets
            done["stuck"] += outcome == "stuck"

    await asyncio.gather(*(work() for _ in range(8)))
    return done
