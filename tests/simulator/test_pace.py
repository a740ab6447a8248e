"""What waits by the time in which a process ran, waits longer where it did not run, and in the same order."""

import asyncio

import pytest

from simulator.engines.virtual_time import run_virtually
from simulator.pace import LOOP_TIME, Pace


class _Process:
    """Runs in virtual time, and loses some of it."""

    def __init__(self) -> None:
        self.lost = 0.0
        self.pace = Pace(lambda: asyncio.get_running_loop().time() - self.lost)

    async def passes(self, seconds: float, loses: float) -> float:
        """How long a wait takes in which that much is lost."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        loop.call_later(seconds / 2, self._lose, loses)
        await self.pace.sleep(seconds)
        return loop.time() - began

    def _lose(self, seconds: float) -> None:
        self.lost += seconds


@pytest.mark.parametrize("lost", [0.0, 0.25, 60.0])
def test_a_wait_is_longer_by_what_was_lost_in_it(lost: float):
    assert run_virtually(_Process().passes(2, lost)) == pytest.approx(2 + lost)


def test_by_the_time_of_the_loop_it_is_as_long_as_it_is():
    async def passes() -> float:
        began = LOOP_TIME.now()
        await LOOP_TIME.sleep(2)
        return LOOP_TIME.now() - began

    assert run_virtually(passes()) == pytest.approx(2)


def test_what_was_cancelled_is_not_called_however_often_it_waited_on():
    process, called = _Process(), list[str]()

    async def both() -> None:
        kept = process.pace.call_later(2, called.append, "kept")
        other = process.pace.call_later(2, called.append, "cancelled")
        await process.passes(1, 5)
        other.cancel()
        await process.passes(2, 5)
        kept.cancel()

    run_virtually(both())
    assert called == ["kept"]
