"""What is wrong with a command line, in our own words: which option, what is allowed, what was perhaps meant.

The same words as for files (`agent.wording`), where click has others.
"""

import re
from collections.abc import Iterable
from typing import Final

import click

from agent.wording import did_you_mean, no_choice

BAD_NUMBER: Final = re.compile(r"(.*) is not (?:a valid |in the range ).*\.", re.DOTALL)
"""How click says that a value is no number, or one out of range."""
TOO_MANY: Final = re.compile(r"Got unexpected extra arguments? \((.*)\)", re.DOTALL)
BAD_CHOICE: Final = re.compile(r"(.*) is not one of .*\.", re.DOTALL)


def in_words(error: click.ClickException, verbs: Iterable[str]) -> str:
    """The error in one sentence that begins with where it is; `verbs` are those that there are."""
    match error:
        case click.NoSuchOption():
            return _no_such_option(error)
        case click.exceptions.NoSuchCommand(command_name=name):
            names = list(verbs)
            return f"{name}: no such verb; there are {', '.join(names)}{did_you_mean(name, names)}"
        case click.MissingParameter(param=click.Parameter() as param):
            allowed = _allowed(param.type)
            return f"{_place(param)}: needed{f'; give {allowed}' if allowed else _help(error)}"
        case click.BadParameter(param=click.Parameter() as param):
            return f"{_place(param)}: {_bad_value(param.type, error.message)}"
        case click.BadOptionUsage(option_name=name):
            takes_none = "does not take" in error.message
            return f"{name}: {'takes no value' if takes_none else 'needs a value'}"
        case click.UsageError() if (found := TOO_MANY.fullmatch(error.message)) is not None:
            return f"{found[1]}: not expected here{_help(error)}"
        case _:
            return error.format_message()


def _help(error: click.UsageError) -> str:
    return "" if error.ctx is None else f"; see `{error.ctx.command_path} --help`"


def _no_such_option(error: click.NoSuchOption) -> str:
    known = [] if error.ctx is None else [name for param in error.ctx.command.params for name in param.opts]
    verb = f" of {error.ctx.command_path}" if error.ctx is not None else ""
    return f"{error.option_name}: no such option{verb}{did_you_mean(error.option_name, known)}"


def _place(param: click.Parameter) -> str:
    return param.opts[0] if isinstance(param, click.Option) else (param.name or "argument").upper()


def _bad_value(kind: click.ParamType[object], message: str) -> str:
    match kind:
        case click.Choice() if (found := BAD_CHOICE.fullmatch(message)) is not None:
            return no_choice(found[1], map(str, kind.choices))
        case click.IntRange() | click.FloatRange() | click.types.IntParamType() | click.types.FloatParamType():
            found = BAD_NUMBER.fullmatch(message)
            return message if found is None else f"give {_allowed(kind)}, not {found[1]}"
        case _:
            return message.rstrip(".")


def _allowed(kind: click.ParamType[object]) -> str:
    """What a value of that type may be."""
    match kind:
        case click.Choice():
            return f"one of {', '.join(map(str, kind.choices))}"
        case click.IntRange() | click.FloatRange():
            noun = "a whole number" if isinstance(kind, click.IntRange) else "a number"
            return f"{noun}{_range(kind)}"
        case click.types.IntParamType():
            return "a whole number"
        case click.types.FloatParamType():
            return "a number"
        case click.Path():
            return "a path"
        case _:
            return ""


def _range(kind: click.IntRange | click.FloatRange) -> str:
    least, most = kind.min, kind.max
    if least is not None and most is not None and not (kind.min_open or kind.max_open):
        return f" from {least:g} to {most:g}" if isinstance(least, float) else f" from {least} to {most}"
    low = "" if least is None else f" {'above' if kind.min_open else 'from'} {least:g}"
    high = "" if most is None else f" {'below' if kind.max_open else 'up to'} {most:g}"
    return f"{low}{high}" + (" on" if low and not high and not kind.min_open else "")
