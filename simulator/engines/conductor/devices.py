"""Our own device, conducted: its hardware stands still, and its timers do not run, until somebody says that they do.

The power may go before any effect of the agent's that touches the journal or the hardware, at the very places that the
explorer knows (`engines.explore.turn`), and called by the same names.
"""

from collections.abc import Callable
from typing import Any, Final

from agent.core.events import BeginStep, StopStep, TimerFired, TimerName, UndoStep, Verify
from agent.core.record import Record
from agent.correlation import Correlated, Correlation, correlated
from agent.jitter import Jitter
from agent.journal import JournalError
from agent.loop_time import Alarm
from agent.runner import Runner, Transport
from simulator.devices.device import SimulatedDevice, Wiring
from simulator.devices.models import model_named
from simulator.devices.rig import power
from simulator.devices.rig.values import Make, PowerOn, Rig
from simulator.devices.storage import EMPTY, Disk
from simulator.engines.conductor.connections import ConductedConnection
from simulator.engines.conductor.packets import Wire
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.turn import UNWRITABLE
from simulator.pace import Pace
from simulator.scenario import Group, Timings
from simulator.trace.flash_events import DeviceAccount


class _Never:
    def cancel(self) -> None:
        """It does not come anyhow."""


class Standstill(Pace):
    """Time does not go on, and nothing that is to come comes by itself."""

    __slots__ = ()

    def now(self) -> float:
        """Always the same."""
        return 0.0

    def call_at(self, at: float, call: Callable[..., object], *args: object) -> Alarm:
        """Never call."""
        return _Never()

    def call_later(self, seconds: float, call: Callable[..., object], *args: object) -> Alarm:
        """Never call."""
        return _Never()


STANDSTILL: Final = Standstill()


class ConductedRunner(Runner[Any]):
    """Its timers are set and cancelled as usual, and run out when they are told to."""

    __slots__ = ()

    @property
    def timers(self) -> frozenset[TimerName]:
        """Those that are set."""
        return frozenset(self._due)

    def run_out(self, name: str) -> None:
        """That timer is over, if it is set."""
        which = next((each for each in self._due if each == name), None)
        if which is not None:
            del self._due[which]
            self.feed(TimerFired(which))

    def _set_alarm(self) -> None:
        """Nobody is to call."""


class ConductedDevice(SimulatedDevice):
    """That of a setup's seat `number`, about to be switched on.

    `wire` is what is held between it and the cloud, `transport` gives it a connection; `written` is called when its
    journal has been.
    """

    __slots__ = (
        *("_cut_before", "_has_told", "_older", "_passed", "_rig_before", "_written"),
        *("connection", "unwritable", "wire"),
    )

    def __init__(
        self,
        setup: Setup,
        number: int,
        group: Group,
        wire: Wire,
        transport: Callable[[], Transport],
        observe: Callable[[DeviceAccount], None],
        written: Callable[[], object],
    ) -> None:
        seat, model = setup.seats[number], model_named(setup.model)
        policy = setup.device_policy(seat)
        self.wire = wire
        self.connection: ConductedConnection | None = None
        self.unwritable = False
        self._written, self._older = written, list[Disk]()
        self.begin_turn()

        def agent(_: SimulatedDevice) -> Runner[Any]:
            self.connection = ConductedConnection(wire, transport)
            minted = Correlation(f"{number + 1:x}{self.boots:07x}-", policy.abilities)
            return ConductedRunner(
                thing=seat.thing,
                machine=Correlated(model.start(policy), minted),
                step=correlated(model.step),
                transport=self.connection,
                workbench=self,
                rng=Jitter(f"{seat.name}/{self.boots}"),
                observe=self.observe,
                remember=self.remember,
            )

        def tell(event: DeviceAccount) -> None:
            self._has_told = True
            observe(event)

        wiring = Wiring((), (), agent, pace=STANDSTILL)
        super().__init__(seat.name, group, Make(Timings(), model.guarded), wiring, tell)
        self.rig = self.rig._replace(pending=(PowerOn("power-on"),))

    def begin_turn(self, cut_before: str = "") -> None:
        """Something happens to it next, in the middle of which the power goes before that effect, if it has a name."""
        self._cut_before = cut_before
        self._has_told = False
        self._rig_before: Rig | None = getattr(self, "rig", None)
        self._passed: dict[str, int] = {}

    @property
    def timers(self) -> frozenset[TimerName]:
        """Those of its agent that are set."""
        return self.runner.timers if isinstance(self.runner, ConductedRunner) else frozenset()

    @property
    def heard(self) -> int:
        """So many messages have come to it over the connection that it has."""
        return 0 if self.connection is None else self.connection.heard

    def run_out(self, name: str) -> None:
        """A timer of its agent is over."""
        if isinstance(self.runner, ConductedRunner):
            self.runner.run_out(name)

    def begin(self, effect: BeginStep) -> None:
        """Start a step."""
        if self._goes_on(f"begin {effect.step.name}"):
            super().begin(effect)

    def stop(self, effect: StopStep) -> None:
        """Stop the running step."""
        if self._goes_on("stop"):
            super().stop(effect)

    def undo(self, effect: UndoStep) -> None:
        """Take a step back."""
        if self._goes_on(f"undo {effect.step.name}"):
            super().undo(effect)

    def verify(self, effect: Verify) -> None:
        """Say whether the hardware is whole."""
        if self._goes_on("verify"):
            super().verify(effect)

    def remember(self, record: Record) -> None:
        """Write a record down. Raises JournalError."""
        if not self._goes_on("journal"):
            return
        if self.unwritable:
            raise JournalError(UNWRITABLE)
        before = self.rig.disk
        super().remember(record)
        if self.rig.disk != before:
            self._older.append(before)
        self._written()

    def spoil(self, *, lost: bool) -> None:
        """The newest record of its journal goes bad, or all of it."""
        left = EMPTY if lost or not self._older else self._older.pop()
        if lost:
            self._older.clear()
        self.do(power.spoil, left)

    def _goes_on(self, before: str) -> bool:
        """Whether there is still power for that; places at which nothing has happened yet in this turn count for none,
        as in the explorer's."""
        if not (self._has_told or self.rig is not self._rig_before):
            return True
        times = self._passed[before] = self._passed.get(before, 0) + 1
        name = before if times == 1 else f"{before} ({times})"
        if name == self._cut_before:
            self.do(power.cut, name)
        return self.rig.is_on
