"""What a device sees of a force delete, recorded from the wire: the excerpts of the page `force-delete`.

The device is a plain client that listens to everything and does what it is told here, so that each message is seen.
Times are put in order: those of the wire differ from one recording to the next.
"""

import asyncio
import json
import queue
import re
import tempfile
import textwrap
from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

import paho.mqtt.client as mqtt

from tests.devices.bench import Bench, bench

WIDTH: Final = 78
WAIT_SECONDS: Final = 30
DOCUMENT: Final = '{"operation": "update", "version": "2.0"}'
FIRST_SECOND: Final = 1_795_000_000
QUEUED: Final = '"queuedAt"'
TIME: Final = re.compile(r'("(?:timestamp|queuedAt|lastUpdatedAt|startedAt)"): ?(\d+)')


class Client:
    """Connected, subscribed to all there is; `lines` is what passed, `<-` what came and `->` what was sent."""

    def __init__(self, on: Bench, thing: str) -> None:
        self.on, self.thing, self.job = on, thing, f"fw-{thing}"
        self.lines: list[str] = []
        self.prefix = f"$aws/things/{thing}/jobs/"
        self._came: queue.Queue[tuple[str, str]] = queue.Queue()
        places = on.placeholders(thing)
        self._mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, thing)
        self._mqtt.tls_set(places["ca"], places["cert"], places["key"])
        self._mqtt.on_connect = lambda *_: self._mqtt.subscribe(f"{self.prefix}#", 1)
        self._mqtt.on_subscribe = lambda *_: self._came.put(("", ""))
        self._mqtt.on_message = lambda _, __, message: self._came.put((message.topic, message.payload.decode()))
        self._mqtt.connect(places["host"], int(places["mqtts_port"]))

    async def __aenter__(self) -> Self:
        self._mqtt.loop_start()
        await self._get()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    async def hears(self, *topics: str) -> None:
        """Those messages, in that order."""
        for expected in topics:
            topic, payload = await self._get()
            assert topic == self.prefix + expected, topic
            self._note(f"<- {expected} {payload}")

    async def asks(self, what: str, answer: str, **body: Any) -> None:
        """A request, and what it is answered; `fw` is this client's job."""
        what = what.replace("fw", self.job)
        self._mqtt.publish(self.prefix + what, json.dumps(body), qos=1)
        self._note(f"-> {what} {json.dumps(body)}")
        await self.hears(f"{what}/{answer}")

    def _note(self, line: str) -> None:
        self.lines.append(line.replace(self.job, "fw"))

    async def _get(self) -> tuple[str, str]:
        return await asyncio.to_thread(self._came.get, timeout=WAIT_SECONDS)


async def _takes(client: Client) -> None:
    await client.on.job(client.job, DOCUMENT, thing=client.thing)
    await client.hears("notify", "notify-next")
    await client.asks("start-next", "accepted", clientToken="t1")


async def _deleted(client: Client) -> None:
    await client.on.delete(client.job)
    await client.hears("notify", "notify-next")


async def _told(client: Client) -> None:
    await _takes(client)
    step = {"step": "install"}
    await client.asks("fw/update", "accepted", status="IN_PROGRESS", statusDetails=step, expectedVersion=2)
    client.lines.append("   DeleteJob fw, force=true")
    await _deleted(client)


async def _asked(client: Client) -> None:
    await _takes(client)
    await _deleted(client)
    client.lines.clear()
    await client.asks("fw/update", "rejected", status="SUCCEEDED", expectedVersion=2, clientToken="t2")
    await client.asks("fw/get", "rejected", clientToken="t3")
    await client.asks("get", "accepted", clientToken="t4")
    await client.asks("start-next", "accepted", clientToken="t5")


async def _created_again(client: Client) -> None:
    await _takes(client)
    await _deleted(client)
    client.lines.clear()
    await client.on.job(client.job, DOCUMENT, thing=client.thing)
    await client.hears("notify", "notify-next")
    await client.asks("fw/update", "rejected", status="SUCCEEDED", expectedVersion=2, clientToken="t6")
    await client.asks("fw/update", "accepted", status="SUCCEEDED", clientToken="t7")


async def _cancelled(client: Client) -> None:
    await _takes(client)
    client.lines.clear()
    await client.on.hand.cancel_job(client.job, force=True)
    await client.hears("notify", "notify-next")
    await client.asks("fw/update", "rejected", status="SUCCEEDED", clientToken="t2")
    await client.asks("fw/get", "rejected", clientToken="t3")


SCENES: Final[dict[str, Callable[[Client], Coroutine[Any, Any, None]]]] = {
    "told": _told,
    "asked": _asked,
    "created-again": _created_again,
    "cancelled": _cancelled,
}


def recorded(scene: str) -> str:
    """An excerpt, as a block of Markdown."""
    lines = "\n".join(map(_wrapped, _in_order(_all()[scene])))
    return f"```text\n{lines}\n```\n"


@cache
def _all() -> dict[str, list[str]]:
    return asyncio.run(_record())


async def _record() -> dict[str, list[str]]:
    lines = {}
    with tempfile.TemporaryDirectory() as directory:
        async with bench(Path(directory), things=tuple(SCENES)) as on:
            for scene, play in SCENES.items():
                async with Client(on, scene) as client:
                    await play(client)
                    lines[scene] = client.lines
    return lines


def _in_order(lines: list[str]) -> list[str]:
    """With all times but those of queueing one and the same second later."""
    queued = dict.fromkeys(second for line in lines for name, second in TIME.findall(line) if name == QUEUED)
    seconds = {second: FIRST_SECOND + 60 * number for number, second in enumerate(queued)}

    def settled(found: re.Match[str]) -> str:
        name, second = found.groups()
        return f"{name}:{seconds[second] if name == QUEUED else FIRST_SECOND + 1}"

    return [TIME.sub(settled, line) for line in lines]


def _wrapped(line: str) -> str:
    spaced = re.sub(r'(?<=[\d"}\]]),(?=["{])', ", ", line)
    return "\n".join(textwrap.wrap(spaced, WIDTH, subsequent_indent="      ", break_long_words=False))
