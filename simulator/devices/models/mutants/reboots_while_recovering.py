"""A device that has lost its job, and reboots when it comes up in the middle of its recovery, for a clean start.

So it comes up in the middle of a recovery. It crashes nowhere, keeps its connection for as long as it is up, and is
never idle; it only never gets anywhere.
"""

from dataclasses import dataclass
from typing import Final

from agent.core import DevicePolicy, Machine, start
from agent.core import step as reference
from agent.core.events import BeginStep, Booted, Effect, Event, SetTimer, Tell, TimerFired
from agent.core.state import Recovering
from agent.plan import Step
from agent.values import ExecutionKey

UP_SECONDS: Final = 2.0
"""How long it is up before it reboots again."""
ITS_OWN: Final = ExecutionKey(None, "clean-start", 1, 0)
"""No job asked for this reboot."""


@dataclass(frozen=True, slots=True)
class Restless:
    """The machine, and whether it is about to reboot."""

    machine: Machine
    will_reboot: bool = False

    @property
    def rests(self) -> bool:
        """Whether nothing is in hand."""
        return self.machine.rests


def begin(policy: DevicePolicy) -> Restless:
    """A device before its first event."""
    return Restless(start(policy))


def step(state: Restless, event: Event) -> tuple[Restless, tuple[Effect, ...]]:
    """As the reference device, but for what it does when it comes up."""
    if state.will_reboot and event == TimerFired("poll"):
        return state, (BeginStep(ITS_OWN, 0, Step("reboot", "reboot"), ""),)
    machine, effects = reference(state.machine, event)
    if isinstance(event, Booted) and isinstance(machine.phase, Recovering) and machine.phase.end is not None:
        told = tuple(effect for effect in effects if isinstance(effect, Tell))
        return Restless(machine, will_reboot=True), (*told, SetTimer("poll", UP_SECONDS))
    return Restless(machine, state.will_reboot), effects
