"""An OTA agent that keeps the name of a cancelled job, and refuses every other one for it.

Source: aws/amazon-freertos issue 77 (version 1.4.3): after a cancellation the next update fails, because the name of
the active job was not cleared when its file was closed; issue 278 shows the same: "Busy with existing job", and the new
job is reported FAILED.

So it is not ready for the next job (ready-in-time), though it is alive and answers: it reports it FAILED without having
begun. The rest is what every OTA agent breaks.
"""

from dataclasses import dataclass
from typing import Final

from agent.device_events import ExecutionOutcome
from agent.values import Execution, Status
from simulator.devices.models.field.agent import Memory, stepping
from simulator.devices.models.field.ota_agent import BREAKS, OtaAgent
from simulator.devices.models.model import Model

BUSY: Final = "busy with existing job"


@dataclass(frozen=True, slots=True)
class NameMemory(Memory):
    """`active` is the name that it keeps, until a job under that name ends well or the device restarts."""

    active: str | None = None


class OldName(OtaAgent[NameMemory]):
    """Amazon FreeRTOS 1.4.3."""

    def read(self, execution: Execution | None) -> None:
        """With nothing in hand, another job than the active one is refused."""
        other = execution is not None and self.state.active not in (None, execution.key.job_id)
        if execution is not None and other and self.state.work is None:
            self.refuse(execution, Status.FAILED, BUSY)
        else:
            OtaAgent.read(self, execution)

    def take(self, execution: Execution) -> None:
        """Remember its name."""
        self.set(active=execution.key.job_id)
        OtaAgent.take(self, execution)

    def forget(self, outcome: ExecutionOutcome) -> None:
        """Forget it, unless the job was cancelled."""
        work = self.state.work
        if work is not None and outcome != "recovered" and work.key.job_id == self.state.active:
            self.set(active=None)
        OtaAgent.forget(self, outcome)


MODEL: Final = Model(stepping(OldName), NameMemory, BREAKS | {"ready-in-time"})
