"""What is put on the device under test: where the cloud is, what proves who it is, and which topics count."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from agent.topics import HintTopic, hint_topic, request_topic
from agent.values import Describe, GetPending, StartNext, Status, Update

ANY_JOB: Final = "JOB-ID"
"""Stands in topics for the id of a job."""
FURTHER: Final = ("-", "@", "#")
"""What stands after the thing's name in the client ids of a device's further connections; Greengrass nucleus has
`THING#2`."""


@dataclass(frozen=True, slots=True)
class Offer:
    """`host` is what a device connects to; a port is None if nobody listens there.

    The three files are in one directory: `ca.pem`, `THING.pem`, `THING.key`. `topics` are those that count, of the
    namespace if there is one, with `JOB-ID` for the id of a job.
    """

    thing: str
    client_id: str
    host: str
    mqtt_port: int | None
    mqtts_port: int | None
    data_port: int | None
    api_url: str
    ca: Path
    cert: Path
    key: Path
    topics: tuple[str, ...]
    namespace_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For scripts: the fields by their names, paths as text; `port` as `placeholders` has it."""
        fields = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        return fields | {"port": self.port, "topics": list(self.topics)}

    @property
    def port(self) -> int | None:
        """The port for MQTT: that with TLS, if there is one."""
        return self.mqtt_port if self.mqtts_port is None else self.mqtts_port

    def placeholders(self) -> dict[str, str]:
        """What stands for `{name}` in a command; of a port where nobody listens there is none."""
        found = {
            "host": self.host,
            "port": self.port,
            "mqtt_port": self.mqtt_port,
            "mqtts_port": self.mqtts_port,
            "data_port": self.data_port,
            "api_url": self.api_url,
            "certs": self.ca.parent,
            "ca": self.ca,
            "cert": self.cert,
            "key": self.key,
            "thing": self.thing,
            "client_id": self.client_id,
            "namespace": self.namespace_id or "",
        }
        return {name: str(value) for name, value in found.items() if value is not None}


def variables(placeholders: Mapping[str, str]) -> dict[str, str]:
    """The same as environment variables: GHOSTJOB_HOST and so on."""
    return {f"GHOSTJOB_{name.upper()}": value for name, value in placeholders.items()}


def topics_that_count(thing: str, namespace_id: str | None) -> tuple[str, ...]:
    """The notifications, then the requests; what is answered comes on the request's topic with `/accepted` after it."""
    hints = (
        hint_topic(HintTopic(thing, "notify", namespace_id)),
        hint_topic(HintTopic(thing, "notify-next", namespace_id)),
    )
    of_a_job = (
        Describe(ANY_JOB, namespace_id=namespace_id),
        Update(ANY_JOB, Status.IN_PROGRESS, namespace_id=namespace_id),
    )
    # No client is known to ask these in a namespace, nor does AWS say that one can.
    of_all = (GetPending(), StartNext()) if namespace_id is None else ()
    return (*hints, *(request_topic(thing, each) for each in (*of_all, *of_a_job)))


def is_client_of(thing: str, client_id: str) -> bool:
    """Whether a client id is one by which a device of that name may connect.

    The verdict goes by what clients do, and not by their names: see `simulator.verdict.clients`.
    """
    return client_id == thing or any(client_id.startswith(f"{thing}{mark}") for mark in FURTHER)
