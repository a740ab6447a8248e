"""AWS IoT Greengrass nucleus (the Java one), as a device that firmware is deployed to.

Source: aws-greengrass/aws-greengrass-nucleus, deployment/IotJobsHelper.java (notifications, `$next`, LatestQueuedJobs,
deploymentStatusChanged) and DeploymentService.java (what can be cancelled); pull requests 271 and 483.

It listens to the list alone. A list with QUEUED jobs makes it ask for `$next`, at once and again while the answer is
empty; an empty list, or another job at the head, cancels the deployment in hand, as long as that has not begun to
change what runs. It never asks about that deployment. Jobs are told apart by (job id, queuedAt); an older queuedAt is
dropped, and after a restart the job of the deployment that caused it is known by its id alone. Whatever refuses a
status, it is logged and dropped; one without an answer is kept for the next connection.

So it takes a hint for an answer (no-false-abort), and past the switch there is no way to stop it: it commits without
having asked (asks-before-leap), and nobody learns of a version whose job is gone (accounted-for). Within one second, or
across a restart, a job that was created again looks like the one it knows, and waits for ever (no-lost-job,
ready-in-time), while the device says nothing (alive); without `expectedVersion` a status meant for the old one ends the
new one (no-cross-incarnation).
"""

from dataclasses import dataclass, replace
from typing import Final

from agent.core.events import Booted
from agent.recovery import Reached
from agent.values import Answer, Execution, ExecutionTold, Hint, PendingChanged
from simulator.devices.models.asker import Question
from simulator.devices.models.field.agent import stepping
from simulator.devices.models.field.client import ClientMemory, FieldClient
from simulator.devices.models.model import Model

CANCELLABLE: Final = (Reached.NOTHING, Reached.STAGED)
"""Before its final phase, in which the new configuration is merged: here, before the switch."""


@dataclass(frozen=True, slots=True)
class NucleusMemory(ClientMemory):
    """`announced` counts lists with QUEUED jobs for which `$next` showed none yet; `latest` are the jobs of the newest
    queuedAt; `restarted_with` is the job whose deployment was going on when the device restarted."""

    announced: int = 0
    latest: tuple[str, ...] = ()
    latest_queued_at: int = 0
    restarted_with: str | None = None


class Nucleus(FieldClient[NucleusMemory]):
    """Greengrass nucleus."""

    def on_booted(self, event: Booted) -> None:
        """The deployment goes on by itself."""
        FieldClient.on_booted(self, event)
        work = self.state.work
        self.set(restarted_with=work.key.job_id if work else None)

    def on_hint(self, hint: Hint) -> None:
        """New work, or none left: the only two things that it reads out of a list."""
        if not isinstance(hint, PendingChanged):
            return
        self.hear(hint)
        if hint.queued:
            self.set(announced=self.state.announced + 1)
            self.seek()
        elif not hint.in_progress:
            self.set(announced=0)
            self.cancel()

    def on_told(self, asked: Question, answer: Answer) -> None:
        """What is at the head. If it is another job, the one in hand must have been cancelled."""
        match answer:
            case ExecutionTold(execution=None) if self.state.announced:
                self.seek()
            case ExecutionTold(execution=execution) if execution is not None:
                self.set(announced=max(self.state.announced - 1, 0))
                if self.is_new(execution):
                    self.cancel()
                    self.offer(execution)
            case _:
                pass
        if self.state.status is not None and self.state.asked is None:
            self.report(self.state.status, self.state.reason)
        self.resend()

    def is_new(self, execution: Execution) -> bool:
        """Whether a job has not been seen; from here on it has."""
        job_id, queued_at, memory = execution.key.job_id, execution.key.queued_at, self.state
        known = job_id == memory.restarted_with
        if known:
            self.state = memory = replace(memory, restarted_with=None)
        if queued_at > memory.latest_queued_at:
            self.state = replace(memory, latest_queued_at=queued_at, latest=(job_id,))
            return not known
        if queued_at < memory.latest_queued_at or job_id in memory.latest:
            return False
        self.state = replace(memory, latest=(*memory.latest, job_id))
        return not known

    def cancel(self) -> None:
        """Give up the deployment in hand, if it can be, and none waits behind it."""
        work = self.state.work
        if work is None or self.state.phase != "executing" or self.state.waiting:
            return
        if work.reached in CANCELLABLE:
            self.abandon("cancelled")

    def is_settled(self, answer: Answer) -> bool:
        """Any answer is: what was rejected is dropped like what was accepted."""
        return True


MODEL: Final = Model(
    stepping(Nucleus),
    NucleusMemory,
    frozenset(
        {
            "no-false-abort",
            "asks-before-leap",
            "accounted-for",
            "no-lost-job",
            "ready-in-time",
            "alive",
            "no-cross-incarnation",
        }
    ),
)
