"""`write`, `switch`, `self-test`, `commit`: firmware in two files, and a symbolic link that says which one to boot.

    a  b                 the images        a.json  b.json    what is whole in them: version, and whether it is proven
    selected -> a        what to boot; whoever starts the machine follows this link
    trial.json           another slot was selected and is not committed yet: how often it may still be booted
    running.json         the slot that was booted last

A slot is whole when its description is there, and that is removed before the image is touched. The link is changed by
a rename. What is on trial falls back after so many boots. A slot that runs, or would be booted next, is neither erased
nor written over, whatever is asked. With `reboot` left to the agent, the same plan runs
wherever the agent does; a board with flash of its own brings a handler of its own for these actions.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from agent.causes import Cause
from agent.handlers.download import IMAGE, discard_image
from agent.handlers.files import read_json, sync, write_json
from agent.handlers.handler import Context, Firmware, StepError, StepTask
from agent.handlers.processes import Processes, run_configured
from agent.handlers.threads import settled

TRIES: Final = 3
SLOTS: Final = ("a", "b")
BLOCK_BYTES: Final = 1 << 20


class SlotFiles(Firmware):
    """Two slots in the directory `firmware` of the state directory."""

    layouts = frozenset({"ab"})

    def __init__(self, context: Context) -> None:
        self._context = context
        self._directory = context.state / "firmware"
        self._processes = Processes(context.state / "processes", context.grace_seconds)
        self._running = SLOTS[0]

    # ── what runs ─────────────────────────────────────────────────────────────────────────────────────────────

    def booted(self, rebooted: bool) -> tuple[str, bool]:
        """What runs: after a reboot what is selected, otherwise what did before; on trial until a boot took it back."""
        if not self._directory.is_dir():
            self._directory.mkdir(parents=True, mode=0o700)
        if self._selected is None:
            write_json(self._about(SLOTS[0]), {"version": self._context.version, "proven": True})
            self._select(SLOTS[0])
        trial = self._trial
        if rebooted and trial is not None:
            if trial["tries"] > 0:
                write_json(self._trial_note, trial | {"tries": trial["tries"] - 1})
            else:
                self._fall_back(trial)
        noted = read_json(self._directory / "running.json") or {}
        self._running = str((not rebooted and noted.get("slot")) or self._selected)
        if noted.get("slot") != self._running:
            write_json(self._directory / "running.json", {"slot": self._running})
        self._prove()
        is_reverted = self._trial is None and self._running != self._selected
        return str(self._described(self._running).get("version", "")), self._on_trial or is_reverted

    def revert(self) -> bool:
        """Select what ran before; what is on trial runs on until the reboot, for whoever asks again meanwhile too."""
        trial = self._trial
        if trial is not None and not self._on_trial:
            return False
        if trial is not None:
            self._fall_back(trial)
        return self._running != self._selected

    @property
    def bootable(self) -> bool:
        """Whether what is selected is whole."""
        return bool(self._described(self._selected or ""))

    @property
    def unproven(self) -> bool:
        """Whether an image was written to the spare slot, be it in part, and never committed."""
        spare = self._spare
        return (self._directory / spare).exists() and not self._described(spare).get("proven")

    def pending(self, asides: Sequence[Path]) -> tuple[str, ...]:
        """An image that was never committed, and a trial."""
        trial = self._trial
        found = []
        if self.unproven:
            found.append("spare slot")
        if trial is not None:
            found.append("trial running" if self._on_trial else "trial requested")
        return tuple(found)

    def sweep(self) -> None:
        """Take back a switch that no boot has followed, and drop an image that is not proven, unless it runs."""
        self._take_back_request()
        if self._spare != self._running:
            self._erase_unproven()

    # ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def do(self, task: StepTask) -> str:
        """One of the four steps."""
        match task.step.action:
            case "write":
                await self._write(task)
            case "switch":
                await settled(self._switch, task.version)
            case "self-test":
                return await run_configured(self._processes, self._context, self._context.self_test, "self-test", task)
            case _:
                await settled(self._commit, task)
        return ""

    async def undo(self, task: StepTask) -> None:
        """Erase what was written, select what was selected; a commit cannot be taken back, nor need a test be."""
        match task.step.action:
            case "write":
                await settled(self._erase_unproven)
            case "switch":
                await settled(self._take_back_request)
                if self._on_trial:
                    raise StepError("what was switched to runs: only a reboot goes back", Cause.NOT_ALLOWED)
            case "self-test":
                pass
            case _:
                raise StepError("what is committed is not taken back", Cause.NOT_ALLOWED)

    async def _write(self, task: StepTask) -> None:
        image, spare = task.aside / IMAGE, self._spare
        if not image.is_file():
            raise StepError("there is no whole image to write", Cause.WRONG_CONTENT)
        await settled(self._take_back_request)
        self._spare_only(spare)
        await settled(self._erase, spare)
        size, done = image.stat().st_size, 0
        with image.open("rb") as source, (self._directory / spare).open("wb") as slot:
            while block := await settled(_copy_block, source, slot):
                done += block
                task.progress(100 * done // size)
            await settled(os.fsync, slot.fileno())
        write_json(self._about(spare), {"version": task.version, "proven": False})

    def _switch(self, version: str) -> None:
        spare = self._spare
        if self._described(spare).get("version") != version:
            raise StepError("the spare slot holds no whole image of that version", Cause.WRONG_CONTENT)
        if self._trial is None:
            write_json(self._trial_note, {"slot": spare, "before": self._selected, "tries": TRIES})
            self._select(spare)

    def _commit(self, task: StepTask) -> None:
        described = self._described(self._running)
        if described.get("version") != task.version:
            raise StepError(f"{described.get('version', 'nothing')} runs, and not {task.version}", Cause.ROLLED_BACK)
        if self._selected != self._running:
            self._select(self._running)  # an agent that forgot it had begun to go back
        self._trial_note.unlink(missing_ok=True)
        sync(self._directory)
        self._prove()
        discard_image(task.aside)

    def _prove(self) -> None:
        """What is selected without being on trial is committed."""
        described = self._described(self._running)
        if self._trial is None and self._selected == self._running and not described.get("proven"):
            write_json(self._about(self._running), described | {"proven": True})

    def _erase_unproven(self) -> None:
        """What is proven is what was there before."""
        spare = self._spare
        if not self._described(spare).get("proven"):
            self._spare_only(spare)
            self._erase(spare)

    def _spare_only(self, slot: str) -> None:
        """Raises StepError if that slot is in use."""
        if slot in (self._selected, self._running):
            use = "runs" if slot == self._running else "is to boot next"
            raise StepError(f"slot {slot} {use}, and is not erased", Cause.NOT_ALLOWED)

    def _take_back_request(self) -> None:
        trial = self._trial
        if trial is not None and not self._on_trial:
            self._fall_back(trial)

    def _erase(self, slot: str) -> None:
        self._about(slot).unlink(missing_ok=True)
        sync(self._directory)
        (self._directory / slot).unlink(missing_ok=True)
        sync(self._directory)

    def _fall_back(self, trial: dict[str, Any]) -> None:
        self._select(trial["before"])
        self._trial_note.unlink(missing_ok=True)
        sync(self._directory)

    # ── what stands there ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def _selected(self) -> str | None:
        try:
            return os.readlink(self._directory / "selected")
        except FileNotFoundError:
            return None

    def _select(self, slot: str) -> None:
        new = self._directory / "selected.new"
        new.unlink(missing_ok=True)
        new.symlink_to(slot)
        new.replace(self._directory / "selected")
        sync(self._directory)

    @property
    def _trial_note(self) -> Path:
        return self._directory / "trial.json"

    @property
    def _trial(self) -> dict[str, Any] | None:
        """The trial that was asked for, or goes on; a note that is not followed by the link was taken back."""
        trial = read_json(self._trial_note)
        return trial if trial is not None and trial["slot"] == self._selected else None

    @property
    def _on_trial(self) -> bool:
        trial = self._trial
        return trial is not None and trial["slot"] == self._running

    @property
    def _spare(self) -> str:
        """The slot that an update is written to: neither what is proven to boot, nor what runs."""
        trial = self._trial
        proven = trial["before"] if trial is not None else self._selected
        return SLOTS[1] if proven == SLOTS[0] else SLOTS[0]

    def _about(self, slot: str) -> Path:
        return self._directory / f"{slot}.json"

    def _described(self, slot: str) -> dict[str, Any]:
        """What is whole in a slot; empty if nothing is."""
        return read_json(self._about(slot)) or {}


def _copy_block(source: BinaryIO, slot: BinaryIO) -> int:
    block = source.read(BLOCK_BYTES)
    slot.write(block)
    return len(block)
