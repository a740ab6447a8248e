"""More devices than a screen has lines: how many are in which state, how far the jobs are, and whom to look at.

A state that was seen once keeps its line, so that the lines stand still while the numbers change.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import nsmallest
from typing import Final, NamedTuple

from rich.table import Table
from rich.text import Text

from simulator.report.device_row import STATES, URGENCY, Row
from simulator.report.live_columns import STATE_STYLES, both_ends

BROKEN: Final = frozenset({"bricked", "crashed", "safe"})
"""States out of which a device does not come without help."""
EIGHTHS: Final = "▏▎▍▌▋▊▉█"
JOBS: Final = 6
"""So many lines at most are about jobs."""
DELETING: Final = "being deleted"
WIDEST_BAR: Final = 60


class JobSoFar(NamedTuple):
    """How far a job is: `state` in words, executions that are over, of those that there were."""

    job_id: str
    state: str
    over: int
    of: int


class States:
    """The lines of states of one run."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def counted(self, rows: Iterable[Row]) -> list[tuple[str, int]]:
        """How many devices are in each state that was seen by now, the most urgent first."""
        counts = Counter(row.state for row in rows)
        self._seen |= counts.keys()
        return [(state, counts[state]) for state in STATES if state in self._seen]


def bars(
    states: Sequence[tuple[str, int]], jobs: Sequence[JobSoFar], width: int, room_for_jobs: int, *, ascii_only: bool
) -> Table:
    """A line for each state, and one for each job as long as there is room, with a bar."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, max_width=22)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    room = max(min(width - 46, WIDEST_BAR), 8)
    devices = sum(count for _, count in states)
    for state, count in states:
        style = STATE_STYLES.get(state, "") if count else "dim"
        grid.add_row(Text(state, style), str(count), Text(bar(count, devices, room, ascii_only=ascii_only), style))
    shown = min(JOBS, max(room_for_jobs, 1))
    shown -= 1 < shown < len(jobs)  # for the line that says how many more
    for job in jobs[:shown]:
        told = "" if job.state == DELETING else f"{job.over} of {job.of}"
        grid.add_row(both_ends(job.job_id, 22), told, _course(job, room, ascii_only=ascii_only))
    if shown > 1 and (more := len(jobs) - shown) > 0:
        grid.add_row(f"and {more} more jobs", "", "")
    return grid


def _course(job: JobSoFar, room: int, *, ascii_only: bool) -> Text:
    if job.state != "in progress":
        return Text(job.state, "dim" if job.state == "done" else "yellow")
    return Text(bar(job.over, job.of, room, ascii_only=ascii_only), "green")


def bar(part: int, whole: int, width: int, *, ascii_only: bool) -> str:
    """A bar for `part` of `whole`, of `width` characters if that is all; what there is, is seen, however small."""
    if not part or not whole:
        return ""
    eighths = max(part * width * 8 // whole, 1)
    if ascii_only:
        return "#" * max(eighths // 8, 1)
    full, rest = divmod(eighths, 8)
    return EIGHTHS[-1] * full + (EIGHTHS[rest - 1] if rest else "")


def to_look_at(
    rows: Collection[Row], ghosts: Collection[str], came_on: Callable[[Row], int], most: int
) -> tuple[int, list[Row]]:
    """How many are broken, and at most `most` rows: those, then the ghosts, then the others at work; of each from the
    slowest on: a ghost that works on comes on like others.

    `came_on` is smaller for who has not come on for longer.
    """

    def worth(row: Row) -> tuple[int, int]:
        rank = URGENCY[row.state] if row.state in BROKEN else len(STATES) + (row.thing not in ghosts)
        return rank, came_on(row)

    broken = sum(row.state in BROKEN for row in rows)
    return broken, nsmallest(most, filter(_is_worth_a_look, rows), key=worth)


def _is_worth_a_look(row: Row) -> bool:
    """Neither at rest, nor not there yet."""
    return bool(row.job) or (row.state != "idle" and (row.state != "offline" or bool(row.knows)))
