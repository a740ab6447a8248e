"""A board on the event loop: steps take their time, report how far they are, and can be held at an exact point.

A Hold is how a deletion is made to land where the scenario says: the hardware stops at that percent of that step,
for that job, until the hold is let go. From outside it looks like a slow flash.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from agent.account import (
    DeviceEvent,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
    VersionCommitted,
)
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
from simulator.devices.board import Board
from simulator.scenario import Hardware

PROGRESS_PERCENT: Final = 50
"""Where in a step the hardware reports progress by itself."""


@dataclass(slots=True)
class Hold:
    """Stop `step` of `job_id` at `percent`, until let go; then never again."""

    job_id: str
    step: str
    percent: int
    _held: list[Callable[[], object]] = field(default_factory=list)
    _is_open: bool = False

    def applies(self, job_id: str, step: str) -> bool:
        """Whether a step is to be held."""
        return not self._is_open and (job_id, step) == (self.job_id, self.step)

    def wait(self, resume: Callable[[], object]) -> None:
        """Call `resume` when the hold is let go."""
        self._held.append(resume)

    def let_go(self) -> None:
        """Let every held step go on."""
        self._is_open = True
        held, self._held = self._held, []
        for resume in held:
            resume()


@dataclass(slots=True)
class _Running:
    effect: BeginStep
    timer: asyncio.TimerHandle | None = None


class BoardWorkbench:
    """Performs a device core's step effects on a simulated board (see `agent.runner.Workbench`)."""

    __slots__ = ("_holds", "_observe", "_running", "_timings", "board", "deliver")

    def __init__(
        self,
        timings: Hardware,
        observe: Callable[[DeviceEvent], None],
        holds: tuple[Hold, ...] = (),
    ) -> None:
        self.board = Board()
        self.deliver: Callable[[Event], None] = lambda event: None
        self._timings = timings
        self._observe = observe
        self._holds = holds
        self._running: _Running | None = None

    def begin(self, effect: BeginStep) -> None:
        """Start a step."""
        self._running = running = _Running(effect)
        self._observe(StepStarted(effect.execution, effect.step.name, effect.step.reversible))
        self._change(self.board.begin(effect.step.name, effect.version))
        self._go_on(running, 0, self._points(effect))

    def stop(self, effect: StopStep) -> None:
        """Stop the running step where it is, if it can be stopped there."""
        running = self._running
        if running is not None and running.effect.index == effect.index and running.effect.step.reversible:
            if running.timer is not None:
                running.timer.cancel()
            self._running = None
            self._observe(StepFinished(running.effect.execution, running.effect.step.name, "stopped"))
            self.deliver(StepEnded(effect.index, "stopped"))

    def undo(self, effect: UndoStep) -> None:
        """Take a step back."""
        asyncio.get_running_loop().call_later(self._timings.undo, self._undone, effect)

    def verify(self, effect: Verify) -> None:
        """Say whether the board is whole. What a finished switch left behind is no longer half done."""
        self.deliver(Verified(self.board.is_whole))

    def close(self) -> None:
        """Lose power: whatever runs never ends."""
        if self._running is not None and self._running.timer is not None:
            self._running.timer.cancel()
        self._running = None

    def _points(self, effect: BeginStep) -> list[tuple[int, Hold | None]]:
        """Where the step reports progress, in order, each with the hold that stops it there."""
        job_id, step = effect.execution.job_id, effect.step.name
        points: dict[int, Hold | None] = {PROGRESS_PERCENT: None}
        points |= {hold.percent: hold for hold in self._holds if hold.applies(job_id, step)}
        return sorted(points.items(), key=lambda point: point[0])

    def _go_on(self, running: _Running, percent: int, points: list[tuple[int, Hold | None]]) -> None:
        if self._running is not running:
            return
        seconds: float = getattr(self._timings, running.effect.step.name)
        target = points[0][0] if points else 100
        wait = seconds * (target - percent) / 100
        loop = asyncio.get_running_loop()
        if points:
            running.timer = loop.call_later(wait, self._reach, running, points)
        else:
            running.timer = loop.call_later(wait, self._finish, running)

    def _reach(self, running: _Running, points: list[tuple[int, Hold | None]]) -> None:
        (percent, hold), rest = points[0], points[1:]
        effect = running.effect
        self._observe(StepProgressed(effect.execution, effect.step.name, percent))
        if hold is not None and hold.applies(effect.execution.job_id, effect.step.name):
            hold.wait(lambda: self._go_on(running, percent, rest))
        else:
            self._go_on(running, percent, rest)
        self.deliver(StepAdvanced(effect.index, percent))

    def _finish(self, running: _Running) -> None:
        effect, self._running = running.effect, None
        self._change(self.board.finish(effect.step.name))
        if not effect.step.reversible:
            self._observe(VersionCommitted(effect.execution, effect.version))
        self._observe(StepFinished(effect.execution, effect.step.name, "done"))
        self.deliver(StepEnded(effect.index, "done"))

    def _undone(self, effect: UndoStep) -> None:
        self._change(self.board.undo(effect.step.name))
        self._observe(StepUndone(effect.execution, effect.step.name))
        self.deliver(StepRestored(effect.index, True))

    def _change(self, board: Board) -> None:
        if board != self.board:
            self.board = board
            self._observe(board.describe())
