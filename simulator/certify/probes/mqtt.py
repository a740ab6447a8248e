"""`mqtt:TOPIC`: the version that the device publishes, such as on `dut/THING/version`; `#/MEMBER` names one of JSON.

It is overheard in the local cloud, which runs in this process: no client of ours connects, none has to be let in, and
nothing lies between a message and its sample. A device that says nothing may be alive or not; one that publishes is
alive. What is retained on the topic tells a version, and nothing of whether that still runs.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeAlias

from agent.errors import InputError
from simulator.certify.probes.sample import Sample, Tell, told, unsampled, with_pointer

MOST_SLASHES: Final = 7
LONGEST_TOPIC: Final = 256
"""As AWS IoT has them; bytes of UTF-8."""

Overhear: TypeAlias = Callable[[str, Callable[[bytes], None]], Callable[[], None]]
"""Have a function called with each message on a topic, first what is retained there, until the result is called."""


class MqttProbe:
    """Hears what is published on a topic. Raises InputError for a topic that nothing can be published on."""

    announces = True

    def __init__(self, text: str, topic: str, overhear: Overhear) -> None:
        self.text = text
        self._topic, self._pointer = with_pointer(topic, f"--probe {text}")
        _check(text, self._topic)
        self._overhear = overhear
        self._stop: Callable[[], None] | None = None
        self._last = unsampled(f"nothing was published on {self._topic} yet")

    def watch(self, tell: Tell) -> None:
        """From now on."""

        def hear(payload: bytes) -> None:
            sample = told(payload, self._pointer) if payload else unsampled(f"an empty message came on {self._topic}")
            if self._stop is None:
                sample = Sample(None, sample.version, f"{self._topic} was retained: said before anybody listened")
            self._last = sample
            tell(sample)

        self._stop = self._overhear(self._topic, hear)

    async def sample(self) -> Sample:
        """What it said last."""
        return self._last

    async def close(self) -> None:
        """Listen no more."""
        if self._stop is not None:
            with suppress(KeyError):
                self._stop()
            self._stop = None


def _check(text: str, topic: str) -> None:
    where = f"--probe {text}"
    if not topic or topic.startswith("$"):
        raise InputError(
            f"{where}: name a topic that the device publishes its version on, such as dut/{{thing}}/version"
        )
    if "+" in topic or "#" in topic:
        raise InputError(f"{where}: one topic, without wildcards")
    if "\0" in topic or topic.count("/") > MOST_SLASHES or len(topic.encode()) > LONGEST_TOPIC:
        raise InputError(f"{where}: a topic has at most {LONGEST_TOPIC} bytes and {MOST_SLASHES} slashes")
