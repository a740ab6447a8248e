"""The FreeRTOS OTA agent as it was, without the flaws that have models of their own.

Source: aws/amazon-freertos, aws_iot_ota_agent.c, and its successor aws/ota-for-aws-iot-embedded-sdk, source/ota.c
(requestJobHandler, verifyActiveJobStatus, updateJobStatusFromImageState); amazon-freertos pull request 2223.

It asks for `$next`, and reads notify-next as if it were the answer. Nothing pending, or another job at the head, means
that its own is cancelled: it aborts and asks for the next one. Jobs are told apart by their name. Updates carry no
`expectedVersion`, and nobody waits for their answers. It never asks about its own execution.

So it takes a hint for an answer (no-false-abort) and never asks before the leap (asks-before-leap). A stale answer to
`$next` makes it begin anew what is gone, deaf to what its updates are told (no-ghost-work, no-ghost-update,
stops-in-time, no-hammering), and without `expectedVersion` a late one changes the next job of the same name
(no-cross-incarnation). A last report that gets lost is not repeated: the whole update is, if its job is still there
(no-double-apply), and if not, nobody learns of it (accounted-for). Cancelled while the only slot is half written it
leaves that so (bootable).
"""

from typing import Final, TypeVar

from agent.device_events import OUTCOMES
from agent.values import Answer, Execution, ExecutionTold, Hint, NextChanged, Status, Update
from simulator.devices.models.asker import Question
from simulator.devices.models.field.agent import FieldAgent, Memory

BREAKS: Final = frozenset(
    {
        "no-false-abort",
        "asks-before-leap",
        "no-ghost-work",
        "no-ghost-update",
        "stops-in-time",
        "no-hammering",
        "no-cross-incarnation",
        "no-double-apply",
        "bootable",
        "accounted-for",
    }
)
"""What every OTA agent breaks."""

M = TypeVar("M", bound=Memory)


class OtaAgent(FieldAgent[M]):
    """The OTA agent."""

    def on_connected(self) -> None:
        """Ask again, even with a job in hand."""
        if self.state.status is not None:
            self.report(self.state.status, self.state.reason)
        else:
            self.seek()

    def on_hint(self, hint: Hint) -> None:
        """A job document, or none."""
        if isinstance(hint, NextChanged):
            self.hear(hint)
            self.read(hint.execution)

    def on_told(self, asked: Question, answer: Answer) -> None:
        """A job document, or none."""
        if isinstance(answer, ExecutionTold):
            self.read(answer.execution)

    def read(self, execution: Execution | None) -> None:
        """Begin with what is at the head; if it is not the job in hand, that one is cancelled."""
        work = self.state.work
        if work is None:
            if execution is not None:
                self.take(execution)
        elif self.state.phase not in ("executing", "trial"):
            pass  # busy with ending the last one
        elif execution is None or execution.key.job_id != work.key.job_id:
            self.abort()

    def abort(self) -> None:
        """Believe that the job in hand was cancelled."""
        self.abandon("cancelled")

    def report(self, status: Status, reason: str = "") -> None:
        """Publish it, and be done."""
        FieldAgent.report(self, status, reason)
        if self.state.connected:
            self.leave(OUTCOMES[status])

    def on_lost(self, asked: Question) -> None:
        """Nobody waits for an update's answer."""
        if isinstance(asked.question, Update):
            self.drop_question()
        else:
            self.put_off(asked)
