"""What came of one play: a fold over its trace, from the instant at which the button was pressed.

It is about executions: those that the jobs in question had by then. Of each:

    healthy    its record is gone, or has ended, the device is done with it, and rests on firmware that is whole
    stranded   the service took it away from a device that was past its point of no return
    SAFE       the device gave up on it: reachable, and takes no job; bricked: nothing whole to boot from
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from agent.device_events import (
    ExecutionLeft,
    ExecutionOutcome,
    ExecutionTaken,
    HardwareChanged,
    RequestKind,
    StepStarted,
    request_kind,
)
from agent.values import ErrorCode, ExecutionKey, Request
from simulator.scenario import thing_of_agent
from simulator.trace import (
    TERMINAL,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobDeleted,
    RequestAnswered,
    RequestReceived,
    device_source,
)
from simulator.verdict.peak import SECOND, Peak

READS: Final = ("describe", "get-pending")
"""The others are writes: the account has a quota for either."""
QUEUED: Final = "QUEUED"
STARTING: Final = "starting"
ENDED: Final = "ended"


@dataclass(frozen=True, slots=True)
class Course:
    """Counts are of the executions that were played, seconds count from the pressing.

    `where` has how many were where at that instant: QUEUED, a step, `starting` before the first one, or `ended`.
    `healthy` is when each that had not ended by then became so, in order; None: not as long as it was played. `reads`
    and `writes` are the requests in each second. `deleted_seconds` is how long until the jobs were gone; None: they
    stayed. `undone` had their work taken back, `kept` have an update that no record explains. `work_seconds` is how
    long the longest was in a device's hands. `reads_peak` and `writes_peak` are requests a second (see `Busiest`).
    """

    where: tuple[tuple[str, int], ...]
    past_no_return: int
    healthy: tuple[float | None, ...]
    deleted_seconds: float | None
    stranded: int
    safe: int
    bricked: int
    records: int
    undone: int
    kept: int
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    reads_peak: float
    writes_peak: float
    throttled: int
    work_seconds: float


@dataclass(slots=True)
class _Execution:
    is_open: bool = True
    agent: str | None = None
    """Who took it."""
    is_in_hand: bool = False
    taken_at: float = 0.0
    step: str = STARTING
    has_leapt: bool = False
    is_stranded: bool = False
    is_removed: bool = False
    was_over: bool = False
    """It had ended before the pressing."""
    outcome: ExecutionOutcome | None = None
    last_at: float = 0.0
    """When the last happened of what makes it healthy: what a source tells may come in later than what others do."""
    healthy_at: float | None = None

    @property
    def where(self) -> str:
        """At this instant."""
        if self.is_in_hand:
            return self.step
        return QUEUED if self.is_open else ENDED


class Busiest:
    """The most requests a second, of a sample: within any one second, or while `least` came, if that took longer.

    For one that comes by itself stands for many that would not come at once.
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._within = Peak()
        self._last: deque[float] = deque(maxlen=least)
        self._rate = 0.0

    def count(self, at: float) -> None:
        """One more."""
        self._within.count(round(at * SECOND))
        self._last.append(at)
        if len(self._last) == self._least:
            self._rate = max(self._rate, self._least / max(at - self._last[0], 1.0))

    @property
    def rate(self) -> float:
        """Requests a second."""
        return float(self._within.peak) if self._within.peak >= self._least else self._rate


@dataclass(slots=True)
class Reckoning:
    """Folds the entries of one play, whose sources share a clock. `jobs` are those in question.

    `least` requests make a peak: 1, or more where each device that is played stands for several.
    """

    jobs: frozenset[str]
    least: int = 1
    pressed_at: float | None = None
    _executions: dict[tuple[str, ExecutionKey], _Execution] = field(default_factory=dict)
    _held: dict[str, list[_Execution]] = field(default_factory=dict)
    """By agent, those that it took."""
    _bricked: set[str] = field(default_factory=set)
    _unfit: set[str] = field(default_factory=set)
    """Agents whose hardware is not whole, or half changed."""
    _gone: dict[str, float] = field(default_factory=dict)
    _where: tuple[tuple[str, int], ...] = ()
    _past: int = 0
    _seconds: Counter[tuple[bool, int]] = field(default_factory=Counter)
    _busiest: dict[bool, Busiest] = field(default_factory=dict)
    _throttled: int = 0
    _to_come: deque[tuple[float, RequestKind]] = field(default_factory=deque)
    """Requests that will be refused, and when: they are counted when their time has come."""
    _work_seconds: float = 0.0

    def press(self, at: float) -> None:
        """The button is pressed now."""
        self.pressed_at = at
        for each in self._executions.values():
            each.was_over = each.where == ENDED
        self._where = tuple(sorted(Counter(each.where for each in self._executions.values()).items()))
        self._past = sum(each.is_in_hand and each.has_leapt for each in self._executions.values())

    def feed(self, entry: Entry) -> None:
        """Take one more."""
        event, at = entry.event, entry.at
        while self._to_come and self._to_come[0][0] <= at:
            self._refused(*self._to_come.popleft())
        match event:
            case RequestReceived(request=request) if self.pressed_at is not None and at >= self.pressed_at:
                self._count(request, at - self.pressed_at, at)
            case RequestAnswered(code=ErrorCode.REQUEST_THROTTLED) if self.pressed_at is not None:
                self._throttled += 1
            case ExecutionQueued(thing=thing, execution=key):
                self._found(thing, key)
            case ExecutionChanged(thing=thing, execution=key, status=status, by=by):
                if status in TERMINAL and (mine := self._executions.get((thing, key))) is not None:
                    self._closed(mine, at, by == "service")
            case ExecutionRemoved(thing=thing, execution=key):
                if (mine := self._executions.get((thing, key))) is not None:
                    mine.is_removed = self.pressed_at is not None
                    self._closed(mine, at, mine.is_open)
            case JobDeleted(job_id=job_id) if job_id in self.jobs and self.pressed_at is not None:
                self._gone.setdefault(job_id, at)
            case ExecutionTaken() | ExecutionLeft() | StepStarted() | HardwareChanged():
                self._of_device(entry.source.removeprefix(device_source("")), event, at)
            case _:
                pass

    def turned_away(self, request: Request, at: float) -> None:
        """One will have come by then, no earlier than the last, and been refused, without any entry that tells."""
        self._to_come.append((at, request_kind(request)))

    def _refused(self, at: float, request: RequestKind) -> None:
        if self.pressed_at is not None and at >= self.pressed_at:
            self._count(request, at - self.pressed_at, at)
            self._throttled += 1

    def _count(self, request: RequestKind, seconds: float, at: float) -> None:
        is_write = request not in READS
        self._seconds[is_write, int(seconds)] += 1
        if (busiest := self._busiest.get(is_write)) is None:
            busiest = self._busiest[is_write] = Busiest(self.least)
        busiest.count(at)

    def _of_device(
        self, agent: str, event: ExecutionTaken | ExecutionLeft | StepStarted | HardwareChanged, at: float
    ) -> None:
        if isinstance(event, HardwareChanged):
            _keep(self._bricked, agent, not event.bootable)
            _keep(self._unfit, agent, not event.bootable or bool(event.pending))
            for each in self._held.get(agent, ()):
                self._look(each, at)
            return
        mine = self._found(thing_of_agent(agent), event.execution)
        if mine is None:
            return
        match event:
            case ExecutionTaken():
                if mine.agent is None:
                    self._held.setdefault(agent, []).append(mine)
                    mine.agent, mine.taken_at = agent, at
                mine.is_in_hand, mine.healthy_at = True, None
            case StepStarted(step=step, reversible=reversible):
                mine.step = step
                mine.has_leapt = mine.has_leapt or not reversible
            case ExecutionLeft(outcome=outcome):
                mine.is_in_hand, mine.outcome = False, outcome
                self._work_seconds = max(self._work_seconds, at - mine.taken_at)
                self._look(mine, at)

    def _found(self, thing: str, key: ExecutionKey) -> _Execution | None:
        """Of an execution in question; whichever of the service and the device tells of it first."""
        if self.pressed_at is None and key.job_id in self.jobs:
            return self._executions.setdefault((thing, key), _Execution())
        return self._executions.get((thing, key))

    def _closed(self, mine: _Execution, at: float, by_service: bool) -> None:
        """The service has nothing more of it to be done."""
        if by_service and mine.is_in_hand and mine.has_leapt:
            mine.is_stranded = True
        mine.is_open = False
        self._look(mine, at)

    def _look(self, mine: _Execution, at: float) -> None:
        mine.last_at = max(mine.last_at, at)
        is_over = not mine.is_open and not mine.is_in_hand and mine.outcome != "safe"
        if is_over and mine.agent not in self._unfit and mine.healthy_at is None:
            mine.healthy_at = mine.last_at

    def course(self) -> Course:
        """What came of it."""
        pressed_at = self.pressed_at
        assert pressed_at is not None, "it was pressed"
        all_ = list(self._executions.values())
        came = [
            None if each.healthy_at is None else max(each.healthy_at - pressed_at, 0.0)
            for each in all_
            if not each.was_over
        ]
        outcomes = Counter(each.outcome for each in all_)
        is_gone = len(self._gone) == len(self.jobs)
        return Course(
            where=self._where,
            past_no_return=self._past,
            healthy=(*sorted(each for each in came if each is not None), *(None for each in came if each is None)),
            deleted_seconds=max(self._gone.values()) - pressed_at if is_gone else None,
            stranded=sum(each.is_stranded for each in all_),
            safe=outcomes["safe"],
            bricked=sum(each.agent in self._bricked for each in all_ if each.agent is not None),
            records=sum(each.is_removed for each in all_),
            undone=outcomes["recovered"],
            kept=outcomes["kept"],
            reads=self._by_second(False),
            writes=self._by_second(True),
            reads_peak=self._busiest.get(False, Busiest(1)).rate,
            writes_peak=self._busiest.get(True, Busiest(1)).rate,
            throttled=self._throttled,
            work_seconds=self._work_seconds,
        )

    def _by_second(self, is_write: bool) -> tuple[int, ...]:
        last = max((second for kind, second in self._seconds if kind == is_write), default=-1)
        return tuple(self._seconds[is_write, second] for second in range(last + 1))


def _keep(names: set[str], name: str, is_in: bool) -> None:
    if is_in:
        names.add(name)
    else:
        names.discard(name)


def quantile(healthy: Iterable[float | None], share: float) -> float | None:
    """When that share of them, from 0 to 1, was healthy, by nearest rank; None: never."""
    ordered = tuple(healthy)
    if not ordered:
        return 0.0
    rank = max(-(-len(ordered) * round(share * 100) // 100), 1)
    return ordered[rank - 1]
