"""Publishing over HTTP: `POST /topics/TOPIC?qos=…` (Developer Guide, "HTTPS"), to whoever subscribed over MQTT.

Reserved topics are refused, but for those of Basic Ingest: what a device says to the Jobs service over HTTP has
operations of its own, and what the service says nobody else may.
"""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from simulator.cloud.api.backing import Parameters
from simulator.cloud.api.wire import Refusal
from simulator.cloud.basic_ingest import counted, in_the_void, rule_of
from simulator.cloud.refusals import Tell, tell_nobody

PREFIX: Final = "/topics/"
LONGEST_TOPIC: Final = 256
MOST_SLASHES: Final = 7
LARGEST_PAYLOAD: Final = 128 * 1024
Publish = Callable[[str, bytes, int, bool], None]
"""Topic, payload, QoS, and whether it is to be retained."""


class Publisher:
    """`publish` hands a message to the broker; `new_id` gives trace ids; `tell` gets a Notice of what is gone."""

    def __init__(self, publish: Publish, new_id: Callable[[], str], tell: Tell = tell_nobody) -> None:
        self._publish = publish
        self._tell = tell
        self.new_id = new_id

    def topic(self, path: str) -> str:
        """The topic that a path names, slashes written as such or as %2F. Raises Refusal."""
        raw = unquote_to_bytes(path.removeprefix(PREFIX))
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            raise _invalid("The topic is not UTF-8.") from None
        if not topic or len(counted(topic).encode()) > LONGEST_TOPIC:
            raise _invalid(f"A topic has 1 to {LONGEST_TOPIC} bytes.")
        if counted(topic).count("/") > MOST_SLASHES or any(character in topic for character in "+#\0"):
            raise _invalid(f"A topic has at most {MOST_SLASHES} slashes, and no wildcards.")
        return topic

    def publish(self, topic: str, query: Mapping[str, str], payload: bytes) -> Parameters:
        """Publish, and what AWS answers. Raises Refusal."""
        qos, retain = query.get("qos", "0"), query.get("retain", "false")
        if qos not in ("0", "1"):
            raise _invalid("QoS is 0 or 1.")
        if retain not in ("true", "false"):
            raise _invalid("retain is true or false.")
        if len(payload) > LARGEST_PAYLOAD:
            message = f"A payload has at most {LARGEST_PAYLOAD} bytes."
            raise Refusal(413, "RequestEntityTooLargeException", message)
        if (rule := rule_of(topic)) is not None and retain == "false":
            self._tell(in_the_void(rule))
            return {"message": "OK", "traceId": self.new_id()}
        if topic.startswith("$"):
            raise _invalid(f"Publishing to a restricted topic: {topic}")
        self._publish(topic, payload, int(qos), retain == "true")
        return {"message": "OK", "traceId": self.new_id()}


def _invalid(message: str) -> Refusal:
    return Refusal(400, "InvalidRequestException", message)
