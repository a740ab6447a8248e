"""A device that has done its work, loses the connection before the answer to its report, and then begins it anew.

Greengrass nucleus ran deployments twice, also after a restart, because it did not keep what told duplicates apart
(aws-greengrass/aws-greengrass-nucleus, pull request 271 and issue 483).
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Connected, Effect, Event
from agent.core.machine import act
from agent.core.state import Reporting
from agent.core.taking import seek
from agent.core.turn import Turn
from agent.values import Status


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but a report that is open when it connects is forgotten, with all that it was about."""
    match event, machine.phase:
        case Connected(), Reporting(status=Status.SUCCEEDED):
            return act(machine, _begin_anew)
        case _:
            return reference(machine, event)


def _begin_anew(turn: Turn) -> None:
    turn.forget_question()
    turn.machine = replace(turn.machine, connected=True, running="", finished=None)
    seek(turn, "connected; nothing known")
