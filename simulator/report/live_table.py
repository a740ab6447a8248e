"""The live table: every device, its state, its step, and what it knows, while a run goes on.

Built from trace entries alone. A device that is at work on an execution whose record is gone, and has not learned it,
is a ghost, and shown as one. Of more devices than the terminal has lines it shows how many are in which state, how
far the jobs are, and whom to look at: who is broken, and who has not come on for longest.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from agent.device_events import DeviceCrashed, ExecutionGone, ExecutionLeft, ExecutionTaken, HardwareChanged
from simulator.report.device_row import Row
from simulator.report.live_columns import Columns
from simulator.report.live_crowd import BROKEN, DELETING, JobSoFar, States, bars, to_look_at
from simulator.report.plain import plain
from simulator.trace import (
    TERMINAL,
    DeletionRefused,
    DeletionRequested,
    DeviceJoined,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
    PaceChanged,
    RunEnded,
)

NEWS: Final = 5
"""So many of the last things that happened are told, if there is room."""
NEWS_OF_A_CROWD: Final = 2
"""The same, where every line may be that of a device."""
DONE: Final = 8
"""So many jobs that are done are still told of: the last of them."""
HEAD: Final = 2
"""Lines of a table above its rows."""
FRAMES_A_SECOND: Final = 12
FRAMES_OF_A_CROWD: Final = 2
"""Numbers that can be read, and little work."""


class LiveTable:
    """A rich renderable that shows the run as far as it was fed. `keys` says what may be pressed.

    `parts` has who is good or bad, of those that play side by side: each is named, and the good ones come first.
    """

    def __init__(
        self, title: str, namespaces: dict[str, str | None], keys: str = "", parts: Mapping[str, str] | None = None
    ) -> None:
        self._title = title
        self._keys = keys
        parts = parts or {}
        things = sorted(namespaces, key=lambda thing: parts.get(thing) == "bad")
        self._rows = {thing: Row(thing, namespaces[thing], part=parts.get(thing, "")) for thing in things}
        self._jobs: dict[str, str] = {}
        self._open: dict[str, int] = {}
        self._queued: dict[str, int] = {}
        self._knows_jobs = False
        self._news: deque[Text] = deque(maxlen=NEWS)
        self._fed = 0
        self._came_on: dict[str, int] = {}
        self._ghosts: set[str] = set()
        self._columns, self._states = Columns(), States()
        self._is_crowd = False

    @property
    def frames_a_second(self) -> int:
        """How often it is worth to be drawn again."""
        return FRAMES_OF_A_CROWD if self._is_crowd else FRAMES_A_SECOND

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        kind, _, thing = entry.source.partition("/")
        if kind == "device" and thing in self._rows:
            self._feed_row(self._rows[thing], entry.event)
            return
        match entry.event:
            case DeviceJoined(thing=thing, like=like):
                known = self._rows.get(like, Row(like))
                self._rows[thing] = Row(thing, known.namespace_id, part=known.part)
            case JobCreated(job_id=job_id):
                self._knows_jobs = True
                self._forget(job_id, *self._long_done())
                self._jobs[job_id] = "in progress"
                self._open[job_id] = self._queued[job_id] = 0
            case ExecutionQueued(execution=key):
                self._knows_jobs = True
                self._open[key.job_id] = self._open.get(key.job_id, 0) + 1
                self._queued[key.job_id] = self._queued.get(key.job_id, 0) + 1
            case ExecutionChanged(execution=key, status=status) if status in TERMINAL:
                self._over(key.job_id)
            case ExecutionRemoved(thing=thing, execution=key):
                if thing in self._rows and self._rows[thing].job == key.job_id:
                    self._ghosts.add(thing)
            case JobDeletionBegan(job_id=job_id):
                self._jobs[job_id], self._open[job_id] = DELETING, 0
            case JobDeleted(job_id=job_id):
                self._forget(job_id)
                self._tell(f"{job_id} is deleted")
            case PaceChanged(held_at=held_at) if held_at:
                how = ", [g] lets it go on" if self._keys else ""
                self._tell(f"it stands still{how}: {held_at}")
            case RunEnded():
                self._keys = ""
            case DeletionRequested(job_id=job_id, why=why):
                self._tell(f"deleting {job_id}: {why}")
            case DeletionRefused(job_id=job_id, code=code):
                self._tell(f"deletion of {job_id} refused: {code}")
            case _:
                pass

    def _feed_row(self, row: Row, event: object) -> None:
        before = row.state, row.job, row.step
        row.feed(event)
        self._fed += 1
        if (row.state, row.job, row.step) != before:
            self._came_on[row.thing] = self._fed
        match event:
            case DeviceCrashed(reason=reason):
                self._tell(f"{row.thing} crashed: {reason}", "red")
            case ExecutionGone() | ExecutionLeft() | ExecutionTaken():
                self._ghosts.discard(row.thing)
            case HardwareChanged(bootable=False) if before[0] != "bricked":
                self._tell(f"{row.thing} has nothing whole to boot from: bricked", "bold red")
            case _:
                pass

    def _long_done(self) -> list[str]:
        """The jobs that are done but for the last ones: a play may go on, and make one after the other."""
        return [job_id for job_id, state in self._jobs.items() if state == "done"][:-DONE]

    def _forget(self, *job_ids: str) -> None:
        for job_id in job_ids:
            for known in (self._jobs, self._open, self._queued):
                known.pop(job_id, None)

    def _over(self, job_id: str) -> None:
        if job_id not in self._open:
            return  # its job is gone
        self._open[job_id] = max(self._open.get(job_id, 0) - 1, 0)
        if not self._open[job_id] and self._jobs.get(job_id) == "in progress":
            self._jobs[job_id] = "done"

    def _tell(self, what: str, style: str = "yellow") -> None:
        self._news.append(_line(plain(what), style))

    @property
    def deletable(self) -> tuple[str, ...]:
        """The jobs that a key would delete, in the order of their keys."""
        return tuple(job_id for job_id, state in self._jobs.items() if state == "in progress")

    # ── how it is drawn ───────────────────────────────────────────────────────────────────────────────────────

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.drawn(console, options)

    def drawn(self, console: Console, options: ConsoleOptions) -> Group:
        """All of it, as it is now, for that much room."""
        width, height = options.max_width, (options.height or console.height) - 1
        title, keys = Text(self._title, "bold"), self._named_keys()
        jobs = [_jobs_in_words(self._so_far())] if self._knows_jobs else []  # of a foreign cloud none are
        around = _lines(console, width, title, *keys)
        room = height - around - 1  # one for the news
        left = room - HEAD - len(self._rows) - _lines(console, width, *jobs)
        if left >= 0:
            self._is_crowd = False
            below: list[RenderableType] = [self._devices(list(self._rows.values()), width), *jobs]
        else:
            self._is_crowd = True
            below, left = self._crowd(width, room, ascii_only=options.ascii_only)
        news = list(self._news)[-min(max(left, 0) + 1, NEWS) :]
        return Group(title, *below, *news, *keys)

    def _devices(self, rows: Sequence[Row], width: int) -> RenderableType:
        all_rows = self._rows.values()
        said = {"namespace": any(row.namespace_id for row in all_rows), "part": any(row.part for row in all_rows)}
        return self._columns.table(rows, width, self._ghosts, without=[name for name, says in said.items() if not says])

    def _crowd(self, width: int, room: int, *, ascii_only: bool) -> tuple[list[RenderableType], int]:
        """The parts, and how many lines of news fit below."""
        states = self._states.counted(self._rows.values())
        jobs = self._so_far()
        least = HEAD + 2  # for whom to look at
        drawn = bars(states, jobs, width, room - len(states) - least, ascii_only=ascii_only)
        left = room - drawn.row_count - 1
        most = max(left - HEAD + 1 - min(len(self._news), NEWS_OF_A_CROWD), 1)
        rows_of_all = self._rows.values()
        broken, rows = to_look_at(rows_of_all, self._ghosts, lambda row: self._came_on.get(row.thing, 0), most)
        head = _line(self._of_all(broken, is_more=broken < len(rows)), "bold red" if broken else "")
        if not rows:
            return [head, drawn], left
        return [drawn, head, self._devices(rows, width)], left - HEAD + 1 - len(rows)

    def _of_all(self, broken: int, *, is_more: bool) -> str:
        """What is said of all devices, above those that are shown."""
        said = [f"{len(self._rows)} devices"]
        if self._ghosts:
            said.append(f"{_ghosts(len(self._ghosts))} at work on a job that is gone")
        if broken:
            said.append(f"{broken} broken" + self._by_part())
        return "; ".join(said) + ("; the slowest at work:" if is_more else "")

    def _by_part(self) -> str:
        """Whose the broken ones are, if good and bad ones play."""
        broken = [row.part for row in self._rows.values() if row.state in BROKEN]
        parts = dict.fromkeys(row.part for row in self._rows.values() if row.part)
        return f" ({', '.join(f'{broken.count(part)} {part}' for part in parts)})" if parts else ""

    def _so_far(self) -> list[JobSoFar]:
        of, left = self._queued, self._open
        return [
            JobSoFar(job_id, state, of.get(job_id, 0) - left.get(job_id, 0), of.get(job_id, 0))
            for job_id, state in self._jobs.items()
        ]

    def _named_keys(self) -> list[Text]:
        if not self._keys:
            return []
        named = "  ".join(f"[{number}] {job_id}" for number, job_id in enumerate(self.deletable[:9], 1))
        return [Text(f"{self._keys} {named}".rstrip(), style="dim")]


def _jobs_in_words(jobs: Sequence[JobSoFar]) -> Text:
    told = (f"{job.job_id} {_in_words(job)}" for job in jobs)
    return Text(f"jobs: {', '.join(told) or 'none'}")


def _in_words(job: JobSoFar) -> str:
    return f"{job.over} of {job.of}" if job.state == "in progress" else job.state


def _line(text: str, style: str) -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _lines(console: Console, width: int, *texts: Text) -> int:
    """How many lines they take there."""
    return sum(len(text.wrap(console, width)) for text in texts)


def _ghosts(number: int) -> str:
    return "1 ghost," if number == 1 else f"{number} ghosts,"
