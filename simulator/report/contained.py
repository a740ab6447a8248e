"""A live table, and what happened last, whose faults cost nothing but themselves: they lie in a play's own way.

After a fault of ghostjob's own the table says so instead of what it showed, and the verdict is told without the
entries around it. What is played, judged and kept goes on.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from simulator.own_fault import TO_REPORT, in_words
from simulator.report.live_table import LiveTable
from simulator.report.recent import Recent
from simulator.trace import Entry

STOPPED: Final = "The table stopped here: ghostjob itself failed while drawing it. All else goes on."

Tell = Callable[[str], None]


class ContainedTable(LiveTable):
    """`tell` hears of the first fault, in a sentence."""

    def __init__(
        self,
        title: str,
        namespaces: dict[str, str | None],
        keys: str = "",
        parts: Mapping[str, str] | None = None,
        *,
        tell: Tell,
    ) -> None:
        super().__init__(title, namespaces, keys, parts)
        self._tell_fault = tell
        self._has_stopped = False

    def _stop(self, error: Exception) -> None:
        if not self._has_stopped:
            self._has_stopped = True
            why = in_words(error, "drawing the table")
            self._tell_fault(f"the table stopped, as ghostjob itself failed: {why}; all else goes on; {TO_REPORT}")

    def feed(self, entry: Entry) -> None:
        """See LiveTable."""
        if self._has_stopped:
            return
        try:
            super().feed(entry)
        except Exception as error:  # whatever it is: who feeds it plays on
            self._stop(error)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Down to the last segment, since nobody else contains what its parts may raise."""
        if not self._has_stopped:
            try:
                return list(console.render(self.drawn(console, options), options))
            except Exception as error:  # whatever it is: the play goes on
                self._stop(error)
        return [Text(STOPPED, "bold red")]


class ContainedRecent(Recent):
    """`tell` hears of the first fault, in a sentence."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell_fault = tell
        self._has_stopped = False

    def _stop(self, error: Exception) -> None:
        if not self._has_stopped:
            self._has_stopped = True
            why = in_words(error, "keeping what happened last")
            then = "the verdict is told without the entries around it"
            self._tell_fault(f"what happened last is lost, as ghostjob itself failed: {why}; {then}; {TO_REPORT}")

    def feed(self, entry: Entry) -> None:
        """See Recent."""
        if self._has_stopped:
            return
        try:
            super().feed(entry)
        except Exception as error:  # whatever it is: who feeds it plays on
            self._stop(error)

    def entries_of(self, thing: str) -> Iterator[Entry]:
        """See Recent; nothing, if it has stopped."""
        if not self._has_stopped:
            yield from super().entries_of(thing)
