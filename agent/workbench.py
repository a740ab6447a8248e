"""A real machine as the runner's workbench: steps are done, stopped and undone by handlers, and told to the account.

Every execution has a directory of its own below `work`, where its handlers keep what undoing needs. It goes when the
execution's end is on record; one that an agent left behind goes when the next one begins.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

from agent.causes import Cause, cause_of
from agent.core.events import (
    BeginStep,
    Event,
    StepAdvanced,
    StepEnded,
    StepRestored,
    StopStep,
    UndoStep,
    Verified,
    Verify,
)
from agent.device_events import (
    DeviceEvent,
    HardwareChanged,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
    VersionCommitted,
)
from agent.handlers.beginnings import Beginning
from agent.handlers.handler import (
    Firmware,
    Handler,
    NotBegunError,
    StaleDocumentError,
    StepError,
    StepTask,
    reason_of,
    say,
)
from agent.log import get_logger
from agent.plan import Step
from agent.values import ExecutionKey

log = get_logger("ghostjob.agent")

T = TypeVar("T")
PROGRESS_PERCENT: Final = 5
"""How far a step gets between two reports of its progress, at least."""
SAID_AGAIN_SECONDS: Final = 60.0
"""Between two log lines about the same cause of waiting, and between two reports of any, at least."""

NOBODYS: Final = ExecutionKey(None, "", 0, 0)
"""No execution has an empty name."""


class HandlerWorkbench:
    """See `agent.runner.Workbench`. `handlers` are by action; `deliver` feeds the runner; `version` is what runs."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        firmware: Firmware,
        work: Path,
        observe: Callable[[DeviceEvent], None],
        deliver: Callable[[Event], None],
    ) -> None:
        self._handlers = handlers
        self._firmware = firmware
        self._work = work
        self.version = ""
        self._observe = observe
        self._deliver = deliver
        self._running: asyncio.Task[None] | None = None
        self._working: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._told: HardwareChanged | None = None

    # ── what a runner uses ────────────────────────────────────────────────────────────────────────────────────

    def begin(self, effect: BeginStep) -> None:
        """Start a step."""
        self._observe(StepStarted(effect.execution, effect.step.name, effect.step.reversible))
        self._is_stopping = False
        self._running = _spawn(self._do(effect), self._working)

    def stop(self, effect: StopStep) -> None:
        """Stop the running step; if it has just ended, its end is on its way."""
        if self._running is not None:
            self._is_stopping = True
            self._running.cancel()

    def undo(self, effect: UndoStep) -> None:
        """Take a step back."""
        _spawn(self._undo(effect), self._working)

    def verify(self, effect: Verify) -> None:
        """Say whether nothing is half done, and the machine would come up."""
        told = self.describe()
        self._deliver(Verified(told.bootable and not told.pending))

    # ── what the device uses ──────────────────────────────────────────────────────────────────────────────────

    def describe(self) -> HardwareChanged:
        """What the account says of the machine; told if it is news."""
        bootable = _asked(lambda: self._firmware.bootable, False, self._firmware)
        pending = {words for handler in self._everyone() for words in self._pending(handler)}
        told = HardwareChanged(bootable, self.version, tuple(sorted(pending)))
        if told != self._told:
            self._told = told
            self._observe(told)
        return told

    def _pending(self, handler: Handler) -> tuple[str, ...]:
        unknown = (f"whatever {type(handler).__name__} did",)
        return _asked(lambda: handler.pending(self._asides()), unknown, handler)

    def settle(self, key: ExecutionKey) -> None:
        """An execution's end is on record: nothing of it will be undone any more."""
        _spawn(self._settle(self._aside(key)), self._settling)

    async def sweep(self, in_hand: ExecutionKey | None) -> None:
        """Settle what an earlier agent did not come to, but for the execution in hand."""
        keep = self._aside(in_hand) if in_hand is not None else None
        for aside in self._asides():
            if aside != keep:
                await self._settle(aside)

    def sweep_firmware(self) -> None:
        """Drop firmware that an agent left which remembers nothing of it; a handler need not know how."""
        if (sweep := getattr(self._firmware, "sweep", None)) is not None:
            _asked(sweep, None, self._firmware)

    async def fall_back(self, beginning: Beginning) -> str:
        """Restart the machine without what is on trial: no more is heard of it, or why it cannot be done."""
        reboot = Step("reboot", "reboot")
        try:
            beginning.put_on_record()
            with beginning.under_way():
                if await self._restart_without(StepTask(NOBODYS, 0, reboot, "", self._own(NOBODYS))):
                    return "its handler of 'reboot' has ended, and the machine is up"
        except Exception as error:
            return _reason(error, reboot)[0]
        return "its handler says that there is nothing to go back from"

    async def close(self) -> None:
        """End whatever is being done, without another word to the runner; what is half done the next agent finds."""
        self._deliver = lambda event: None
        for task in self._working:
            task.cancel()
        if both := self._working | self._settling:
            await asyncio.wait(both)

    # ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _do(self, effect: BeginStep) -> None:
        outcome: Literal["done", "failed", "stopped", "stale", "refused"] = "done"
        reason = said = cause = ""
        try:
            beginning = self._beginning(effect, "do")
            try:
                beginning.put_on_record()
            except OSError:  # a full disk, with which no agent begins, so that none dies in this again and again
                if not effect.again:
                    raise
            with beginning.under_way():
                task = self._task(effect.execution, effect.index, effect.step, effect.version, beginning, effect)
                said = say(await self._handler(effect.step).do(task) or "")
        except asyncio.CancelledError:
            if not self._is_stopping:
                raise
            outcome = "stopped"
        except StaleDocumentError as stale:
            outcome, reason = "stale", say(str(stale))
            log.warning("step.stale", **_whose(effect), reason=reason, then="the document is asked for again")
        except NotBegunError as refusal:
            outcome, (reason, cause) = "refused", _reason(refusal, effect.step)
        except Exception as error:
            outcome, (reason, cause) = "failed", _reason(error, effect.step)
        self._running = None
        if effect.step.action == "commit" and outcome == "done":
            self.version = effect.version
            self._observe(VersionCommitted(effect.execution, effect.version))
        self.describe()
        self._observe(StepFinished(effect.execution, effect.step.name, "failed" if outcome == "refused" else outcome))
        self._deliver(StepEnded(effect.index, outcome, reason, said, cause))

    async def _undo(self, effect: UndoStep) -> None:
        ok = True
        try:
            if not effect.step.reversible:
                raise StepError("it lies past the point of no return, and is not taken back", Cause.NOT_ALLOWED)
            beginning = self._beginning(effect, "undo")
            with contextlib.suppress(OSError):  # a full disk must not be in the way of taking back what filled it
                beginning.put_on_record()
            with beginning.under_way():
                await self._take_back(effect, self._task(effect.execution, effect.index, effect.step, "", beginning))
        except Exception as error:
            ok = False
            reason, cause = _reason(error, effect.step)
            log.warning("step.not_undone", **_whose(effect), cause=cause, reason=reason)
        self.describe()
        self._observe(StepUndone(effect.execution, effect.step.name, ok))
        self._deliver(StepRestored(effect.index, ok))

    async def _take_back(self, effect: UndoStep, task: StepTask) -> None:
        if effect.step.action != "reboot":
            await self._handler(effect.step).undo(task)
        else:
            await self._restart_without(task)

    async def _restart_without(self, task: StepTask) -> bool:
        """Restart the machine so that what is on trial is left; whether there was anything to leave."""
        if is_left := self._firmware.revert():
            await self._handler(task.step).do(task)
        return is_left

    async def _settle(self, aside: Path) -> None:
        for handler in self._everyone():
            try:
                await handler.settle(aside)
            except Exception as error:  # a plug-in's fault must not keep the agent from beginning
                log.error("handler.crashed", step="settle", exc_info=error)
        await asyncio.to_thread(shutil.rmtree, aside, ignore_errors=True)

    def _handler(self, step: Step) -> Handler:
        """Who does this step. Raises StepError if nobody does, as after a restart with other options."""
        handler = self._handlers.get(step.action)
        if handler is None:
            raise StepError(f"nothing on this device does '{step.action}'", Cause.UNKNOWN_OPERATION)
        return handler

    def _everyone(self) -> tuple[Handler, ...]:
        return tuple(dict.fromkeys(self._handlers.values()))

    def _asides(self) -> tuple[Path, ...]:
        return tuple(sorted(self._work.iterdir())) if self._work.is_dir() else ()

    def _beginning(self, effect: BeginStep | UndoStep, verb: str) -> Beginning:
        """Raises OSError."""
        aside, ends_us = self._own(effect.execution), effect.step.action == "reboot"
        return Beginning(aside, f"{verb} {effect.index}", ends_us=ends_us)

    def _task(
        self,
        key: ExecutionKey,
        index: int,
        step: Step,
        version: str,
        beginning: Beginning,
        progresses: BeginStep | None = None,
    ) -> StepTask:
        told = 0

        def progress(percent: int) -> None:
            nonlocal told
            if progresses is not None and told + PROGRESS_PERCENT <= percent < 100:
                told = percent
                beginning.got_to(percent)
                self._observe(StepProgressed(key, step.name, percent))
                waits.over()
                self._deliver(StepAdvanced(index, percent))

        def waiting(cause: Cause, reason: str) -> None:
            words = say(f"{cause}: {reason}")
            if progresses is not None and waits.again(words, _whose(progresses)):
                self._deliver(StepAdvanced(index, told, words))

        waits = _Waits()
        return StepTask(key, index, step, version, beginning.aside, progress, waiting)

    def _own(self, key: ExecutionKey) -> Path:
        """The execution's own directory, which is made if it is missing. Raises OSError."""
        aside = self._aside(key)
        self._work.mkdir(exist_ok=True, mode=0o700)
        aside.mkdir(exist_ok=True, mode=0o700)
        return aside

    def _aside(self, key: ExecutionKey) -> Path:
        """No two executions have the same: `$` is in no namespace's name. Whatever they are called, it is in `work`."""
        namespace = "$default" if key.namespace_id is None else quote(key.namespace_id, safe="")
        return self._work / f"{namespace}.{quote(key.job_id, safe='')}.{key.execution_number}.{key.queued_at}"


class _Waits:
    """Why one step waits, as often as it says so, and how much of that is told.

    The log has each cause at once, and while it stays the same a line a minute. The service hears of one that a retry
    did not get rid of, and of another one no sooner than a minute later: an update costs a part of the account's quota.
    """

    def __init__(self) -> None:
        self._words = ""
        self._count = 0
        self._logged_at = 0.0
        self._told_at: float | None = None

    def over(self) -> None:
        """It got on."""
        self._words, self._count, self._told_at = "", 0, None

    def again(self, words: str, whose: dict[str, Any]) -> bool:
        """It waits, for this reason; whether that is to be reported."""
        now = asyncio.get_running_loop().time()
        self._count += 1
        if words != self._words or now - self._logged_at >= SAID_AGAIN_SECONDS:
            log.warning("step.waiting", **whose, why=words, tries=self._count)
            self._words, self._logged_at = words, now
        if self._count < 2 or (self._told_at is not None and now - self._told_at < SAID_AGAIN_SECONDS):
            return False
        self._told_at = now
        return True


def _whose(effect: BeginStep | UndoStep) -> dict[str, Any]:
    """What a log line says of the step that it is about."""
    key = effect.execution
    return {"namespace_id": key.namespace_id, "job_id": key.job_id, "step": effect.step.name}


def _spawn(work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> asyncio.Task[None]:
    task = asyncio.get_running_loop().create_task(work)
    among.add(task)
    task.add_done_callback(among.discard)
    return task


def _asked(question: Callable[[], T], otherwise: T, handler: Handler) -> T:
    """What a handler says of the machine; if it cannot say, the worst, since the agent must not end of a plug-in."""
    try:
        return question()
    except Exception as error:
        log.error("handler.crashed", handler=type(handler).__name__, exc_info=error)
        return otherwise


def _reason(error: Exception, step: Step) -> tuple[str, str]:
    """Why a step failed, and what that is called; a fault of the handler's own is logged with its traceback."""
    if isinstance(error, StepError):
        # A plug-in's own class need not have called ours as it was made, nor know of causes.
        return say(str(error)), getattr(error, "cause", Cause.STEP_FAILED)
    if isinstance(error, OSError):
        return say(reason_of(error)), cause_of(error)
    log.error("handler.crashed", step=step.name, exc_info=error)
    return say(f"the handler of {step.action} crashed: {type(error).__name__}: {error}"), Cause.HANDLER_CRASHED
