"""A device that crosses the point of no return without asking whether its execution is still there.

Greengrass nucleus never describes the deployment that it runs; nor does any other client of reference section 8.6.
"""

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event
from agent.core.machine import act
from agent.core.state import Gated
from agent.core.working import begin
from simulator.devices.models.mutants.silence import without_requests


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but the gate before the leap is open."""
    machine, effects = reference(machine, event)
    if isinstance(gated := machine.phase, Gated) and gated.gate == "leap":
        machine, more = act(machine, lambda turn: begin(turn, gated.work))
        effects = without_requests(effects) + more
    return machine, effects
