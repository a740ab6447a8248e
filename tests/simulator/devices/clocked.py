"""A device on a clock, in a test's hands: what its rig tells its agent, and when; nobody else is there."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from agent.core.events import BeginStep, Booted, Event, StepEnded
from agent.device_events import DeviceEvent, PowerLost
from agent.plan import Step
from agent.runner import Runner
from agent.values import ExecutionKey
from simulator.devices.device import SimulatedDevice, Wiring
from simulator.devices.holds import Hold
from simulator.devices.rig.steps import power_on
from simulator.devices.rig.values import Make
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Group, Outage, PowerCut, Timings

FW = ExecutionKey(None, "fw", 1, 1_700_000_000)
TIMINGS = Timings(download=1.6, write=3.2, undo=0.8)
"""A sector of a download, and of a write, takes a tenth of a second."""


def step(action: str, index: int = 0) -> BeginStep:
    return BeginStep(FW, index, Step(action, action, args=(("version", "2.0"),)), "2.0")


DOWNLOAD = step("download")


def in_virtual_time(body: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def test() -> None:
        run_virtually(body())

    test.__name__ = body.__name__
    return test


class Deaf:
    """In an agent's place (see `agent.runner.Runner`): it notes what comes, and does nothing about it."""

    crashed, rests = False, True

    def __init__(self, device: "ClockedDevice") -> None:
        self.device = device

    def start(self, booted: Booted, *, offline_seconds: float = 0.0) -> None:
        self.feed(booted)

    def feed(self, event: Event) -> None:
        self.device.note(event)

    def halt(self) -> None:
        self.device.note("halt")

    def interrupt(self, seconds: float) -> None:
        self.device.note("the network is gone")

    async def stop(self) -> None:
        self.halt()


class ClockedDevice(SimulatedDevice):
    """Powered on. `noted` is all that is told, and all that its agent gets to know, each with the time."""

    def __init__(
        self,
        *cuts: PowerCut,
        outages: tuple[Outage, ...] = (),
        holds: tuple[Hold, ...] = (),
        group: Group | None = None,
    ) -> None:
        self.noted: list[tuple[float, DeviceEvent | Event | str]] = []
        wiring = Wiring(cuts, outages, lambda device: cast("Runner[Any]", Deaf(self)), holds)
        super().__init__("thing", group or Group(group="g"), Make(TIMINGS), wiring, self.note)
        self.do(power_on)

    def note(self, what: DeviceEvent | Event | str) -> None:
        self.noted.append((round(asyncio.get_running_loop().time(), 6), what))

    @property
    def losses(self) -> list[tuple[str, float]]:
        """The instants at which the power went."""
        return [(what.instant, at) for at, what in self.noted if isinstance(what, PowerLost)]

    @property
    def ends(self) -> list[tuple[str, float]]:
        """How steps ended."""
        return [(what.outcome, at) for at, what in self.noted if isinstance(what, StepEnded)]
