"""How far a play has come: a bar on the terminal, by the executions that are over."""

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from simulator.trace import TERMINAL, Entry, ExecutionChanged, ExecutionRemoved


class Bar:
    """On a terminal while its context lasts; `executions` is how many the scenario's jobs ask for of those who play."""

    def __init__(self, executions: int, console: Console) -> None:
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
        self.over = 0
        """How many are over."""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def feed(self, entry: Entry) -> None:
        """Take note of one entry: an execution is over once it has ended, or is removed before."""
        match entry.event:
            case ExecutionChanged(status=status) if status in TERMINAL:
                self._one_is_over()
            case ExecutionRemoved(status=status) if status not in TERMINAL:
                self._one_is_over()
            case _:
                pass

    def _one_is_over(self) -> None:
        self.over += 1
        self._progress.update(self._task, completed=self.over)
