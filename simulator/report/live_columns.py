"""The columns of the live table: those that there is room for, and words that fit into them.

Widths only grow, so that a table that is drawn again and again stands still. Where there is too little room, columns
give way from what says least of a device to what says most; what is left of a text that is too long are whole words.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from simulator.report.device_row import Row
from simulator.report.plain import ELLIPSIS

GAP: Final = 2
"""Between two columns."""
NOT_YET: Final = "not connected yet"
AT_WORK: Final = frozenset({"starting", "executing", "trial", "reporting"})
"""States in which a device goes on with what it has in hand."""
STATE_STYLES: Final = {
    "idle": "dim",
    "starting": "cyan",
    "executing": "blue",
    "reporting": "cyan",
    "suspect": "yellow",
    "recovering": "magenta",
    "safe": "bold red",
    "bricked": "bold white on red",
    "crashed": "bold red",
    "off": "red",
    "trial": "blue",
    "offline": "red",
}


class Column(NamedTuple):
    """`of` gives its text of a device, `fitted` makes that fit; `least` and `most` characters it is wide, if any."""

    of: Callable[[Row], str]
    fitted: Callable[[str, int], str]
    least: int
    most: int


def whole_words(text: str, width: int) -> str:
    """As much of a text as fits: of names behind a colon as many as do, and how many more; else as many words."""
    if len(text) <= width:
        return text
    head, colon, listed = text.partition(": ")
    names = listed.split(", ") if colon else []
    for kept in range(len(names) - 1, 0, -1):
        if len(short := f"{head}: {', '.join(names[:kept])}, +{len(names) - kept}") <= width:
            return short
    kept_words = text[:width].rpartition(" ")[0].rstrip(" ,:")
    return f"{kept_words}{ELLIPSIS}" if len(kept_words) > width // 2 else text[: max(width - 1, 0)] + ELLIPSIS


def both_ends(name: str, width: int) -> str:
    """A name, of which the middle gives way: names that begin alike differ at their ends."""
    if len(name) <= width:
        return name
    end = (width - 1) // 2
    return f"{name[: width - 1 - end]}{ELLIPSIS}{name[len(name) - end :]}"


def _knows(row: Row) -> str:
    return row.knows or (NOT_YET if row.state == "offline" else "")


COLUMNS: Final = {
    "device": Column(lambda row: row.thing, both_ends, 6, 24),
    "part": Column(lambda row: row.part, whole_words, 4, 4),
    "namespace": Column(lambda row: row.namespace_id or "default", both_ends, 9, 16),
    "state": Column(lambda row: row.state, whole_words, 10, 10),
    "job": Column(lambda row: row.job, both_ends, 11, 22),
    "step": Column(lambda row: row.step, whole_words, 14, 22),
    "knows": Column(_knows, whole_words, 24, 60),
    "version": Column(lambda row: row.version, both_ends, 7, 16),
    "done": Column(lambda row: str(row.done), both_ends, 4, 8),
}
"""From left to right."""
GIVE_WAY: Final = ("version", "namespace", "done", "job", "knows", "step")
"""Columns that say less before those that say more; a device, its part and its state are always there."""
PART_STYLES: Final = {"good": "green", "bad": "red"}


class Columns:
    """Of one table, which remembers how wide its columns were."""

    def __init__(self) -> None:
        self._widest = {name: column.least for name, column in COLUMNS.items()}

    def table(
        self, rows: Sequence[Row], width: int, ghosts: Collection[str], *, without: Collection[str] = ()
    ) -> Table:
        """A line each, and two above, at most `width` wide; `ghosts` are things that work on what is gone.

        `without` are columns that say nothing in this run.
        """
        for name, column in COLUMNS.items():
            longest = max((len(column.of(row)) for row in rows), default=0)
            self._widest[name] = max(self._widest[name], min(longest, column.most))
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
        widths = self._fitted(width, without)
        for name, wide in widths.items():
            table.add_column(name, width=wide, no_wrap=True, justify="right" if name == "done" else "left")
        for row in rows:
            table.add_row(*(_cell(name, row, wide, row.thing in ghosts) for name, wide in widths.items()))
        return table

    def _fitted(self, width: int, without: Collection[str]) -> dict[str, int]:
        """How wide each column is that there is room for; what a device knows takes less before others give way."""
        widths = {name: wide for name, wide in self._widest.items() if name not in without}
        widths["knows"] = COLUMNS["knows"].least
        for name in GIVE_WAY:
            if _needed(widths) > width:
                widths.pop(name, None)
        if "knows" in widths:
            widths["knows"] = min(self._widest["knows"], widths["knows"] + width - _needed(widths))
        return widths


def _needed(widths: dict[str, int]) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)


def _cell(name: str, row: Row, width: int, is_ghost: bool) -> Text:
    text = COLUMNS[name].fitted(COLUMNS[name].of(row), width)
    if name == "state":
        waits = row.state == "offline" and not row.knows  # it has not been there yet, which is no trouble
        return Text(text, "dim" if waits else STATE_STYLES.get(row.state, ""))
    if name == "part":
        return Text(text, PART_STYLES.get(text, ""))
    if name == "knows" and is_ghost and row.state in AT_WORK:
        return Text(whole_words("not yet: its job is gone", width), "yellow")
    return Text(text)
