"""Everything that a local cloud can be told: one model, whoever tells it.

`ghostjob cloud` reads its options into it, beside what `--settings` has as JSON; the engine and `import ghostjob` hand
over the same JSON.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from simulator.cloud.jobs import JobsSettings
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.settings.http import HttpSettings
from simulator.cloud.settings.service import Fault, Frozen, ServiceSettings

_Number: TypeAlias = Annotated[int, Field(ge=0, le=65_535)]
Port: TypeAlias = Annotated[
    _Number | None,
    BeforeValidator(
        lambda given: None if given == "off" else given, json_schema_input_type=_Number | Literal["off"] | None
    ),
]
"""Of TCP; 0 for any free one, `off` or None for none."""
ThingName: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z0-9:_-]{1,128}$")]


def _region(name: str) -> str:
    from simulator.cloud.arns import REGION

    if not REGION.fullmatch(name):
        raise ValueError("is no region; give one such as eu-west-1")
    return name


def _account(account_id: str) -> str:
    from simulator.cloud.arns import ACCOUNT_ID

    if not ACCOUNT_ID.fullmatch(account_id):
        raise ValueError("is no account; give its twelve digits")
    return account_id


class CloudSettings(Frozen):
    """Where it listens, what it keeps, and how the service, the gateway and the control plane behave."""

    host: str = "127.0.0.1"
    """The address that every listener binds to."""
    api_port: Port = 4566
    """The control plane, and with signatures the data plane, over plain HTTP."""
    mqtt_port: Port = 1883
    """MQTT without TLS."""
    mqtts_port: Port = 8883
    """MQTT with mutual TLS."""
    data_port: Port = 8443
    """The data plane with mutual TLS."""
    workers: Annotated[int, Field(ge=0, le=64)] = 0
    """How many processes hold MQTT's connections for this one; 0: it does so itself."""
    certs: Path | None = None
    """What `ghostjob certs` made; without it nobody listens on mqtts_port and data_port."""
    state: Path | None = None
    """The file that outlives the process; without one, everything is forgotten."""
    access_keys: tuple[tuple[str, str], ...] = ()
    """Ids and secrets to check signatures with; without any, nobody has to sign."""
    region: Annotated[str, AfterValidator(_region)] = "us-east-1"
    """Of who speaks MQTT, shows a certificate, or does not sign."""
    account: Annotated[str, AfterValidator(_account)] = "000000000000"
    """As `region`: twelve digits."""
    files: Path | None = None
    """The directory of the files that presigned URLs in job documents lead to; without one, placeholders stay."""
    files_url: str | None = None
    """What these URLs begin with, if devices do not reach the API port by the address that it is bound to; `{port}` is
    its port."""
    things: tuple[ThingName, ...] = ()
    """Things of its own account that are there from the beginning, as CreateThing makes them of a name."""
    cloud: ServiceSettings = JobsSettings()
    http: HttpSettings = HttpSettings()
    gateway: GatewaySettings = GatewaySettings()
    faults: tuple[Fault, ...] = ()
    """What happens to messages and requests, as a scenario has it."""
    seed: str = "0"
    """Fixes the chance in them."""

    def ignored(self) -> Iterator[tuple[str, str]]:
        """What was given and means nothing, each with the setting that it needs."""
        given = self.model_fields_set | ({OWN} if self.gateway.own_certificates != "registered" else set())
        for name, needed in NEEDS.items():
            if name in given and getattr(self, name, OWN) is not None and getattr(self, needed) is None:
                yield name, needed


OWN: Final = "gateway.own_certificates"
NEEDS: Final[Mapping[str, str]] = {"mqtts_port": "certs", "data_port": "certs", OWN: "certs", "files_url": "files"}
