"""What is kept of each device, of one in a crowd as well: its row, its clock, what it lost, and its last entries.

All of it is bounded, and an entry costs a few microseconds. What is drawn of it is made when it is shown.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    DeviceCrashed,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    PowerLost,
    RequestSent,
    StepFinished,
    StepStarted,
    StepUndone,
)
from agent.values import Status
from simulator.page.axis import Talk, When, exchanged
from simulator.page.flash import FlashFold
from simulator.page.lanes import LaneFold
from simulator.page.losses import Losses
from simulator.page.recoveries import Recoveries
from simulator.report.device_row import OF_ANOTHER, OF_ITSELF, STATES, URGENCY, Row
from simulator.trace import (
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    PowerCutOff,
    ProcessEnded,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict.limits import Limits
from simulator.verdict.seen import Elsewhere, Seen, seen_in

CHANGES: Final = 256
"""So many changes of a device's state are remembered: the last of them."""
NEVER: Final = float("-inf")
_new: Any = tuple.__new__
QUEUE_EVENTS: Final = frozenset(
    {ClientConnected, ClientDisconnected, ExecutionQueued, ExecutionChanged, ExecutionRemoved}
)
"""By which the cloud's account of its jobs changes."""


@dataclass(slots=True)
class Device:
    """`most_kept` is how many of its entries are remembered: the last of them. Its lane is folded while it is shown.

    `has_told`: it gives an account of itself. `limits` are what the run judges it by; None: nothing is known of those.
    """

    name: str
    limits: Limits
    most_kept: int
    group: str = field(default="", init=False)
    row: Row = field(init=False)
    talk: Talk = field(default_factory=Talk)
    losses: Losses = field(default_factory=Losses)
    recoveries: Recoveries = field(init=False)
    kept: deque[Entry] = field(init=False)
    changes: deque[tuple[When, int]] = field(default_factory=lambda: deque(maxlen=CHANGES))
    lane: LaneFold | None = None
    flash: FlashFold | None = None
    has_told: bool = False
    is_cast: bool = False
    """Whether it is one of those with which the run began: it is there from then on."""
    first: When | None = None
    """When it was first heard of."""
    last: When | None = None
    state: str = "offline"
    revision: int = 0
    """Counts what may change its row."""
    crashes: int = 0
    cuts: int = 0
    """How often it crashed, and lost its power."""
    entries: dict[str, Entry] = field(default_factory=dict)
    """While it is shown, those that are remembered, by id."""
    forgotten: int = 0
    """Counts how often some of them went."""

    def __post_init__(self) -> None:
        self.row = Row(self.name)
        self.recoveries = Recoveries(self.limits.ready)
        self.kept = deque(maxlen=self.most_kept)

    def was_there(self) -> None:
        """It was connected before anything was told of it."""
        self.row.online, self.row.away = True, ""
        self._moved(When(NEVER))

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────

    def told(self, entry: Entry) -> None:
        """It tells something of itself."""
        _, _, at, event = entry
        kind = type(event)
        self.has_told = True
        self._keep(entry)
        if (read := OF_ITSELF.get(kind)) is not None:
            read(self.row, event)
            self._moved(_new(When, (at, True)))
        if (note := NOTES.get(kind)) is not None:
            note(self, event, entry)

    def at_cloud(self, entry: Entry, seen: Seen[Any] | None = None) -> None:
        """The cloud tells something of it; `seen` is that as it concerns this device, of one that shares its thing."""
        event: Any = entry.event if seen is None else seen.event
        kind = type(event)
        if kind is RequestReceived:
            self.talk.received(entry.at, event.client_token)
        elif kind is RequestAnswered:
            self.talk.answered(entry.at, event.client_token)
        elif kind in QUEUE_EVENTS:
            self.recoveries.after(seen or seen_in(entry))
            self._of_records(entry)
        elif kind is Elsewhere:
            assert seen is not None, "it is so to one that shares its thing"
            self.recoveries.after(seen)
            return
        self._keep(entry)
        if not self.has_told:
            self._from_afar(event, entry)

    def _of_records(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, ExecutionRemoved):
            self.losses.removed(event.execution, event.status, When(entry.at), entry.id)
        elif isinstance(event, ExecutionQueued | ExecutionChanged):
            self.row.namespace_id = event.execution.namespace_id

    def _from_afar(self, event: Any, entry: Entry) -> None:
        match event:
            case RequestReceived():
                self.losses.asked_from_afar(event)
            case RequestAnswered():
                self.losses.answered_from_afar(event)
            case AnswerDelivered():
                self.losses.delivered_from_afar(event, When(entry.at), entry.id)
            case ExecutionChanged(status=Status.IN_PROGRESS, execution=key):
                self.losses.began_from_afar(key, When(entry.at), entry.id)
            case _:
                pass
        if (read := OF_ANOTHER.get(type(event))) is not None:
            read(self.row, event)
            self._moved(When(entry.at))

    @property
    def has_worked(self) -> bool:
        """Whether it asked for anything or was given anything, in the account of either side."""
        return (
            self.has_told or self.talk.has_begun or bool(self.recoveries.queue.queued or self.recoveries.queue.running)
        )

    def state_at(self, at: float, lay: "Callable[[Device, When], float]") -> str:
        """Its state at an instant on the axis, as far as it is remembered."""
        earlier = (STATES[state] for when, state in reversed(self.changes) if lay(self, when) <= at)
        return next(earlier, "offline")

    def seen_by_others(self, entry: Entry) -> None:
        """A probe, or who switches its power, tells something of it."""
        self._keep(entry)
        event = entry.event
        self.cuts += isinstance(event, PowerCutOff)
        self.crashes += isinstance(event, ProcessEnded) and event.crashed
        if not self.has_told and (read := OF_ANOTHER.get(type(entry.event))) is not None:
            read(self.row, entry.event)
            self._moved(When(entry.at))

    def _keep(self, entry: Entry) -> None:
        self.revision += 1
        self.kept.append(entry)
        if self.lane is not None:
            self._fold(entry)

    def _fold(self, entry: Entry) -> None:
        assert self.lane is not None, "it is shown"
        assert self.flash is not None, "both are shown, or none"
        self.lane.feed(entry)
        self.flash.feed(entry)
        self.entries[entry.id] = entry
        if len(self.entries) > self.most_kept:
            self._forget()

    def _forget(self) -> None:
        """The first of them, some at once: each time it is looked for what names any."""
        self.forgotten += 1
        for event in tuple(islice(self.entries, max(self.most_kept // 8, 1))):
            del self.entries[event]

    def _moved(self, when: When) -> None:
        if when.at > NEVER:
            self.first, self.last = self.first or when, when
        state = self.row.state
        if state != self.state:
            self.state = state
            self.changes.append((when, URGENCY[state]))

    # ── what is shown of it ───────────────────────────────────────────────────────────────────────────────────

    def show(self, most: int) -> None:
        """Fold its lane from now on; what is remembered of it is in it."""
        if self.lane is None:
            self.lane, self.flash = LaneFold(most), FlashFold(most)
            for entry in self.kept:
                self._fold(entry)

    def hide(self) -> None:
        """Fold it no longer."""
        self.lane = self.flash = None
        self.entries = {}


# ── what is noted of what it tells ────────────────────────────────────────────────────────────────────────────────


def _asks(device: Device, event: RequestSent, entry: Entry) -> None:
    device.talk.sent(entry.n, entry.at, event)


def _reads(device: Device, event: AnswerReceived, entry: Entry) -> None:
    asked = device.talk.read(entry.at, event)
    if asked is not None and (device.losses.are_untold or not event.accepted):
        exchange = exchanged(entry.source, asked, (entry.n, entry.at, event))
        device.losses.read(exchange, When(entry.at, True), entry.id)


def _knows(device: Device, event: ExecutionGone, entry: Entry) -> None:
    device.losses.told(event.execution, When(entry.at, True), entry.id)


def _begins(device: Device, event: StepStarted, entry: Entry) -> None:
    device.losses.began(event.execution, event.step, When(entry.at, True))


def _ends(device: Device, event: StepFinished | DeviceBooted, entry: Entry) -> None:
    device.losses.ended(When(entry.at, True))


def _undoes(device: Device, event: StepUndone, entry: Entry) -> None:
    device.losses.undid(event.execution)


def _takes(device: Device, event: ExecutionTaken, entry: Entry) -> None:
    device.losses.took(event.execution)


def _leaves(device: Device, event: ExecutionLeft, entry: Entry) -> None:
    device.losses.left(event.execution, event.outcome)


def _loses_power(device: Device, event: PowerLost, entry: Entry) -> None:
    device.cuts += 1
    device.losses.ended(When(entry.at, True))


def _crashes(device: Device, event: DeviceCrashed, entry: Entry) -> None:
    device.crashes += 1


NOTES: Final[dict[type, Callable[[Device, Any, Entry], None]]] = {
    RequestSent: _asks,
    AnswerReceived: _reads,
    ExecutionGone: _knows,
    StepStarted: _begins,
    StepFinished: _ends,
    StepUndone: _undoes,
    DeviceBooted: _ends,
    ExecutionTaken: _takes,
    ExecutionLeft: _leaves,
    PowerLost: _loses_power,
    DeviceCrashed: _crashes,
}
