"""`ghostjob agent` that dies by SIGKILL in one step of its job; run as a script, with the agent's own arguments.

DYING in the environment is what the agent then does with a step (`do`, `undo`), AT is the step's action; each death is
a line in the file DEATHS.
"""

import os
import signal
import sys
from typing import Any

from agent.handlers.configure import Configure


def die(action: str) -> None:
    with open(os.environ["DEATHS"], "a") as deaths:
        deaths.write(f"{os.environ['DYING']} {action}\n")
    os.kill(os.getpid(), signal.SIGKILL)


async def dies(_handler: Configure, task: Any) -> None:
    die(task.step.action)


if __name__ == "__main__":
    from simulator.cli import main

    whole = getattr(Configure, os.environ["DYING"])

    async def sometimes(handler: Configure, task: Any) -> Any:
        return await (dies if task.step.action == os.environ["AT"] else whole)(handler, task)

    setattr(Configure, os.environ["DYING"], sometimes)
    main(sys.argv[1:])
