"""`ghostjob report`: the page of a run, or of a certification, made anew from what was kept of it."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from agent.errors import InputError
from agent.log import configure
from simulator.cli.listing import tell_fault
from simulator.cli.options import SomePath, logging_options
from simulator.exit_codes import ExitCode
from simulator.own_fault import TO_REPORT, in_words

if TYPE_CHECKING:
    from pydantic import BaseModel

    from simulator.page.picture import Picture

    Read = TypeVar("Read", bound=BaseModel)

EXAMPLE = """\b
Examples:
  ghostjob run main --out out
  ghostjob report out
"""


@click.command(epilog=EXAMPLE)
@click.argument("directory", type=SomePath())
@logging_options()
def report(directory: Path, log_format: str, log_level: str) -> int:
    """Write DIRECTORY/report.html anew, and print where it is.

    DIRECTORY is what `--out` named: it has a trace.jsonl and, of a run, a verdict.json, or, of a certification, a
    certificate.json. A run whose verdict.json is not there, or of another version, is judged anew.
    """
    from simulator.page.offline import REPORT, report_html

    configure(log_format, log_level)
    target, partial = directory / REPORT, directory / f"{REPORT}.partial"
    try:
        text = report_html(_picture(directory).whole())
    except InputError:
        raise
    except Exception as error:  # whatever it is: what is there stays
        tell_fault(f"{target}: not made, as ghostjob itself failed: {in_words(error, REPORT)}; {TO_REPORT}")
        return ExitCode.FAULT
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise InputError(f"{target}: cannot be written: {error.strerror}") from None
    click.echo(target)
    return 0


def _picture(directory: Path) -> "Picture":
    from simulator.certify.certificate import Certificate
    from simulator.certify.output import CERTIFICATE
    from simulator.cli.trace import entries_in
    from simulator.engines.output import TRACE, VERDICT
    from simulator.page.picture import Picture
    from simulator.verdict import Judge, Verdict

    certificate = kept(directory / CERTIFICATE, Certificate)
    verdict = kept(directory / VERDICT, Verdict) if certificate is None else None
    judge, entry = Judge(), None
    if verdict is not None and verdict.explored is not None:
        picture = Picture(f"explore {verdict.scenario}", verdict.explored.world, "explore")
    else:
        picture = _named(certificate.thing if certificate else "", verdict.scenario if verdict else directory.name)
    for entry in entries_in(directory / TRACE):
        picture.feed(entry)
        if certificate is None and verdict is None:
            judge.feed(entry)
    if entry is None:
        raise InputError(f"{directory / TRACE}: there is nothing in it")
    if certificate is not None:
        picture.certified(certificate)
    elif verdict is not None or judge.has_begun:
        picture.judged(verdict or judge.verdict(), final=True)
    else:
        picture.over()
    return picture


def _named(thing: str, scenario: str) -> "Picture":
    from simulator.page.picture import Picture

    if thing:
        return Picture(f"certify {thing}", "", "certify")
    return Picture(scenario, about(scenario), "run")


def about(scenario: str) -> str:
    """What a scenario that ships shows; of another, nothing is known."""
    from simulator.scenario import load, shipped

    return load(scenario).about if scenario in shipped() else ""


def kept(path: Path, model: "type[Read]") -> "Read | None":
    """What a file has; None if it is not there, is no file, such as a pipe that nobody fills, or of another version."""
    from pydantic import ValidationError

    if not path.is_file():
        return None
    try:
        return model.model_validate_json(path.read_text("utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        return None
