"""How each device under test is started: its name, and its command line with placeholders.

`{host} {mqtts_port} {data_port} {ca} {cert} {key} {thing}` are what `ghostjob certify` fills in; `argv` fills in what
only a test knows: where the device's flash is, where certificates lie, where it was built, how long a step takes.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from simulator.devices.models import MODELS
from tests.devices.paho_options import DESIGNS, FLAWS

HERE: Final = Path(__file__).parent
GHOSTJOB: Final = (sys.executable, "-P", "-m", "simulator.cli")
WITH: Final = ("--host", "{host}", "--port", "{mqtts_port}", "--ca", "{ca}", "--cert", "{cert}", "--key", "{key}")
OWN: Final = ("--thing", "{thing}", "--step-seconds", "{step_seconds}", "--dir", "{flash}", "--announce")
"""Announced is the version that runs, on `dut/THING/version`: at each connection, and when it changes."""
SECONDS_OF_HTTP: Final = ("--poll-seconds", "0.5")

Needs = Literal["paho-c", "node", "mosquitto"]
"""What must be built or installed before the device runs; see `tests.devices.building`."""


@dataclass(frozen=True, slots=True)
class Command:
    """One device. `namespaced` is what its command line has besides in a namespace, None if it knows none.

    `document` is what its job asks for; `version` is where in its flash the version stands that it runs, None if it
    keeps none.
    """

    argv: tuple[str, ...]
    needs: Needs | None = None
    namespaced: tuple[str, ...] | None = ("--namespace", "{namespace}")
    document: str = '{"operation": "update", "version": "VERSION"}'
    version: str | None = "version"
    waits_seconds: float | None = None
    """The longest that its author has it wait for anything; None: nobody says."""


def _ours(transport: str) -> Command:
    where = ("--endpoint", "{host}:{mqtts_port}", "--ca", "{ca}", "--cert", "{cert}", "--key", "{key}")
    how = ("--transport", transport, "--state", "{flash}", "--allow", "run", "--grace-seconds", "0.3")
    return Command(
        (*GHOSTJOB, "agent", *where, "--thing", "{thing}", *how),
        document='{"operation": "run", "command": ["sleep", "STEP"]}',
        version=None,
    )


def _model(name: str) -> Command:
    over_http = name == "http-data-plane"
    where = ("--data-endpoint", "{host}:{data_port}") if over_http else ("--endpoint", "{host}:{mqtts_port}")
    who = ("--thing", "{thing}", "--model", name, "--certs", "{certs}", "--flash", "{flash}", "--no-table")
    return Command(
        (*GHOSTJOB, "fleet", *where, *who, "--step-seconds", "{step_seconds}"),
        namespaced=("--namespace-id", "{namespace}"),
        version="{thing}.version",
    )


def _paho(*options: str) -> Command:
    return Command((sys.executable, str(HERE / "paho_device.py"), *WITH, *OWN, *options))


def _http() -> Command:
    with_ = tuple("{data_port}" if each == "{mqtts_port}" else each for each in WITH)
    argv = (sys.executable, str(HERE / "paho_device.py"), *with_, *OWN, "--design", "http-only", *SECONDS_OF_HTTP)
    return Command(argv)


def _all() -> Iterator[tuple[str, Command]]:
    yield "agent-paho", _ours("paho")
    yield "agent-awsiot", _ours("awsiot")
    yield from ((f"model-{name}", _model(name)) for name in MODELS)
    yield "paho", _paho()
    yield "paho-clean", _paho("--session", "clean")
    for design in DESIGNS:
        if design not in ("plain", "http-only"):
            yield f"paho-{design}", _paho("--design", design)
    yield "paho-http-only", _http()
    yield from ((f"flaw-{name}", _paho("--flaw", name)) for name in FLAWS)
    yield "sdk-v2", Command((sys.executable, str(HERE / "sdk_v2.py"), *WITH, *OWN), namespaced=None)
    yield "paho-c", Command(("{built}/device", *WITH, *OWN), "paho-c", waits_seconds=10.0)
    node = ("node", "{built}/device.js", *WITH, *OWN)
    yield "node", Command(node, "node", namespaced=None)
    yield "shell", Command(("bash", str(HERE / "shell" / "device.sh"), *WITH, *OWN), "mosquitto", waits_seconds=5.0)


COMMANDS: Final[dict[str, Command]] = dict(_all())


def argv(
    name: str, *, flash: Path, certs: Path, step_seconds: float = 0.1, built: Path | None = None, namespace: str = ""
) -> tuple[str, ...]:
    """A device's command line, with what is left for `ghostjob certify` to fill in."""
    command = COMMANDS[name]
    if namespace and command.namespaced is None:
        raise ValueError(f"{name} knows no namespaces")
    known = {
        "{flash}": str(flash),
        "{certs}": str(certs),
        "{built}": str(built),
        "{step_seconds}": str(step_seconds),
        "{namespace}": namespace,
    }
    whole = command.argv + ((command.namespaced or ()) if namespace else ())
    return tuple(_filled(each, known) for each in whole)


def document(name: str, version: str, step_seconds: float = 0.1) -> str:
    """A job document that this device carries out."""
    return COMMANDS[name].document.replace("VERSION", version).replace("STEP", str(step_seconds))


def _filled(text: str, known: dict[str, str]) -> str:
    for placeholder, value in known.items():
        text = text.replace(placeholder, value)
    return text
