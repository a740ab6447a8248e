"""`--output table`: boxes of dashes and bars, one a section, each nested one bar deeper.

A section that would be wider than the terminal and has one row stands upright: names left, values right.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from unicodedata import east_asian_width

WIDTH: Final = 80
"""Of a terminal that does not tell its own."""
PADDING: Final = 4
BLUE, YELLOW, PLAIN = "\x1b[1m\x1b[34m", "\x1b[2m\x1b[33m", "\x1b[0m"


@dataclass(slots=True)
class Section:
    """A title, perhaps a line of names, and rows of as many cells; `depth` is how far inside others it stands."""

    title: str
    depth: int
    names: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def add(self, cells: Sequence[Any]) -> None:
        """Add a row. Raises ValueError if it has more or fewer cells than what is there."""
        first = self.names or (self.rows[0] if self.rows else cells)
        if len(cells) != len(first):
            raise ValueError(f"Row should have {len(first)} elements, instead it has {len(cells)}")
        self.rows.append([str(cell) for cell in cells])

    def widths(self) -> list[int]:
        """What each column needs, padded."""
        lines = [self.names, *self.rows] if self.names else self.rows
        return [max(_width(cell) for cell in column) + PADDING for column in zip(*lines, strict=True)]

    def width(self) -> int:
        """What the section needs, the bars of those around it included."""
        return max(_width(self.title), sum(self.widths())) + 2 + 2 * self.depth

    def upright(self) -> "Section":
        """Names and values side by side, if there is but one row."""
        if len(self.rows) != 1 or not self.names:
            return self
        pairs = [[name, value] for name, value in zip(self.names, self.rows[0], strict=True)]
        return Section(self.title, self.depth, rows=pairs)


def as_table(title: str, result: Any, *, colour: str) -> str:
    """The whole output; nothing of an empty result. `colour` is on, off or auto. Raises ValueError."""
    sections: list[Section] = []
    _gather(sections, title, result, 0)
    if not sections:
        return ""
    width = max(section.width() for section in sections)
    if width > _terminal_width():
        sections = [section.upright() for section in sections]
        width = max(section.width() for section in sections)
    painted = colour == "on" or (colour == "auto" and sys.stdout.isatty())
    lines = ["-" * width]
    for section in sections:
        lines += _drawn(section, width - 2 * section.depth, painted)
    return "".join(f"{line}\n" for line in lines)


# ── what goes where ───────────────────────────────────────────────────────────────────────────────────────────


def _gather(sections: list[Section], title: str | None, value: Any, depth: int) -> None:
    if not value:
        return
    if title is not None:
        sections.append(Section(title, depth))
    if isinstance(value, dict):
        _gather_object(sections, value, depth)
    elif isinstance(value, list) and isinstance(value[0], dict):
        _gather_objects(sections, value, title, depth)
    elif isinstance(value, list):
        for item in value:
            if not _is_nested(item):
                sections[-1].add([item])
            elif not any(_is_nested(each) for each in item):
                sections[-1].add(list(item))
            else:
                _gather(sections, None, item, 0)


def _gather_object(sections: list[Section], value: dict[str, Any], depth: int) -> None:
    plain = sorted(name for name in value if not _is_nested(value[name]))
    if len(plain) == 1:
        sections[-1].add([plain[0], value[plain[0]]])
    elif plain:
        sections[-1].names = plain
        sections[-1].add([value[name] for name in plain])
    for name in sorted(name for name in value if _is_nested(value[name])):
        _gather(sections, name, value[name], depth + 1)


def _gather_objects(sections: list[Section], values: list[dict[str, Any]], title: str | None, depth: int) -> None:
    """One row an object; a section an object if anything is nested in any of them."""
    plain = sorted({name for value in values for name in value if not _is_nested(value[name])})
    nested = sorted({name for value in values for name in value if _is_nested(value[name])})
    sections[-1].names = plain
    for index, value in enumerate(values):
        if index and nested:
            sections.append(Section(title or "", depth, plain))
        sections[-1].add([value.get(name, "") for name in plain])
        for name in nested:
            if name in value:
                _gather(sections, name, value[name], depth + 1)


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | dict)


# ── drawing ───────────────────────────────────────────────────────────────────────────────────────────────────


def _drawn(section: Section, width: int, painted: bool) -> list[str]:
    lines = []
    if section.title:
        lines.append(_centred(section.title, width))
        if not section.names and not section.rows:
            lines.append(f"+{'-' * (width - 2)}+")
    columns = _stretched(section.widths(), width)
    rule = "".join(f"{'-' * (column - 1)}+" for column in columns).replace("-", "+", 1)
    if section.names:
        lines += [rule, _line(_centred, section.names, columns)]
    if columns and section.rows:
        place = _left_painted if painted else _left
        lines += [rule, *(_line(place, row, columns) for row in section.rows), rule]
    bars = (f"{YELLOW}|{PLAIN}" if painted else "|") * section.depth
    return [f"{bars}{line}{bars}" for line in lines]


def _line(place: Callable[[str, int, str], str], cells: list[str], columns: list[int]) -> str:
    """Cells side by side: each has its right edge, the first its left one too."""
    edges = ["|", *[""] * (len(cells) - 1)]
    return "".join(place(*each) for each in zip(cells, columns, edges, strict=True))


def _centred(text: str, width: int, edge: str = "|") -> str:
    left = width // 2 - _width(text) // 2 - 1
    right = width - len(edge) - left - _width(text) - 1
    return f"{edge}{' ' * left}{text}{' ' * right}|"


def _left(text: str, width: int, edge: str) -> str:
    return _left_aligned(text, width, edge, text)


def _left_painted(text: str, width: int, edge: str) -> str:
    return _left_aligned(text, width, edge, f"{BLUE}{text}{PLAIN}")


def _left_aligned(text: str, width: int, edge: str, shown: str) -> str:
    room = width - _width(text) - len(edge) - 1
    left = 2 if room >= 2 else 0
    return f"{edge}{' ' * left}{shown}{' ' * (room - left)}|"


def _stretched(widths: list[int], total: int) -> list[int]:
    """The columns' widths in the same proportions, so that they fill `total`; what rounding left over, one by one."""
    if not widths:
        return widths
    stretched = [round(total / sum(widths) * width) for width in widths]
    while off := sum(stretched) - total:
        step, order = (-1, range(len(widths))) if off > 0 else (1, range(len(widths) - 1, -1, -1))
        for index in list(order)[: abs(off)]:
            stretched[index] += step
    return stretched


def _width(text: str) -> int:
    """In columns of a terminal: wide characters, and those that may be, take two."""
    return sum(2 if east_asian_width(character) in "WFA" else 1 for character in text)


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return WIDTH
