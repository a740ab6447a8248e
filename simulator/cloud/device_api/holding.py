"""Messages that are held on their way until something befalls a job, and those of their kind that wait behind them.

There is a queue for each kind of message of each thing, while its first is held. What is awaited is told (`learn`), and
never looked for; whoever is let go by that goes in a turn of its own, after what the same event published.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal, TypeAlias

from agent.log import get_logger
from simulator.cloud.contained import contained
from simulator.cloud.device_api.deletions import Progress
from simulator.cloud.settings.service import Fault, MessageKind
from simulator.trace import FaultOver

Why: TypeAlias = Literal["done", "limit", "full", "replaced"]
Later: TypeAlias = Callable[[float, Callable[[], object]], object]
"""Calls something in so many seconds."""
Go: TypeAlias = Callable[[float], object]
"""Lets a message go on; it is told for how many seconds that was held."""
MOST_OF_A_THING: Final = 100
MOST_BYTES_OF_A_THING: Final = 1 << 20
MOST: Final = 10_000
MOST_BYTES: Final = 64 << 20
"""So many messages wait at most, of one thing and of all: whatever is sent meanwhile by whoever comes."""
FULL: Final = f"at most {MOST_OF_A_THING} messages and {MOST_BYTES_OF_A_THING} bytes of one thing are held: all go now"
_log = get_logger("ghostjob.cloud")


@dataclass(slots=True, eq=False)
class Held:
    """A message that waits; `fault` holds it, None: it is behind one that is held. `awaited` is the job."""

    thing: str
    kind: MessageKind
    go: Go
    size: int
    since: float
    fault: Fault | None
    awaited: str | None
    let_go: Why | None = None
    """Why it may go, once it may."""


@dataclass(slots=True)
class _Weight:
    """Of what waits."""

    messages: int = 0
    size: int = 0

    def add(self, messages: int, size: int) -> None:
        self.messages += messages
        self.size += size


@dataclass(slots=True, eq=False)
class Holds:
    """`time` gives seconds, `later` calls in so many of them; `over` gets what there is to trace."""

    time: Callable[[], float]
    later: Later
    over: Callable[[FaultOver], object]
    _queues: dict[tuple[str, MessageKind], deque[Held]] = field(default_factory=dict)
    _waiting: dict[str, dict[str, list[Held]]] = field(default_factory=dict)
    """By the job whose fate is awaited, and by thing."""
    _weights: dict[str, _Weight] = field(default_factory=dict)
    """By thing."""
    _total: _Weight = field(default_factory=_Weight)

    def is_queued(self, thing: str, kind: MessageKind) -> bool:
        """Whether messages of that kind wait."""
        return (thing, kind) in self._queues

    def keep(self, thing: str, kind: MessageKind, job_id: str | None, fault: Fault | None, size: int, go: Go) -> None:
        """Have a message wait for what its fault awaits, and for those before it."""
        awaited = None if fault is None else fault.job or job_id
        held = Held(thing, kind, go, size, self.time(), fault, awaited)
        self._queues.setdefault((thing, kind), deque()).append(held)
        weight = self._weights.setdefault(thing, _Weight())
        weight.add(1, size)
        self._total.add(1, size)
        if awaited is not None:
            self._waiting.setdefault(awaited, {}).setdefault(thing, []).append(held)
        if fault is not None:
            _log.info("message.held", thing=thing, message=kind, fault=fault.name, until=fault.lets_go, job_id=awaited)
            self.later(fault.lasts, partial(self._at_its_limit, held))
        if _is_too_much(weight, MOST_OF_A_THING, MOST_BYTES_OF_A_THING) or _is_too_much(self._total, MOST, MOST_BYTES):
            _log.warning("hold.full", thing=thing, messages=weight.messages, bytes=weight.size, hint=FULL)
            self._let_go_of(thing)

    def learn(self, progress: Progress) -> None:
        """Let go who waited for that."""
        waiting = self._waiting.get(progress.job_id, {})
        things = waiting.values() if progress.thing is None else (waiting.get(progress.thing, ()),)
        freed = [held for some in things for held in some if _is_awaited(progress, held)]
        for held in freed:
            self._free(held, "done")
        for place in dict.fromkeys((held.thing, held.kind) for held in freed):
            self.later(0.0, partial(self._flush, *place))

    def let_all_go(self) -> None:
        """Everything, now: nothing is held any more."""
        for thing, kind in tuple(self._queues):
            for held in self._queues.get((thing, kind), ()):
                self._free(held, "replaced")
            self._flush(thing, kind)

    def _at_its_limit(self, held: Held) -> None:
        if held.let_go is None and held.fault is not None:
            name, why = held.fault.name, "what it waits for has not happened"
            _log.warning(
                "hold.limit", thing=held.thing, message=held.kind, fault=name, seconds=held.fault.lasts, why=why
            )
            self._free(held, "limit")
            self._flush(held.thing, held.kind)

    def _let_go_of(self, thing: str) -> None:
        for owner, kind in tuple(self._queues):
            if owner == thing:
                for held in self._queues.get((owner, kind), ()):
                    self._free(held, "full")
                self._flush(owner, kind)

    def _free(self, held: Held, why: Why) -> None:
        if held.let_go is None and held.awaited is not None:
            waiting = self._waiting[held.awaited]
            waiting[held.thing].remove(held)
            if not waiting[held.thing]:
                del waiting[held.thing]
            if not waiting:
                del self._waiting[held.awaited]
        held.let_go = held.let_go or why

    def _flush(self, thing: str, kind: MessageKind) -> None:
        """Let those go on that stand first and may."""
        queue = self._queues.get((thing, kind))
        while queue and (queue[0].fault is None or queue[0].let_go is not None):
            held = queue.popleft()
            self._forget_weight(held)
            if held.fault is not None and held.fault.name is not None:
                self.over(FaultOver(thing, held.fault.name, held.let_go or "done"))
            go, held.go = held.go, _is_gone  # its limit is still to come, and would keep what it carries
            contained("letting go what was held", go, self.time() - held.since)
        if not queue and self._queues.get((thing, kind)) is queue:  # what went may have had others wait
            self._queues.pop((thing, kind), None)

    def _forget_weight(self, held: Held) -> None:
        weight = self._weights[held.thing]
        weight.add(-1, -held.size)
        self._total.add(-1, -held.size)
        if not weight.messages:
            del self._weights[held.thing]


def _is_gone(_seconds: float) -> None:
    """In the place of what lets a message go that went."""


def _is_too_much(weight: _Weight, messages: int, size: int) -> bool:
    return weight.messages > messages or weight.size > size


def _is_awaited(progress: Progress, held: Held) -> bool:
    fault = held.fault
    return fault is not None and fault.lets_go in progress.reached
