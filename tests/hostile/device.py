"""A well-behaved device, in a process of its own: paho, with its own thread, as anybody would write it.

`python -m tests.hostile.device HOST PORT THING` connects, then asks about its jobs, one question after the other: which
are pending, what is next, may I start it. It holds every answer against its question. For each line on standard input
it prints what it has seen since the last, as JSON, a Seen, and it stays until standard input closes.
"""

import json
import queue
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

PAUSE_SECONDS: Final = 0.012
"""Between an answer and the next question: fewer than 100 a second, which is all that AWS lets one connection ask."""
ANSWER_SECONDS: Final = 30.0
"""After which a question counts as lost."""
QUESTIONS: Final = ("get", "$next/get", "start-next")


@dataclass(slots=True)
class Seen:
    """`seconds` are those of each round trip; `wrong` says what should not have been, in a line each."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    connects: int = 0
    repeated: int = 0


class Device:
    """`asked` counts questions, which are the tokens as well."""

    def __init__(self, host: str, port: int, thing: str) -> None:
        self.seen = Seen()
        self._asked = 0
        self._jobs = f"$aws/things/{thing}/jobs"
        self._heard: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._subscribed: queue.Queue[Any] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, thing, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = lambda _, __, message: self._heard.put(message)
        self._client.on_socket_open = _at_once
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = lambda *told: self.seen.wrong.append(f"disconnected: {told[3]}")
        self._client.on_subscribe = lambda *told: self._subscribed.put(told[3])
        self._client.connect(host, port)
        self._client.loop_start()
        assert not any(code.is_failure for code in self._subscribed.get(timeout=ANSWER_SECONDS))

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        self.seen.connects += 1
        client.subscribe([(f"{self._jobs}/notify", 1), (f"{self._jobs}/notify-next", 1)])

    def live(self, until: threading.Event) -> None:
        """Ask until it is set."""
        while not until.is_set():
            self._ask(QUESTIONS[self._asked % len(QUESTIONS)])
            time.sleep(PAUSE_SECONDS)

    def _ask(self, question: str) -> None:
        token = f"token-{self._asked}"
        self._asked += 1
        began = time.perf_counter()
        self._client.publish(f"{self._jobs}/{question}", json.dumps({"clientToken": token}), 1)
        answer, told = self._answer(token)
        if answer is None:
            self.seen.wrong.append(f"{question}, {token}: no answer in {ANSWER_SECONDS:g} s")
            return
        self.seen.seconds.append(time.perf_counter() - began)
        if answer.topic != f"{self._jobs}/{question}/accepted" or told.get("clientToken") != token:
            self.seen.wrong.append(f"{question}, {token}: the answer was {answer.topic} {answer.payload[:200]!r}")

    def _answer(self, token: str) -> tuple[mqtt.MQTTMessage | None, dict[str, Any]]:
        """The next message, but for what is said to be a repetition, as messages of QoS 1 may be repeated."""
        while True:
            try:
                message = self._heard.get(timeout=ANSWER_SECONDS)
            except queue.Empty:
                return None, {}
            told = json.loads(message.payload)
            if not message.dup or told.get("clientToken") == token:
                return message, told
            self.seen.repeated += 1

    def take(self) -> Seen:
        """What was seen since this was asked last."""
        seen, self.seen = self.seen, Seen()
        return seen


def _at_once(_client: mqtt.Client, _userdata: Any, raw: Any) -> None:
    """Have small packets sent at once: else a question waits until the PUBACK before it is acknowledged, 40 ms."""
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def main(host: str, port: str, thing: str) -> None:
    device, until = Device(host, int(port), thing), threading.Event()
    asking = threading.Thread(target=device.live, args=(until,))
    asking.start()
    sys.stdout.write("up\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        sys.stdout.write(json.dumps(asdict(device.take())) + "\n")
        sys.stdout.flush()
    until.set()
    asking.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
