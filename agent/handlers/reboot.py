"""`reboot`: the configured command, or, where there is none, the agent replaces itself by a new one.

Whether it happened the next agent sees: the machine has another boot id, or a note says that the agent was replaced.
"""

import asyncio
from typing import Final

from agent.causes import Cause
from agent.handlers.handler import Context, Handler, StepError, StepTask
from agent.handlers.processes import Processes, run_configured

DOWN_SECONDS: Final = 300.0
"""How long a machine may take to go down."""


class Reboot(Handler):
    """Restarts the machine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._processes = Processes(context.state / "processes", context.grace_seconds)

    async def do(self, task: StepTask) -> str:
        """Ends with this agent, unless it fails."""
        if self._context.reboot:
            await run_configured(self._processes, self._context, self._context.reboot, "reboot", task)
        else:
            self._context.restart_agent()
        await asyncio.sleep(DOWN_SECONDS)
        raise StepError(f"still up {DOWN_SECONDS:g} s after the reboot command", Cause.TIMEOUT)

    async def undo(self, task: StepTask) -> None:
        """Firmware reverts what a reboot brought; a reboot by itself leaves nothing."""
