"""`reboot`: the configured command, or, where there is none, the agent replaces itself by a new one.

Whether it happened the next agent sees: the machine has another boot id, or a note says that the agent was replaced.
"""

import asyncio
from typing import Final

from agent.causes import Cause
from agent.handlers.handler import Handler, Place, StepError, Task
from agent.handlers.processes import Processes, run_configured

DOWN_SECONDS: Final = 300.0
"""How long a machine may take to go down."""


class Reboot(Handler):
    """Restarts the machine."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._processes = Processes(place.state / "processes", place.grace_seconds)

    async def do(self, task: Task) -> str:
        """Ends with this agent, unless it fails."""
        if self._place.reboot:
            await run_configured(self._processes, self._place, self._place.reboot, "reboot", task)
        else:
            self._place.restart_agent()
        await asyncio.sleep(DOWN_SECONDS)
        raise StepError(f"still up {DOWN_SECONDS:g} s after the reboot command", Cause.TIMEOUT)

    async def undo(self, task: Task) -> None:
        """Firmware reverts what a reboot brought; a reboot by itself leaves nothing."""
