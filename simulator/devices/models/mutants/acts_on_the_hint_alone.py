"""A device that takes a notification for proof: a list or a head without its execution, and it gives up.

rustot aborted a download on any notify-next, and later on any that did not name its own job (FactbirdHQ/rustot, issues
85, 89 and 95). But lists are capped, come late, twice, and out of order.
"""

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Hinted
from agent.core.machine import act
from agent.core.recovering import give_way
from agent.core.state import Suspect
from agent.core.turn import Turn


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but a doubt that a hint brought is a certainty."""
    machine, effects = reference(machine, event)
    if isinstance(event, Hinted) and isinstance(suspect := machine.phase, Suspect):
        machine, more = act(machine, lambda turn: _give_up(turn, suspect))
        effects += more
    return machine, effects


def _give_up(turn: Turn, suspect: Suspect) -> None:
    turn.forget_question()
    give_way(turn, suspect.work, "gone", running=suspect.running)
