"""`run`: a program that the document names, or one of the scripts that the owner of the device put there.

Scripts are started as the AWS IoT Device Client starts its handlers: the first argument is the user that the document
asks for (empty if it asks for none; the script sees to that itself), those of the document follow. A command is run
as that user, which only root can do.

A program is not begun again when it was interrupted, since nobody said whether it may run twice, and nothing of what
it did can be taken back. When its job is gone, its time is up or the agent stops, all that came of it is ended.
"""

import json
import os
import stat
from pathlib import Path

from agent.handlers.handler import Handler, Place, StepError, Task, UnknownOperationError
from agent.handlers.processes import Ended, Processes, Program, environment_of, fault_of


class Run(Handler):
    """Runs `command`, or the script `handler` with `args`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._processes = Processes(place.state / "processes", place.grace_seconds)

    async def do(self, task: Task) -> str:
        """Run it, and judge how it ended."""
        limit = float(task.arg("timeout_seconds") or self._place.run_seconds)
        command, user = self._command(task), "" if task.arg("handler") else task.arg("user")
        environment = environment_of(self._place, task.execution.job_id)
        ended = await self._processes.run(Program(command, task.aside, limit, environment, user))
        fault = _fault(ended, limit, task.arg("allow_stderr_lines"))
        if fault and task.arg("ignore_failure") != "true":
            raise StepError(fault)
        return ended.stdout if task.arg("stdout") == "true" else ""

    async def undo(self, task: Task) -> None:
        """Nothing that a program did can be taken back."""

    def _command(self, task: Task) -> tuple[str, ...]:
        if task.arg("handler"):
            script = self._script(task.arg("handler"))
            return (str(script), task.arg("user"), *_words(task.arg("args", "[]")))
        return _words(task.arg("command"))

    def _script(self, name: str) -> Path:
        """A script, if nobody but root and the agent's own user could have written it.

        Raises UnknownOperationError if there is none, StepError if it must not run.
        """
        script = self._place.scripts / name
        try:
            found = script.lstat()
        except OSError:
            raise UnknownOperationError(f"there is no handler {name}") from None
        if script.parent != self._place.scripts or not stat.S_ISREG(found.st_mode):
            raise StepError(f"handler {name}: no ordinary file of the directory that scripts may come from")
        directory = self._place.scripts
        way = {directory: True} | dict.fromkeys((*directory.parents, *directory.resolve().parents), False)
        if _is_others(found, is_private=True):
            raise StepError(f"handler {name}: others may write to it")
        for path, is_private in way.items():
            if _is_others(path.stat(), is_private=is_private):
                raise StepError(f"handler {name}: others may write to {path}")
        return script


def _is_others(found: os.stat_result, *, is_private: bool) -> bool:
    """Whether others than root and the agent's own user may change it.

    A directory on the way, which need not be private, may be one like /tmp, where nobody can rename what is another's.
    """
    if found.st_uid not in (0, os.geteuid()):
        return True
    if not is_private and found.st_mode & stat.S_ISVTX:
        return False
    return bool(found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and (is_private or found.st_gid)))


def _words(text: str) -> tuple[str, ...]:
    return tuple(str(word) for word in json.loads(text))


def _fault(ended: Ended, limit_seconds: float, allowed_lines: str) -> str:
    """Why this end is a failure; empty if it is none. An allowance of 0 lines on stderr is none at all."""
    fault = fault_of(ended, limit_seconds)
    if not fault and allowed_lines and 0 < int(allowed_lines) < ended.stderr_lines:
        return f"wrote {ended.stderr_lines} lines to stderr, and the document allows {allowed_lines}"
    return fault
