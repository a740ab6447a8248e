"""What a client did not get, and why: the value that gateway, listeners and APIs hand to whoever tells it.

Pure; it knows neither MQTT nor HTTP. A `Notice` is about one thing that happened; `simulator.cloud.notices.telling`
tells them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

RefusalCode: TypeAlias = Literal[
    "not-allowed",
    "certificate-missing",
    "certificate-foreign",
    "certificate-expired",
    "certificate-bad",
    "certificate-unregistered",
    "certificate-inactive",
    "server-not-trusted",
    "tls-failed",
    "not-mqtt",
    "not-http",
    "http-timeout",
    "malformed",
    "protocol-version",
    "client-id",
    "too-many-files",
    "connect-rate",
    "connect-timeout",
    "keep-alive",
    "connection-time",
    "taken-over",
    "topic",
    "too-large",
    "quota",
    "qos-2",
    "signature",
    "no-file",
]
"""Why a client was refused: a stable word; what each means stands in `CODES`."""
Dropped: TypeAlias = Literal[
    "publish-rate",
    "retained-full",
    "queue-full",
    "slow-reader",
    "not-acknowledged",
    "too-large-for-client",
    "session-over",
    "nobody-left",
    "no-rules",
]
"""Why a message is gone."""
Code: TypeAlias = Literal[RefusalCode, Dropped]

CODES: Final[dict[Code, str]] = {
    "not-allowed": "policies do not allow it",
    "certificate-missing": "no client certificate where one is asked for",
    "certificate-foreign": "a client certificate of a CA that is not the cloud's",
    "certificate-expired": "a client certificate before or after its time",
    "certificate-bad": "a client certificate that is wrong in another way",
    "certificate-unregistered": "a client certificate that nobody registered",
    "certificate-inactive": "a client certificate that is not ACTIVE",
    "server-not-trusted": "the client does not accept the cloud's own certificate",
    "tls-failed": "another end of a TLS handshake",
    "not-mqtt": "the first bytes are no MQTT",
    "not-http": "the bytes are no HTTP",
    "http-timeout": "a request over HTTP that does not come to its end, or an answer that is not read",
    "malformed": "bytes that are no packet that may come here",
    "protocol-version": "neither MQTT 3.1.1 nor 5",
    "client-id": "a client id that AWS does not take",
    "too-many-files": "a connection that there is no file descriptor for",
    "connect-rate": "a client id that connected too short a time ago",
    "connect-timeout": "a connection without a CONNECT",
    "keep-alive": "a client that was silent for longer than it said",
    "connection-time": "a connection that lasted as long as one may",
    "taken-over": "another connection of the same client id",
    "topic": "a topic, or topic filter, that is not valid or not served",
    "too-large": "a packet or payload that is too large",
    "quota": "more than a quota lets a client have",
    "qos-2": "QoS 2, which AWS IoT does not have",
    "signature": "a signature that is missing, malformed, or does not match",
    "no-file": "a file that is not in the directory of --files",
    "publish-rate": "more messages, or bytes, in a second than one connection may send",
    "retained-full": "no room for another retained message",
    "queue-full": "the oldest message of a queue that is full",
    "slow-reader": "a message of QoS 0 to a client that does not read",
    "not-acknowledged": "a message that was not acknowledged for too long",
    "too-large-for-client": "a message larger than its client takes",
    "session-over": "messages of a session that ended while its client was away",
    "nobody-left": "a message of a shared subscription that nobody is left to take",
    "no-rules": "a message to a rule: there are none here",
}

DROPPED: Final = frozenset[Code](get_args(Dropped))
LONGEST: Final = 256
"""Characters of each text that comes from outside; what is longer is cut."""


@dataclass(frozen=True, slots=True)
class Denial:
    """Why policies do not let somebody do something. `statement` names what denied it; None: nothing allowed it."""

    why: str
    statement: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a client did not get.

    `action` is one of AWS's policy actions, such as `iot:Publish`, or `tls`, `mqtt`, `http`; `resource` what stands at
    the end of its ARN, such as `topic/a/b`, as far as one is meant. `principal` is a certificate's id, or that of an
    access key. What is not known is empty.
    """

    code: Code
    action: str
    resource: str
    why: str
    client_id: str = ""
    principal: str = ""
    address: str = ""
    statement: str | None = None
    hint: str | None = None
    explain: Callable[[], Denial] | None = None
    """Says why, which statement and what to do, where finding that out costs something: asked only if it is told."""


Tell: TypeAlias = Callable[[Notice], None]


def tell_nobody(_notice: Notice) -> None:
    """For where nobody listens."""


def shortened(text: str) -> str:
    """A text from outside, as long as may be told."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
