"""What a runner's timers run by, where that is not the loop's time."""

import asyncio
from typing import cast

import pytest

from agent.core.events import Booted, Effect, Event, SetTimer, TimerFired
from agent.jitter import Jitter
from agent.runner import Runner, Transport, Workbench
from simulator.engines.virtual_time import run_virtually
from simulator.pace import Pace


class _Nowhere:
    """A connection that never comes about."""

    def start(self, listener: object) -> None: ...

    async def stop(self) -> None: ...

    def cut(self) -> None: ...


class _Clock:
    """The loop's time, less what was lost."""

    lost = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() - self.lost


async def fired_at(lose: float) -> float:
    """When, by the loop, a timer of 2 s fires, if `lose` seconds are lost after 1 s."""
    clock, fired = _Clock(), asyncio.get_running_loop().create_future()

    def step(machine: None, event: Event) -> tuple[None, tuple[Effect, ...]]:
        if isinstance(event, TimerFired):
            fired.set_result(asyncio.get_running_loop().time())
        return None, (SetTimer("a", after_seconds=2),) if isinstance(event, Booted) else ()

    runner = Runner(
        thing="lamp",
        machine=None,
        step=step,
        transport=cast("Transport", _Nowhere()),
        workbench=cast("Workbench", None),
        rng=Jitter("0"),
        observe=lambda _: None,
        remember=lambda _: None,
        time=Pace(clock),
    )
    runner.start(Booted(None, "1.0", False))
    await asyncio.sleep(1)
    clock.lost = lose
    at: float = await fired
    return at


@pytest.mark.parametrize("lost", [0.0, 0.5, 30.0])
def test_a_timer_stands_still_with_its_clock(lost: float):
    assert run_virtually(fired_at(lost)) == pytest.approx(2 + lost)
