"""`download`: a file takes its place whole, or not at all, and what was there is put back if it has to be.

What has come so far stands in a hidden file beside the destination (or, for a firmware image, aside), so that whoever
begins the step again goes on where the last attempt stood. How it is fetched is in `fetching`.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from agent.causes import Cause
from agent.handlers.files import Spot, is_replaced, put_back, read_json, replace, spot, was_begun, write_json
from agent.handlers.handler import Context, Handler, StepError, StepTask
from agent.handlers.threads import settled
from agent.jitter import Jitter

IMAGE: Final = "image"
"""The name of a firmware image in the execution's own directory: a download that has no other destination."""


class Download(Handler):
    """Fetches `url` to `to`, below the root, or aside if there is no `to`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def do(self, task: StepTask) -> str:
        """Fetch, check, rename."""
        from agent.handlers.fetching import Wanted, fetch, usable  # whoever never fetches starts without aiohttp

        size = int(task.arg("size")) if task.arg("size") else None
        url = usable(task.arg("url"), task.arg("sha256"))
        limit = self._context.longest_file_bytes
        if size is not None and size > limit:
            raise StepError(f"{size} bytes are more than the {limit} that this device takes", Cause.SPACE)
        limit = limit if size is None else size
        part, kept, note = self._part(task), _kept(task), _note(task)
        with self._destination(task) as to:
            if not is_replaced(to, part, kept):
                sha256 = task.arg("sha256").lower()
                wanted = Wanted(url, to, part, note, size, sha256, limit, task.progress, task.waiting)
                if not note.exists():
                    write_json(note, {"to": task.arg("to"), "part": part, "counts": task.step.reversible})
                await fetch(wanted, Jitter(f"{self._context.thing}/{part}"))
                await settled(replace, to, part, kept)
        if task.arg("to"):
            note.unlink(missing_ok=True)
        return ""

    async def undo(self, task: StepTask) -> None:
        """Put back what was there before; where nothing was begun, that the place cannot be reached does not matter."""
        if not _note(task).exists() and not was_begun(_kept(task)):
            return
        with self._destination(task) as to:
            await settled(put_back, to, self._part(task), _kept(task))
        _note(task).unlink(missing_ok=True)

    def pending(self, asides: Sequence[Path]) -> tuple[str, ...]:
        """A file of which only a part has come, and an image that is not in use."""
        return ("download",) if any(known.get("counts") for aside in asides for known in _known(aside)) else ()

    async def settle(self, aside: Path) -> None:
        """Whatever part of a file was left lying beside its destination."""
        for known in _known(aside):
            if known.get("to"):
                with contextlib.suppress(StepError, OSError), spot(self._context.root, str(known["to"])) as to:
                    to.remove(str(known["part"]))

    def _destination(self, task: StepTask) -> AbstractContextManager[Spot]:
        to = task.arg("to")
        return spot(self._context.root, to) if to else spot(task.aside, IMAGE)

    def _part(self, task: StepTask) -> str:
        """What has come so far; the same after every restart, and no other execution's, nor another agent's."""
        whose = f"{self._context.thing}/{task.execution}/{task.index}"
        return f".ghostjob-{hashlib.sha256(whose.encode()).hexdigest()[:16]}.part"


def _kept(task: StepTask) -> Path:
    return task.aside / f"{task.index}-replaced"


def _note(task: StepTask) -> Path:
    return task.aside / f"{task.index}-fetch.json"


def _known(aside: Path) -> list[dict[str, Any]]:
    return [known for note in sorted(aside.glob("*-fetch.json")) if (known := read_json(note)) is not None]


def discard_image(aside: Path) -> None:
    """The image is in use now, and need not be kept as a file."""
    for note in aside.glob("*-fetch.json"):
        if not (read_json(note) or {}).get("to"):
            note.unlink()
    (aside / IMAGE).unlink(missing_ok=True)
