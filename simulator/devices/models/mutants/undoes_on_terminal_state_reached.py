"""A device that reads TerminalStateReached as "cancelled", and takes its work back.

The code names no status. Whoever has reported the end already, and lost the answer, is told the same: the terminal
state is then its own.
"""

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Answered, Effect, Event
from agent.core.machine import act
from agent.core.record import Work
from agent.core.recovering import give_way
from agent.core.state import Reporting, Suspect
from agent.core.turn import Turn
from agent.values import ErrorCode, Rejected


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but it does not ask which terminal state it is."""
    match event, machine.phase:
        case (
            Answered(answer=Rejected(code=ErrorCode.TERMINAL_STATE_REACHED) as refusal),
            Reporting(work=work) | Suspect(work=work) as phase,
        ):
            running = isinstance(phase, Suspect) and phase.running
            return act(machine, lambda turn: _take_back(turn, work, refusal, running=running))
        case _:
            return reference(machine, event)


def _take_back(turn: Turn, work: Work, refusal: Rejected, *, running: bool) -> None:
    if turn.take_answer(refusal) is not None:
        give_way(turn, work, "cancelled", running=running)
