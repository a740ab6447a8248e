"""The live table: every device, its state, its step, and what it knows, while a run goes on.

Built from trace entries alone. Rows that do not fit on the terminal are counted below the table; those that are in
trouble come first.
"""

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from simulator.report.device_row import URGENCY, Row
from simulator.trace import (
    TERMINAL,
    DeletionRefused,
    DeletionRequested,
    DeviceJoined,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
    PaceChanged,
)

PHASE_STYLES = {
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


class LiveTable:
    """A rich renderable that shows the run as far as it was fed. `keys` says what may be pressed."""

    def __init__(self, title: str, namespaces: dict[str, str | None], keys: str = "") -> None:
        self._title = title
        self._keys = keys
        self._rows = {thing: Row(thing, namespace_id) for thing, namespace_id in namespaces.items()}
        self._jobs: dict[str, str] = {}
        self._open: dict[str, int] = {}
        self._news = ""

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        kind, _, thing = entry.source.partition("/")
        if kind == "device" and thing in self._rows:
            self._rows[thing].feed(entry.event)
            return
        match entry.event:
            case DeviceJoined(thing=thing, like=like):
                self._rows[thing] = Row(thing, self._rows[like].namespace_id if like in self._rows else None)
            case JobCreated(job_id=job_id):
                self._jobs[job_id] = "in progress"
            case ExecutionQueued(execution=key):
                self._open[key.job_id] = self._open.get(key.job_id, 0) + 1
            case ExecutionChanged(execution=key, status=status) if status in TERMINAL:
                self._open[key.job_id] -= 1
                if not self._open[key.job_id] and self._jobs.get(key.job_id) == "in progress":
                    self._jobs[key.job_id] = "done"
            case JobDeletionBegan(job_id=job_id):
                self._jobs[job_id], self._open[job_id] = "DELETION_IN_PROGRESS", 0
            case JobDeleted(job_id=job_id):
                self._jobs.pop(job_id, None)
            case PaceChanged(held_at=held_at):
                how = ", [g] lets it go on" if self._keys else ""
                self._news = f"it stands still{how}: {held_at}" if held_at else ""
            case DeletionRequested(job_id=job_id, why=why):
                self._news = f"deleting {job_id}: {why}"
            case DeletionRefused(job_id=job_id, code=code):
                self._news = f"deletion of {job_id} refused: {code}"
            case _:
                pass

    @property
    def deletable(self) -> tuple[str, ...]:
        """The jobs that a key would delete, in the order of their keys."""
        return tuple(job_id for job_id, state in self._jobs.items() if state == "in progress")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = (options.height or console.height) - 8
        rows = sorted(self._rows.values(), key=lambda row: (URGENCY[row.state], row.thing))
        if len(rows) <= height:
            rows = list(self._rows.values())
        table = Table(
            title=self._title,
            title_justify="left",
            title_style="bold",
            expand=True,
            pad_edge=False,
            collapse_padding=True,
        )
        table.add_column("device", no_wrap=True)
        has_namespaces = any(row.namespace_id for row in rows)
        if has_namespaces:
            table.add_column("namespace", no_wrap=True)
        table.add_column("state", no_wrap=True, min_width=10)
        table.add_column("job", no_wrap=True)
        table.add_column("step", no_wrap=True, min_width=14)
        table.add_column("knows", ratio=1, no_wrap=True)
        table.add_column("done", justify="right")
        for row in rows[: max(height, 3)]:
            table.add_row(
                row.thing,
                *([row.namespace_id or "default"] if has_namespaces else []),
                Text(row.state, PHASE_STYLES.get(row.state, "")),
                row.job,
                row.step,
                row.knows,
                str(row.done),
            )
        jobs = ", ".join(f"{job_id} {state}" for job_id, state in self._jobs.items()) or "none"
        yield Group(table, *self._below(len(rows) - height, jobs))

    def _below(self, hidden: int, jobs: str) -> list[Text]:
        lines = [Text(f"… and {hidden} more devices, quieter ones", style="dim")] if hidden > 0 else []
        lines.append(Text(f"jobs: {jobs}", no_wrap=True, overflow="ellipsis"))
        lines.append(Text(self._news, style="yellow", no_wrap=True, overflow="ellipsis"))
        if self._keys:
            named = "  ".join(f"[{number}] {job_id}" for number, job_id in enumerate(self.deletable[:9], 1))
            lines.append(Text(f"{self._keys} {named}", style="dim", no_wrap=True, overflow="ellipsis"))
        return lines
