"""A list of names and what each is: a line each, for grep; on a terminal too narrow for it, what it is goes below."""

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


def lines(rows: Sequence[tuple[str, str]], columns: int | None) -> Iterator[str]:
    """The lines on a terminal of so many columns; None: not on one."""
    width = max((len(name) for name, _ in rows), default=0)
    if columns is None or all(width + 2 + len(text) <= columns for _, text in rows):
        yield from (f"{name:<{width}}  {text}" for name, text in rows)
        return
    for name, text in rows:
        yield name.rstrip()
        yield textwrap.indent(textwrap.fill(text, max(columns - INDENT, LEAST)), " " * INDENT)
