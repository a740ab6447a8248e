"""A line on a terminal that is too narrow for it: it goes on below where what it says began."""

import re
from typing import Final

from rich.console import RenderableType
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
