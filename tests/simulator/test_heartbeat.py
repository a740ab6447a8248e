"""A process that does not get round to what is due says so, and by how much."""

import asyncio

import pytest

from simulator.engines.virtual_time import run_virtually
from simulator.heartbeat import Heartbeat
from simulator.trace import ProcessStalled


class _Process:
    """Runs in virtual time, and falls behind when it is told to."""

    def __init__(self) -> None:
        self.behind = 0.0
        self.worked = 0.0
        self.told: list[ProcessStalled] = []
        self.heart = Heartbeat("devices", self.told.append, clock=self.now, processor=lambda: self.worked)

    def now(self) -> float:
        return asyncio.get_running_loop().time() + self.behind

    def stall(self, seconds: float, worked: float) -> None:
        self.behind += seconds
        self.worked += worked

    async def run(self, *stalls: tuple[float, float]) -> float:
        """Stall for so many seconds, working for some of them, once in each second; the running time in the end."""
        with self.heart:
            began = self.heart.running_time()
            for seconds, worked in stalls:
                await asyncio.sleep(0.5)
                self.stall(seconds, worked)
                await asyncio.sleep(0.5)
            return self.heart.running_time() - began


def test_who_is_never_late_tells_nothing():
    process = _Process()
    assert run_virtually(process.run((0, 0), (0.005, 0.005))) == pytest.approx(2.005)
    assert process.told == []


def test_whoever_is_called_before_the_beat_that_is_late_sees_no_time_gone():
    process = _Process()

    async def looks_before_the_beat() -> list[float]:
        with process.heart:
            await asyncio.sleep(0.01)
            seen = [process.heart.running_time()]
            process.stall(5, 0)
            seen.append(process.heart.running_time())
            await asyncio.sleep(0.02)
            return [*seen, process.heart.running_time()]

    before, within, after = run_virtually(looks_before_the_beat())
    assert before <= within <= before + 0.02
    assert within <= after <= before + 0.03


def test_each_stall_is_told_with_how_much_of_it_was_work_and_is_not_running_time():
    process = _Process()
    assert run_virtually(process.run((1.5, 0.25), (0.2, 7.0))) == pytest.approx(2)
    assert [(each.process, each.seconds, each.worked_seconds) for each in process.told] == [
        ("devices", 1.5, 0.25),
        ("devices", 0.2, 0.2),
    ]
