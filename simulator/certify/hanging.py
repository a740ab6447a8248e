"""A line on a terminal that is too narrow for it: it goes on below where what it says began."""

import re
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

HEAD: Final = re.compile(r"(?:[^ ]+(?: [^ ]+)*)? {2,}(?:> )?|> ")
"""What it begins with: an indentation, or a name and the space that sets it apart."""


def hanging(line: Text) -> RenderableType:
    """The line, as it is to be printed there."""
    head = HEAD.match(line.plain)
    if head is None:
        return line
    grid = Table.grid()
    grid.add_column(width=head.end())
    grid.add_column(overflow="fold")
    grid.add_row(line[: head.end()], line[head.end() :])
    return grid
