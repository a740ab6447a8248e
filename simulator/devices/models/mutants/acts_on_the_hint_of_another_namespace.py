"""A device that takes what a notification says of another namespace for news of its own.

Two agents can live on one thing: Greengrass listens in a namespace of its own, so as not to collide with its owner's
jobs (aws-greengrass/aws-greengrass-nucleus, pull request 587), and takes an empty list there for a cancellation. One
that subscribes to everything hears the other's lists too.
"""

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Hinted
from agent.core.machine import act
from agent.core.record import Work
from agent.core.recovering import give_way
from agent.core.state import Executing, Gated, Suspect
from agent.core.turn import Turn


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but it gives up when another namespace's list does not name its execution."""
    before, (machine, effects) = machine.phase, reference(machine, event)
    match event, before:
        case Hinted(hint=hint), Executing(work=work) | Gated(work=work) | Suspect(work=work) if (
            hint.namespace_id != work.key.namespace_id
        ):
            running = isinstance(before, Executing) or (isinstance(before, Suspect) and before.running)
            machine, more = act(machine, lambda turn: _give_up(turn, work, running=running))
            effects += more
        case _:
            pass
    return machine, effects


def _give_up(turn: Turn, work: Work, *, running: bool) -> None:
    turn.forget_question()
    give_way(turn, work, "gone", running=running)
