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


def test_those_that_are_due_together_are_called_in_the_order_in_which_they_were_asked_for():
    process, called = _Process(), list[int]()

    async def all_of_them() -> None:
        for number in range(100):
            process.pace.call_later(2 if number % 2 else 1, called.append, number)
        await process.passes(3, 5)

    run_virtually(all_of_them())
    assert called == [*range(0, 100, 2), *range(1, 100, 2)]


def test_a_call_that_fails_keeps_no_other_from_its_turn():
    process, called, told = _Process(), list[str](), list[str]()

    def fail() -> None:
        raise ValueError("this one")

    async def both() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(str(context["exception"])))
        process.pace.call_later(1, fail)
        process.pace.call_later(1, called.append, "the other")
        await process.passes(2, 5)

    run_virtually(both())
    assert (called, told) == (["the other"], ["this one"])


def test_whoever_asks_to_be_called_again_at_once_lets_others_have_their_turn():
    process = _Process()

    async def passes() -> int:
        calls = 0

        def again() -> None:
            nonlocal calls
            calls += 1
            process.pace.call_later(0, again)

        again()
        await asyncio.sleep(1)
        return calls

    assert 1 < run_virtually(passes()) < 10_000


def test_the_loop_calls_for_all_that_wait_and_not_for_each():
    process, calls = _Process(), 0

    def clock() -> float:
        nonlocal calls
        calls += 1
        return asyncio.get_running_loop().time() - process.lost

    async def all_of_them() -> None:
        pace = Pace(clock)
        for _ in range(1000):
            pace.call_at(1, called.append, None)
        process.lost = 5
        await asyncio.sleep(10)

    called = list[None]()
    run_virtually(all_of_them())
    assert len(called) == 1000
    assert calls < 100
