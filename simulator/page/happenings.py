"""What happens to the run as a whole: it begins and ends, jobs come and are deleted; in lines through all lanes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from simulator.page.axis import When
from simulator.page.data import Line
from simulator.trace import (
    CLOUD,
    DeletionAccepted,
    DeletionRefused,
    DeletionRequested,
    DeviceJoined,
    Entry,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
    PaceChanged,
    ProcessStalled,
    RunEnded,
    RunStarted,
)

LINES: Final = 200
DELETIONS: Final = 200
"""So many lines and deletions are remembered: the last of them."""
JOBS: Final = 10_000
"""So many ids are remembered that were used before."""
WORTH_A_LINE_SECONDS: Final = 0.25
"""So long a process must not have run."""

ASKED: Final = {
    "delete-job": "deleted",
    "delete-execution": "deleted for each device",
    "cancel-job": "cancelled",
    "cancel-execution": "cancelled for each device",
}
"""What a job is by each order of the controller's."""


ABOUT_THE_RUN: Final = frozenset(
    {
        RunStarted,
        RunEnded,
        JobCreated,
        JobDeletionBegan,
        JobDeleted,
        DeletionRequested,
        DeletionAccepted,
        DeletionRefused,
        DeviceJoined,
        PaceChanged,
        ProcessStalled,
    }
)
"""Events that are about no single device."""


@dataclass(slots=True)
class Deletion:
    """A job that was deleted, or whose executions were, or that was cancelled. `forced`: by force."""

    job: str
    do: str
    forced: bool
    when: When
    why: str = ""
    refused: str = ""

    @property
    def is_cancellation(self) -> bool:
        """Whether the records stay."""
        return self.do.startswith("cancel")

    @property
    def words(self) -> str:
        """What the job was: `force-deleted`."""
        asked = ASKED.get(self.do, self.do)
        if not self.forced:
            return asked
        return f"{asked} by force" if self.is_cancellation else f"force-{asked}"


@dataclass(slots=True)
class _Drawn:
    kind: str
    text: str
    when: When
    job: str
    id: str


@dataclass(slots=True)
class Happenings:
    """What is remembered of it. `entries` are those that lines name."""

    started: RunStarted | None = None
    started_when: When | None = None
    ended: RunEnded | None = None
    deletions: list[Deletion] = field(default_factory=list)
    created: dict[str, None] = field(default_factory=dict)
    """The ids of jobs that have been."""
    entries: dict[str, Entry] = field(default_factory=dict)
    _drawn: list[_Drawn] = field(default_factory=list)

    def feed(self, entry: Entry) -> None:
        """Take in an entry that is one of ABOUT_THE_RUN."""
        event = entry.event
        when = When(entry.at, entry.source != CLOUD)
        match event:
            case RunStarted():
                self.started, self.started_when = self.started or event, self.started_when or when
            case RunEnded(why=why):
                self.ended = event
                self._line("ended", f"the run ends: {why}", when, "", entry)
            case JobCreated(job_id=job_id):
                again = " again" if job_id in self.created else ""
                self.created[job_id] = None
                if len(self.created) > JOBS:
                    del self.created[next(iter(self.created))]
                self._line("created", f"{job_id} is created{again}", when, job_id, entry)
            case JobDeletionBegan(job_id=job_id, forced=forced):
                self._began(job_id, forced, when, entry)
            case JobDeleted(job_id=job_id):
                self._line("deleted", f"{job_id} is gone, and its id is free", when, job_id, entry)
            case DeletionRequested() | DeletionAccepted() | DeletionRefused():
                self._by_the_controller(event, when, entry)
            case DeviceJoined(thing=thing):
                self._line("created", f"{thing} joins", when, "", entry)
            case PaceChanged(held_at=held_at, why=why) if held_at:
                self._line("fault", f"the play stands still: {why}", when, "", entry)
            case ProcessStalled(process=process, seconds=seconds):
                if seconds >= WORTH_A_LINE_SECONDS:
                    text = f"the {process} process did not run for {seconds:.2f} s"
                    self._line("fault", text, when, "", entry)
            case _:
                pass

    def _began(self, job: str, forced: bool, when: When, entry: Entry) -> None:
        asked = self._asked(job, "delete-job")
        why = asked.why if asked is not None else ""
        if asked is None:
            asked = Deletion(job, "delete-job", forced, when)
            self._remember(asked)
        asked.when, asked.forced = when, forced
        self._line("deletion", f"{job} is {asked.words}" + (f": {why}" if why else ""), when, job, entry)

    def _by_the_controller(
        self, event: DeletionRequested | DeletionAccepted | DeletionRefused, when: When, entry: Entry
    ) -> None:
        match event:
            case DeletionRequested(job_id=job_id, forced=forced, why=why, do=do):
                deletion = Deletion(job_id, do, forced, when, why)
                self._remember(deletion)
                if do != "delete-job":
                    kind = "cancel" if deletion.is_cancellation else "deletion"
                    self._line(kind, f"{job_id} is {deletion.words}: {why}", when, job_id, entry)
            case DeletionRefused(job_id=job_id, code=code):
                if self.deletions and (asked := self._asked(job_id, "")) is not None:
                    asked.refused = code
                self._line("cancel", f"the deletion of {job_id} is refused: {code}", when, job_id, entry)
            case DeletionAccepted():
                pass

    def _asked(self, job: str, do: str) -> Deletion | None:
        """The last that was asked for of that job, unless it has been refused."""
        return next((each for each in reversed(self.deletions) if each.job == job and each.do == (do or each.do)), None)

    def _remember(self, deletion: Deletion) -> None:
        self.deletions.append(deletion)
        if len(self.deletions) > DELETIONS:
            del self.deletions[0]

    def _line(self, kind: str, text: str, when: When, job: str, entry: Entry) -> None:
        self._drawn.append(_Drawn(kind, text, when, job, entry.id))
        self.entries[entry.id] = entry
        if len(self._drawn) > LINES:
            self.entries.pop(self._drawn.pop(0).id, None)

    def lines(self, lay: Callable[[When], float]) -> tuple[Line, ...]:
        """In order of time."""
        drawn = (
            Line.model_validate(
                {"at": lay(each.when), "kind": each.kind, "text": each.text, "job": each.job, "events": (each.id,)}
            )
            for each in self._drawn
        )
        return tuple(sorted(drawn, key=lambda line: line.at))
