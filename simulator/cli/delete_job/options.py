"""The options of `aws iot delete-job`, and how its command line is taken apart.

It is taken apart twice, as the AWS CLI does it: options that every command has are picked out first, wherever they
stand and however they are abbreviated; what is left belongs to the command. Who knows the AWS CLI meets no surprise,
down to the wording: argparse's own, with its lists of choices.
"""

import argparse
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any, Final, NoReturn

PROGRAM: Final = "ghostjob delete-job"
USAGE: Final = f"{PROGRAM} [options]\nTo see help text, you can run:\n\n  {PROGRAM} --help\n"


class UsageProblem(Exception):  # noqa: N818 - named for what it is: the caller's
    """The command line cannot be understood; the text is what is printed."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `stores` is what naming it means, for those that take no value; `choices` are all it may be."""

    name: str
    help: str
    stores: bool | None = None
    choices: tuple[str, ...] = ()
    into: str | None = None
    default: Any = None
    required: bool = False
    alone_means: str | None = None
    """The value it has when it is given without one; None if it needs one."""

    @property
    def flag(self) -> str:
        """As it is typed."""
        return f"--{self.name}"

    @property
    def destination(self) -> str:
        """Its attribute in what parsing gives."""
        return self.into or self.name.replace("-", "_")


COMMAND_OPTIONS: Final = (
    Option("job-id", "The job to delete.", required=True),
    Option("force", "Delete it even if it is IN_PROGRESS.", stores=True),
    Option("no-force", "Delete it only if it is COMPLETED or CANCELED (the default).", stores=False, into="force"),
    Option("namespace-id", "The namespace of a job that was created in one."),
    Option("cli-input-json", "Arguments as JSON, or file://PATH; those on the command line win."),
    Option("cli-input-yaml", "The same as YAML; not together with --cli-input-json."),
    Option(
        "generate-cli-skeleton",
        "Send nothing; print an example of the input (input, yaml-input) or of the output.",
        choices=("input", "output", "yaml-input"),
        alone_means="input",
    ),
)
GLOBAL_OPTIONS: Final = (
    Option("debug", "Log what happens, to stderr.", stores=True, default=False),
    Option("endpoint-url", "Where the service is, if not at AWS."),
    Option("no-verify-ssl", "Do not verify the service's certificate.", stores=False, into="verify_ssl", default=True),
    Option("no-paginate", "Of no effect here: there are no pages.", stores=False, into="paginate", default=True),
    Option("output", "The form of the output.", choices=("json", "text", "table", "yaml", "yaml-stream")),
    Option("query", "A JMESPath expression for the output."),
    Option("profile", "A profile of your AWS configuration."),
    Option("region", "The region, instead of the configured one."),
    Option("color", "Colours in tables.", choices=("on", "off", "auto"), default="auto"),
    Option(
        "no-sign-request", "Do not sign; credentials are not loaded.", stores=False, into="sign_request", default=True
    ),
    Option("ca-bundle", "The CA certificates to verify with."),
    Option("cli-read-timeout", "Seconds to wait for an answer, 60 by default; 0 for ever.", into="read_timeout"),
    Option("cli-connect-timeout", "Seconds to wait for a connection, the same.", into="connect_timeout"),
    Option("cli-binary-format", "Of no effect here: there are no blobs.", choices=("base64", "raw-in-base64-out")),
    Option("no-cli-pager", "Do not page the output.", stores=True, default=False),
    Option("cli-auto-prompt", "Ask for the arguments on the terminal.", stores=True, default=False),
    Option("no-cli-auto-prompt", "Do not, whatever the configuration says.", stores=True, default=False),
)
VERSION: Final = Option("version", "Print the version.", stores=True)


def parse_everywhere(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options that every command has, by `Option.destination`, and what is left for this one.

    Raises UsageProblem; prints the version and exits if that is asked for.
    """
    parser = _Parser(GLOBAL_OPTIONS)
    parser.add_argument(VERSION.flag, action="version", version=version_line())
    return parser.parse_known_args(arguments)


def parse_here(arguments: list[str]) -> argparse.Namespace:
    """The options of this command, by `Option.destination`. Raises UsageProblem."""
    parser = _Parser(COMMAND_OPTIONS, nothing_required=_is_filled_elsewhere(arguments))
    parser.add_argument("unexpected", nargs="?")
    given, unknown = parser.parse_known_args(arguments)
    if given.unexpected is not None:
        unknown.append(given.unexpected)
    if unknown:
        raise UsageProblem(f"usage: {USAGE}\nUnknown options: {', '.join(unknown)}\n")
    return given


def version_line() -> str:
    """What `--version` prints."""
    ours, botocores = version("ghostjob"), version("botocore")
    return f"ghostjob/{ours} Python/{platform.python_version()} {platform.system()} botocore/{botocores}"


def _is_filled_elsewhere(arguments: list[str]) -> bool:
    """Whether `--job-id` may be missing: it is in the input, or nothing is sent. Only the full names count."""
    skeleton = "--generate-cli-skeleton"
    if skeleton in arguments and arguments[arguments.index(skeleton) + 1 :][:1] != ["output"]:
        return True
    return "--cli-input-json" in arguments or "--cli-input-yaml" in arguments


class _Parser(argparse.ArgumentParser):
    def __init__(self, options: Sequence[Option], *, nothing_required: bool = False) -> None:
        super().__init__(prog=PROGRAM, usage=USAGE, add_help=False, formatter_class=argparse.RawTextHelpFormatter)
        for option in options:
            self._add(option, option.required and not nothing_required)

    def _add(self, option: Option, required: bool) -> None:
        if option.stores is not None:
            action = "store_true" if option.stores else "store_false"
            self.add_argument(option.flag, dest=option.destination, action=action, default=option.default)
            return
        more: dict[str, Any] = {} if option.alone_means is None else {"nargs": "?", "const": option.alone_means}
        self.add_argument(
            option.flag,
            dest=option.destination,
            type=_one_of(option.choices) if option.choices else str,
            default=option.default,
            required=required,
            **more,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageProblem(f"{self.format_usage()}\n{self.prog}: error: {message}\n")


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value in choices:
            return value
        pairs = [choices[at : at + 2] for at in range(0, len(choices), 2)]
        lines = [" | ".join(f"{choice:<40}" for choice in pair) for pair in pairs]
        told = ["Invalid choice, valid choices are:\n", *lines]
        if close := get_close_matches(value, choices, cutoff=0.8):
            told.append(f"\n\nInvalid choice: {value!r}, maybe you meant:\n")
            told.extend(f"  * {choice}" for choice in close)
        raise argparse.ArgumentTypeError("\n".join(told))

    return check
