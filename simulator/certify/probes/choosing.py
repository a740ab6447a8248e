"""Which probe a text such as `cmd:./version.sh` stands for."""

import re
from collections.abc import Callable
from typing import Final, Protocol

from agent.errors import InputError
from simulator.certify.offer import variables
from simulator.certify.probes.command import CommandProbe
from simulator.certify.probes.file import FileProbe
from simulator.certify.probes.http import HttpProbe
from simulator.certify.probes.mqtt import MqttProbe, Overhear
from simulator.certify.probes.sample import Probe
from simulator.certify.probes.serial_line import SerialProbe

KINDS: Final = "cmd:COMMAND, http:URL, mqtt:TOPIC, serial:DEVICE or file:PATH"
LONGEST: Final = 4_096
PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
URL_SCHEMES: Final = ("http", "https")


class Placed(Protocol):
    """What was put on the device, such as the desk's Offer."""

    def placeholders(self) -> dict[str, str]:
        """What `{thing}`, `{host}` and their like stand for."""


def probe_of(text: str, offer: Placed, overhear: Overhear | None = None) -> Probe:
    """The probe. `{thing}` and the offer's other placeholders are filled in; a command has them as GHOSTJOB_THING, too.

    `overhear` is how messages in the cloud are heard (`LocalCloud.overhear`), None if it is not in this process.
    Raises InputError in words that lead to the fix. Nothing is asked of the device yet.
    """
    if len(text) > LONGEST:
        raise InputError(f"--probe {text[:60]}…: longer than {LONGEST} characters")
    values = offer.placeholders()
    kind, colon, rest = text.partition(":")
    if not colon:
        raise InputError(f"--probe {text}: write {KINDS}")
    if kind in URL_SCHEMES:
        return HttpProbe(text, _filled(text if rest.startswith("//") else rest, values))
    if kind == "mqtt":
        return _mqtt(text, _filled(rest, values), overhear)
    if kind == "cmd":
        return CommandProbe(text, _filled(rest, values), variables(values))
    if kind not in KIND_OF:
        raise InputError(f"--probe {text}: '{kind}' is no kind of probe; write {KINDS}")
    return KIND_OF[kind](text, _filled(rest, values))


KIND_OF: Final[dict[str, Callable[[str, str], Probe]]] = {"serial": SerialProbe, "file": FileProbe}


def _mqtt(text: str, topic: str, overhear: Overhear | None) -> Probe:
    if overhear is None:
        raise InputError(f"--probe {text}: only the local cloud's messages can be heard; use another kind of probe")
    return MqttProbe(text, topic, overhear)


def _filled(text: str, values: dict[str, str]) -> str:
    """With what the offer knows in its place; other braces, as in a pattern, stay."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
