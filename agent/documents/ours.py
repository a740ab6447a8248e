"""This project's own documents, by `operation`:

    update      version, [url, sha256, size]         a new firmware image
    configure   to, content, [format, version]       a new configuration file, and a restart that reads it
    download    url, to, [sha256, size]              a file
    run         command: [...], [timeoutSeconds],    a program
                [restarts: agent or machine]
    reboot

How an update is done depends on the hardware. With two slots (`ab`) or a swap bootloader (`swap`) the new image is
tried after a reboot, and nothing is lost before the commit: that is the point of no return. With a single slot the
image is written over the running one, so the point of no return is the write.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from agent.abilities import Abilities, Layout
from agent.documents.document import Document, planned, tellable
from agent.documents.restarts import restarts_what
from agent.plan import Plan, Step, args_of, in_order

Version = Field(pattern=r"^[A-Za-z0-9._+-]{1,64}$")
Url: TypeAlias = Annotated[str, Field(pattern=r"^https?://[^\s\x00-\x1f]+$", max_length=8192)]
"""Presigned URLs carry session tokens, which are long."""
Sha256 = Field(default=None, pattern=r"^[0-9a-fA-F]{64}$")
Size = Field(default=None, ge=0, le=2**63 - 1)
Word: TypeAlias = Annotated[str, AfterValidator(tellable)]
"""Of a command."""
PathName = Field(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f]+$")


class _Update(Document):
    version: str = Version
    url: Url | None = None
    sha256: str | None = Sha256
    size: int | None = Size
    image: dict[str, str] = Field(default={}, max_length=8)
    """What simulated flash is to find in the image: see `simulator.devices.hardware.Image`."""


class _Configure(Document):
    to: str = PathName
    content: str = Field(max_length=32_768)
    format: Literal["json", "yaml", "text"] = "text"
    version: str = Field(default="", pattern=r"^[A-Za-z0-9._+-]{0,64}$")


class _Download(Document):
    url: Url
    to: str = PathName
    sha256: str | None = Sha256
    size: int | None = Size


class _Run(Document):
    command: tuple[Word, ...] = Field(min_length=1, max_length=100)
    timeout_seconds: int | None = Field(default=None, ge=1, le=86_400)
    restarts: Literal["", "agent", "machine"] = ""


class _Reboot(Document):
    pass


TRIAL_STEPS: Final = ("download", "write", "switch", "reboot", "self-test", "commit")
SINGLE_STEPS: Final = ("download", "write", "reboot", "self-test")


def read_ours(value: Mapping[str, Any], abilities: Abilities) -> Plan | None:
    """The plan of a document of ours; None if it is none. Raises ValueError."""
    match value.get("operation"):
        case "update":
            return planned(_Update, value, lambda update: _update(update, abilities.layout))
        case "configure":
            return planned(_Configure, value, lambda change: _configure(change, abilities.restart_is_ours))
        case "download":
            return planned(_Download, value, _download)
        case "run":
            return planned(_Run, value, lambda run: _run(run, abilities.service))
        case "reboot":
            return planned(_Reboot, value, lambda _: Plan("", (Step("reboot", "reboot", reversible=False),)))
        case _:
            return None


def _update(update: _Update, layout: Layout) -> Plan:
    image = tuple(sorted((f"image.{key}", value) for key, value in update.image.items()))
    args = {
        "download": args_of(url=update.url, sha256=update.sha256, size=update.size, version=update.version) + image,
        "write": args_of(version=update.version) + image,
    }
    names, leap = (SINGLE_STEPS, "write") if layout == "single" else (TRIAL_STEPS, "commit")
    return Plan(update.version, in_order(Step(name, name, args.get(name, ()), name != leap) for name in names))


def _download(download: _Download) -> Plan:
    args = args_of(url=download.url, to=download.to, sha256=download.sha256, size=download.size)
    return Plan("", (Step("download", "download", args),))


def _run(run: _Run, service: str) -> Plan:
    restarts = run.restarts or restarts_what(run.command, service)
    args = args_of(command=json.dumps(run.command), timeout_seconds=run.timeout_seconds, restarts=restarts)
    return Plan("", (Step("run", "run", args, reversible=False),))


def _configure(configure: _Configure, restart_is_ours: bool) -> Plan:
    """The restart is the point of no return: services may have acted on what they then read."""
    staged = args_of(content=configure.content, to=configure.to, version=configure.version)
    return Plan(
        "",
        (
            Step("stage", "stage", staged),
            Step("validate", "validate", args_of(format=configure.format, to=configure.to)),
            Step("swap", "swap", args_of(to=configure.to, version=configure.version)),
            Step("restart", "restart", args_of(restarts="agent" if restart_is_ours else ""), reversible=False),
        ),
    )
