"""Dangerous moments that the wire does not show: a line that the device's process prints, named by its owner.

    --step 'erasing sector'      moment said-1: cells said-1/calm and said-1/power

A pattern is searched in each line of output. What it finds is told in the trace as a fault of that name would be, so
that a deletion, or a power cut, can wait for it.
"""

import time
from collections import deque
from collections.abc import Sequence
from typing import Final

import regex

from agent.errors import InputError
from agent.log import get_logger
from simulator.certify.cell import Cell, row
from simulator.certify.conditions import POWER_SECONDS
from simulator.certify.draft import PATIENCE_SECONDS, Draft, Move
from simulator.scenario import Place, PowerCut, When
from simulator.trace import FaultStruck, Recorder, Sink

SOURCE: Final = "output"
"""Of the trace's entries."""
MOST: Final = 16
"""Patterns of one session."""
MOST_A_SECOND: Final = 50
"""Times that one is told: who prints it all the time has told nothing more by that."""


MATCH_SECONDS: Final = 0.1
"""A pattern that takes longer for a line is given up for that line: all else waits for it."""


class Moments:
    """What `patterns` find in a device's output goes to `sink`. Raises InputError for what is no pattern."""

    def __init__(self, thing: str, patterns: Sequence[str], sink: Sink) -> None:
        if len(patterns) > MOST:
            raise InputError(f"--step: {len(patterns)} patterns, of {MOST} at most")
        self._thing = thing
        self._patterns = {name_of(index): _compiled(text) for index, text in enumerate(patterns)}
        self._record = Recorder(SOURCE, time.monotonic, sink)
        self._told: dict[str, deque[float]] = {name: deque(maxlen=MOST_A_SECOND) for name in self._patterns}
        self.seen: set[str] = set()
        """Names of those that came at all."""

    def why_not(self, name: str) -> str | None:
        """Why there is nothing to play of a moment of that name; None if it came, or is none of these."""
        if name in self.seen or (pattern := self._patterns.get(name)) is None:
            return None
        return f"while it did its first job it printed no line with {pattern.pattern[:60]}"

    def line(self, line: str) -> None:
        """The device printed a line."""
        for name, pattern in self._patterns.items():
            if _is_in(line, pattern):
                self.seen.add(name)
                self._tell(name)

    def _tell(self, name: str) -> None:
        told, now = self._told[name], time.monotonic()
        if len(told) < MOST_A_SECOND or now - told[0] > 1:
            told.append(now)
            self._record(FaultStruck(self._thing, name, "seen", "output"))


def name_of(index: int) -> str:
    """What the moment of a pattern is called."""
    return f"said-{index + 1}"


def cells_of(patterns: Sequence[str]) -> tuple[Cell, ...]:
    """The cells of these moments."""
    return tuple(cell for index, text in enumerate(patterns) for cell in _cells(name_of(index), text))


def _cells(name: str, pattern: str) -> tuple[Cell, ...]:
    shown = f"as it prints a line with {pattern[:60]}"
    return (
        row(
            f"{name}/calm",
            "default",
            _said(name),
            shows=f"the job is deleted {shown}",
            mistake="what was begun at this moment is left as it is",
        ),
        row(
            f"{name}/power",
            "default",
            _said(name),
            _power_cut(name),
            shows=f"the power goes {shown}, and the job meanwhile",
            mistake="what was begun at this moment is left as it is",
            needs=("power",),
        ),
    )


def _said(name: str) -> Move:
    def move(draft: Draft) -> Draft:
        learned = draft.learned
        drawn = draft.but(when=When(fault=name), at_seconds=learned.take_seconds + learned.work_seconds / 2)
        return drawn.but(moments=(name,)).reaching(Place(place="fault-struck", job=draft.lost.id, fault=name))

    return move


def _power_cut(name: str) -> Move:
    def move(draft: Draft) -> Draft:
        cuts = (PowerCut(fault=name, off_seconds=POWER_SECONDS),)
        later = round(POWER_SECONDS / 3, 3)
        return draft.but(power_cuts=cuts, when=When(fault=name, later_seconds=later)).taking(
            POWER_SECONDS, PATIENCE_SECONDS
        )

    return move


def _is_in(line: str, pattern: "regex.Pattern[str]") -> bool:
    try:
        return pattern.search(line, timeout=MATCH_SECONDS) is not None
    except TimeoutError:
        get_logger("ghostjob.certify").warning("step.pattern_slow", pattern=pattern.pattern[:80], line=line[:80])
        return False


def _compiled(text: str) -> "regex.Pattern[str]":
    try:
        return regex.compile(text)
    except regex.error as error:
        raise InputError(f"--step {text}: no regular expression: {error}") from None
