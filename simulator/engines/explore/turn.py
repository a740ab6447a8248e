"""What one event leads to in a device, to its end: the runner's work, and the clocked device's, on values.

Effects are performed in their order. What the hardware says at once is dealt with when they are done, as a runner does.
Wherever the power may go in between so that it makes a difference, a `Cut` is noted down: before each effect that
touches the journal or the hardware, if anything has been told or done since the turn began. Between a record and a
request it makes none: one that was sent may be lost.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, assert_never

from agent.abilities import Abilities
from agent.core.events import (
    BeginStep,
    Booted,
    CancelTimer,
    Connected,
    Effect,
    Event,
    JournalFailed,
    Publish,
    Remember,
    SetTimer,
    StopStep,
    Tell,
    TimerName,
    UndoStep,
    Verify,
)
from agent.core.record import Record
from agent.correlation import Correlation
from agent.device_events import (
    DeviceConnected,
    DeviceCrashed,
    DeviceDisconnected,
    DeviceEvent,
    JournalWritten,
    PhaseChanged,
    request_kind,
)
from agent.errors import GhostjobError
from agent.values import Describe, Request, Update
from simulator.devices.rig import steps
from simulator.devices.rig.values import Rig, RigOutcome
from simulator.devices.storage import Disk
from simulator.engines.explore.device import MOST_ATTEMPTS, Device, Minted, Told, written
from simulator.engines.explore.net import Link, Message
from simulator.engines.explore.pieces import piece
from simulator.engines.explore.searchable import TooManyPartsError
from simulator.engines.explore.tokens import AWAITED, FRESH, LAST, REPORTS, Numbered
from simulator.trace import ClientConnected, ClientDisconnected, CloudEvent

P = ParamSpec("P")
TIMERS: Final[tuple[TimerName, ...]] = ("retry", "ask-again", "request", "poll", "leap", "step")
"""In the order of their lengths."""
OFF: Final = "the power is off"
UNWRITABLE: Final = "journal: cannot write it: No space left on device"


class Agent(NamedTuple):
    """What runs on a device: its name, `start` state, how it goes on, and what documents are planned for."""

    name: str
    start: Any
    step: Callable[[Any, Event], tuple[Any, tuple[Effect, ...]]]
    abilities: Abilities


class Cut(NamedTuple):
    """A place in a turn: before which effect the power may go, and what has been done, told and sent by then."""

    before: str
    rig: Rig
    older: tuple[Disk, ...]
    told: int
    out: int


class Turn:
    """A device during one event, and what it has sent and told so far.

    `is_taken`: the token whose answer it waits for is in flight, so that what it mints is called otherwise. So many
    records before the newest are `kept`.
    """

    __slots__ = (
        "_agent",
        "_fresh",
        "_inbox",
        "_kept",
        "_minted_here",
        "_next_life",
        "_reports",
        "_rig_before",
        "_timers",
        "away",
        "correlation",
        "crashed",
        "cuts",
        "link",
        "link_change",
        "machine",
        "older",
        "out",
        "phase",
        "rig",
        "side",
        "told",
        "told_by_cloud",
        "unwritable",
    )

    def __init__(self, device: Device, agent: Agent, *, is_taken: bool, kept: int = 0) -> None:
        self.side, self.rig, self.machine, minted, timers, self.link, self.phase, self.crashed, self.away = device[:9]
        self.older, self.unwritable = device[9:]
        self._kept = kept
        self._agent = agent
        self._timers = dict.fromkeys(timers)
        prefix = f"{minted.life}-"
        self.correlation: Correlation = Numbered(
            prefix, agent.abilities, minted.sent, None, minted.attempt, "", minted.reports
        )
        self._fresh = FRESH if is_taken else AWAITED
        self._next_life = minted.life + 1
        self._reports = REPORTS + len(device.names.reports)
        self._rig_before = self.rig
        self._minted_here = 0
        self._inbox: list[Event] = []
        self.out: list[Message] = []
        self.told: list[Told] = []
        self.told_by_cloud: list[CloudEvent] = []
        self.cuts: list[Cut] = []
        self.link_change: Link = ""

    # ── what happens ──────────────────────────────────────────────────────────────────────────────────────────

    def feed(self, event: Event) -> None:
        """Let the agent deal with that, and with all that comes of it at once."""
        self._inbox.append(event)
        self._work()

    def do(self, operation: Callable[Concatenate[Rig, P], RigOutcome], *args: P.args, **named: P.kwargs) -> None:
        """Do an operation of the rig, and let the agent deal with what comes of it."""
        self._take(operation(self.rig, *args, **named))
        self._work()

    def tell(self, event: DeviceEvent) -> None:
        """Say it in the device's account."""
        if type(event) is PhaseChanged:
            self.phase = event.phase
        self.told.append(event)

    def fire(self, name: TimerName) -> None:
        """A timer is over."""
        del self._timers[name]

    def lose_link(self) -> None:
        """The connection is gone, which the cloud tells."""
        if self.link:
            self.link, self.link_change = False, "lost"
            self.told_by_cloud.append(ClientDisconnected(self._agent.name, "CONNECTION_LOST"))

    def find_link(self) -> None:
        """The connection is back, which the cloud tells; the device asks anew."""
        self.link, self.away, self.link_change = True, False, "back"
        self.told_by_cloud.append(ClientConnected(self._agent.name))
        if self.machine is not None:
            self.tell(DeviceConnected())
            self.feed(Connected())

    @property
    def device(self) -> Device:
        """As it stands."""
        timers = tuple(name for name in TIMERS if name in self._timers)
        return Device(
            self.side,
            self.rig,
            self.machine,
            self._minted(),
            timers,
            self.link,
            self.phase,
            self.crashed,
            self.away,
            self.older,
            self.unwritable,
        )

    def _minted(self) -> Minted:
        """What still counts: an answer while it would be heard, attempts while the question may be put again."""
        if self.machine is None:
            return Minted()
        known, is_awaited = self.correlation, is_awaiting(self.machine)
        attempt = min(known.attempt, MOST_ATTEMPTS) if is_awaited or "retry" in self._timers else 0
        return Minted(int(known.prefix[:-1]), known.sent if is_awaited else 0, attempt, known.reports)

    # ── the runner's part ─────────────────────────────────────────────────────────────────────────────────────

    def _work(self) -> None:
        try:
            while self._inbox and self.machine is not None and not self.crashed:
                self._perform_all(self._step(self._inbox.pop(0)))
        except TooManyPartsError:
            raise
        except Exception as error:  # as any agent may die of a fault of its own
            self._crash(error)
        self._inbox.clear()

    def _crash(self, error: Exception) -> None:
        self.crashed, self.machine = True, None
        self._timers.clear()
        self.told.append(DeviceCrashed(f"{type(error).__name__}: {error}"))

    def _step(self, event: Event) -> tuple[Effect, ...]:
        self.correlation, read = self.correlation.read(event)
        if read is None:
            return ()
        self.machine, effects = self._agent.step(self.machine, read)
        return effects

    def _perform_all(self, effects: tuple[Effect, ...]) -> None:
        unwritten, withheld = "", False
        for effect in effects:
            if self.machine is None:
                return
            match effect:
                case Tell():
                    self._tell(effect)
                case CancelTimer():
                    self._timers.pop(effect.name, None)
                case SetTimer():
                    self._timers[effect.name] = None
                case Publish():
                    self._publish(effect)
                case Remember():
                    self._may_be_cut("journal")
                    unwritten = self._write_down(effect)
                case BeginStep(again=again):
                    withheld = bool(unwritten) and not again
                    if not withheld:
                        self._may_be_cut(f"begin {effect.step.name}")
                        self._take(steps.begin(self.rig, effect))
                case StopStep():
                    self._may_be_cut("stop")
                    self._take(steps.stop(self.rig, effect))
                case UndoStep():
                    self._may_be_cut(f"undo {effect.step.name}")
                    self._take(steps.undo(self.rig, effect))
                case Verify():
                    self._may_be_cut("verify")
                    self._take(steps.verify(self.rig))
                case _:
                    assert_never(effect)
        if unwritten:
            self._inbox.insert(0, JournalFailed(unwritten, withheld))

    def _tell(self, effect: Tell) -> None:
        written_as = self.correlation.write(effect)[1] if effect.from_answer else effect
        if isinstance(written_as, Tell):
            self.tell(written_as.event)

    def _publish(self, effect: Publish) -> None:
        """Send, with a token that is free; off line it is dropped, though it is told of."""
        token = FRESH + self._minted_here if self._minted_here else self._fresh
        if token >= LAST:
            raise TooManyPartsError(f"more than {LAST - FRESH} requests in one step")
        known = replace(self.correlation, sent=token - 1)
        self._minted_here += 1
        self.correlation, *both = known.write(effect)
        for written_as in both:
            if isinstance(written_as, Tell):
                self.tell(written_as.event)
            elif isinstance(written_as, Publish) and self.link:
                request = written_as.request
                self.out.append(Message(name_of(request), piece(request), self.side))

    def _write_down(self, effect: Remember) -> str:
        """Why the record could not be written; empty if it was. A report new in it has a name that is free."""
        sent = self.correlation.sent
        after, *written_as = replace(self.correlation, sent=self._reports - 1).write(effect)
        self.correlation = replace(after, sent=sent)
        self._reports += 1
        record = written_as[0].record if isinstance(written_as[0], Remember) else effect.record
        if self.unwritable:
            return UNWRITABLE
        before = self.rig.disk
        try:
            self.rig = self.rig._replace(disk=written(before, record))
        except GhostjobError as error:
            return str(error)
        if self.rig.disk != before:
            self.older = (before, *self.older)[: self._kept]
        self.tell(_journal_written(record))
        return ""

    # ── the device's part ─────────────────────────────────────────────────────────────────────────────────────

    def _take(self, outcome: RigOutcome) -> None:
        """Let an operation take its effect: in the account, and on the agent."""
        had_power, self.rig = self.rig.is_on, outcome.rig
        self.told.extend(outcome.tells)
        if had_power and not self.rig.is_on:
            self._end_agent()
        if isinstance(outcome.event, Booted):
            self._begin_agent(outcome.event)
        elif outcome.event is not None:
            self._inbox.append(outcome.event)

    def _begin_agent(self, booted: Booted) -> None:
        self.correlation = Numbered(f"{self._next_life}-", self._agent.abilities)
        self._next_life += 1
        self.machine, self.crashed, self.phase = self._agent.start, False, "idle"
        self._timers.clear()
        self._inbox = [booted]

    def _end_agent(self) -> None:
        """At this very instant: nothing is sent, written or told any more, but that it is gone, if there was any."""
        had_agent = self.machine is not None or self.crashed
        self.machine, self.crashed, self.phase = None, False, "idle"
        self._timers.clear()
        self._inbox.clear()
        self.lose_link()
        if had_agent:
            self.told.append(DeviceDisconnected(OFF, planned=True))

    def _may_be_cut(self, before: str) -> None:
        """Note that the power may go here, if that leads anywhere else than before the turn."""
        if self.told or self.out or self.rig is not self._rig_before:
            times = 1 + sum(cut.before.partition(" (")[0] == before for cut in self.cuts)
            name = before if times == 1 else f"{before} ({times})"
            self.cuts.append(Cut(name, self.rig, self.older, len(self.told), len(self.out)))


def is_awaiting(machine: Any) -> bool:
    """Whether the agent would hear the answer to its newest attempt: its question is open, and was sent.

    By what it knows, not by its timers: there are agents that set none, and wait. Models wrap one machine in another.
    """
    while not hasattr(machine, "asked"):
        machine = machine.machine
    asked = machine.asked
    return asked is not None and bool(asked.sent)


def _journal_written(record: Record) -> JournalWritten:
    """What is told of that, as an agent on real hardware does: what else was told before it is known for good."""
    work = record.work
    if work is None:
        return JournalWritten("safe" if record.safe else "")
    return JournalWritten(record.doing, work.begun, work.done)


def name_of(request: Request) -> str:
    """What people call a request."""
    match request:
        case Update(job_id=job_id, status=status):
            return f"update {job_id} {status.value}"
        case Describe(job_id=job_id):
            return f"describe {job_id}"
        case _:
            return request_kind(request)
