"""A run that needs another process of ghostjob's: if that ends before its time, the run does not wait for it."""

import asyncio


class Tied:
    """From `tie` to `untie`, both called by one task, that task can be cut short."""

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None
        self._why: BaseException | None = None

    def tie(self) -> None:
        """From now on."""
        self._task = asyncio.current_task()

    def cut(self, why: BaseException) -> None:
        """Cancel it, unless that has been done: who interrupts a run with all its processes has interrupted it."""
        if self._task is not None and not self._task.cancelling():
            self._why = why
            self._task.cancel()

    def untie(self) -> None:
        """No longer. Raises why it was cut short, if it was."""
        task, self._task = self._task, None
        if task is not None and self._why is not None:
            task.uncancel()
            raise self._why from None
