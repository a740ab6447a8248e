"""Time that jumps: what asyncio promises of timers and tasks holds on the virtual loop too."""

import asyncio
import logging

import pytest

from simulator.engines.virtual_time import StuckError, run_virtually


def test_time_starts_at_nought_and_jumps_to_what_is_due():
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await asyncio.sleep(86_400)
        return start, loop.time()

    assert run_virtually(main()) == (0.0, 86_400.0)


def test_timers_are_called_in_the_order_of_their_times_and_then_in_that_in_which_they_were_set():
    async def main() -> list[str]:
        called: list[str] = []
        loop = asyncio.get_running_loop()
        for at, name in ((2.0, "c"), (1.0, "a"), (2.0, "d"), (1.0, "b")):
            loop.call_at(at, called.append, name)
        await asyncio.sleep(3)
        return called

    assert run_virtually(main()) == ["a", "b", "c", "d"]


def test_a_timer_that_was_cancelled_is_not_called_not_even_by_one_that_is_due_at_the_same_time():
    async def main() -> list[str]:
        called: list[str] = []
        loop = asyncio.get_running_loop()
        late = loop.call_later(1, called.append, "late")
        loop.call_later(0.5, late.cancel)
        same = asyncio.TimerHandle(0, print, (), loop)
        loop.call_later(2, lambda: same.cancel())
        same = loop.call_later(2, called.append, "same")
        await asyncio.sleep(3)
        assert late.cancelled()
        return called

    assert run_virtually(main()) == []


def test_a_timer_that_is_set_at_once_lets_tasks_have_their_turn():
    async def main() -> int:
        loop, count = asyncio.get_running_loop(), 0

        def again() -> None:
            nonlocal count
            count += 1
            loop.call_soon(again) if count % 2 else loop.call_later(0, again)

        again()
        for _ in range(10):
            await asyncio.sleep(0)
        return count

    assert 5 <= run_virtually(main()) <= 20


def test_what_a_timer_raises_is_logged_and_the_others_are_called(caplog: pytest.LogCaptureFixture):
    async def main() -> list[str]:
        called: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_later(1, lambda: 1 / 0)
        loop.call_later(1, called.append, "next")
        await asyncio.sleep(2)
        return called

    with caplog.at_level(logging.ERROR, "asyncio"):
        assert run_virtually(main()) == ["next"]
    assert "exception in a timer" in caplog.text


def test_a_timeout_ends_what_waits_too_long():
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtually(main()) == 5.0


def test_waiting_for_what_nobody_will_bring_is_said():
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StuckError, match="everybody waits"):
        run_virtually(main())
