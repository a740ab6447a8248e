"""An OTA agent that aborts on any notify-next that comes during a download.

Source: FactbirdHQ/rustot, pull requests 85 and 89 (any message on notify-next during the file transfer is a
cancellation, `UserAbort`, and the image state becomes Aborted, which is reported FAILED) and 95 (which mends it: only
if the own job is absent from the message).

So a duplicate, late or harmless notification costs it a healthy job (no-false-abort). After the download it hears none.
The rest is what every OTA agent breaks.
"""

from typing import Final

from agent.device_events import ExecutionGone
from agent.values import Hint, NextChanged
from simulator.devices.models.field.agent import Memory, stepping
from simulator.devices.models.field.ota_agent import BREAKS, OtaAgent
from simulator.devices.models.model import Model


class OverEager(OtaAgent[Memory]):
    """rustot between February and March 2026."""

    def on_hint(self, hint: Hint) -> None:
        """During the transfer: abort. Later it does not listen."""
        work = self.state.work
        if not isinstance(hint, NextChanged):
            return
        if work is None:
            OtaAgent.on_hint(self, hint)
        elif self.state.phase == "executing" and work.begun <= work.plan.index_of("switch"):
            self.hear(hint)
            self.abort()

    def abort(self) -> None:
        """Take it for cancelled, and report that it failed."""
        self.tell_learned(ExecutionGone(self.work.key, "cancelled"))
        self.undo("user abort")


MODEL: Final = Model(stepping(OverEager), Memory, BREAKS)
