"""A device for which one "still there" settles it, though the newest list leaves its execution out.

Reads may lag behind the change that a list already shows, and during DELETION_IN_PROGRESS the record may still answer.
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event
from agent.core.state import Suspect


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but it does not remember that a list omitted its execution."""
    machine, effects = reference(machine, event)
    if isinstance(suspect := machine.phase, Suspect) and suspect.omitted:
        machine = replace(machine, phase=replace(suspect, omitted=False))
    return machine, effects
