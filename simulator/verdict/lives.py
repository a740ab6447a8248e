"""What the cloud told of one thing: every incarnation of a job on it, and how the thing attended to them."""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from agent.values import ExecutionKey, Status
from simulator.trace import (
    TERMINAL,
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict.attendance import KEEP_ALIVE_TIMEOUT, Attendance, Queue, Waits
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import job_of
from simulator.verdict.limits import Limits
from simulator.verdict.occasions import Occasions
from simulator.verdict.past import BLANK, by_execution
from simulator.verdict.seen import Elsewhere, Mark, Seen
from simulator.verdict.state import State

LIVES: Final = 48
LAPSES: Final = 16
KEYS: Final = 128
"""So much is remembered of one thing; what is over goes first."""


@dataclass(slots=True, unsafe_hash=True)
class Life(State):
    """One incarnation of a job on a thing: from its queueing to its removal.

    Unlike its key, which counts seconds, it is never mistaken for another. `began` is its first IN_PROGRESS, `ended`
    its terminal status or its removal, whichever came first, with the `status` that it left it with.
    """

    key: ExecutionKey
    queued: Mark | None = None
    began: Mark | None = None
    ended: Mark | None = None
    ended_as: str | None = None
    """Its terminal status; None if it was removed."""
    ended_by_device: bool = False
    is_deleted: bool = False
    """The deletion of its job began; of a device that is not ours."""
    removed: Mark | None = None
    removed_as: str | None = None
    """The status of its record when that was removed."""
    earlier: tuple[ExecutionKey, ...] = ()
    """The identities that its job had before on this thing."""
    was_offline: bool = False
    """The thing was not connected when the record was removed."""
    beside: bool = False
    """Another execution was in progress when the record was removed."""
    followed: bool = False
    """Another execution went IN_PROGRESS after the record was removed, or, without that, SUCCEEDED.

    Or it did so while this one was at work: its job was being deleted, and its record had yet to be removed.
    """

    @property
    def was_taken(self) -> bool:
        """Whether the device went IN_PROGRESS on it, or, without that, brought it to SUCCEEDED."""
        return self.began is not None or (self.ended_as == Status.SUCCEEDED and self.ended_by_device)

    @property
    def is_gone(self) -> bool:
        """Whether its record was removed, or is about to be."""
        return self.is_deleted or self.removed is not None

    @property
    def lost_in_progress(self) -> bool:
        """Whether its record was removed under a device at work."""
        return self.removed is not None and self.removed_as == Status.IN_PROGRESS

    @property
    def last(self) -> Mark | None:
        """The last thing that was told of it."""
        return self.removed or self.ended or self.began or self.queued


class Lapse(NamedTuple):
    """A keep-alive that lapsed, and when the thing had last been heard of."""

    mark: Mark
    heard_at: int | None


class Uses(NamedTuple):
    """How many incarnations had one identity, and whether the queueing of any was told."""

    times: int = 0
    was_queued: bool = False


@dataclass(slots=True, unsafe_hash=True)
class ThingRecord(State):
    """The cloud's account of one thing.

    `lives` are by a number of their own, in the order of queueing; `current` is the one that each identity names now.
    `attendance` is how the thing attended; `untold` how it did if the cloud does not tell of connections at all, in
    which case it counts as connected: kept until a connection is told of.
    """

    lives: Map[int, Life] = EMPTY
    current: Map[ExecutionKey, int] = EMPTY
    uses: Map[ExecutionKey, Uses] = EMPTY
    jobs: Map[tuple[str | None, str], tuple[ExecutionKey, ...]] = EMPTY
    next_life: int = 0
    in_time: int = 0
    """How many executions that were begun are over and forgotten, with nothing to be said against the device."""
    overdue: tuple[tuple[Life, Waits], ...] = ()
    """Those that are forgotten otherwise, with how they had to wait."""
    is_empty: bool = True
    attendance: Attendance = field(default_factory=Attendance)
    untold: Attendance | None = field(default_factory=lambda: Attendance(Queue(connected_since=float("-inf"))))
    answers: int = 0
    """How often the service answered, by its own count."""
    tells_deliveries: bool = False
    lapses: tuple[Lapse, ...] = ()
    heard_at: int | None = None
    connected_at: int | None = None
    """When the thing last connected."""
    occasions: Occasions = field(default_factory=Occasions)
    """What was done to its device besides, if that is not ours."""

    @property
    def present(self) -> Attendance:
        """How the thing attended, as far as it is known."""
        return self.attendance if self.untold is None else self.untold

    @property
    def last_span(self) -> tuple[float, float] | None:
        """When the thing was last connected, on the cloud's clock; None if never."""
        return (float("-inf"), float("inf")) if self.is_empty else self.present.last_span

    @property
    def tells_connections(self) -> bool:
        """Whether a connection was told of."""
        return self.untold is None

    @property
    def taken(self) -> int:
        """How many executions that were begun the service removed, or ended."""
        begun = [life for life in self.lives.values() if life.began is not None]
        return sum(life.is_gone or (life.ended is not None and not life.ended_by_device) for life in begun)

    @property
    def overcome(self) -> int:
        """How many executions that were begun the service removed, and the device began another one after that one."""
        begun = [(life.began.n, life) for life in self.lives.values() if life.began is not None]
        last = max((n for n, _ in begun), default=0)
        return sum(life.is_gone and n < last for n, life in begun)

    def was_begun(self, key: ExecutionKey) -> bool:
        """Whether an execution with that identity was begun."""
        return any(life.key == key and life.began is not None for life in self.lives.values())

    def is_shared(self, key: ExecutionKey, digests: int) -> bool:
        """Whether more than one execution had this identity; by the documents taken if the cloud does not tell."""
        uses = self.uses.get(key, Uses())
        return (uses.times if uses.was_queued else digests) > 1

    def after(self, seen: Seen[Any], limits: Limits) -> None:
        """With the next entry."""
        mark, event = seen
        self.is_empty = False
        kind = type(event)
        if kind is Elsewhere and event.is_provocation and event.event.execution.job_id in limits.jobs:
            self._provoked(mark, event.event)
        self.attendance.after(seen, limits)
        if self.untold is not None:
            if isinstance(event, ClientConnected):
                self.untold = None
            else:
                self.untold.after(seen, limits)
        if limits.is_foreign and (kind is RequestReceived or kind is RequestAnswered):
            self.occasions.after(seen, limits)
        if kind is RequestReceived:
            self.heard_at = mark.at
        elif kind is RequestAnswered:
            self.answers = self.answers + 1 if event.number is None else event.number
        elif kind is AnswerDelivered:
            self.tells_deliveries = True
        elif kind is ClientConnected:
            self.heard_at = self.connected_at = mark.at
        elif kind is ClientDisconnected and event.reason == KEEP_ALIVE_TIMEOUT:
            self._lapsed(mark)
        elif kind is ExecutionQueued:
            self._born(event.execution, mark)
        elif kind is ExecutionChanged:
            self._changed(self._current(event.execution), mark, event)
        elif kind is ExecutionRemoved:
            self._removed(self._current(event.execution), mark, event)

    # ── what of it can still matter: see `simulator.verdict.past` ─────────────────────────────────────────────────

    @property
    def over(self) -> frozenset[ExecutionKey]:
        """Those whose last incarnation has ended."""
        return frozenset(key for key, number in self.current.items() if self.lives[number].ended is not None)

    @property
    def queued(self) -> frozenset[ExecutionKey]:
        """Those of whose queueing was told."""
        return frozenset(key for key, uses in self.uses.items() if uses.was_queued)

    def essence(self) -> "ThingRecord":
        """What of it can still matter: not how long anything took, and of several of one identity, the last."""
        over, current = self.over, by_execution(self.current)
        return ThingRecord(
            lives=Map((number, Life(key, ended=BLANK if key in over else None)) for number, key in enumerate(current)),
            current=Map((key, number) for number, key in enumerate(current)),
            uses=by_execution(self.uses.each(lambda uses: Uses(min(uses.times, 2), uses.was_queued))),
            jobs=Map((job, self.jobs[job]) for job in sorted(self.jobs, key=str)),
            next_life=len(current),
            untold=None if self.untold is None else Attendance(),
            answers=min(self.answers, 1),
        )

    def deletes(self, job_id: str) -> None:
        """The deletion of a job began: whether its record goes before the device is done with it is a race."""
        for life in self.lives.values():
            life.is_deleted = life.is_deleted or (life.key.job_id == job_id and life.removed is None)

    def _provoked(self, mark: Mark, event: Any) -> None:
        """Where an execution is that nobody is to take, because a place of the run asks for it."""
        if isinstance(event, ExecutionQueued):
            self._born(event.execution, mark)
        elif isinstance(event, ExecutionRemoved):
            self._removed(self._current(event.execution), mark, event)

    def _lapsed(self, mark: Mark) -> None:
        """By its keep-alive: who had long been gone had not been there when records were removed since."""
        self.lapses = (*self.lapses, Lapse(mark, self.heard_at))[:LAPSES]
        since, until = self.attendance.span or (0.0, None)
        for life in self.lives.values():
            if until is not None and life.removed is not None and life.removed.at > until and life.removed.at >= since:
                life.was_offline = True

    def _current(self, key: ExecutionKey) -> Life:
        """The incarnation that an identity names now, be its queueing told or not."""
        if key not in self.current:
            self._born(key, None)
        return self.lives[self.current[key]]

    def _born(self, key: ExecutionKey, queued: Mark | None) -> None:
        job, uses = job_of(key), self.uses.get(key, Uses())
        earlier = self.jobs.get(job, ())
        known = earlier if key in earlier else (*earlier, key)[-8:]
        number = self.next_life
        self.lives, self.next_life = self.lives.put(number, Life(key, queued, earlier=earlier)), number + 1
        self.current = self.current.put(key, number)
        self.uses = self.uses.put(key, Uses(uses.times + 1, uses.was_queued or queued is not None), KEYS)
        self.jobs = self.jobs.put(job, known, KEYS)
        if len(self.lives) > LIVES:
            self._bury()

    def _changed(self, life: Life, mark: Mark, event: ExecutionChanged) -> None:
        is_done = event.status == Status.SUCCEEDED and event.by == "device"
        if life.began is None and life.ended is None and (is_done or event.status == Status.IN_PROGRESS):
            for other in self.lives.values():
                other.followed = other.followed or (other.removed is not None and other is not life)
        if event.status == Status.IN_PROGRESS:
            life.began = life.began or mark
        elif life.ended is None and event.status in TERMINAL:
            life.ended, life.ended_as, life.ended_by_device = mark, event.status, event.by == "device"

    def _removed(self, life: Life, mark: Mark, event: ExecutionRemoved) -> None:
        if life.removed is not None:
            return
        present = self.attendance
        others = tuple(each for each in self.lives.values() if each is not life)
        offline = present.queue.connected_since is None and present.first is not None and mark.at > present.first
        still = present.span is not None and present.span[1] is not None and mark.at <= present.span[1]
        life.removed, life.removed_as, life.ended = mark, event.status, life.ended or mark
        life.was_offline = offline and not still
        life.beside = any(other.began is not None and other.ended is None for other in others)
        if (began := life.began) is not None and not life.followed:
            life.followed = any(other.began is not None and other.began.n > began.n for other in others)

    def _bury(self) -> None:
        """Forget the oldest life that is over."""
        number = next((each for each, life in self.lives.items() if life.ended is not None), next(iter(self.lives)))
        life = self.lives[number]
        waits = self.present.waits.get(life.key)
        is_good = waits is None or not waits.excesses
        self.lives = self.lives.without(number)
        if self.current.get(life.key) == number:
            self.current = self.current.without(life.key)
        self.in_time += is_good and life.began is not None
        if waits is not None and not is_good:
            self.overdue = (*self.overdue, (life, waits))[:LAPSES]
