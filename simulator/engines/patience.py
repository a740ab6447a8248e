"""When a play with a device that is not ours need not go on: what is held against it is certain by then.

A device that does not recover would be waited for until the time limit. So once nothing has befallen an execution for
some time, the verdict is asked what it would be if the play ended now, and what is violated then stays violated:

it lets a job wait    a bound of the scenario's has run out on the cloud's clock: nothing more can be said of it
it broke another      it has what it usually needs, so that what else it does is seen; but not what a correct device is
                      granted besides, for waiting in good faith: there is nothing left of which it could be cleared

Whoever has done nothing wrong so far has all the time of the scenario, and nobody is found at fault because a play
ended.
"""

from collections.abc import Awaitable, Callable
from math import inf
from typing import Final

from simulator.verdict.bounds import Bounds

ABOUT_WAITING: Final = frozenset({"no-lost-job", "ready-in-time", "alive"})
"""What a device violates that lets a job wait."""


class Patience:
    """With one play. `violated` tells the invariants that are, at that time of the cloud's clock.

    `usual_seconds` is what the device needs for whatever it does when nothing befalls it; None: that is not known.
    """

    def __init__(
        self, bounds: Bounds, usual_seconds: float | None, violated: Callable[[float], Awaitable[frozenset[str]]]
    ) -> None:
        ready = bounds.ready_seconds + bounds.uninterruptible_seconds
        self._waiting_seconds = min(ready, bounds.lost_job_seconds, bounds.silence_seconds)
        self._usual_seconds = inf if usual_seconds is None else usual_seconds
        self._violated = violated

    @property
    def shortest_seconds(self) -> float:
        """Before nothing has befallen an execution for so long, it is not over."""
        return min(self._waiting_seconds, self._usual_seconds)

    async def is_over(self, idle_seconds: float, cloud_at: float) -> bool:
        """Whether that is so at that time of the cloud's clock, when nothing has befallen an execution for so long."""
        if idle_seconds < self.shortest_seconds:
            return False
        violated = await self._violated(cloud_at)
        lets_wait = idle_seconds >= self._waiting_seconds and bool(violated & ABOUT_WAITING)
        return lets_wait or (idle_seconds >= self._usual_seconds and bool(violated))
