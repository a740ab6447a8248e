"""How far a play has come, by the executions that are over: a number, or a bar on the terminal."""

from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from simulator.trace import TERMINAL, Entry, ExecutionChanged, ExecutionRemoved

COUNTED: Final = frozenset({ExecutionChanged, ExecutionRemoved})
"""What is looked at for that."""


class Over:
    """How many executions are over: ended, or removed before that."""

    def __init__(self) -> None:
        self.over = 0

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        match entry.event:
            case ExecutionChanged(status=status) if status in TERMINAL:
                self._one_is_over()
            case ExecutionRemoved(status=status) if status not in TERMINAL:
                self._one_is_over()
            case _:
                pass

    def _one_is_over(self) -> None:
        self.over += 1


class Bar(Over):
    """On a terminal while its context lasts; `executions` is how many the scenario's jobs ask for of those who play."""

    def __init__(self, executions: int, console: Console) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("executions over", total=executions)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _one_is_over(self) -> None:
        super()._one_is_over()
        self._progress.update(self._task, completed=self.over)
