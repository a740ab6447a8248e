"""What the command line of `ghostjob certify` says, and whether that goes together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.errors import InputError
from agent.wording import first_wrong, no_choice, shown
from simulator.certificate_files import THING_NAME
from simulator.certify.documents import read_documents
from simulator.certify.moments import cells_of
from simulator.certify.session import Patience
from simulator.scenario import Bounds

PORTS = {"mqtts_port": 8883, "data_port": 8443, "api_port": 4566}
"""For a device that was told once where to go; a process of ours is told each time, and gets free ones."""
HERE = "127.0.0.1"
CERTS = Path("certify-certs")
COMING_SECONDS, COMING_SECONDS_OF_OURS = 3600.0, 60.0
FIRST_JOB_SECONDS = Patience().first_job


@dataclass(slots=True, kw_only=True)
class Options:
    """What the command line says, by the names of its options."""

    command: tuple[str, ...]
    thing: str
    namespace_id: str | None
    probes: tuple[str, ...]
    out: Path | None
    only: tuple[str, ...]
    document: Path | None
    artifacts: tuple[Path, ...]
    steps: tuple[str, ...]
    schedules: tuple[Path, ...]
    bounds: tuple[str, ...]
    reset_cmd: str | None
    power_cmd: str | None
    host: str
    address: str | None
    allow_topics: tuple[str, ...]
    mqtts_port: int | str | None
    data_port: int | str | None
    api_port: int | str | None
    mqtt_port: int | str | None
    certs: Path | None
    wait_seconds: float | None
    first_job_seconds: float
    is_json: bool
    cells_from_stdin: bool
    seed: int

    def port(self, name: str) -> int | None:
        """The number of a port, None for none."""
        given = getattr(self, name)
        if given is None:
            return 0 if self.command else PORTS[name]
        return None if given == "off" else int(given)

    @property
    def coming_seconds(self) -> float:
        """How long the device is waited for."""
        return self.wait_seconds or (COMING_SECONDS_OF_OURS if self.command else COMING_SECONDS)

    def again(self) -> tuple[str, ...]:
        """The options that bear on how a cell is played, for a certificate that says how to play it again.

        Among them those by which the device found the cloud: one elsewhere looks for it there, and a command may have
        placeholders that only they fill.
        """
        several = {
            "--allow-topic": self.allow_topics,
            "--bound": self.bounds,
            "--artifact": self.artifacts,
            "--step": self.steps,
            "--schedule": self.schedules,
        }
        single = {
            "--document": self.document,
            "--reset-cmd": self.reset_cmd,
            "--power-cmd": self.power_cmd,
            "--host": None if self.host == HERE else self.host,
            "--address": self.address,
            "--certs": self.certs,
            "--mqtts-port": self.mqtts_port,
            "--data-port": self.data_port,
            "--api-port": self.api_port,
            "--mqtt-port": None if self.mqtt_port == "off" else self.mqtt_port,
            "--wait": self.wait_seconds,
            "--first-job": None if self.first_job_seconds == FIRST_JOB_SECONDS else self.first_job_seconds,
        }
        given = [(name, value) for name, values in several.items() for value in values]
        given += [(name, value) for name, value in single.items() if value is not None]
        return tuple(str(word) for pair in given for word in pair)

    def check(self) -> None:
        """Raises InputError for what does not go together."""
        if self.cells_from_stdin and self.only:
            raise InputError("--only: the cells come from stdin; give one of --only and --cells-from-stdin")
        if self.steps and not self.command:
            raise InputError("--step: only COMMAND has an output that can be read; give one after --")
        if self.command and self.power_cmd:
            raise InputError(
                "--power-cmd: is for a device elsewhere; the power of COMMAND is cut by ending its processes"
            )
        if self.port("api_port") is None:
            raise InputError("--api-port off: artifacts and probes need it; give a port, or 0 for any free one")
        if self.port("mqtts_port") is self.port("data_port") is self.port("mqtt_port") is None:
            raise InputError("certify: every port is off, so no device could come by")


def required(given: Sequence[str]) -> dict[str, float]:
    """Bounds by name, of NAME=SECONDS. Raises InputError."""
    found: dict[str, float] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in Bounds.model_fields:
            raise InputError(
                f"--bound {text}: {no_choice(shown(name), Bounds.model_fields)}; see `ghostjob explain bounds`"
            )
        try:
            bounds = Bounds.model_validate({name: value})
        except ValidationError as error:
            raise InputError(f"--bound {text}: {first_wrong(error).what}, such as {name}=5") from None
        found[name] = getattr(bounds, name)
    return found


def check(given: Mapping[str, Any]) -> None:
    """What a session would check before it begins. Raises InputError."""
    options = Options(**given)
    options.check()
    required(options.bounds)
    cells_of(options.steps)
    read_documents(options.document, options.artifacts)
    if not THING_NAME.fullmatch(options.thing):
        raise InputError(f"--thing {options.thing}: a thing name is 1 to 128 of a-z A-Z 0-9 : _ -")
