"""What those mutants share that rest after a job: for so long they take no other."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.core import DevicePolicy, Machine, start
from agent.core import step as reference
from agent.core.events import Connected, Effect, Event, Hinted, SetTimer, Tell, TimerFired
from agent.device_events import ExecutionLeft, ExecutionOutcome
from simulator.devices.models.mutants.silence import without_requests


@dataclass(frozen=True, slots=True)
class Resting:
    """The machine, and whether it rests."""

    machine: Machine
    is_resting: bool = False

    @property
    def rests(self) -> bool:
        """Whether nothing is in hand."""
        return self.machine.rests


def begin(policy: DevicePolicy) -> Resting:
    """A device before its first event."""
    return Resting(start(policy))


def resting_after(
    outcomes: frozenset[ExecutionOutcome], seconds: float | None
) -> Callable[[Resting, Event], tuple[Resting, tuple[Effect, ...]]]:
    """A step as the reference device's, but it rests after executions that were left so; None: until it connects."""

    def step(state: Resting, event: Event) -> tuple[Resting, tuple[Effect, ...]]:
        if state.is_resting and (isinstance(event, Hinted) or _is_left_over(event)):
            return state, ()
        machine, effects = reference(state.machine, event)
        if any(_leaves(effect, outcomes) for effect in effects):
            quiet = tuple(effect for effect in without_requests(effects) if not isinstance(effect, SetTimer))
            alarm = () if seconds is None else (SetTimer("poll", seconds),)
            return Resting(replace(machine, asked=None), True), quiet + alarm
        return Resting(machine, state.is_resting and not isinstance(event, TimerFired | Connected)), effects

    return step


def _is_left_over(event: Event) -> bool:
    """Whether a timer fires that was set before the rest began: only the alarm ends that."""
    return isinstance(event, TimerFired) and event.name != "poll"


def _leaves(effect: Effect, outcomes: frozenset[ExecutionOutcome]) -> bool:
    return isinstance(effect, Tell) and isinstance(effect.event, ExecutionLeft) and effect.event.outcome in outcomes
