"""Text that a device may have sent, made fit for every reader: one line, bounded, of characters that can be seen.

XML has no place for most control characters, UTF-8 none for half a surrogate pair, and a terminal obeys escapes.
"""

from typing import Final

LONGEST: Final = 400
"""Characters of one excerpt."""
ELLIPSIS: Final = "…"


def plain(text: str, longest: int = LONGEST) -> str:
    """The text in one line of at most so many characters; what cannot be seen stands as its escape, such as `\\x1b`."""
    if len(text) <= longest and text.isprintable():
        return text
    seen = "".join(each if each.isprintable() else _escaped(each) for each in text[:longest])
    return seen if len(text) <= longest and len(seen) <= longest else seen[: longest - 1] + ELLIPSIS


def first_line(text: str) -> str:
    """What a text of several lines begins with, as a sentence of its own."""
    return text.strip().partition("\n")[0].rstrip(" :")


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
