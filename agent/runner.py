"""One device put together: core, transport and hardware, on an event loop.

The core decides; here its effects are performed, in order, and what the world does is fed back as events. Timers are
the loop's, jitter is the Jitter's that was handed in. Everything that the core, the hardware or the runner
tells is logged under its own event name and handed to the observer.

A runner lives from one start of the agent to its end: it is stopped in good order, or halted as by a power cut. What
the next one knows is what `remember` wrote down.
"""

from collections.abc import Callable
from math import inf
from typing import Generic, Protocol, TypeVar, assert_never

from agent.core.events import (
    BeginStep,
    Booted,
    CancelTimer,
    Connected,
    Disconnected,
    Effect,
    Event,
    Hinted,
    JournalFailed,
    Publish,
    Remember,
    SetTimer,
    StopStep,
    Tell,
    TimerFired,
    TimerName,
    UndoStep,
    Unreadable,
    Verify,
)
from agent.core.record import Record
from agent.correlation import AgentState
from agent.device_events import DeviceConnected, DeviceCrashed, DeviceDisconnected, DeviceEvent
from agent.errors import GhostjobError, WireError
from agent.incoming import Reading, heard
from agent.jitter import Jitter
from agent.log import DeviceLog
from agent.loop_time import LOOP_TIME, Alarm, Time
from agent.topics import AnswerTopic, RequestTopic, parse
from agent.transports import WireListener
from agent.values import PendingChanged, Request

S = TypeVar("S", bound=AgentState)


class Workbench(Protocol):
    """Performs steps on hardware. What comes of them is fed to the runner as events."""

    def begin(self, effect: BeginStep) -> None:
        """Start a step; StepAdvanced and StepEnded follow."""

    def stop(self, effect: StopStep) -> None:
        """Stop the running step where it can be stopped; StepEnded follows."""

    def undo(self, effect: UndoStep) -> None:
        """Take a step back; StepRestored follows."""

    def verify(self, effect: Verify) -> None:
        """Look the hardware over; Verified follows."""


class Listener(WireListener, Protocol):
    """Whom a connection tells: of messages as they come over the wire, or as events where there is none."""

    def feed(self, event: Event) -> None:
        """What a message says came in."""


class Transport(Protocol):
    """One connection (see `agent.transports`)."""

    def start(self, listener: Listener) -> None:
        """Connect, and stay connected."""

    def send(self, request: Request) -> None:
        """Send, or drop while disconnected."""

    async def stop(self) -> None:
        """Disconnect in good order."""

    def cut(self) -> None:
        """Vanish: no packet says good-bye, and nothing is told to the listener any more."""

    def interrupt(self, seconds: float) -> None:
        """Lose the network for so long."""


class Runner(Generic[S]):
    """Runs one device until it is stopped. `machine` is its state, `step` its core or a model of another one.

    `time` may stand still, for many devices in one process, while the process does not get round to them; `read` may
    remember what they were told.
    """

    __slots__ = (
        "_alarm",
        "_alarm_at",
        "_due",
        "_inbox",
        "_is_stopping",
        "_is_working",
        "_listed",
        "_log",
        "_observe",
        "_read",
        "_remember",
        "_rng",
        "_step",
        "_time",
        "_transport",
        "_workbench",
        "crashed",
        "machine",
        "thing",
    )

    def __init__(
        self,
        *,
        thing: str,
        machine: S,
        step: Callable[[S, Event], tuple[S, tuple[Effect, ...]]],
        transport: Transport,
        workbench: Workbench,
        rng: Jitter,
        observe: Callable[[DeviceEvent], None],
        remember: Callable[[Record], None],
        time: Time = LOOP_TIME,
        read: Reading = heard,
    ) -> None:
        self._time = time
        self._read = read
        self.thing = thing
        self.machine = machine
        self.crashed = False
        self._step = step
        self._transport = transport
        self._workbench = workbench
        self._rng = rng
        self._observe = observe
        self._remember = remember
        self._log = DeviceLog(thing)
        self._due: dict[TimerName, float] = {}
        self._alarm: Alarm | None = None
        self._alarm_at = inf
        """When that comes."""
        self._inbox: list[Event] = []
        self._listed: PendingChanged | None = None
        """The newest notification that named what is pending, for when nothing else can be read."""
        self._is_working = False
        self._is_stopping = False

    def start(self, booted: Booted, *, offline_seconds: float = 0.0) -> None:
        """Begin where the journal says that the last one ended, and connect, or do that once there is a network."""
        self.feed(booted)
        if offline_seconds > 0:
            self._time.call_at(self._time.now() + offline_seconds, self._connect)
        else:
            self._connect()

    def _connect(self) -> None:
        if not self._is_stopping:
            self._transport.start(self)

    def retire(self) -> None:
        """Take nothing on any more: neither what the core decided a moment ago nor what is told from now on counts."""
        self._silence()
        self._is_stopping = True

    async def stop(self) -> None:
        """Stop for good: timers first, then the connection."""
        self.retire()
        await self._transport.stop()
        self.tell(DeviceDisconnected("stopped", planned=True))

    @property
    def rests(self) -> bool:
        """Whether nothing is in hand."""
        return self.machine.rests

    def interrupt(self, seconds: float) -> None:
        """Lose the network for so long."""
        self._transport.interrupt(seconds)

    def halt(self) -> None:
        """End at this instant, as by a power cut: nothing is sent, written or told any more."""
        self.retire()
        self._transport.cut()

    def feed(self, event: Event) -> None:
        """Let the core deal with `event`, after those that came before it."""
        if self._is_stopping:
            return
        self._inbox.append(event)
        if self._is_working:
            return
        self._is_working = True
        try:
            while self._inbox and not self.crashed:
                self.machine, effects = self._step(self.machine, self._inbox.pop(0))
                self._perform_all(effects)
        except Exception as error:
            self._crash(error)
        finally:
            self._is_working = False

    def tell(self, event: DeviceEvent) -> None:
        """Log and hand on."""
        self._log.write(event)
        self._observe(event)

    # ── what the transport calls ──────────────────────────────────────────────────────────────────────────────

    def on_connected(self, session_present: bool) -> None:
        """The device is on line and listens."""
        self.tell(DeviceConnected(session_present))
        self.feed(Connected(session_present))

    def on_disconnected(self, reason: str, again_seconds: float | None = None) -> None:
        """The device is off line, for `again_seconds` at least; that it is stopped needs nobody to be told."""
        if self._is_stopping:
            return
        self.tell(DeviceDisconnected(reason))
        if again_seconds is not None:
            self._log.info("connection.waiting", seconds=round(again_seconds, 1))
        self.feed(Disconnected(reason))

    def on_message(self, topic: str, payload: bytes) -> None:
        """A message came in. Of one that cannot be read it is logged why; that it was an answer is an event too."""
        try:
            event = self._read(self.thing, topic, payload)
        except WireError as error:
            self._log.warning("message.unreadable", topic=topic, problem=error.problem)
            if isinstance(parsed := parse(topic), AnswerTopic):
                self.feed(self._unreadable(parsed.request, error))
            return
        if event is None:
            return
        if isinstance(event, Hinted) and isinstance(event.hint, PendingChanged):
            self._listed = event.hint
        self.feed(event)

    def _unreadable(self, asked: RequestTopic, error: WireError) -> Unreadable:
        newest, ns = self._listed, asked.namespace_id
        listed = newest.in_progress + newest.queued if newest is not None and newest.namespace_id == ns else ()
        return Unreadable(asked.verb, error.problem, error.client_token, ns, asked.job_id, listed)

    # ── effects ───────────────────────────────────────────────────────────────────────────────────────────────

    def _perform_all(self, effects: tuple[Effect, ...]) -> None:
        unwritten, withheld = "", False
        for effect in effects:
            if self._is_stopping:
                return
            match effect:
                case Tell():
                    self.tell(effect.event)
                case CancelTimer():
                    self._due.pop(effect.name, None)
                case SetTimer():
                    self._set_timer(effect)
                case Publish():
                    self._transport.send(effect.request)
                case Remember():
                    unwritten = self._write_down(effect.record)
                case BeginStep(again=again):
                    withheld = bool(unwritten) and not again
                    if not withheld:
                        self._workbench.begin(effect)
                case StopStep():
                    self._workbench.stop(effect)
                case UndoStep():
                    self._workbench.undo(effect)
                case Verify():
                    self._workbench.verify(effect)
                case _:
                    assert_never(effect)
        if unwritten:
            self._inbox.insert(0, JournalFailed(unwritten, withheld))

    def _write_down(self, record: Record) -> str:
        """Why the record could not be written; empty if it was."""
        try:
            self._remember(record)
        except (GhostjobError, OSError) as error:
            return str(error)
        return ""

    def _set_timer(self, effect: SetTimer) -> None:
        delay = effect.after_seconds
        if effect.spread_seconds:
            delay += effect.spread_seconds * self._rng.random()
        self._due[effect.name] = self._time.now() + delay
        self._set_alarm()

    def _set_alarm(self) -> None:
        """See to it that there is a call in time for the earliest timer.

        Most timers are set anew, or cancelled, long before they are due. So there is one alarm for each device, and it
        may come too early, which costs nothing but the call.
        """
        earliest = min(self._due.values(), default=None)
        if earliest is None or (self._alarm is not None and self._alarm_at <= earliest):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = earliest
        self._alarm = self._time.call_at(earliest, self._ring, earliest)

    def _ring(self, now: float) -> None:
        self._alarm = None
        for name in sorted(self._due, key=self._due.__getitem__):
            if self._due.get(name, inf) <= now:
                del self._due[name]
                self._fire(name)
        self._set_alarm()

    def _fire(self, name: TimerName) -> None:
        """It is due now."""
        self.feed(TimerFired(name))

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._due.clear()
        self._inbox.clear()

    def _crash(self, error: Exception) -> None:
        """The agent died of a fault of its own: it does nothing more, and other devices do not notice."""
        self.crashed = True
        self._silence()
        self._log.crashed(error)
        self._observe(DeviceCrashed(f"{type(error).__name__}: {error}"))
