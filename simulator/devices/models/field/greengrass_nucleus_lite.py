"""AWS IoT Greengrass nucleus lite (the C one), as a device that firmware is deployed to.

Source: aws-greengrass/aws-greengrass-lite, modules/ggdeploymentd/src/iot_jobs_listener.c and status_keeper.c; pull
request 1129 (the status that is kept and sent again every 60 s and on reconnection), issues 1127 (jobs are told apart
by id and queuedAt), 1018 and 1151.

It listens to notify-next alone, and takes it for nothing but a reason to ask for `$next`; an empty answer ends that. A
question that failed is put again after 10 ms, doubled up to 10 s (gg_backoff). That an execution is gone
means nothing to it: cancellation is a remark in the source, the deployment runs to its end. The one status that was not
delivered is kept across restarts, dropped on a code that does not pass, and superseded by the next deployment.

So it begins steps long after the removal (stops-in-time), commits without asking what nobody wants any more
(asks-before-leap), takes its next job only after that, and tells nobody of a version whose job is gone (accounted-for).
Without `expectedVersion`, the status of a job that is gone ends the one that was created again (no-cross-incarnation).
A job that `$next` does not show at once is lost (no-lost-job), and a throttled service is hammered (no-hammering).
"""

from dataclasses import dataclass
from typing import Final

from agent.core.events import Booted
from agent.values import Answer, Describe, ExecutionTold, Hint, NextChanged, Rejected, UpdateAccepted
from simulator.devices.models.asker import Question
from simulator.devices.models.field.agent import stepping
from simulator.devices.models.field.client import MINUTE, ClientMemory, FieldClient, Undelivered
from simulator.devices.models.model import Model


@dataclass(frozen=True, slots=True)
class LiteMemory(ClientMemory):
    """`last` is the job that it took last: id and queuedAt."""

    last: tuple[str, int] | None = None


class NucleusLite(FieldClient[LiteMemory]):
    """Greengrass nucleus lite."""

    def on_booted(self, event: Booted) -> None:
        """The deployment goes on by itself, and its job is known again."""
        FieldClient.on_booted(self, event)
        work = self.state.work
        self.set(last=(work.key.job_id, work.key.queued_at) if work else None)

    def on_hint(self, hint: Hint) -> None:
        """Whatever notify-next says, ask."""
        if isinstance(hint, NextChanged):
            self.hear(hint)
            self.seek()

    def on_told(self, asked: Question, answer: Answer) -> None:
        """What is at the head: new, or the last one again, or nothing."""
        if isinstance(answer, ExecutionTold) and answer.execution is not None:
            key, last = answer.execution.key, self.state.last
            if last is None or key.job_id != last[0] or key.queued_at > last[1]:
                self.set(last=(key.job_id, key.queued_at), undelivered=None)
                self.offer(answer.execution)
        if self.state.status is not None and self.state.asked is None:
            self.report(self.state.status, self.state.reason)
        self.resend()

    def on_lost(self, asked: Question) -> None:
        """A question for work is put again; a status is kept."""
        if isinstance(asked.question, Describe):
            self.put_off(asked)
        else:
            FieldClient.on_lost(self, asked)

    def on_refused_for_now(self, asked: Question, answer: Rejected) -> None:
        """A question for work is put again; a status is kept."""
        if isinstance(asked.question, Describe):
            self.put_off(asked)
        else:
            FieldClient.on_refused_for_now(self, asked, answer)

    def backoff(self, attempts: int) -> float:
        """For questions for work."""
        return min(0.01 * 2.0 ** (attempts - 1), 10.0)

    def is_settled(self, answer: Answer) -> bool:
        """A status that was refused for good is dropped."""
        return isinstance(answer, UpdateAccepted) or (isinstance(answer, Rejected) and answer.code.is_permanent)

    def on_kept(self, kept: Undelivered) -> None:
        """Once a minute."""
        self.again_in(MINUTE)


MODEL: Final = Model(
    stepping(NucleusLite),
    LiteMemory,
    frozenset(
        {"stops-in-time", "asks-before-leap", "accounted-for", "no-cross-incarnation", "no-lost-job", "no-hammering"}
    ),
)
