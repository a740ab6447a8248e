"""A device that, when its job is gone, forgets what it did instead of taking it back.

Its next job finds half of an image where it expects nothing, and after a switch the bootloader finds it too.
"""

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, StepRestored, UndoStep, Verified, Verify


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but it takes every step for undone, and what is left for whole."""
    machine, effects = reference(machine, event)
    done: list[Effect] = []
    for effect in effects:
        match effect:
            case UndoStep(index=index):
                machine, more = step(machine, StepRestored(index, True))
                done.extend(more)
            case Verify():
                machine, more = step(machine, Verified(True))
                done.extend(more)
            case _:
                done.append(effect)
    return machine, tuple(done)
