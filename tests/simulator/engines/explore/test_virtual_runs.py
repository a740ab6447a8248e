"""What happens in virtual time is a path of the explorer's world: the same events, of each in the same order."""

from dataclasses import replace
from typing import Any, Final

import pytest

from agent.device_events import DeviceDisconnected, JournalWritten
from simulator.engines.conductor.expected import plain
from simulator.engines.explore.service import Operations
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System, World
from simulator.engines.explore.world import Transition, transitions
from simulator.trace import CLOUD, Entry, FlashChanged
from tests.simulator.engines.explore.test_parity import BY_CLOUD, _plain, played_virtually

MOST: Final = 50_000
"""Worlds that are looked at."""
STOPPED: Final = "stopped"
"""Why a device leaves when the run is over."""


class Run:
    """What the cloud tells, and what the device does."""

    def __init__(self, entries: list[Entry]) -> None:
        self.cloud = [compared(entry.event) for entry in entries if of_cloud(entry)]
        self.device = [compared(entry.event) for entry in entries if of_device(entry)]


def of_cloud(entry: Entry) -> bool:
    return entry.source == CLOUD and isinstance(entry.event, BY_CLOUD)


def of_device(entry: Entry) -> bool:
    event = entry.event
    if isinstance(event, DeviceDisconnected) and event.reason == STOPPED:
        return False
    return entry.source.startswith("device/") and not isinstance(event, JournalWritten | FlashChanged)


def compared(event: Any) -> Any:
    """Without what the two cannot have alike."""
    event = _plain(plain(event))
    unlike = {"thing": "", "details": getattr(event, "details", None) or None, "instant": ""}
    return replace(event, **{name: value for name, value in unlike.items() if hasattr(event, name)})


def path_in(system: System, run: Run) -> list[str]:
    """Choices that come to the same, one after the other, from the factory on."""
    way: list[tuple[World, int, int, str]] = []
    seen: set[tuple[World, int, int]] = set()
    waiting = [(from_factory(system), 0, 0, 0, "")]
    best = (0, 0)
    while waiting:
        world, by_cloud, by_device, depth, choice = waiting.pop()
        if (world, by_cloud, by_device) in seen:
            continue
        seen.add((world, by_cloud, by_device))
        best = max(best, (by_cloud, by_device))
        del way[depth:]
        way.append((world, by_cloud, by_device, choice))
        if (by_cloud, by_device) == (len(run.cloud), len(run.device)):
            return [each[3] for each in way[1:]]
        assert len(seen) < MOST
        for each in transitions(system, world):
            after = followed(each, run, by_cloud, by_device)
            if after is not None:
                waiting.append((each.world, *after, depth + 1, str(each.choice)))
    raise AssertionError(f"after {best}: {run.cloud[best[0] : best[0] + 1]} {run.device[best[1] : best[1] + 1]}")


def from_factory(system: System) -> World:
    """Nothing is switched on yet."""
    sides = tuple(system.off(number) for number, _ in enumerate(system.setup.seats))
    return World(sides, Operations(system.setup).begun(), system.setup.bounds.budgets)


def followed(step: Transition, run: Run, by_cloud: int, by_device: int) -> tuple[int, int] | None:
    """How far the run is told after that; None if something else is."""
    cloud = [compared(event) for event in step.told_by_cloud if isinstance(event, BY_CLOUD)]
    device = [compared(event) for event in step.told_by_device if not isinstance(event, JournalWritten | FlashChanged)]
    after = by_cloud + len(cloud), by_device + len(device)
    if run.cloud[by_cloud : after[0]] != cloud or run.device[by_device : after[1]] != device:
        return None
    return after


@pytest.mark.parametrize(
    ("setup", "scenario"),
    [
        pytest.param({}, {}, id="an update"),
        pytest.param({"layout": "single", "reports": "end"}, {}, id="one slot, no reports on the way"),
        pytest.param(
            {"bounds": {"delete": 1}},
            {"deletions": [{"job": "fw", "when": {"step": "write", "progress": 50}}]},
            id="deleted while it writes",
        ),
        pytest.param(
            {"layout": "swap", "namespace": "lab", "bounds": {"delete": 1}},
            {"deletions": [{"job": "fw", "when": {"step": "download", "progress": 0}}]},
            id="deleted as it downloads, in a namespace",
        ),
        pytest.param(
            {"bounds": {"power-cut": 1}}, {"power_cuts": [{"step": "write", "progress": 50}]}, id="the power goes"
        ),
        pytest.param(
            {"bounds": {"lose-answer": 1}},
            {"faults": [{"do": "lose", "messages": ["update-answer"], "nth": 1}]},
            id="an answer is lost",
        ),
    ],
)
def test_a_run_in_virtual_time_is_a_path(setup: dict[str, Any], scenario: dict[str, Any]):
    world = Setup.model_validate({"records_go": "at once", "sectors": 16, "bounds": {}} | setup)
    run = Run(played_virtually(world, **scenario))
    assert len(run.device) > 20
    assert path_in(System(world), run)
