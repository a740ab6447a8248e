"""A job document becomes a plan: steps in order, each of which can be undone or lies past the point of no return.

What this project's own documents may ask for, by `operation`:

    update      version, [url, sha256, size]         a new firmware image
    configure   to, content, [format, version]       a new configuration file, and a restart that reads it
    download    url, to, [sha256, size]              a file
    run         command: [...], [timeoutSeconds],    a program
                [restarts: agent or machine]
    reboot

How an update is done depends on the hardware. With two slots (`ab`) or a swap bootloader (`swap`) the new image is
tried after a reboot, and nothing is lost before the commit: that is the point of no return. With a single slot the
image is written over the running one, so the point of no return is the write.

Understood as they stand are also the documents of the AWS IoT Device Client, which the AWS managed templates use
(Developer Guide, "Managed template remote actions and job documents"): `version` "1.0" with `steps` and `finalStep`
of the types runHandler and runCommand, and the older `operation` with `args`. A program cannot be taken back, so the
first of them is the point of no return. `download-file.sh` and `reboot.sh` are done by our own handlers. A member that
is null or of another type than it should be counts as absent, as that client's parser has it (aws-iot-device-client,
`source/jobs/JobDocument.cpp`: `ValueExists(key) && IsString()`, `IsListType()`, `IsIntegerType()`); which ones these
were, and which nobody reads at all, stands in the plan. In two things we are stricter. That client leaves `conditions`
unjudged (`JobsFeature.cpp`: "TODO: Add support for checking condition"); here one that does not hold, or that nobody
here can judge, is a reason to reject. And a program is named, not pointed at: no handler with a slash in it.

A program whose effect is that this very agent, or the machine, starts again is done once that has happened: whoever
begins after it has the proof. Which programs these are, a document says by `restarts`, or they are recognised by their
words; see `restarts_what`.

Everything else is Unusable, and the device rejects the job with that reason.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from posixpath import basename, join, normpath
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic.alias_generators import to_camel

from agent.causes import Cause
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

    @property
    def restarts(self) -> str:
        """`agent` or `machine`, if what this step is for is that the one or the other starts again; empty otherwise."""
        return dict(self.args).get("restarts", "")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in order; afterwards the device runs `version`, or what it ran before if that is empty.

    `ignored` are the members of the document that nobody reads, or that are not of the type that they should be.
    """

    version: str
    steps: tuple[Step, ...]
    ignored: tuple[str, ...] = ()

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
    cause: Cause = Cause.MALFORMED_DOCUMENT


Planned: TypeAlias = Plan | Unusable


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a device can do: its flash layout, and the actions that its owner allows.

    Files that a document names must lie below `root`, scripts in `scripts`; both are absolute paths. Here that is
    judged by the names alone; the handlers look at what is really there. `plug_ins` are actions of other packages,
    which documents name as an operation or a handler; each with whether it can be undone. Whoever may write firmware
    may also fetch the image, and reboot into it. `systems` are the names of the operating system that conditions are
    held against. `service` is what the service manager calls this agent; `restart_is_ours` says that the restart after
    a change of configuration is the agent's own.
    """

    layout: Layout = "ab"
    actions: frozenset[str] = field(default=ALL_ACTIONS)
    plug_ins: tuple[tuple[str, bool], ...] = ()
    root: str = "/"
    scripts: str = "/"
    systems: tuple[str, ...] = ()
    service: str = ""
    restart_is_ours: bool = False


DEFAULT_ABILITIES: Final = Abilities()


# ── the documents ─────────────────────────────────────────────────────────────────────────────────────────────

Version = Field(pattern=r"^[A-Za-z0-9._+-]{1,64}$")
URL: Final = r"^https?://[^\s\x00-\x1f]+$"
"""Presigned URLs carry session tokens, which are long."""
Url = Field(pattern=URL, max_length=8192)
Sha256 = Field(default=None, pattern=r"^[0-9a-fA-F]{64}$")
PathName = Field(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f]+$")


class _Document(BaseModel):
    """What nobody reads is kept, so that it can be named."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True)


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
    restarts: Literal["", "agent", "machine"] = ""


class _Reboot(_Document):
    pass


# ── the Device Client's, with its parser's idea of what is there ──────────────────────────────────────────────


def _passed_over(value: object, info: ValidationInfo) -> None:
    """Take down a member that counts as absent; null is how that client writes absence itself."""
    if value is not None and isinstance(info.context, list) and info.field_name is not None:
        info.context.append(to_camel(info.field_name))


def _text(value: object, info: ValidationInfo) -> str:
    if isinstance(value, str):
        return value
    _passed_over(value, info)
    return ""


def _words(value: object, info: ValidationInfo) -> tuple[str, ...]:
    """A list; what in it is no text is an empty word (`ParseToVectorString` pushes `AsString()`)."""
    if not isinstance(value, list):
        _passed_over(value, info)
        return ()
    if not all(isinstance(word, str) for word in value):
        _passed_over(value, info)
    return tuple(word if isinstance(word, str) else "" for word in value)


def _number(value: object, info: ValidationInfo) -> int | None:
    """A whole number, however it is written."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value)
    _passed_over(value, info)
    return None


def _flag(value: object, info: ValidationInfo) -> bool:
    """The text `true`: a JSON true is of another type, and counts as absent."""
    if not isinstance(value, str):
        _passed_over(value, info)
    return value == "true"


def _true(value: object, info: ValidationInfo) -> bool:
    """For once both: that client's README has a JSON true here, its code reads the text."""
    return value is True or _flag(None if value is False else value, info)


def _members(value: object, info: ValidationInfo) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    _passed_over(value, info)
    return {}


def _actions(value: object, info: ValidationInfo) -> list[Any]:
    """Those members of a list that have an action. Raises ValueError if there are none."""
    if not isinstance(value, list):
        _passed_over(value, info)
    found = [each for each in value if _has_action(each, info)] if isinstance(value, list) else []
    if not found:
        raise ValueError("a list of at least one step with an action in it is needed")
    return found


def _final(value: object, info: ValidationInfo) -> Any:
    return value if value is not None and _has_action(value, info) else None


def _has_action(value: object, info: ValidationInfo) -> bool:
    if isinstance(value, dict) and value.get("action") is not None:
        return True
    _passed_over(value, info)
    return False


Text: TypeAlias = Annotated[str, BeforeValidator(_text)]
Words: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_words), Field(max_length=1000)]
Number: TypeAlias = Annotated[int | None, BeforeValidator(_number)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag)]
TrueOrText: TypeAlias = Annotated[bool, BeforeValidator(_true)]


class _Input(_Document):
    handler: Text = ""
    args: Words = ()
    command: Text = ""
    path: Text = ""


class _Action(_Document):
    name: Annotated[Text, Field(min_length=1, max_length=1024)]
    type: Literal["runHandler", "runCommand"]
    input: Annotated[_Input, BeforeValidator(_members)] = _Input()
    run_as_user: Annotated[Text, Field(pattern=r"^[A-Za-z0-9._-]{0,64}\$?$")] = ""
    allow_std_err: Number = None
    ignore_step_failure: Flag = False


class _ActionOf(_Document):
    action: Annotated[_Action, BeforeValidator(_members)]


Actions: TypeAlias = Annotated[
    tuple[_ActionOf, ...], BeforeValidator(_actions), Field(max_length=100, validate_default=True)
]


class _Steps(_Document):
    version: Literal["1.0"]
    steps: Actions = ()
    final_step: Annotated[_ActionOf | None, BeforeValidator(_final)] = None
    include_std_out: TrueOrText = False


class _OldSchema(_Document):
    operation: Annotated[str, Field(min_length=1)]
    args: Words = ()
    path: Text = ""
    include_std_out: TrueOrText = False
    allow_std_err: Number = None


D = TypeVar("D", bound=_Document)
READ_ELSEWHERE: Final = frozenset({"operation", "conditions"})
HANDLER_NAME: Final = re.compile(r"[^/\x00-\x1f\x7f]{1,255}")


def plan_of(document: JobDocument | None, abilities: Abilities = DEFAULT_ABILITIES) -> Planned:
    """The plan of a document for a device with these abilities."""
    if document is None:
        return Unusable("the job document is missing")
    return _plan_of(document.text, abilities)


@lru_cache(maxsize=1024)
def _plan_of(text: str, abilities: Abilities) -> Planned:
    """A fleet is told the same document again and again."""
    try:
        value = _object(text)
        plan = _read(value, abilities)
    except ValidationError as error:
        return _unusable(str(first_wrong(error)))
    except ValueError as error:
        return _unusable(str(error))
    except RecursionError:
        return _unusable("the job document is nested too deeply")
    if unmet := _unmet(value.get("conditions"), abilities.systems):
        return _unusable(unmet, Cause.CONDITION_NOT_MET)
    allowed = abilities.actions | ({"download", "reboot"} if plan.version and "write" in abilities.actions else set())
    refusals = (_refusal(step, allowed, abilities) for step in plan.steps)
    return next((_unusable(reason, cause) for cause, reason in filter(None, refusals)), plan)


def _unusable(reason: str, cause: Cause = Cause.MALFORMED_DOCUMENT) -> Unusable:
    return Unusable(details_text(reason) or "no plan", cause)


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


def _refusal(step: Step, allowed: frozenset[str], abilities: Abilities) -> tuple[Cause, str] | None:
    """Why this device must not do a step; None if it may."""
    args = dict(step.args)
    if step.action not in allowed:
        return Cause.NOT_ALLOWED, f"{step.name}: this device does not allow '{step.action}'"
    if "to" in args and not _is_below(abilities.root, args["to"]):
        words = f"{step.name}: {args['to'][:200]}: not below the directory that documents may write to"
        return Cause.REFUSED_PATH, words
    if step.action == "run" and not _is_same(abilities.scripts, args.get("path", abilities.scripts)):
        words = f"{step.name}: {args['path'][:200]}: not the directory that scripts may come from"
        return Cause.REFUSED_PATH, words
    return None


def _unmet(conditions: object, systems: tuple[str, ...]) -> str:
    """Why a document is not for this device; empty if it is. What cannot be judged here counts as not met."""
    if conditions is None:
        return ""
    if not isinstance(conditions, list):
        return "conditions: no list of conditions, so nobody can say whether they hold"
    return next(filter(None, (_unmet_condition(each, systems) for each in conditions)), "")


def _unmet_condition(condition: object, systems: tuple[str, ...]) -> str:
    """As that client writes them: `key`, `value` (a list of texts, one of which is to fit) and `type`."""
    told = condition if isinstance(condition, dict) else {}
    key, kind, values = told.get("key"), told.get("type"), told.get("value")
    if not isinstance(key, str) or not key or not isinstance(values, list) or not values:
        return "conditions: one without a key, or without a list of values"
    said = f"conditions: {key[:100]}"
    if isinstance(kind, str) and kind != "stringEqual":
        return f"{said}: this device cannot judge the type '{kind[:100]}', only stringEqual"
    if key != "operatingSystem":
        return f"{said}: this device cannot judge it, only operatingSystem"
    wanted = [value for value in values if isinstance(value, str)]
    if {system.casefold() for system in systems} & {value.casefold() for value in wanted}:
        return ""
    return f"{said}: for {', '.join(wanted)[:200] or 'nobody'}, and this is {', '.join(systems) or 'not known here'}"


def _is_below(root: str, name: str) -> bool:
    inside = normpath(root).rstrip("/") + "/"
    return normpath(join(root, name)).startswith(inside)


def _is_same(one: str, other: str) -> bool:
    return normpath(one) == normpath(other)


def _read(value: Mapping[str, Any], abilities: Abilities) -> Plan:
    version, plug_ins = value.get("version"), {action for action, _ in abilities.plug_ins}
    match value:
        case {"operation": "update"}:
            return _planned(_Update, value, lambda update: _update(update, abilities.layout))
        case {"operation": "configure"}:
            return _planned(_Configure, value, lambda change: _configure(change, abilities.restart_is_ours))
        case {"operation": "download"}:
            return _planned(_Download, value, _download)
        case {"operation": "run"}:
            return _planned(_Run, value, lambda run: _run(run, abilities.service))
        case {"operation": "reboot"}:
            return _planned(_Reboot, value, lambda _: Plan("", (Step("reboot", "reboot", reversible=False),)))
        case {"operation": str() as name} if name in plug_ins:
            return _planned(_OldSchema, value, lambda document: _old_schema(document, abilities))
        case _ if isinstance(version, str) and version:
            return _planned(_Steps, value, lambda document: _steps(document, abilities))
        case {"operation": str()}:
            return _planned(_OldSchema, value, lambda document: _old_schema(document, abilities))
        case {"steps": _}:
            raise ValueError('version: where there are steps, it is the text "1.0"')
        case _:
            raise ValueError("the job document has neither an operation nor steps")


def _planned(kind: type[D], value: Mapping[str, Any], plan: Callable[[D], Plan]) -> Plan:
    """The plan of a document of one kind, with what was not read of it. Raises ValueError."""
    passed_over: list[str] = []
    document = kind.model_validate(value, context=passed_over)
    return replace(plan(document), ignored=tuple(sorted({*passed_over, *_unread(document)})))


def _unread(document: _Document) -> Iterator[str]:
    """Members that have no meaning; those that begin with `_`, such as `_comment`, claim none, nor does null."""
    for name, value in (document.model_extra or {}).items():
        if value is not None and not name.startswith("_") and name not in READ_ELSEWHERE:
            yield name[:64]
    for name in type(document).model_fields:
        told = getattr(document, name)
        for inner in told if isinstance(told, tuple) else (told,):
            if isinstance(inner, _Document):
                yield from _unread(inner)


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


def _download(download: _Download) -> Plan:
    args = _args(url=download.url, to=download.to, sha256=download.sha256, size=download.size)
    return Plan("", (Step("download", "download", args),))


def _run(run: _Run, service: str) -> Plan:
    restarts = run.restarts or restarts_what(run.command, service)
    args = _args(command=json.dumps(run.command), timeout_seconds=run.timeout_seconds, restarts=restarts)
    return Plan("", (Step("run", "run", args, reversible=False),))


def restarts_what(command: tuple[str, ...], service: str) -> str:
    """`agent` for a command that restarts `service`, this agent's, and nothing else; `machine` for one that reboots.

    systemctl and service, reboot and shutdown -r, each also after sudo. What a shell would make of a line, nobody says.
    """
    words = [word for word in _without_sudo(command) if not word.startswith("-")]
    match [basename(words[0]), *words[1:]] if words else []:
        case ["reboot"] | ["systemctl", "reboot"]:
            return "machine"
        case ["shutdown", *_] if "-r" in command:
            return "machine"
        case ["systemctl", "restart" | "try-restart", unit] | ["service", unit, "restart"] if is_unit(unit, service):
            return "agent"
        case _:
            return ""


def _without_sudo(command: tuple[str, ...]) -> tuple[str, ...]:
    if not command or basename(command[0]) != "sudo":
        return command
    rest = command[1:]
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in ("-u", "--user") else rest[1:]
    return rest


def is_unit(name: str, service: str) -> bool:
    """Whether both are the same service, be it with or without its ending."""
    return bool(service) and name.removesuffix(".service") == service.removesuffix(".service")


def _configure(configure: _Configure, restart_is_ours: bool) -> Plan:
    """The restart is the point of no return: services may have acted on what they then read."""
    staged = _args(content=configure.content, to=configure.to, version=configure.version)
    return Plan(
        "",
        (
            Step("stage", "stage", staged),
            Step("validate", "validate", _args(format=configure.format, to=configure.to)),
            Step("swap", "swap", _args(to=configure.to, version=configure.version)),
            Step("restart", "restart", _args(restarts="agent" if restart_is_ours else ""), reversible=False),
        ),
    )


def _steps(document: _Steps, abilities: Abilities) -> Plan:
    actions = [each.action for each in document.steps]
    if document.final_step is not None:
        actions.append(document.final_step.action)
    steps = tuple(_named(step for action in actions for step in _steps_of(action, document.include_std_out, abilities)))
    return Plan("", _after_leap(steps))


def _steps_of(action: _Action, include_std_out: bool, abilities: Abilities) -> tuple[Step, ...]:
    given = action.input
    common = {
        "user": action.run_as_user,
        "ignore_failure": "true" if action.ignore_step_failure else None,
        "stdout": "true" if include_std_out else None,
        "allow_stderr_lines": None if action.allow_std_err is None else str(action.allow_std_err),
    }
    if action.type == "runCommand":
        words = tuple(word.replace("\\,", ",") for word in re.split(r"(?<!\\),", given.command) if word)
        if not words:
            raise ValueError(f"{action.name}: runCommand needs input.command")
        if re.search(r"\s", words[0]):
            raise ValueError(f"{action.name}: the first word of input.command has a space in it; commas part words")
        restarts = restarts_what(words, abilities.service)
        args = _args(command=json.dumps(words), restarts=restarts, **common)
        return (Step(action.name, "run", args, reversible=False),)
    if not given.handler:
        raise ValueError(f"{action.name}: runHandler needs input.handler")
    return _handler_steps(action.name, given.handler, given.args, given.path, common, abilities)


def _handler_steps(
    name: str,
    handler: str,
    args: tuple[str, ...],
    path: str,
    common: Mapping[str, str | None],
    abilities: Abilities,
) -> tuple[Step, ...]:
    """A plug-in, or a handler of the Device Client; two of its own are ours too, and can be undone or waited for.

    `default` is the directory of scripts; without a path it is looked for there and then among the programs of PATH,
    where that client looks (`JobEngine::buildCommand`: "Assuming executable is in PATH"). Restarting several services,
    of which this agent's is one, is two steps: a program that is ended half way has not restarted the others.
    """
    for action, reversible in abilities.plug_ins:
        if handler == action:
            return (Step(name, action, _args(args=json.dumps(args), **common), reversible),)
    if handler == "download-file.sh" and len(args) == 2:
        return (Step(name, "download", _args(url=args[0], to=args[1])),)
    if handler == "reboot.sh":
        return (Step(name, "reboot", reversible=False),)
    if not HANDLER_NAME.fullmatch(handler) or handler in (".", ".."):
        raise ValueError(f"{name}: handler {handler[:100]}: no name of a program; where it lies, `path` says")
    where = abilities.scripts if path == "default" else path

    def step(args: tuple[str, ...], restarts: str = "") -> Step:
        told = _args(handler=handler, args=json.dumps(args), path=where, restarts=restarts, **common)
        return Step(name, "run", told, reversible=False)

    if handler == "restart-services.sh":
        services = " ".join(args).split()
        others = [each for each in services if not is_unit(each, abilities.service)]
        if len(others) < len(services):
            ours = step((abilities.service,), restarts="agent")
            return (step((" ".join(others),)), ours) if others else (ours,)
    return (step(args),)


def _old_schema(document: _OldSchema, abilities: Abilities) -> Plan:
    common = {
        "stdout": "true" if document.include_std_out else None,
        "allow_stderr_lines": None if document.allow_std_err is None else str(document.allow_std_err),
    }
    name = document.operation
    steps = _named(iter(_handler_steps(name, name, document.args, document.path, common, abilities)))
    return Plan("", _after_leap(tuple(steps)))


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
