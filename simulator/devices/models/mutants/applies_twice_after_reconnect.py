"""A device that has done its work, loses the connection before the answer to its report, and then begins it anew.

Greengrass nucleus ran deployments twice, also after a restart, because it did not keep what told duplicates apart
(aws-greengrass/aws-greengrass-nucleus, pull request 271 and issue 483).
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.doubting import doubt
from agent.core.events import Connected, Effect, Event
from agent.core.machine import act
from agent.core.record import Work
from agent.core.state import Gated, Reporting, Suspect
from agent.core.turn import Turn
from agent.core.working import advance
from agent.values import Status
from simulator.devices.models.mutants.silence import without_requests


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but if it finds its execution IN_PROGRESS when it connects, it does it again."""
    before = machine.phase
    match event, before:
        case Connected(), Reporting(work=work, status=Status.SUCCEEDED) if work.version_number:
            return act(machine, lambda turn: _wonder(turn, work))
        case _:
            machine, effects = reference(machine, event)
    match before, machine.phase:
        case Suspect(work=work, restarted=False), Reporting() if work.next_step is None:
            machine, more = act(machine, lambda turn: _begin_anew(turn, work))
            return machine, without_requests(effects) + more
        case _:
            return machine, effects


def _wonder(turn: Turn, work: Work) -> None:
    turn.machine = replace(turn.machine, connected=True)
    doubt(turn, Gated(work, "report"), "connected again; was it reported?")


def _begin_anew(turn: Turn, work: Work) -> None:
    turn.forget_question()
    advance(turn, replace(work, done=0, begun=0), "not reported, so not done")
