"""An OTA agent that crashes on an answer without `execution`.

Source: aws/amazon-freertos issue 2510. The job was force-cancelled; the agent aborted the download (pull request 2223)
and asked for the next job. The answer was `{"clientToken", "timestamp"}`: nothing is pending. It was taken for a custom
job, with a file context that had just been closed.

So it breaks `alive`, and what a dead device cannot do (no-lost-job, ready-in-time), beside what every OTA agent breaks.
"""

from dataclasses import dataclass
from typing import Final

from agent.values import Answer, Execution, ExecutionTold
from simulator.devices.models.asker import Question
from simulator.devices.models.field.agent import Memory, stepping
from simulator.devices.models.field.ota_agent import BREAKS, OtaAgent
from simulator.devices.models.model import Model


class NullPointerError(Exception):
    """What brought the agent down."""


@dataclass(frozen=True, slots=True)
class CrashMemory(Memory):
    """`has_closed`: the file context has been closed by an abort, and not opened since."""

    has_closed: bool = False


class EmbeddedCrash(OtaAgent[CrashMemory]):
    """Amazon FreeRTOS 202007."""

    def take(self, execution: Execution) -> None:
        """Open a file context."""
        self.set(has_closed=False)
        OtaAgent.take(self, execution)

    def abort(self) -> None:
        """Close it."""
        self.set(has_closed=True)
        OtaAgent.abort(self)

    def on_told(self, asked: Question, answer: Answer) -> None:
        """The answer may say that nothing is pending."""
        if self.state.has_closed and isinstance(answer, ExecutionTold) and answer.execution is None:
            raise NullPointerError("parsed an answer without 'execution' as a custom job")
        OtaAgent.on_told(self, asked, answer)


MODEL: Final = Model(stepping(EmbeddedCrash), CrashMemory, BREAKS | {"alive", "no-lost-job", "ready-in-time"})
