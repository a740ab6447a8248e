"""What a soak does, over and over: a life of a device and of its job, as users of the cloud have them.

A device comes (with a session that lasts, every other time), asks what there is, gets a job, begins it, reports twice,
leaves a retained message, and goes, with leave or without. Its job ends well, or is force-deleted under way; either
way it is deleted, or jobs would gather, as they should. The operator looks at it, lists and describes.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from tests.hostile.clients import Peer
from tests.hostile.victim import Victim
from tests.simulator.cloud.mqtt.packets import publish, subscribe, text

ARN: Final = "arn:aws:iot:us-east-1:000000000000:thing/{}"
CLEAN: Final = 2
LIFE_SECONDS: Final = 120.0
"""After which something that was asked counts as never answered."""
TRIES: Final = 200
"""For what takes its time, such as one deletion of ten at once."""


class Wrong(Exception):  # noqa: N818 - it says what the cloud did
    """An answer that a device or an operator should not get."""


class Life:
    """One life; `done` counts operations by name. Raises Wrong, and what a connection raises."""

    def __init__(self, cloud: Victim, done: Counter[str], number: int, things: int) -> None:
        self._cloud = cloud
        self._done = done
        self._rng = Random(number)
        self._number = number
        self._thing = f"soak-{number % things}"
        self._job = f"job-{number}"

    async def live(self) -> None:
        """From its connection to the end of its job."""
        async with asyncio.timeout(LIFE_SECONDS):
            peer = await Peer.to(self._cloud.address("mqtt"), *self._hello())
            try:
                await self._work(peer)
                peer.send(publish(f"lab/{self._thing}/state", self._job.encode(), 4, retain=1))
                if self._rng.random() < 0.7:
                    peer.send(b"\xe0\0")
                    await peer.over
                self._done["sessions ended"] += 1
            finally:
                peer.transport.abort()
            await self._end()

    async def _end(self) -> None:
        await self._call("GET", f"/jobs/{self._job}", 200, 404)
        await self._call("GET", f"/things/{self._thing}/jobs", 200)
        await self._delete()

    def _hello(self) -> tuple[bytes, bytes]:
        flags = CLEAN if self._number % 2 else 0
        body = text("MQTT") + bytes((4, flags)) + b"\0\x3c" + text(self._thing)
        jobs = f"$aws/things/{self._thing}/jobs"
        topics = subscribe(f"{jobs}/notify-next", f"{jobs}/notify", "lab/all", version=4)
        return b"\x10" + bytes((len(body),)) + body, topics

    async def _work(self, peer: Peer) -> None:
        await self._next(peer, 0x90)
        self._done["connects"] += 1
        await self._ask(peer, "get")
        body = {
            "targets": [ARN.format(self._thing)],
            "document": json.dumps({"operation": "update", "n": self._number}),
        }
        await self._call("PUT", f"/jobs/{self._job}", 200, body=body)
        started = await self._ask(peer, "start-next")
        if started.get("execution", {}).get("jobId") != self._job:
            raise Wrong(f"start-next of {self._thing}: {started}")
        for progress in ("10", "60"):
            report = {"status": "IN_PROGRESS", "statusDetails": {"step": "write", "progress": progress}}
            await self._ask(peer, f"{self._job}/update", report)
        if self._number % 3:
            await self._ask(peer, f"{self._job}/update", {"status": "SUCCEEDED"})
        else:
            await self._delete()
            await self._ask(peer, f"{self._job}/get", how="rejected")

    async def _delete(self) -> None:
        for _ in range(TRIES):
            if await self._call("DELETE", f"/jobs/{self._job}?force=true", 200, 400, 404, 409) != 409:
                return
            await asyncio.sleep(0.02)
        raise Wrong(f"{self._job} could not be deleted")

    async def _call(self, method: str, path: str, *allowed: int, body: Any = None) -> int:
        status, told = await self._cloud.call(method, path, body)
        self._done[f"{method} over REST"] += 1
        if status == 400 and told.get("__type", "").startswith("LimitExceeded"):
            return 409
        if status not in allowed:
            raise Wrong(f"{method} {path}: {status} {told}")
        return status

    async def _ask(
        self, peer: Peer, what: str, body: Mapping[str, Any] | None = None, how: str = "accepted"
    ) -> dict[str, Any]:
        token = f"{self._number}-{what[-8:]}-{self._done['questions over MQTT']}"
        topic = f"$aws/things/{self._thing}/jobs/{what}"
        peer.send(publish(topic, json.dumps({**(body or {}), "clientToken": token}).encode(), 4))
        self._done["questions over MQTT"] += 1
        while True:
            heard, told = await self._message(peer)
            if told.get("clientToken") == token:
                if heard != f"{topic}/{how}":
                    raise Wrong(f"{heard} where {topic}/{how} was due: {told}")
                return told

    async def _message(self, peer: Peer) -> tuple[str, dict[str, Any]]:
        body = await self._next(peer, 0x30)
        end = 2 + int.from_bytes(body[:2], "big")
        return body[2:end].decode(), json.loads(body[end:])

    async def _next(self, peer: Peer, kind: int) -> bytes:
        """The next packet of that kind, without its packet identifier; what is of QoS 1 is acknowledged."""
        while True:
            first, body = await peer.packet()
            if first >> 4 == 3 and first & 6:
                end = 2 + int.from_bytes(body[:2], "big")
                peer.send(b"\x40\x02" + body[end : end + 2])
                body = body[:end] + body[end + 2 :]
            if first & 0xF0 == kind:
                return body
