"""Markdown for a pull request, out of text that a device may have sent: it shows as what it is, and does nothing.

GitHub turns `@name` into a mention and `#1` into a link after it has read the Markdown, from escapes and entities too;
only a character between, or code, stops it. A zero-width space is that character.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from simulator.report.plain import plain

SUMMARY: Final = "summary.md"
LARGEST: Final = 65_000
"""Bytes of a comment: GitHub takes 65,536 characters, and what is posted may get a line before it."""
MEANT: Final = re.compile(r"([\\`*_\[\]<>#~&$!]|^[-+=:]|^\d+(?=[.)](?:\s|$)))")
"""What Markdown and GitHub's mathematics read, anywhere or at the beginning; a backslash before it, or between
the number of an item and what follows, makes it a character like others (CommonMark 0.31, section 2.4).

All but the pipe, which is for `table` to escape: in its cells it ends even a span of code.
"""
ACTIVE: Final = re.compile(r"([@#]|://|www\.|GH-)", re.IGNORECASE)
APART: Final = "\u200b"


def prose(text: str, longest: int = 400) -> str:
    """Text within a sentence or the cell of a table."""
    apart = ACTIVE.sub(lambda found: found[0][0] + APART + found[0][1:], plain(text.strip(), longest))
    return MEANT.sub(lambda found: f"{found[0]}\\" if found[0].isdecimal() else f"\\{found[0]}", apart)


def code(text: str, longest: int = 400) -> str:
    """A span of code."""
    inner = plain(text, longest) or " "
    fence = "`" * (_longest_run(inner) + 1)
    pad = " " if inner[0] in " `" or inner[-1] in " `" else ""
    return f"{fence}{pad}{inner}{pad}{fence}"


def block(lines: Iterable[str], longest: int = 400) -> str:
    """A block of code, a text a line."""
    inner = [plain(line, longest) for line in lines]
    fence = "`" * max(3, _longest_run("\n".join(inner)) + 1)
    return "\n".join((f"{fence}text", *inner, fence))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown."""
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(map(_whole, cells))} |" for cells in lines)


class Page:
    """Paragraphs, as long as they fit into `largest` bytes; what did not is counted."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._left = largest
        self._parts: list[str] = []

    def add(self, part: str, keep: int = 0) -> bool:
        """Add a paragraph, if so many bytes are left after it; whether it was."""
        size = len(part.encode()) + 2
        if size > self._left - keep:
            return False
        self._left -= size
        self._parts.append(part)
        return True

    def add_while(self, parts: Sequence[str], keep: int = 0) -> int:
        """Add paragraphs until one has no room; how many of them are left out."""
        for number, part in enumerate(parts):
            if not self.add(part, keep):
                return len(parts) - number
        return 0

    def text(self) -> str:
        """All of it."""
        return "\n\n".join(self._parts) + "\n"


def _whole(cell: str) -> str:
    return cell.replace("|", r"\|")


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
