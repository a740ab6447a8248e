"""A well-behaved device beside an attack, in the attacker's own process: it asks, and looks at every answer."""

import asyncio
import json
from typing import Final

from tests.hostile.clients import Peer
from tests.hostile.victim import Victim
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text
from tests.within import within

THING: Final = "neighbour"
ANSWER_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 0.02
"""Between two questions: fewer than 100 a second, which is all that one connection may ask."""


class Neighbour:
    """`asked` counts round trips; `findings` says what went wrong, and then it asks no more."""

    def __init__(self, victim: Victim) -> None:
        self.asked = 0
        self.findings: list[str] = []
        self._victim = victim

    async def live(self) -> None:
        """Ask until cancelled."""
        try:
            hello = connect(4, rest=text(THING)), subscribe(f"$aws/things/{THING}/jobs/notify-next", version=4)
            peer = await Peer.to(self._victim.address("mqtt"), *hello)
            try:
                for expected in (0x20, 0x90):
                    first, body = await peer.packet()
                    assert first == expected, f"the neighbour got {first:#x} {body!r}"
                while True:
                    await within(self._ask(peer), ANSWER_SECONDS)
                    await asyncio.sleep(PAUSE_SECONDS)
            finally:
                peer.transport.abort()
        except (OSError, EOFError, TimeoutError, AssertionError, ValueError) as error:
            self.findings.append(f"the neighbour, after {self.asked} round trips: {error!r}")

    async def _ask(self, peer: Peer) -> None:
        token = f"n-{self.asked}"
        peer.send(publish(f"$aws/things/{THING}/jobs/get", json.dumps({"clientToken": token}).encode(), 4))
        first, body = await peer.packet()
        size = int.from_bytes(body[:2], "big")
        topic, answer = body[2 : 2 + size].decode(), json.loads(body[2 + size :] or b"null")
        assert first >> 4 == 3, f"packet {first:#x} where an answer was due"
        assert topic.endswith("/get/accepted"), f"{topic}: {answer}"
        assert answer["clientToken"] == token, f"the answer to {answer['clientToken']} where {token} was due"
        assert answer["queuedJobs"] == answer["inProgressJobs"] == [], f"jobs that nobody gave it: {answer}"
        self.asked += 1
