"""Lines for grep, which a terminal that is too narrow breaks between words: a list of names and what each is, a line
that begins with a name, the problem that ended a verb.
"""

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

import click

INDENT: Final = 4
LEAST: Final = 20
"""Columns for the text, however narrow the terminal is."""


def print_list(rows: Sequence[tuple[str, str]]) -> None:
    """Print it to stdout."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines(rows, columns):
        click.echo(line)


def talk(line: str, depth: int = 0) -> None:
    """Print a line to stderr; on a terminal it goes on below its character `depth`."""
    columns = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    click.echo(broken(line, columns, depth), err=True)


def tell_fault(sentence: str) -> None:
    """Print to stderr what a fault of ghostjob's own costs, where that is not all that was asked for."""
    talk(f"ghostjob: {sentence}")


def broken(line: str, columns: int | None, depth: int) -> str:
    """The line as it stands on a terminal of so many columns; None: not on one."""
    if columns is None or len(line) <= columns:
        return line
    below = " " * depth if columns - depth >= LEAST else ""
    return textwrap.fill(line, max(columns, LEAST), subsequent_indent=below, break_on_hyphens=False)


def lines(rows: Sequence[tuple[str, str]], columns: int | None) -> Iterator[str]:
    """The lines on a terminal of so many columns; None: not on one."""
    width = max((len(name) for name, _ in rows), default=0)
    if columns is None or all(width + 2 + len(text) <= columns for _, text in rows):
        yield from (f"{name:<{width}}  {text}" for name, text in rows)
        return
    for name, text in rows:
        yield name.rstrip()
        yield textwrap.indent(textwrap.fill(text, max(columns - INDENT, LEAST)), " " * INDENT)
