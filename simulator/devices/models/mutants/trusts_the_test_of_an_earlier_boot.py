"""A device that goes on with the commit after its new firmware came down, because the self-test before had passed.

Why it came down it does not know: it may well have been the firmware.
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Booted, Effect, Event


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but on trial it takes every boot for a restart of its agent alone."""
    if isinstance(event, Booted) and event.on_trial:
        event = replace(event, rebooted=False)
    return reference(machine, event)
