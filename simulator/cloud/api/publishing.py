"""Publishing over HTTP: `POST /topics/TOPIC?qos=…` (Developer Guide, "HTTPS"), to whoever subscribed over MQTT.

Reserved topics are refused, but for those of Basic Ingest: what a device says to the Jobs service over HTTP has
operations of its own, and what the service says nobody else may. MQTT 5's properties come in the query and in headers,
and reach version 5 clients.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import unquote_to_bytes

from simulator.cloud.api.backing import Parameters
from simulator.cloud.api.wire import Refusal
from simulator.cloud.notices.basic_ingest import counted, in_the_void, rule_of
from simulator.cloud.notices.refusals import Tell, tell_nobody

PREFIX: Final = "/topics/"
LONGEST_TOPIC: Final = 256
MOST_SLASHES: Final = 7
LARGEST_PAYLOAD: Final = 128 * 1024
LONGEST_PROPERTY: Final = 1024
"""Bytes of one property; AWS gives no number for HTTP, and this one where rules republish with them."""
LARGEST_USER_PROPERTIES: Final = 8 * 1024
"""Bytes of all user properties; what a header can hold limits them besides."""
LONGEST_EXPIRY: Final = 604_800
"""Seconds: seven days (AWS IoT Core quotas, "MQTT 5 message expiry")."""
USER_PROPERTIES: Final = "x-amz-mqtt5-user-properties"
PAYLOAD_FORMAT: Final = "x-amz-mqtt5-payload-format-indicator"
CORRELATION_DATA: Final = "x-amz-mqtt5-correlation-data"
FORMATS: Final = {"UNSPECIFIED_BYTES": False, "UTF8_DATA": True}


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published. `expiry_seconds` is how long it is of use; None is what the sender did not say."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    is_utf8: bool | None = None
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    user_properties: tuple[tuple[str, str], ...] = ()
    expiry_seconds: int | None = None


class RetainedMessage(NamedTuple):
    """A message that is kept on a topic; `modified_at` is epoch seconds."""

    topic: str
    payload: bytes
    qos: int
    user_properties: tuple[tuple[str, str], ...]
    modified_at: float


class Broker(Protocol):
    """Whom a message goes through."""

    def publish(self, message: Publication) -> bool:
        """Give it to all subscribers, and keep it if it is to be retained; False if there is no room to keep it."""

    def retained(self, topic: str) -> RetainedMessage | None:
        """What is kept on a topic, or None."""

    def retained_after(self, topic: str | None, count: int) -> list[RetainedMessage]:
        """So many of what is kept, by topic, those after `topic`; None: from the first."""


class Publisher:
    """Reads what is to be published; `new_id` gives trace ids; `tell` gets a Notice of what is gone."""

    def __init__(self, broker: Broker, new_id: Callable[[], str], tell: Tell = tell_nobody) -> None:
        self._broker = broker
        self._tell = tell
        self.new_id = new_id

    def topic(self, path: str) -> str:
        """The topic that a path names, slashes written as such or as %2F. Raises Refusal."""
        raw = unquote_to_bytes(path.removeprefix(PREFIX))
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            raise _invalid("The topic is not UTF-8.") from None
        return _topic(topic, "A topic")

    def read(self, topic: str, query: Mapping[str, str], headers: Mapping[str, str], payload: bytes) -> Publication:
        """What is to be published; `headers` by their names in lower case. Raises Refusal."""
        qos, retain = query.get("qos", "0"), query.get("retain", "false")
        if qos not in ("0", "1"):
            raise _invalid("QoS is 0 or 1.")
        if retain not in ("true", "false"):
            raise _invalid("retain is true or false.")
        if len(payload) > LARGEST_PAYLOAD:
            message = f"A payload has at most {LARGEST_PAYLOAD} bytes."
            raise Refusal(413, "RequestEntityTooLargeException", message)
        if rule_of(topic) is not None and retain == "false":
            return Publication(topic, payload, int(qos))
        if topic.startswith("$"):
            raise _invalid(f"Publishing to a restricted topic: {topic}")
        return Publication(topic, payload, int(qos), retain == "true", **_properties(query, headers, payload))

    def publish(self, message: Publication) -> Parameters:
        """Publish, and what AWS answers. Raises Refusal."""
        if (rule := rule_of(message.topic)) is not None and not message.retain:
            self._tell(in_the_void(rule))
        elif not self._broker.publish(message):
            raise Refusal(429, "ThrottlingException", "As many messages as an account may retain are retained already.")
        return {"message": "OK", "traceId": self.new_id()}


def _topic(topic: str, what: str) -> str:
    if not topic or len(counted(topic).encode()) > LONGEST_TOPIC:
        raise _invalid(f"{what} has 1 to {LONGEST_TOPIC} bytes.")
    if counted(topic).count("/") > MOST_SLASHES or any(character in topic for character in "+#\0"):
        raise _invalid(f"{what} has at most {MOST_SLASHES} slashes, and no wildcards.")
    return topic


# ── MQTT 5's properties ───────────────────────────────────────────────────────────────────────────────────────


def _properties(query: Mapping[str, str], headers: Mapping[str, str], payload: bytes) -> dict[str, Any]:
    """Members of Message, as far as the request has them."""
    found: dict[str, Any] = {}
    if (content_type := query.get("contentType")) is not None:
        found["content_type"] = _text(content_type, "contentType")
    if (response_topic := query.get("responseTopic")) is not None:
        found["response_topic"] = _topic(_text(response_topic, "responseTopic"), "A responseTopic")
    if (expiry := query.get("messageExpiry")) is not None:
        found["expiry_seconds"] = _expiry(expiry)
    if (kind := headers.get(PAYLOAD_FORMAT)) is not None:
        found["is_utf8"] = _is_utf8(kind, payload)
    if (data := headers.get(CORRELATION_DATA)) is not None:
        found["correlation_data"] = _base64(data, "correlationData", LONGEST_PROPERTY)
    if (data := headers.get(USER_PROPERTIES)) is not None:
        found["user_properties"] = _user_properties(_base64(data, "userProperties", LARGEST_USER_PROPERTIES))
    return found


def _expiry(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LONGEST_EXPIRY))):
        raise _invalid(f"messageExpiry is a number of seconds from 1 to {LONGEST_EXPIRY}.")
    if not 1 <= int(text) <= LONGEST_EXPIRY:
        raise _invalid(f"messageExpiry is 1 to {LONGEST_EXPIRY} seconds.")
    return int(text)


def _is_utf8(kind: str, payload: bytes) -> bool:
    if kind not in FORMATS:
        raise _invalid(f"payloadFormatIndicator is {' or '.join(FORMATS)}.")
    if FORMATS[kind]:
        try:
            payload.decode()
        except UnicodeDecodeError:
            raise _invalid("payloadFormatIndicator says UTF8_DATA, and the payload is not UTF-8.") from None
    return FORMATS[kind]


def _user_properties(raw: bytes) -> tuple[tuple[str, str], ...]:
    """`[{"name": "value"}, …]`: an array, because a name may come again, each object with one pair or more.

    botocore writes down as JSON whatever it is given, so that who gives it the documented JSON string sends a string
    that holds the array.
    """
    says = 'userProperties is the base64 of a JSON array such as [{"name": "value"}], of text.'
    try:
        told = json.loads(raw)
        told = json.loads(told) if isinstance(told, str) else told
    except (ValueError, RecursionError):
        raise _invalid(says) from None
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        raise _invalid(says)
    pairs = tuple(pair for each in told for pair in each.items())
    if not all(isinstance(value, str) for _, value in pairs):
        raise _invalid(says)
    return tuple((_text(name, "userProperties"), _text(value, "userProperties")) for name, value in pairs)


def _base64(text: str, name: str, most: int) -> bytes:
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        raise _invalid(f"{name} is not base64.") from None
    if len(raw) > most:
        raise _invalid(f"{name} has at most {most} bytes.")
    return raw


def _text(text: str, name: str) -> str:
    """A string that MQTT can carry (1.5.4). Raises Refusal."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise _invalid(f"{name} is not UTF-8.") from None
    if len(raw) > LONGEST_PROPERTY or "\0" in text:
        raise _invalid(f"{name} has at most {LONGEST_PROPERTY} bytes, and no NUL.")
    return text


def _invalid(message: str) -> Refusal:
    return Refusal(400, "InvalidRequestException", message)
