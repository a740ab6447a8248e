"""Probes that showed the device once and do not any more, such as a serial line that was pulled out: told, and where.

Looked at when a cell has been played, since that is what they are for: a line that is gone for a moment, as with a
board that is reset, is no loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.certify.probes import Sampling

NOT_JUDGED: Final = "which version runs, and whether the device lives, is not judged by it"


@dataclass(slots=True)
class _Lost:
    """The cells after which a probe showed nothing: how many, the first, and why; and whether it does not now."""

    first: str
    why: str
    cells: int = 0
    is_now: bool = True


class LostProbes:
    """Those of `sampling`; None: there are none. `tell` hears in a sentence when one is lost, or found again."""

    def __init__(self, sampling: Sampling | None, tell: Callable[[str], None]) -> None:
        self._sampling = sampling
        self._tell = tell
        self._showed: set[str] = set()
        self._lost: dict[str, _Lost] = {}

    def look(self, cell: str | None = None) -> None:
        """Look at them after that cell; None: before the first."""
        for text, sample in () if self._sampling is None else self._sampling.each.items():
            if sample.alive is not None:
                self._found(text)
            elif cell is not None and text in self._showed:
                self._loses(text, cell, sample.why)

    def _found(self, text: str) -> None:
        self._showed.add(text)
        if (lost := self._lost.get(text)) is not None and lost.is_now:
            lost.is_now = False
            self._tell(f"the probe {text} shows something again")

    def _loses(self, text: str, cell: str, why: str) -> None:
        lost = self._lost.setdefault(text, _Lost(cell, why, is_now=False))
        lost.cells += 1
        if not lost.is_now:
            lost.is_now = True
            self._tell(f"the probe {text} shows nothing any more: {why}; until it does, {NOT_JUDGED}")

    @property
    def are_all_lost(self) -> bool:
        """Whether none shows anything now, though one did."""
        if self._sampling is None or not self._showed:
            return False
        return all(sample.alive is None for sample in self._sampling.each.values())

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each that was lost: since when, why, and what is not judged for that."""
        return tuple(map(_in_words, self._lost, self._lost.values()))


def _in_words(text: str, lost: _Lost) -> str:
    more = f" and {lost.cells - 1} more" if lost.cells > 1 else ""
    since = f"from {lost.first} on" if lost.is_now else f"in {lost.first}{more}"
    return f"the probe {text} showed nothing {since}: {lost.why}; {NOT_JUDGED} there"
