"""`stage`, `validate`, `swap`, `restart`: another configuration file, whole or not at all.

The new file is written beside the one that it replaces, read back and parsed, and takes its place by a rename. What
was there is kept, and put back if the job goes before the restart: services may act on what they then read.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.causes import Cause
from agent.handlers.checking import check_yaml
from agent.handlers.files import is_replaced, put_back, read_json, replace, spot, write_json
from agent.handlers.handler import Context, Handler, NotBegunError, StepError, StepTask
from agent.handlers.processes import Processes, run_configured
from agent.handlers.threads import settled

NOTE: Final = "configure.json"


class Configure(Handler):
    """Changes the file `to` to `content`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._processes = Processes(context.state / "processes", context.grace_seconds)

    async def do(self, task: StepTask) -> str:
        """One of the four steps."""
        match task.step.action:
            case "stage":
                await settled(self._stage, task)
            case "validate":
                await self._validate(task)
            case "swap":
                await settled(self._swap, task)
            case _:
                if (read_json(_note(task.aside)) or {}).get("stands") != "previous":
                    # A full disk may keep it off the record that the swap was taken back.
                    raise NotBegunError("the new configuration is not in its place any more")
                _note(task.aside).unlink()  # from here on there is no way back
                return await run_configured(self._processes, self._context, self._context.restart, "restart", task)
        return ""

    async def undo(self, task: StepTask) -> None:
        """Whatever of it was done; validating and restarting leave nothing that could be taken back."""
        if task.step.action in ("stage", "swap") and _note(task.aside).exists():
            await settled(self._put_back, task)

    def pending(self, asides: Sequence[Path]) -> tuple[str, ...]:
        """Before the swap the new file, after it the old one."""
        found = (read_json(_note(aside)) for aside in asides)
        return tuple(sorted({str(note["stands"]) for note in found if note is not None}))

    async def settle(self, aside: Path) -> None:
        """A staged file that never took its place."""
        note = read_json(_note(aside))
        if note is not None:
            with contextlib.suppress(StepError, OSError), spot(self._context.root, str(note["to"])) as to:
                to.remove(str(note["staged"]))

    def _stage(self, task: StepTask) -> None:
        staged = self._staged(task)
        with spot(self._context.root, task.arg("to")) as to:
            to.find()
            write_json(_note(task.aside), {"to": task.arg("to"), "staged": staged, "stands": "staged"})
            to.remove(staged)
            descriptor = to.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(task.arg("content"))
                file.flush()
                os.fsync(file.fileno())

    async def _validate(self, task: StepTask) -> None:
        text, kind = await settled(self._read_back, task), task.arg("format")
        fault = ""
        if kind == "json":
            fault = _json_fault(text)
        elif kind == "yaml":
            fault = await check_yaml(self._processes, self._context, task.aside, text)
        if fault:
            raise StepError(f"{task.arg('to')[:200]}: no valid {kind}: {fault}", Cause.WRONG_CONTENT)

    def _read_back(self, task: StepTask) -> str:
        with (
            spot(self._context.root, task.arg("to")) as to,
            os.fdopen(to.open(self._staged(task), os.O_RDONLY), "r", encoding="utf-8", newline="") as file,
        ):
            return file.read()

    def _swap(self, task: StepTask) -> None:
        staged, kept = self._staged(task), _kept(task)
        with spot(self._context.root, task.arg("to")) as to:
            if not is_replaced(to, staged, kept):
                replace(to, staged, kept)
        write_json(_note(task.aside), {"to": task.arg("to"), "staged": staged, "stands": "previous"})

    def _put_back(self, task: StepTask) -> None:
        with spot(self._context.root, task.arg("to")) as to:
            put_back(to, self._staged(task), _kept(task))
        _note(task.aside).unlink(missing_ok=True)

    def _staged(self, task: StepTask) -> str:
        """The same after every restart, and no other execution's, nor that of another agent with the same root."""
        whose = f"{self._context.thing}/{task.execution}"
        return f".ghostjob-{hashlib.sha256(whose.encode()).hexdigest()[:16]}.staged"


def _json_fault(text: str) -> str:
    """Why it is no JSON, empty if it is: what that takes grows no faster than the text, which a document bounds."""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return str(error)
    return ""


def _note(aside: Path) -> Path:
    return aside / NOTE


def _kept(task: StepTask) -> Path:
    return task.aside / "previous-configuration"
