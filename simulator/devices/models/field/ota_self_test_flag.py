"""An OTA agent whose self-test flag is kept in the cloud, and nowhere else.

Source: the first aws_iot_ota_agent.c of Amazon FreeRTOS (prvUpdateJobStatus, prvParseJobDoc), and for what became of it
aws/ota-for-aws-iot-embedded-sdk, source/ota.c (processValidFileContext, startHandler).

Before the reboot it reports `self_test: ready` in the statusDetails. The new firmware asks for `$next`; the flag in the
answer, and nothing on the device, tells it to test itself and to commit. If the job was deleted during the reboot it
never learns that it is in self-test: it stays on trial, and takes the next job while it runs from the slot that this
one is written to. (Later agents look at the platform, too, and reset a device that is on trial without such a job, or
for longer than 16 s, so that the bootloader falls back.) A job with the flag, on a device that is not on trial, is
refused.

So it idles on trial (bootable), and does an update again whose flag could not be reported before the reboot
(no-double-apply). The rest is what every OTA agent breaks.
"""

from dataclasses import dataclass, replace
from typing import Final

from agent.core.events import Booted
from agent.core.record import Record, Work
from agent.core.restarting import rebooted
from agent.values import Execution, Status
from simulator.devices.models.field.agent import Memory, stepping
from simulator.devices.models.field.ota_agent import BREAKS, OtaAgent
from simulator.devices.models.model import Model

FLAG: Final = "self_test"


@dataclass(frozen=True, slots=True)
class FlagMemory(Memory):
    """`trial` is the update that the platform is trying: the bootloader's knowledge, not the agent's."""

    trial: Work | None = None
    is_testing: bool = False


class SelfTestFlag(OtaAgent[FlagMemory]):
    """The OTA agent for the embedded SDK."""

    def on_booted(self, event: Booted) -> None:
        """The platform says whether it is on trial; what for, only the cloud knows."""
        work = (event.record or Record()).work
        if work is None:
            return
        work, failure = rebooted(work, event)
        if not failure and work.done > work.plan.index_of("reboot"):
            self.set(trial=work)

    def read(self, execution: Execution | None) -> None:
        """Only the flag tells a job to be tested from one to be begun."""
        trial = self.state.trial
        if self.state.work is not None or execution is None or FLAG not in dict(execution.status_details):
            OtaAgent.read(self, execution)
        elif trial is None:
            self.refuse(execution, Status.FAILED, "the job is in self-test, and the platform is not")
        else:
            self.set(trial=None, is_testing=True)
            self.hold(replace(trial, key=execution.key))
            self.to("executing", "self-test")
            self.advance()

    def take(self, execution: Execution) -> None:
        """Begin a job from the start, on trial or not."""
        self.set(trial=None)
        OtaAgent.take(self, execution)

    def update(self, status: Status, **details: str) -> None:
        """The flag goes with every update, since statusDetails are replaced as a whole."""
        work = self.state.work
        if work is not None and work.next_step is not None and work.next_step.action == "reboot":
            details[FLAG] = "ready"
        elif self.state.is_testing and status is Status.IN_PROGRESS:
            details[FLAG] = "active"
        OtaAgent.update(self, status, **details)

    def advance(self) -> None:
        """Before the reboot the flag must be in the cloud, whatever else is reported."""
        work = self.state.work
        if work is not None and work.next_step is not None and work.next_step.action == "reboot":
            self.update(Status.IN_PROGRESS)
        OtaAgent.advance(self)

    def record(self) -> Record:
        """What the bootloader will find is on record; nothing that the agent could go by."""
        work = self.state.work or self.state.trial
        return Record(replace(work, version_number=0) if work else None)


MODEL: Final = Model(stepping(SelfTestFlag), FlagMemory, BREAKS)
