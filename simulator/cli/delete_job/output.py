"""The output: nothing after a deletion, unless `--query` makes something of nothing; then in five forms.

On a terminal it goes through the pager that the AWS configuration names.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML

from simulator.cli.delete_job.failures import PagerProblem
from simulator.cli.delete_job.table_form import as_table
from simulator.cli.delete_job.text_form import as_text

LESS: Final = "FRX"
"""Quit if it fits on one screen, pass colours through, leave the screen as it was."""
TABLE: Final = "table"
DEFAULT_PAGER: Final = "more" if sys.platform == "win32" else "less"


def check(form: str) -> str:
    """The form, which may come from the configuration. Raises ValueError if there is none of that name."""
    if form != TABLE and form not in FORMS:
        raise ValueError(f"Unknown output type: {form}")
    return form


def render(response: dict[str, Any], form: str, options: argparse.Namespace) -> str:
    """What is printed of a response. Raises ValueError for a table with uneven rows."""
    shown = {name: value for name, value in response.items() if name != "ResponseMetadata"}
    result = shown if options.query is None else options.query.search(shown)
    if form == TABLE:
        return as_table("DeleteJob", result, colour=options.color)
    return FORMS[form](result)


def as_json(result: Any) -> str:
    """Indented; an empty object is no output at all."""
    return "" if result == {} else json.dumps(result, indent=4, ensure_ascii=False) + "\n"


def as_yaml(result: Any) -> str:
    """In blocks; a scalar as in JSON, since YAML would end it with dots."""
    if result == {}:
        return ""
    if not isinstance(result, dict | list):
        return as_json(result)
    text = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.dump(result, text)
    return text.getvalue()


def as_yaml_stream(result: Any) -> str:
    """A list of one response."""
    return "" if result == {} else as_yaml([result])


FORMS: Final[dict[str, Callable[[Any], str]]] = {
    "json": as_json,
    "text": as_text,
    "yaml": as_yaml,
    "yaml-stream": as_yaml_stream,
}


def show(text: str, pager: str | None) -> None:
    """Print `text`, through the pager if stdout is a terminal. Raises PagerProblem.

    Whoever reads it may stop reading at any time.
    """
    if not text:
        return
    with suppress(BrokenPipeError):
        if pager and sys.stdout.isatty():
            with _paged(pager) as process:
                process.communicate(text)
        else:
            sys.stdout.write(text)
            sys.stdout.flush()


@contextmanager
def _paged(pager: str) -> Iterator["subprocess.Popen[str]"]:
    environment = {"LESS": LESS} | os.environ
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own pager, from the user's own configuration
            shlex.split(pager), stdin=subprocess.PIPE, text=True, env=environment
        )
    except FileNotFoundError as error:
        raise PagerProblem(str(error)) from None
    with process:
        yield process
