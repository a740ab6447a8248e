"""A broker without a loop, and clients that give it their bytes and take what it has for them: no socket, no waiting.

Time is an argument, and turns are as many as a test wants.
"""

import itertools
from random import Random
from typing import Any

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.broker import Broker
from simulator.cloud.mqtt.client import NextStep
from simulator.cloud.mqtt.reserved_topics import ReservedTopics
from simulator.cloud.mqtt.scheduler import Scheduler

from .packets import connect, text
from .peers import Jobs

UNLIMITED = GatewaySettings(
    receive_maximum=3, connects_per_second=None, publishes_per_second=None, payload_per_second=None
)
"""Some modules test the limits; the others would only run into them."""


def broker_without_loop(
    service: ReservedTopics | None = None, settings: GatewaySettings = UNLIMITED, *, hurries: bool = False, **more: Any
) -> Broker:
    """`hurries`: a turn is over after each thing that is done in it."""
    scheduler = Scheduler(itertools.count().__next__ if hurries else lambda: 0.0, 0.5)
    names = itertools.count(1)
    return Broker(
        service or Jobs(),
        settings,
        scheduler,
        clock=lambda: 1_800_000_000.0,
        new_id=lambda: f"id-{next(names)}",
        draw=Random(0).randrange,
        **more,
    )


class Direct:
    """A client whose bytes go straight to the broker. `heard` is what it has not looked at, `step` what it is to do."""

    def __init__(self, broker: Broker, now: float = 0.0) -> None:
        self.broker = broker
        self.heard = b""
        self.step: NextStep = "read"
        self.reads = True
        self.client = broker.open(now, self._attend, "192.0.2.1")

    def _attend(self) -> int:
        if self.reads:
            self.heard += self.client.data_to_send()
        self.step = self.client.next_step()
        return 0

    def say(self, *raw: bytes, now: float = 0.0) -> list[bytes]:
        """Send it, and hear the packets that came until nothing more is to be done."""
        self.broker.receive(self.client, b"".join(raw), now)
        return self.hear()

    def hear(self) -> list[bytes]:
        """The packets that came since it heard last."""
        turns_out(self.broker)
        self._attend()
        heard, self.heard, packets = self.heard, b"", []
        while heard:
            size, at = 0, 1
            while heard[at] & 0x80:
                size |= (heard[at] & 0x7F) << 7 * (at - 1)
                at += 1
            end = at + 1 + (size | heard[at] << 7 * (at - 1))
            packets.append(heard[:end])
            heard = heard[end:]
        return packets


def turns_out(broker: Broker) -> int:
    """Take turns until there is nothing to be done in another; how many there were."""
    for turns in range(10_000):
        if not broker.context.scheduler._soon:
            return turns
        broker.run(broker.context.now)
    raise AssertionError("it never ends")


def connected(broker: Broker, name: str = "dev", version: int = 5, *, now: float = 0.0, **more: Any) -> Direct:
    """A client whose CONNECT was accepted."""
    made = Direct(broker, now)
    more.setdefault("rest", text(name))
    [answer] = made.say(connect(version, **more), now=now)
    assert answer[0] == 0x20, answer
    assert answer[3] == 0, answer
    return made
