"""For how long nothing has befallen an execution: then a play with somebody else's device may wait in vain."""

from collections.abc import Callable
from math import inf
from typing import Final

from simulator.engines.patience import Patience
from simulator.engines.stage import Stage
from simulator.pace import LOOP_TIME, Pace

PATIENCE_SECONDS: Final = 0.25
"""So often whoever waits in vain looks whether that is certain by now."""

CLOCK_SECONDS: Final = 0.02
"""So often what the cloud's clock says is noted: what follows from it is as certain as if it always were."""


class Silence:
    """Of the play on `stage`; `clock` is the venue's."""

    def __init__(self, stage: Stage, clock: Callable[[], float]) -> None:
        self._stage = stage
        self._clock = clock
        self._pace: Pace = LOOP_TIME
        self._broken_at = 0.0
        """When something last befell an execution, by the pace."""
        self._cloud_at = -inf, 0.0
        """The time of the cloud's last entry, and when that came in, by the venue's clock."""

    def keep_to(self, pace: Pace) -> None:
        """What it is counted by."""
        self._pace = pace

    def feed(self, at: float) -> None:
        """Take note of the time of an entry of the cloud's."""
        if at >= self._cloud_at[0] + CLOCK_SECONDS:
            self._cloud_at = at, self._clock()

    def is_broken(self) -> None:
        """Something has befallen an execution."""
        self._broken_at = self._pace.now()

    async def outlasts(self, patience: Patience, matters: Callable[[], bool]) -> None:
        """Until there is nothing more to wait for, though a job waits for a device, and that `matters`."""
        while True:
            await self._stage.until(lambda: bool(self._stage.open))
            await self._pace.sleep(max(patience.shortest_seconds - self._seconds(), PATIENCE_SECONDS))
            if not self._stage.open or not matters():
                continue
            if await patience.is_over(self._seconds(), self._cloud_now()):
                return

    def _seconds(self) -> float:
        return self._pace.now() - self._broken_at

    def _cloud_now(self) -> float:
        """The time by the cloud's clock, as far as it is known for certain that it has come."""
        at, seen_at = self._cloud_at
        return at + self._clock() - seen_at
