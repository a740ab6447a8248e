"""A device whose agent falls over a notify-next without `execution`, and is started again.

The payload is ordinary: nothing is pending. The agent of aws/amazon-freertos issue 2510 took it for a custom job when a
job was force-cancelled, and died; issue 3368 shows another one that called it a parser error at each connection.
"""

from dataclasses import replace

from agent.core import Machine, start
from agent.core import step as reference
from agent.core.events import CancelTimer, Connected, Effect, Event, Hinted, Tell
from agent.core.state import Idle
from agent.device_events import DeviceBooted, DeviceCrashed
from agent.values import NextChanged


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, as long as it has work in hand when it hears that there is none."""
    match event, machine.phase:
        case Hinted(hint=NextChanged(execution=None)), Idle():
            fell: tuple[Effect, ...] = (
                Tell(DeviceCrashed("KeyError: 'execution'")),
                *(CancelTimer(name) for name in ("request", "retry", "ask-again", "poll")),
                Tell(DeviceBooted(machine.running, "restarted")),
            )
            machine, effects = reference(_restarted(machine), Connected())
            return machine, fell + effects
        case _:
            return reference(machine, event)


def _restarted(machine: Machine) -> Machine:
    """With what is on record."""
    return replace(
        start(machine.policy),
        unaccounted=machine.unaccounted,
        finished=machine.finished,
        running=machine.running,
    )
