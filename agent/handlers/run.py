"""`run`: a program that the document names, or one of the scripts that the owner of the device put there.

Handlers are started as the AWS IoT Device Client starts its own (`source/jobs/JobEngine.cpp`): the first argument is
the user that the document asks for (empty if it asks for none; the script sees to that itself), those of the document
follow, for a program of PATH too. A command is run as that user, which only root can do.

A program is not begun again when it was interrupted, since nobody said whether it may run twice, and nothing of what
it did can be taken back. When its job is gone, its time is up or the agent stops, all that came of it is ended.

One that is to restart the agent, or the machine, is done when that has happened, which only the next agent can see:
this one waits for its own end.
"""

import json
import os
import shutil
import stat

from agent.causes import Cause
from agent.handlers.handler import Context, Handler, StepError, StepTask, UnknownOperationError
from agent.handlers.processes import (
    Processes,
    Program,
    ProgramExit,
    environment_of,
    fault_of,
    program_cause,
    wait_for_own_end,
)


class Run(Handler):
    """Runs `command`, or the script or program `handler` with `args`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._processes = Processes(context.state / "processes", context.grace_seconds)

    async def do(self, task: StepTask) -> str:
        """Run it, and judge how it ended."""
        limit = float(task.arg("timeout_seconds") or self._context.run_seconds)
        command, user = self._command(task), "" if task.arg("handler") else task.arg("user")
        environment = environment_of(self._context, task.execution.job_id)
        memory, output = self._context.run_memory_bytes, self._context.run_output_bytes
        program = Program(command, task.aside, limit, environment, user, memory, output)
        ended = await self._processes.run(program)
        fault = _fault(ended, limit, task.arg("allow_stderr_lines"))
        try:
            if task.step.restarts:
                await wait_for_own_end(task.step.restarts, ended, fault)
            if fault:
                raise StepError(fault, program_cause(ended))
        except StepError:
            if task.arg("ignore_failure") != "true":
                raise
        return ended.stdout if task.arg("stdout") == "true" else ""

    async def undo(self, task: StepTask) -> None:
        """Nothing that a program did can be taken back."""

    def _command(self, task: StepTask) -> tuple[str, ...]:
        if task.arg("handler"):
            script = self._script(task.arg("handler")) or self._program(task.arg("handler"), task.arg("path"))
            return (script, task.arg("user"), *_words(task.arg("args", "[]")))
        return _words(task.arg("command"))

    def _program(self, name: str, path: str) -> str:
        """A program of PATH, if the document does not say where it lies. Raises UnknownOperationError."""
        found = None if path else shutil.which(name)
        if found is None:
            where = "among the scripts" if path else "among the scripts or on PATH"
            raise UnknownOperationError(f"there is no handler {name} {where}")
        return found

    def _script(self, name: str) -> str:
        """A script, if nobody but root and the agent's own user could have written it; empty if there is none.

        Raises StepError if it must not run.
        """
        script = self._context.scripts / name
        try:
            found = script.lstat()
        except FileNotFoundError:
            return ""
        if script.parent != self._context.scripts or not stat.S_ISREG(found.st_mode):
            words = f"handler {name}: no ordinary file of the directory that scripts may come from"
            raise StepError(words, Cause.REFUSED_PATH)
        directory = self._context.scripts
        way = {directory: True} | dict.fromkeys((*directory.parents, *directory.resolve().parents), False)
        if _is_others(found, is_private=True):
            raise StepError(f"handler {name}: others may write to it", Cause.REFUSED_PATH)
        for path, is_private in way.items():
            if _is_others(path.stat(), is_private=is_private):
                raise StepError(f"handler {name}: others may write to {path}", Cause.REFUSED_PATH)
        return str(script)


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


def _fault(ended: ProgramExit, limit_seconds: float, allowed_lines: str) -> str:
    """Why this end is a failure; empty if it is none. An allowance of 0 lines on stderr is none at all."""
    fault = fault_of(ended, limit_seconds)
    if not fault and allowed_lines and 0 < int(allowed_lines) < ended.stderr_lines:
        return f"wrote {ended.stderr_lines} lines to stderr, and the document allows {allowed_lines}"
    return fault
