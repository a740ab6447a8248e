"""A device that repeats at once what was refused for good.

AWS IoT Device Client once counted every rejected update as retryable, ResourceNotFound included, so a job deleted
under it meant retries without end (awslabs/aws-iot-device-client, pull request 226).
"""

from dataclasses import replace
from typing import Final

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Answered, Effect, Event
from agent.core.turn import Turn
from agent.values import Rejected

ATTEMPTS: Final = 5
"""So often it puts the question before it takes no for an answer."""


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but it takes no permanent error for an answer."""
    match event:
        case Answered(answer=Rejected(code=code) as refusal) if code.is_permanent:
            turn = Turn(machine)
            asked = turn.take_answer(refusal)
            if asked is not None and asked.waits + 1 < ATTEMPTS:
                turn.machine = replace(turn.machine, asked=replace(asked, waits=asked.waits + 1, sent=False))
                turn.send()
                return turn.machine, tuple(turn.effects)
        case _:
            pass
    return reference(machine, event)
