"""Markdown on a terminal, or as plain text of eighty columns, in which tables lose nothing."""

import re
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.table import Column, Table
from rich.text import Text

COLUMNS: Final = 80
"""Of what is no terminal."""
WIDEST: Final = 100
"""Longer lines are hard to read."""


BESIDE_A_COLUMN: Final = 2
LONGEST_HEAD: Final = 20
CROWDED: Final = 10
"""Columns that a table must have beyond its longest words, to be read with ease."""


class _Table(TableElement):
    """Words stay whole, where rich's own cuts them off; what has no room for that becomes a list of its rows."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        (table,) = super().__rich_console__(console, options)
        assert isinstance(table, Table)
        least = [max(map(_longest_word, _cells(column))) for column in table.columns]
        most = [max(len(cell.plain) for cell in _cells(column)) for column in table.columns]
        spare = options.max_width - sum(least) - BESIDE_A_COLUMN * len(least)
        wanted = sum(most) - sum(least)
        if spare < min(CROWDED, wanted):
            yield _as_list(table)
            return
        for column, low, high in zip(table.columns, least, most, strict=True):
            column.width = high if wanted <= spare else low + spare * (high - low) // wanted
        yield table


def _cells(column: Column) -> list[Text]:
    return [cell for cell in (column.header, *column.cells) if isinstance(cell, Text)]


def _longest_word(cell: Text) -> int:
    return max(map(len, cell.plain.split()), default=0)


def _as_list(table: Table) -> Table:
    """Row by row, the head of each column beside its cell."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(max_width=LONGEST_HEAD)
    rows.add_column(overflow="fold")
    for row in zip(*(column.cells for column in table.columns), strict=True):
        rows.add_row()
        for column, cell in zip(table.columns, row, strict=True):
            if str(cell):
                rows.add_row(column.header, cell)
    return rows


class _Markdown(Markdown):
    elements = Markdown.elements | {"table_open": _Table}


def rendered(text: str) -> str:
    """How stdout is to show it."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDEST) if console.is_terminal else COLUMNS
    with console.capture() as captured:
        console.print(_Markdown(text, hyperlinks=False))
    return captured.get() if console.is_terminal else re.sub(r" +$", "", captured.get(), flags=re.MULTILINE)
