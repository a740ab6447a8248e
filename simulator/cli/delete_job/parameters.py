"""What is sent: the command line's arguments, files that they name, and the input that they override."""

import argparse
import json
from collections.abc import Callable
from os.path import expanduser, expandvars
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from simulator.cli.delete_job.failures import InputProblem

MEMBERS: Final = {"job_id": "jobId", "force": "force", "namespace_id": "namespaceId"}
"""The command line's names, and the service model's."""
INPUTS: Final = {"cli_input_json": "cli-input-json", "cli_input_yaml": "cli-input-yaml"}


def parameters(given: argparse.Namespace) -> dict[str, Any]:
    """The members of DeleteJob's input, not yet validated. Raises InputProblem."""
    own = {member: _loaded(f"--{name.replace('_', '-')}", getattr(given, name)) for name, member in MEMBERS.items()}
    inputs = {name: _loaded(f"--{INPUTS[name]}", getattr(given, name)) for name in INPUTS}
    named = [name for name, text in inputs.items() if text is not None]
    if len(named) > 1:
        raise InputProblem("Only one --cli-input- parameter may be specified.")
    read = _read(named[0], inputs[named[0]]) if named else {}
    return read | {member: value for member, value in own.items() if value is not None}


def _read(name: str, text: str | bytes) -> dict[str, Any]:
    read, language, problems = READERS[name]
    try:
        value = read(text)
    except problems:
        raise InputProblem(f"Error parsing parameter '{INPUTS[name]}': Invalid {language} received.") from None
    if not isinstance(value, dict):
        message = f"Invalid type: expecting map, received {type(value)}"
        raise InputProblem(f"Error parsing parameter '--{INPUTS[name]}': {message}")
    return value


def _yaml(text: str | bytes) -> Any:
    """YAML 1.2, in which `yes` and `on` are words: no job is force-deleted for one."""
    return YAML(typ="safe", pure=True).load(text)


READERS: Final[dict[str, tuple[Callable[[str | bytes], Any], str, tuple[type[Exception], ...]]]] = {
    "cli_input_json": (json.loads, "JSON", (ValueError,)),
    "cli_input_yaml": (_yaml, "YAML", (YAMLError,)),
}


def _loaded(option: str, value: Any) -> Any:
    """`value`, or what is in the file that it names."""
    if not isinstance(value, str):
        return value
    scheme, found, path = value.partition("://")
    if not found or scheme not in ("file", "fileb"):
        return value
    path = expandvars(expanduser(path))
    try:
        with open(path, "rb" if scheme == "fileb" else "r") as file:  # in the locale's encoding, as the AWS CLI has it
            return file.read()
    except UnicodeDecodeError:
        message = (
            f"Unable to load paramfile ({path}), text contents could not be decoded.  If this is a binary file, "
            "please use the fileb:// prefix instead of the file:// prefix."
        )
    except OSError as error:
        message = f"Unable to load paramfile {value}: {error}"
    raise InputProblem(f"Error parsing parameter '{option}': {message}")
