"""`ghostjob trace`: what happened in a run, in words."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.errors import InputError
from simulator.cli.options import SomePath
from simulator.engines.output import TRACE

if TYPE_CHECKING:
    from simulator.trace import Entry

EXAMPLE = """\b
Examples:
  ghostjob trace out
  ghostjob trace out --thing thing-0 --job fw
  ghostjob trace out device/thing-0#36
"""


@click.command(epilog=EXAMPLE)
@click.argument("file", type=SomePath())
@click.argument("entry_id", metavar="[ID]", required=False)
@click.option("--thing", "things", multiple=True, help="Only what is about this thing; may be repeated.")
@click.option("--job", "jobs", multiple=True, help="Only what is about this job; may be repeated.")
def trace(file: Path, entry_id: str | None, things: tuple[str, ...], jobs: tuple[str, ...]) -> int:
    """Print a trace in words, a line an entry: FILE is a trace.jsonl, or the directory that has it.

    With an ID, as verdicts name it: that entry, what stands next to it in the same account, and what it caused or was
    caused by, in any. Seconds are on the clock of whoever says it, and compare with no other's.
    """
    path = file / TRACE if file.is_dir() else file
    if entry_id is None:
        _print_all(path, things, jobs)
    elif things or jobs:
        raise InputError("trace: give an ID, or --thing and --job, not both")
    else:
        _print_one(path, entry_id)
    return 0


def _print_all(path: Path, things: tuple[str, ...], jobs: tuple[str, ...]) -> None:
    from simulator.report.causality import is_about_job, is_about_thing
    from simulator.report.words import told

    is_empty = True
    for entry in entries_in(path):
        of_thing = not things or any(is_about_thing(entry, thing) for thing in things)
        if of_thing and (not jobs or any(is_about_job(entry, job) for job in jobs)):
            click.echo(told(entry))
            is_empty = False
    if is_empty and (things or jobs):
        what = " and ".join(f"{' or '.join(names)}" for names in (things, jobs) if names)
        raise InputError(f"{path}: nothing in it is about {what}")


def _print_one(path: Path, entry_id: str) -> None:
    from simulator.report.causality import surroundings
    from simulator.report.words import told

    found = surroundings(_entry(path, entry_id), entries_in(path))
    for entry in found.before:
        click.echo(f"  {told(entry)}")
    click.echo(f"> {told(found.entry)}")
    for entry in found.after:
        click.echo(f"  {told(entry)}")
    if found.linked:
        click.echo("linked by cause:")
    for entry in found.linked:
        click.echo(f"  {told(entry)}")


def _entry(path: Path, entry_id: str) -> "Entry":
    """The entry of that id. Raises InputError that names what there is."""
    last: dict[str, int] = {}
    for entry in entries_in(path):
        if entry.id == entry_id:
            return entry
        last[entry.source] = entry.n
    source = entry_id.rpartition("#")[0]
    if source in last:
        raise InputError(f"{path}: no entry {entry_id}; {source} has #1 to #{last[source]}")
    close = get_close_matches(source or entry_id, last, 1) or list(last)[:1]
    example = f"; did you mean {close[0]}#1 to #{last[close[0]]}?" if close else ", nor any other"
    raise InputError(f"{path}: no entry {entry_id}{example}")


def entries_in(path: Path) -> Iterator["Entry"]:
    """Every entry of a file. Raises InputError."""
    from simulator.trace import read

    try:
        lines = path.open(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; `ghostjob run --out DIR` writes one") from None
    with lines:
        try:
            yield from read(lines, str(path))
        except UnicodeDecodeError:
            raise InputError(f"{path}: not UTF-8 text, so no ghostjob trace") from None
