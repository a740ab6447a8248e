"""Hostile callers of the REST API: documents that are dear to read, and questions that are dear to answer."""

import asyncio
import json
import time
from random import Random
from typing import Final

from tests.hostile.clients import HEARD_SECONDS, Peer, paced
from tests.hostile.victim import Victim
from tests.simulator.cloud.mqtt.packets import connect, publish, text

DEPTHS: Final = (50, 200, 245, 260, 400, 2_000, 16_000)
PLACEHOLDERS: Final = 1200
"""As many as the 32,768 characters of a document have room for."""
MANY_THINGS: Final = 3000
FEW_THINGS: Final = 300
"""If there is no time to make more."""
LONG_SECONDS: Final = 2.0
QUERIES: Final = ("thingName:*nobody", "thingName:*", "thingName:greedy-* OR attributes.a:[1 TO 9]")
FILTERED: Final = "/things?maxResults=250&attributeName=a&attributeValue=nobody"
DEEP: Final = "deep"
LARGEST_BODY: Final = 1 << 20
"""Bytes that the API takes."""
ARN: Final = "arn:aws:iot:us-east-1:000000000000:thing/{}"


async def deep_documents(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """Jobs whose documents are nested deep, or full of placeholders; their device asks for them, and the operator."""
    done = {"documents": 0, "taken": 0, "questions": 0, "answers": 0}
    await cloud.call("POST", f"/things/{DEEP}")
    number = 0
    while number <= len(DEPTHS) or time.monotonic() < until:
        job, document = f"deep-{number}", _document(number)
        status, _ = await cloud.call("PUT", f"/jobs/{job}", {"targets": [ARN.format(DEEP)], "document": document})
        done["documents"] += 1
        done["taken"] += status == 200
        await _ask(cloud, job, done)
        await cloud.call("GET", f"/things/{DEEP}/jobs/{job}")
        done["questions"] += 2
        await cloud.call("DELETE", f"/jobs/{job}?force=true")
        number += 1
        await asyncio.sleep(0.05)
    return done


def _document(number: int) -> str:
    """Objects and lists in one another; and one document, flat, that is full of placeholders."""
    which = number % (len(DEPTHS) + 1)
    if which == len(DEPTHS):
        return json.dumps({"a": ["${aws:iot:parameter:x}"] * PLACEHOLDERS})
    depth = DEPTHS[which]
    return '{"a":' * depth + "1" + "}" * depth if number % 2 else '{"a":' + "[" * depth + "]" * depth + "}"


async def _ask(cloud: Victim, job: str, done: dict[str, int]) -> None:
    """By the device itself; on a connection of its own, which it may lose."""
    questions = (publish(f"$aws/things/{DEEP}/jobs/{what}", b"{}", 4) for what in (f"{job}/get", "start-next"))
    peer = await Peer.to(cloud.address("mqtt"), connect(4, rest=text(f"asks-for-{job}")), *questions)
    try:
        async with asyncio.timeout(HEARD_SECONDS):
            for _ in range(3):
                await peer.packet()
            done["answers"] += 2
    except EOFError:
        pass  # its connection was closed: that is counted, and what else there is to say, the log says
    finally:
        peer.transport.abort()


async def large_bodies(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """CreateJob with as many targets as a body has room for, and with a document of that size, ten times a second."""
    await cloud.call("POST", f"/things/{DEEP}")
    done = {"many targets": 0, "long documents": 0}
    many = json.dumps({"targets": [ARN.format(DEEP)] * (LARGEST_BODY // 64), "document": "{}"}).encode()
    long = json.dumps({"targets": [ARN.format(DEEP)], "document": "[" * (LARGEST_BODY - 200)}).encode()
    async for _ in paced(0.1, until):
        for name, body in (("many targets", many), ("long documents", long)):
            async with cloud.http.put(f"{cloud.endpoints['api']}/jobs/large", data=body) as response:
                await response.read()
            done[name] += 1
    return done


async def listers(cloud: Victim, until: float, rng: Random) -> dict[str, int]:
    """Four callers that list and search all things, one call after the other without a pause."""
    await cloud.call("POST", "/indexing/config", {"thingIndexingConfiguration": {"thingIndexingMode": "REGISTRY"}})
    for number in range(MANY_THINGS if until - time.monotonic() > LONG_SECONDS else FEW_THINGS):
        await cloud.call("POST", f"/things/greedy-{number}", {"attributePayload": {"attributes": {"a": str(number)}}})
    done = {"lists": 0, "searches": 0, "refused": 0}
    until = max(until, time.monotonic() + LONG_SECONDS / 2)

    async def work() -> None:
        while time.monotonic() < until:
            status, _ = await cloud.call("GET", rng.choice(("/things?maxResults=250", FILTERED)))
            done["lists"] += 1
            done["refused"] += status != 200
            query = {"queryString": rng.choice(QUERIES), "maxResults": 500}
            status, _ = await cloud.call("POST", "/indices/search", query)
            done["searches"] += 1
            done["refused"] += status != 200

    await asyncio.gather(*(work() for _ in range(4)))
    return done
