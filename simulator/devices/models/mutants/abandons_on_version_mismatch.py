"""A device that gives up when an update of it is refused with VersionMismatch.

That says "alive, but out of step": an earlier update of the device's own, whose answer was lost, is enough for it.
"""

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Answered, Effect, Event
from agent.core.machine import act
from agent.core.record import Work
from agent.core.recovering import give_way
from agent.core.state import Executing, Gated, Reporting, Suspect
from agent.core.turn import Turn
from agent.values import ErrorCode, Rejected


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but it takes the refusal for the end."""
    match event, machine.phase:
        case (
            Answered(answer=Rejected(code=ErrorCode.VERSION_MISMATCH) as refusal),
            Executing(work=work) | Gated(work=work) | Suspect(work=work) | Reporting(work=work) as phase,
        ):
            running = isinstance(phase, Executing) or (isinstance(phase, Suspect) and phase.running)
            return act(machine, lambda turn: _abandon(turn, work, refusal, running=running))
        case _:
            return reference(machine, event)


def _abandon(turn: Turn, work: Work, refusal: Rejected, *, running: bool) -> None:
    if turn.take_answer(refusal) is not None:
        give_way(turn, work, "replaced", running=running)
