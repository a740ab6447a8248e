"""The documents of the AWS IoT Device Client, which the AWS managed templates use, understood as they stand.

(Developer Guide, "Managed template remote actions and job documents".) They are `version` "1.0" with `steps` and
`finalStep` of the types runHandler and runCommand, and the older `operation` with `args`. A program cannot be taken
back, so the first of them is the point of no return. `download-file.sh` and `reboot.sh` are done by our own handlers.

A member that is null or of another type than it should be counts as absent, as that client's parser has it
(aws-iot-device-client, `source/jobs/JobDocument.cpp`: `ValueExists(key) && IsString()`, `IsListType()`,
`IsIntegerType()`); which ones these were, and which nobody reads at all, stands in the plan. In two things we are
stricter: conditions are judged (`agent.documents.conditions`), and a program is named, not pointed at: no handler with
a slash in it.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationInfo
from pydantic.alias_generators import to_camel

from agent.abilities import Abilities
from agent.documents.document import Document, planned, tellable
from agent.documents.restarts import is_unit, restarts_what
from agent.plan import Plan, Step, args_of, in_order

# ── what that client's parser takes for there ─────────────────────────────────────────────────────────────────


def _passed_over(value: object, info: ValidationInfo) -> None:
    """Take down a member that counts as absent; null is how that client writes absence itself."""
    if value is not None and isinstance(info.context, list) and info.field_name is not None:
        info.context.append(to_camel(info.field_name))


def _text(value: object, info: ValidationInfo) -> str:
    if isinstance(value, str):
        return tellable(value)
    _passed_over(value, info)
    return ""


def _words(value: object, info: ValidationInfo) -> tuple[str, ...]:
    """A list; what in it is no text is an empty word (`ParseToVectorString` pushes `AsString()`)."""
    if not isinstance(value, list):
        _passed_over(value, info)
        return ()
    if not all(isinstance(word, str) for word in value):
        _passed_over(value, info)
    return tuple(tellable(word) if isinstance(word, str) else "" for word in value)


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


# ── the documents ─────────────────────────────────────────────────────────────────────────────────────────────


class _Input(Document):
    handler: Text = ""
    args: Words = ()
    command: Text = ""
    path: Text = ""


class _Action(Document):
    name: Annotated[Text, Field(min_length=1, max_length=1024)]
    type: Literal["runHandler", "runCommand"]
    input: Annotated[_Input, BeforeValidator(_members)] = _Input()
    run_as_user: Annotated[Text, Field(pattern=r"^[A-Za-z0-9._-]{0,64}\$?$")] = ""
    allow_std_err: Number = None
    ignore_step_failure: Flag = False


class _ActionOf(Document):
    action: Annotated[_Action, BeforeValidator(_members)]


Actions: TypeAlias = Annotated[
    tuple[_ActionOf, ...], BeforeValidator(_actions), Field(max_length=100, validate_default=True)
]


class _Steps(Document):
    version: Literal["1.0"]
    steps: Actions = ()
    final_step: Annotated[_ActionOf | None, BeforeValidator(_final)] = None
    include_std_out: TrueOrText = False


class _OldSchema(Document):
    operation: Annotated[str, Field(min_length=1)]
    args: Words = ()
    path: Text = ""
    include_std_out: TrueOrText = False
    allow_std_err: Number = None


# ── their plans ───────────────────────────────────────────────────────────────────────────────────────────────

HANDLER_NAME: Final = re.compile(r"[^/\x00-\x1f\x7f]{1,255}")


def read_theirs(value: Mapping[str, Any], abilities: Abilities) -> Plan:
    """The plan of a document of the Device Client's. Raises ValueError; also where it is nobody's."""
    operation, version = value.get("operation"), value.get("version")
    is_plug_in = any(operation == action for action, _ in abilities.plug_ins)
    if isinstance(version, str) and version and not is_plug_in:
        return planned(_Steps, value, lambda document: _steps(document, abilities))
    if isinstance(operation, str):
        return planned(_OldSchema, value, lambda document: _old_schema(document, abilities))
    if "steps" in value:
        raise ValueError('version: where there are steps, it is the text "1.0"')
    raise ValueError("the job document has neither an operation nor steps")


def _steps(document: _Steps, abilities: Abilities) -> Plan:
    actions = [each.action for each in document.steps]
    if document.final_step is not None:
        actions.append(document.final_step.action)
    return Plan("", in_order(step for action in actions for step in _steps_of(action, document, abilities)))


def _steps_of(action: _Action, document: _Steps, abilities: Abilities) -> tuple[Step, ...]:
    given = action.input
    common = {
        "user": action.run_as_user,
        "ignore_failure": "true" if action.ignore_step_failure else None,
        "stdout": "true" if document.include_std_out else None,
        "allow_stderr_lines": action.allow_std_err,
    }
    if action.type == "runCommand":
        words = tuple(word.replace("\\,", ",") for word in re.split(r"(?<!\\),", given.command) if word)
        if not words:
            raise ValueError(f"{action.name}: runCommand needs input.command")
        if re.search(r"\s", words[0]):
            raise ValueError(f"{action.name}: the first word of input.command has a space in it; commas part words")
        restarts = restarts_what(words, abilities.service)
        args = args_of(command=json.dumps(words), restarts=restarts, **common)
        return (Step(action.name, "run", args, reversible=False),)
    if not given.handler:
        raise ValueError(f"{action.name}: runHandler needs input.handler")
    return _handler_steps(action.name, given.handler, given.args, given.path, common, abilities)


def _handler_steps(
    name: str,
    handler: str,
    args: tuple[str, ...],
    path: str,
    common: Mapping[str, str | int | None],
    abilities: Abilities,
) -> tuple[Step, ...]:
    """A plug-in, or a handler of the Device Client; two of its own are ours too, and can be undone or waited for.

    `default` is the directory of scripts; without a path it is looked for there and then among the programs of PATH,
    where that client looks (`JobEngine::buildCommand`: "Assuming executable is in PATH"). Restarting several services,
    of which this agent's is one, is two steps: a program that is ended half way has not restarted the others.
    """
    for action, reversible in abilities.plug_ins:
        if handler == action:
            return (Step(name, action, args_of(args=json.dumps(args), **common), reversible),)
    if handler == "download-file.sh" and len(args) == 2:
        return (Step(name, "download", args_of(url=args[0], to=args[1])),)
    if handler == "reboot.sh":
        return (Step(name, "reboot", reversible=False),)
    if not HANDLER_NAME.fullmatch(handler) or handler in (".", ".."):
        raise ValueError(f"{name}: handler {handler[:100]}: no name of a program; where it lies, `path` says")
    where = abilities.scripts if path == "default" else path

    def step(args: tuple[str, ...], restarts: str = "") -> Step:
        told = args_of(handler=handler, args=json.dumps(args), path=where, restarts=restarts, **common)
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
        "allow_stderr_lines": document.allow_std_err,
    }
    name = document.operation
    return Plan("", in_order(_handler_steps(name, name, document.args, document.path, common, abilities)))
