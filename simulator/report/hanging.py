"""A line on a terminal that is too narrow for it: it goes on below where what it says began."""

import re
from typing import Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

HEAD: Final = re.compile(r"(?:[^ ]+(?: [^ ]+)*)? {2,}(?:> )?|> ")
"""What it begins with: an indentation, or a name and the space that sets it apart."""


def hanging(line: Text, depth: int | None = None) -> RenderableType:
    """The line, as it is to be printed there; `depth` is how long what it begins with is, if that is known."""
    if depth is None:
        head = HEAD.match(line.plain)
        depth = head.end() if head else 0
    if not depth:
        return line
    grid = Table.grid()
    grid.add_column(width=depth)
    grid.add_column(overflow="fold")
    grid.add_row(line[:depth], line[depth:])
    return grid


def say(console: Console, line: str, depth: int | None = None) -> None:
    """Print a line as it stands; on a terminal it breaks between words, in a file not at all."""
    if console.is_terminal:
        console.print(hanging(Text(line), depth))
    else:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
