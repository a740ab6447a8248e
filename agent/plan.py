"""A job document becomes a plan: steps in order, each of which can be undone or lies past the point of no return.

What this project's own documents may ask for, by `operation`:

    update      version, [url, sha256, size]         a new firmware image
    configure   to, content, [format, version]       a new configuration file, and a restart that reads it
    download    url, to, [sha256, size]              a file
    run         command: [...], [timeoutSeconds]     a program
    reboot

How an update is done depends on the hardware. With two slots (`ab`) or a swap bootloader (`swap`) the new image is
tried after a reboot, and nothing is lost before the commit: that is the point of no return. With a single slot the
image is written over the running one, so the point of no return is the write.

Understood as they stand are also the documents of the AWS IoT Device Client, which the AWS managed templates use
(Developer Guide, "Managed template remote actions and job documents"): `version` "1.0" with `steps` and `finalStep`
of the types runHandler and runCommand, and the older `operation` with `args`. A program cannot be taken back, so the
first of them is the point of no return. `download-file.sh` and `reboot.sh` are done by our own handlers.

Everything else is Unusable, and the device rejects the job with that reason.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from posixpath import join, normpath
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from agent.values import JobDocument, details_text
from agent.wording import first_wrong

Layout: TypeAlias = Literal["ab", "swap", "single"]
Args: TypeAlias = tuple[tuple[str, str], ...]

ALL_ACTIONS: Final = frozenset(
    {"download", "write", "switch", "reboot", "self-test", "commit", "stage", "validate", "swap", "restart", "run"}
)


UNDOING: Final[dict[str, str]] = {
    "download": "what was fetched is deleted, and what it took the place of put back",
    "write": "the slot is erased",
    "switch": "the boot selector is set back",
    "reboot": "another reboot brings the old firmware back",
    "self-test": "there is nothing to undo",
    "stage": "the staged file is deleted",
    "validate": "there is nothing to undo",
    "swap": "the file that it took the place of is put back",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `action` names the handler that does it, `args` (sorted pairs) are what the handler is told.

    Not `reversible` means that beginning it passes the point of no return; a reversible one can be undone whole, half
    done or not begun.
    """

    name: str
    action: str
    args: Args = ()
    reversible: bool = True

    @property
    def undoing(self) -> str:
        """How it is undone, in words for people."""
        if not self.reversible:
            return "it cannot be undone"
        return UNDOING.get(self.action, "its handler takes it back")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in order; afterwards the device runs `version`, or what it ran before if that is empty."""

    version: str
    steps: tuple[Step, ...]

    @property
    def outline(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What the steps are, without what they are told: the same for every delivery of one job's document."""
        return self.version, tuple((step.name, step.action) for step in self.steps)

    def index_of(self, action: str) -> int:
        """Where the step with this action stands; the number of steps if there is none."""
        return next((index for index, step in enumerate(self.steps) if step.action == action), len(self.steps))


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a document is no plan; fits into statusDetails (no control characters, at most 1024 of them)."""

    reason: str


Planned: TypeAlias = Plan | Unusable


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a device can do: its flash layout, and the actions that its owner allows.

    Files that a document names must lie below `root`, scripts in `scripts`; both are absolute paths. Here that is
    judged by the names alone; the handlers look at what is really there. `plug_ins` are actions of other packages,
    which documents name as an operation or a handler; each with whether it can be undone. Whoever may write firmware
    may also fetch the image, and reboot into it.
    """

    layout: Layout = "ab"
    actions: frozenset[str] = field(default=ALL_ACTIONS)
    plug_ins: tuple[tuple[str, bool], ...] = ()
    root: str = "/"
    scripts: str = "/"


DEFAULT_ABILITIES: Final = Abilities()


# ── the documents ─────────────────────────────────────────────────────────────────────────────────────────────

Version = Field(pattern=r"^[A-Za-z0-9._+-]{1,64}$")
URL: Final = r"^https?://[^\s\x00-\x1f]+$"
"""Presigned URLs carry session tokens, which are long."""
Url = Field(pattern=URL, max_length=8192)
Sha256 = Field(default=None, pattern=r"^[0-9a-fA-F]{64}$")
PathName = Field(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f]+$")


class _Document(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class _Update(_Document):
    version: str = Version
    url: str | None = Field(default=None, pattern=URL, max_length=8192)
    sha256: str | None = Sha256
    size: int | None = Field(default=None, ge=0)
    image: dict[str, str] = Field(default={}, max_length=8)
    """What simulated flash is to find in the image: see `simulator.devices.hardware.Image`."""


class _Configure(_Document):
    to: str = PathName
    content: str = Field(max_length=32_768)
    format: Literal["json", "yaml", "text"] = "text"
    version: str = Field(default="", pattern=r"^[A-Za-z0-9._+-]{0,64}$")


class _Download(_Document):
    url: str = Url
    to: str = PathName
    sha256: str | None = Sha256
    size: int | None = Field(default=None, ge=0)


class _Run(_Document):
    command: tuple[str, ...] = Field(min_length=1, max_length=100)
    timeout_seconds: int | None = Field(default=None, ge=1, le=86_400)


class _Input(_Document):
    handler: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,128}$")
    args: tuple[str, ...] = Field(default=(), max_length=100)
    command: str | None = Field(default=None, max_length=4096)
    path: str = "default"


class _Action(_Document):
    name: str = Field(min_length=1, max_length=128)
    type: Literal["runHandler", "runCommand"]
    input: _Input
    run_as_user: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,64}\$?$")
    ignore_step_failure: Literal["true", "false"] = "false"


class _ActionOf(_Document):
    action: _Action


class _Steps(_Document):
    version: Literal["1.0"]
    steps: tuple[_ActionOf, ...] = Field(min_length=1, max_length=100)
    final_step: _ActionOf | None = None
    include_std_out: bool = False


class _OldSchema(_Document):
    operation: str = Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")
    args: tuple[str, ...] = Field(default=(), max_length=100)
    path: str = "default"
    include_std_out: bool = False
    allow_std_err: int = Field(default=0, ge=0)


def plan_of(document: JobDocument | None, abilities: Abilities = DEFAULT_ABILITIES) -> Planned:
    """The plan of a document for a device with these abilities."""
    if document is None:
        return Unusable("the job document is missing")
    return _plan_of(document.text, abilities)


@lru_cache(maxsize=1024)
def _plan_of(text: str, abilities: Abilities) -> Planned:
    """A fleet is told the same document again and again."""
    try:
        plan = _read(_object(text), abilities)
    except ValidationError as error:
        return _unusable(str(first_wrong(error)))
    except ValueError as error:
        return _unusable(str(error))
    except RecursionError:
        return _unusable("the job document is nested too deeply")
    allowed = abilities.actions | ({"download", "reboot"} if plan.version and "write" in abilities.actions else set())
    refusals = (_refusal(step, allowed, abilities) for step in plan.steps)
    return next((_unusable(refusal) for refusal in refusals if refusal is not None), plan)


def _unusable(reason: str) -> Unusable:
    return Unusable(details_text(reason) or "no plan")


def _object(text: str) -> Mapping[str, Any]:
    """The document. Raises ValueError."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the job document is no Unicode text: it has half of a surrogate pair") from None
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("the job document is no JSON object")
    return value


def _refusal(step: Step, allowed: frozenset[str], abilities: Abilities) -> str | None:
    """Why this device must not do a step; None if it may."""
    args = dict(step.args)
    if step.action not in allowed:
        return f"{step.name}: this device does not allow '{step.action}'"
    if "to" in args and not _is_below(abilities.root, args["to"]):
        return f"{step.name}: {args['to'][:200]}: not below the directory that documents may write to"
    if step.action == "run" and not _is_same(abilities.scripts, args.get("path", abilities.scripts)):
        return f"{step.name}: {args['path'][:200]}: not the directory that scripts may come from"
    return None


def _is_below(root: str, name: str) -> bool:
    inside = normpath(root).rstrip("/") + "/"
    return normpath(join(root, name)).startswith(inside)


def _is_same(one: str, other: str) -> bool:
    return normpath(one) == normpath(other)


def _read(value: Mapping[str, Any], abilities: Abilities) -> Plan:
    match value:
        case {"operation": "update"}:
            return _update(_Update.model_validate(value), abilities.layout)
        case {"operation": "configure"}:
            return _configure(_Configure.model_validate(value))
        case {"operation": "download"}:
            return Plan("", (Step("download", "download", _args(**_Download.model_validate(value).model_dump())),))
        case {"operation": "run"}:
            run = _Run.model_validate(value)
            args = _args(command=json.dumps(run.command), timeout_seconds=run.timeout_seconds)
            return Plan("", (Step("run", "run", args, reversible=False),))
        case {"operation": "reboot"}:
            return Plan("", (Step("reboot", "reboot", reversible=False),))
        case {"steps": _}:
            return _steps(_Steps.model_validate(value), abilities)
        case {"operation": str()}:
            return _old_schema(_OldSchema.model_validate(value), abilities)
        case _:
            raise ValueError("the job document has neither an operation nor steps")


def _args(**values: object) -> Args:
    """Sorted pairs of strings, without those that have no value."""
    return tuple(sorted((key, str(value)) for key, value in values.items() if value is not None and value != ""))


# ── plans ─────────────────────────────────────────────────────────────────────────────────────────────────────

TRIAL_STEPS: Final = ("download", "write", "switch", "reboot", "self-test", "commit")
SINGLE_STEPS: Final = ("download", "write", "reboot", "self-test")


def _update(update: _Update, layout: Layout) -> Plan:
    image = tuple(sorted((f"image.{key}", value) for key, value in update.image.items()))
    args = {
        "download": _args(url=update.url, sha256=update.sha256, size=update.size, version=update.version) + image,
        "write": _args(version=update.version) + image,
    }
    names, leap = (SINGLE_STEPS, "write") if layout == "single" else (TRIAL_STEPS, "commit")
    past = names.index(leap)
    steps = (Step(name, name, args.get(name, ()), index < past) for index, name in enumerate(names))
    return Plan(update.version, tuple(steps))


def _configure(configure: _Configure) -> Plan:
    """The restart is the point of no return: services may have acted on what they then read."""
    staged = _args(content=configure.content, to=configure.to, version=configure.version)
    return Plan(
        "",
        (
            Step("stage", "stage", staged),
            Step("validate", "validate", _args(format=configure.format, to=configure.to)),
            Step("swap", "swap", _args(to=configure.to, version=configure.version)),
            Step("restart", "restart", reversible=False),
        ),
    )


def _steps(document: _Steps, abilities: Abilities) -> Plan:
    actions = [each.action for each in document.steps]
    if document.final_step is not None:
        actions.append(document.final_step.action)
    steps = tuple(_named(_step(action, document.include_std_out, abilities) for action in actions))
    return Plan("", _after_leap(steps))


def _step(action: _Action, include_std_out: bool, abilities: Abilities) -> Step:
    given = action.input
    common = {
        "user": action.run_as_user,
        "ignore_failure": "true" if action.ignore_step_failure == "true" else None,
        "stdout": "true" if include_std_out else None,
    }
    if action.type == "runCommand":
        words = [word.replace("\\,", ",") for word in re.split(r"(?<!\\),", given.command or "") if word]
        if not words:
            raise ValueError(f"{action.name}: runCommand needs input.command")
        if re.search(r"\s", words[0]):
            raise ValueError(f"{action.name}: the first word of input.command has a space in it; commas part words")
        return Step(action.name, "run", _args(command=json.dumps(words), **common), reversible=False)
    if given.handler is None:
        raise ValueError(f"{action.name}: runHandler needs input.handler")
    return _handler_step(action.name, given.handler, given.args, given.path, common, abilities)


def _handler_step(
    name: str,
    handler: str,
    args: tuple[str, ...],
    path: str,
    common: Mapping[str, str | None],
    abilities: Abilities,
) -> Step:
    """A plug-in, or a handler of the Device Client; two of its own are ours too, and can be undone or waited for."""
    for action, reversible in abilities.plug_ins:
        if handler == action:
            return Step(name, action, _args(args=json.dumps(args), **common), reversible)
    if handler == "download-file.sh" and len(args) == 2:
        return Step(name, "download", _args(url=args[0], to=args[1]))
    if handler == "reboot.sh":
        return Step(name, "reboot", reversible=False)
    where = None if path == "default" else path
    return Step(name, "run", _args(handler=handler, args=json.dumps(args), path=where, **common), reversible=False)


def _old_schema(document: _OldSchema, abilities: Abilities) -> Plan:
    common = {
        "stdout": "true" if document.include_std_out else None,
        "allow_stderr_lines": str(document.allow_std_err),
    }
    step = _handler_step(document.operation, document.operation, document.args, document.path, common, abilities)
    return Plan("", (step,))


def _named(steps: Iterator[Step]) -> Iterator[Step]:
    """Step names are unique in a plan; those of a document need not be."""
    counts: dict[str, int] = {}
    for step in steps:
        count = counts[step.name] = counts.get(step.name, 0) + 1
        yield step if count == 1 else Step(f"{step.name} ({count})", step.action, step.args, step.reversible)


def _after_leap(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """What follows the point of no return lies past it too."""
    leap = next((index for index, step in enumerate(steps) if not step.reversible), len(steps))
    return tuple(
        step if index <= leap else Step(step.name, step.action, step.args, False) for index, step in enumerate(steps)
    )
