"""A device that takes back the first step first.

While new firmware is on trial that erases the slot which it runs from.
"""

from dataclasses import dataclass, replace

from agent.core import DevicePolicy, Machine, start
from agent.core import step as reference
from agent.core.events import Effect, Event, StepRestored, UndoStep
from agent.core.state import Recovering


@dataclass(frozen=True, slots=True)
class Undoing:
    """The machine, and the step that it should take back first; None while it takes back nothing."""

    machine: Machine
    newest: int | None = None

    @property
    def rests(self) -> bool:
        """Whether nothing is in hand."""
        return self.machine.rests


def begin(policy: DevicePolicy) -> Undoing:
    """A device before its first event."""
    return Undoing(start(policy))


def step(state: Undoing, event: Event) -> tuple[Undoing, tuple[Effect, ...]]:
    """As the reference device, but the steps to take back are counted upwards."""
    if isinstance(event, StepRestored) and state.newest is not None:
        event = replace(event, index=state.newest - event.index)
    machine, effects = reference(state.machine, event)
    newest = state.newest if isinstance(machine.phase, Recovering) else None
    turned: list[Effect] = []
    for effect in effects:
        if isinstance(effect, UndoStep) and isinstance(machine.phase, Recovering):
            newest = effect.index if newest is None else newest
            index = newest - effect.index
            effect = replace(effect, index=index, step=machine.phase.work.plan.steps[index])
        turned.append(effect)
    return Undoing(machine, newest), tuple(turned)
