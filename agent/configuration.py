"""What a real agent is told: options of the command line over a configuration file over defaults.

The file is JSON or YAML. Its keys are the options' names; those of the AWS IoT Device Client's own configuration file
are understood too, so that its file can be used as it is. What only the Device Client does is ignored; the log says so.
"""

import os
import platform
import secrets
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from agent.abilities import ALL_ACTIONS, Abilities, Layout
from agent.connection import PLAIN_PORT, TLS_PORT, Connection, Identity
from agent.core import DevicePolicy
from agent.device import Settings
from agent.documents.restarts import restarts_what
from agent.errors import InputError
from agent.handlers.handler import Context
from agent.handlers.process_table import own_service
from agent.handlers.registry import offered_actions, plug_ins
from agent.hosts import is_loopback
from agent.log import get_logger
from agent.recovery import PointOfNoReturn
from agent.wording import first_wrong, unknown_key

log = get_logger("ghostjob.agent")

OPERATIONS: Final[Mapping[str, frozenset[str]]] = {
    "download": frozenset({"download"}),
    "configure": frozenset({"stage", "validate", "swap", "restart"}),
    "update": frozenset({"write", "switch", "self-test", "commit"}),
    "run": frozenset({"run"}),
    "reboot": frozenset({"reboot"}),
}
"""What `allow` may name, besides plug-ins, and the actions that it means."""
ALIASES: Final = {
    "root_ca": "ca",
    "ca_file": "ca",
    "thing_name": "thing",
    "namespace_id": "namespace",
    "handler_directory": "scripts",
}
OTHER_NAMES: Final = {"rhel": "redhat"}
"""What documents call an operating system that calls itself otherwise."""
DEVICE_CLIENTS_OWN: Final = frozenset(
    {
        *("clean_session", "logging", "tunneling", "device_defender", "fleet_provisioning", "samples", "config_shadow"),
        *("sample_shadow", "secure_element", "sensor_publish", "http_proxy", "fleet_provisioning_runtime_config"),
    }
)


def _words(value: object) -> object:
    """A command may be one string, as for a shell."""
    return tuple(shlex.split(value)) if isinstance(value, str) else value


def _names(value: object) -> object:
    """A list may be one string with commas."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        return given
    return tuple(name for each in given for name in str(each).replace(",", " ").split())


def _at_home(path: Path) -> Path:
    """`~` stands for the home directory, in a file as for a shell."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path}: {error}") from None


File = Annotated[Path, AfterValidator(_at_home)]
Command = Annotated[tuple[str, ...], BeforeValidator(_words)]
Seconds = Annotated[float, Field(gt=0, le=604_800)]


class Configuration(BaseModel):
    """Everything that can be said about a real agent. Times are seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    thing: Annotated[str, Field(pattern=r"^[a-zA-Z0-9:_-]{1,128}$")]
    client_id: str | None = None
    cert: File | None = None
    key: File | None = None
    ca: File | None = None
    allow_plain: bool = False
    namespace: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")] | None = None
    transport: Literal["paho", "awsiot"] = "paho"
    config: File | None = None
    state: File | None = None
    root: File | None = None
    scripts: File | None = None
    allow: Annotated[tuple[str, ...], BeforeValidator(_names)] = ("download", "configure", "update")
    layout: Layout = "ab"
    policy: PointOfNoReturn = "revert-until-commit"
    reports: Literal["progress", "steps", "end"] = "progress"
    service: Annotated[str, Field(pattern=r"^[A-Za-z0-9:_.@\\-]{1,255}$")] | None = None
    firmware_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,64}$")] = "factory"
    restart_command: Command = ()
    reboot_command: Command = ()
    self_test_command: Command = ()
    step_seconds: Seconds = 3600.0
    run_seconds: Seconds = 600.0
    run_memory_bytes: Annotated[int, Field(ge=1 << 20)] = 1 << 30
    run_output_bytes: Annotated[int, Field(ge=1024)] = 64 << 20
    check_seconds: Seconds = 10.0
    check_memory_bytes: Annotated[int, Field(ge=32 << 20)] = 256 << 20
    grace_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0
    longest_file_bytes: Annotated[int, Field(ge=1)] = 1 << 30
    executions: Annotated[int, Field(ge=1)] | None = None

    def connection(self) -> Connection:
        """Where to, and as whom. Raises InputError."""
        host, port = _split(self.endpoint, self.port)
        if (self.cert is None) != (self.key is None):
            missing = "--key" if self.key is None else "--cert"
            raise InputError(f"{missing}: the certificate and its private key belong together; give both, or neither")
        if self.cert is None or self.key is None:
            if not is_loopback(host) and not self.allow_plain:
                raise InputError(
                    f"--endpoint {self.endpoint}: not this machine, so MQTT needs TLS; give --cert, --key and --ca"
                )
            identity = None
        else:
            identity = Identity(self.cert, self.key, self.ca)
        port = port or (PLAIN_PORT if identity is None else TLS_PORT)
        return Connection(self.thing, host, port, identity, self.namespace, self.client_id, self.transport)

    def settings(self, *, is_local: bool) -> Settings:
        """The device. `is_local`: its cloud is this machine, so nobody's quota is to be spared. Raises InputError."""
        context = self._context()
        actions = self._actions()
        others = plug_ins(actions - ALL_ACTIONS)
        service = self.service or own_service()
        abilities = Abilities(
            self.layout,
            actions,
            others,
            root=str(context.root),
            scripts=str(context.scripts),
            systems=_systems(),
            service=service,
            restart_is_ours=restarts_what(self.restart_command, service) == "agent",
        )
        seed = secrets.token_hex(8)
        policy = replace(
            LOCAL if is_local else REMOTE,
            namespace_id=self.namespace,
            reports=self.reports,
            point_of_no_return=self.policy,
            step_deadline=self.step_seconds,
            abilities=abilities,
        )
        return Settings(context, policy, seed, self.executions)

    def _context(self) -> Context:
        state = _absolute(self.state or _usual_state(self.thing))
        root = _absolute(self.root or state / "files")
        scripts = _absolute(self.scripts or state / "scripts")
        for option, path in (("--root", self.root), ("--scripts", self.scripts)):
            if path is not None and not path.is_dir():
                raise InputError(f"{option} {path}: no such directory")
        apart = {"--state": state, "--cert": self.cert, "--key": self.key, "--ca": self.ca, "--scripts": scripts}
        apart |= {"--config": self.config}
        for option, path in apart.items():
            if path is not None and path.resolve().is_relative_to(root.resolve()):
                raise InputError(f"{option} {path}: lies below --root {root}, where documents may write; move one")
        commands = {
            "--restart-command": self.restart_command,
            "--reboot-command": self.reboot_command,
            "--self-test-command": self.self_test_command,
        }
        for option, command in commands.items():
            if (program := _program_below(root, command)) is not None:
                raise InputError(
                    f"{option} {program}: lies below --root {root}, so documents could say what it does; move one"
                )
        return Context(
            thing=self.thing,
            state=state,
            root=root,
            scripts=scripts,
            version=self.firmware_version,
            restart=_from_here(self.restart_command),
            reboot=_from_here(self.reboot_command),
            self_test=_from_here(self.self_test_command),
            longest_file_bytes=self.longest_file_bytes,
            run_seconds=self.run_seconds,
            run_memory_bytes=self.run_memory_bytes,
            run_output_bytes=self.run_output_bytes,
            check_seconds=self.check_seconds,
            check_memory_bytes=self.check_memory_bytes,
            grace_seconds=self.grace_seconds,
        )

    def _actions(self) -> frozenset[str]:
        others = offered_actions() - ALL_ACTIONS
        for name in self.allow:
            if name not in OPERATIONS and name not in others:
                choices = ", ".join((*OPERATIONS, *sorted(others)))
                raise InputError(f"--allow {name}: there is no such operation; there are {choices}")
        return frozenset().union(*(OPERATIONS.get(name, {name}) for name in self.allow))


LOCAL: Final = DevicePolicy()
REMOTE: Final = DevicePolicy(
    request_timeout=10.0, retry_first=1.0, hint_spread=1.0, ask_again=5.0, poll=900.0, leap_deadline=600.0
)
"""A pace that spares an account's quota of 200 requests a second, which all its devices share."""


def configuration_of(options: Mapping[str, Any], file: Path | None) -> Configuration:
    """The options that were given, over what the file says. Raises InputError."""
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    told = _read(file) if file is not None else {}
    try:
        return Configuration.model_validate(told | given | ({"config": file} if file is not None else {}))
    except ValidationError as error:
        wrong = first_wrong(error)
        key = str(wrong.where[0])
        name = key.replace("_", "-")
        if key not in told and key not in given:
            raise InputError(f"--{name}: needed, on the command line or in a --config file") from None
        where = f"--{name}" if key in given or file is None else f"{file}: {name}"
        if key not in Configuration.model_fields:
            choices = sorted(field.replace("_", "-") for field in Configuration.model_fields)
            raise InputError(f"{where}: {unknown_key(name, choices)}") from None
        raise InputError(f"{where}: {wrong.what}") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        value = yaml.safe_load(file.read_text("utf-8"))  # JSON is YAML
    except OSError as error:
        raise InputError(f"--config {file}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"--config {file}: neither JSON nor YAML: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"--config {file}: no object with options in it")
    told = {str(key).replace("-", "_"): each for key, each in value.items()}
    jobs = told.pop("jobs", None)
    ignored = [key.replace("_", "-") for key in told if key in DEVICE_CLIENTS_OWN]
    if isinstance(jobs, dict):
        if jobs.get("handler-directory"):
            told.setdefault("scripts", jobs["handler-directory"])
        understood = {"handler-directory": jobs.get("handler-directory"), "enabled": True}
        ignored += [f"jobs.{key}" for key in jobs if jobs[key] != understood.get(key)]
    elif jobs is not None:
        ignored.append("jobs")
    if ignored:
        why = "only the Device Client does this"
        log.warning("configuration.ignored", file=str(file), keys=sorted(ignored), why=why)
    return {ALIASES.get(key, key): each for key, each in told.items() if key not in DEVICE_CLIENTS_OWN}


def _systems() -> tuple[str, ...]:
    """What documents may call this operating system: the kernel's name, and the distribution's of /etc/os-release."""
    try:
        told = platform.freedesktop_os_release()
    except OSError:
        told = {}
    own = told.get("ID", "")
    names = (platform.system().lower(), own, OTHER_NAMES.get(own, ""))
    return tuple(dict.fromkeys(name for name in names if name))


def _split(endpoint: str, port: int | None) -> tuple[str, int | None]:
    """Host and port of HOST or HOST:PORT; an IPv6 address stands in brackets if a port follows."""
    host, colon, number = endpoint.rpartition(":")
    if not colon or "]" in number or (host.count(":") and not host.startswith("[")):
        host, number = endpoint, ""
    if not host or "/" in endpoint or (number and not (number.isdigit() and 0 < int(number) < 65536)):
        raise InputError(f"--endpoint {endpoint}: give HOST or HOST:PORT and no scheme")
    if number and port is not None and int(number) != port:
        raise InputError(f"--port {port}: --endpoint {endpoint} names another one; give one of them")
    return host.strip("[]"), int(number) if number else port


def _usual_state(thing: str) -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/ghostjob") / thing
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "ghostjob" / thing


def _program_below(root: Path, command: tuple[str, ...]) -> str | None:
    """The first word of a command that names a program below `root`, be it for an interpreter before it."""
    for word in command:
        found = Path(shutil.which(word) or word)
        is_program = found.is_file() and os.access(found, os.X_OK)
        if is_program and found.resolve().is_relative_to(root.resolve()):
            return word
    return None


def _from_here(command: tuple[str, ...]) -> tuple[str, ...]:
    """A command whose program is found from wherever it will be started."""
    return (os.path.abspath(command[0]), *command[1:]) if command and "/" in command[0] else command


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
