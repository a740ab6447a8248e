"""The things of a job by name, a few at a time: there may be a million, and new ones come while somebody pages.

They are kept in blocks, so that one more moves few others. Who looks puts in what has come since somebody last did.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

BLOCK: Final = 1000
"""So many names in a block; twice as many are two."""
LOOKS: Final = 64
"""So many are put in in one go: a tenth of a millisecond."""


class NamesInOrder:
    """Of `things`, to which others are added at its end only."""

    def __init__(self, things: Sequence[str]) -> None:
        self.things = things
        self._known = 0
        self._blocks: list[list[str]] = [[]]
        self._firsts = [""]
        """What the names of each block are not below."""

    def caught_up(self) -> Iterator[None]:
        """Put in what has come since, with pauses, in which others may do so too."""
        while self._known < len(self.things):
            new = sorted(self.things[self._known : self._known + LOOKS])
            self._known += len(new)
            for name in new:
                self._put(name)
            yield

    def _put(self, name: str) -> None:
        at = bisect_right(self._firsts, name) - 1
        block = self._blocks[at]
        place = bisect_left(block, name)
        if place < len(block) and block[place] == name:
            return
        insort(block, name)
        if len(block) == 2 * BLOCK:
            self._blocks[at : at + 1] = [block[:BLOCK], block[BLOCK:]]
            self._firsts.insert(at + 1, block[BLOCK])

    def some(self, after: str | None, count: int, *, inclusive: bool = False) -> list[str]:
        """The next names after that one, or from it on; None: from the first on."""
        return list(islice(self._names(after or "", inclusive=inclusive), count))

    def _names(self, after: str, *, inclusive: bool) -> Iterator[str]:
        at = bisect_right(self._firsts, after) - 1
        place = (bisect_left if inclusive else bisect_right)(self._blocks[at], after)
        yield from islice(self._blocks[at], place, None)
        for block in islice(self._blocks, at + 1, None):
            yield from block
