"""The poller over the HTTP data plane, which says less: no notifications, and of a refusal no more than its name.

What it hears is cut down to what HTTP would carry (`iot-jobs-data`; Developer Guide, "Jobs device HTTP API"), and so
is judged as such a device, although the messages travel as everybody's do. A response has no timestamp and echoes no
client token: it belongs to the request on whose connection it comes. A refused update carries no executionState, and
that its version was wrong is an InvalidRequest like any other. A describe of what ended is a TerminalStateException.

Why it is right: a refused update makes it describe, and the describe is what it believes. 404: gone. 410: ended; if it
had reported the end itself, that report may or may not be what stands there, so it notes the version that runs once
more with its next report. 200: it is out of step, and takes the version from there.
"""

from dataclasses import replace
from typing import Final

from agent.core.events import Answered, Effect, Event
from agent.values import Answer, ErrorCode, ExecutionTold, Hint, PendingListed, Rejected, UpdateAccepted
from simulator.devices.models.designs import conversation, poller
from simulator.devices.models.designs.state import DesignTurn, Facts

TIMELESS: Final = 0


def over_http(answer: Answer) -> Answer:
    """What is left of an answer."""
    match answer:
        case Rejected(code=ErrorCode.VERSION_MISMATCH):
            return answer._replace(timestamp=TIMELESS, code=ErrorCode.INVALID_REQUEST, state=None)
        case Rejected():
            return answer._replace(timestamp=TIMELESS, state=None)
        case PendingListed() | ExecutionTold() | UpdateAccepted():
            return answer._replace(timestamp=TIMELESS)


def _hear(now: DesignTurn, hint: Hint) -> None:
    """Nothing: there are no notifications over HTTP."""


MANNERS: Final = conversation.Manners(_hear, poller.proceed, poller.IDLE_SECONDS, is_told_the_status=False)


def http_data_plane(device: Facts, event: Event) -> tuple[Facts, tuple[Effect, ...]]:
    """As the poller, with what HTTP leaves of the answers."""
    if isinstance(event, Answered):
        event = replace(event, answer=over_http(event.answer))
    return conversation.live(MANNERS, device, event)
