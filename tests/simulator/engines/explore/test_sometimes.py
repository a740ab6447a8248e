"""Which places a search is to reach, and what gets there."""

import pytest

from agent.values import ExecutionKey
from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.pieces import piece
from simulator.engines.explore.sometimes import PLACES, Looking
from simulator.scenario.places import Place
from simulator.trace import ExecutionChanged, ExecutionRemoved
from simulator.verdict.model import PlaceName

FW, NEXT, AGAIN = ExecutionKey(None, "fw", 1, 100), ExecutionKey(None, "next", 1, 101), ExecutionKey(None, "fw", 1, 102)


def went_on(key: ExecutionKey, status: str) -> ExecutionChanged:
    return ExecutionChanged("dev-1", key, status, 2, "device")


def is_reached(place: PlaceName, *told: ExecutionRemoved | ExecutionChanged) -> bool:
    looking = Looking(Place(place=place, job="fw"), PLACES[place])
    watched, found = looking.start(), False
    for event in told:
        watched, broken = looking.watch(watched, piece(Heard((event,), (), 0.0)))
        found = found or bool(broken)
    return found


@pytest.mark.parametrize(
    ("place", "removed_as", "after", "status", "reached"),
    [
        ("recovered", "IN_PROGRESS", NEXT, "IN_PROGRESS", True),
        ("recovered", "IN_PROGRESS", AGAIN, "SUCCEEDED", True),
        ("recovered", "QUEUED", NEXT, "IN_PROGRESS", False),
        ("recovered", "IN_PROGRESS", NEXT, "REJECTED", False),
        ("reused-id", "QUEUED", AGAIN, "IN_PROGRESS", True),
        ("reused-id", "IN_PROGRESS", NEXT, "IN_PROGRESS", False),
    ],
)
def test_who_had_not_begun_has_nothing_to_recover_from(
    place: PlaceName, removed_as: str, after: ExecutionKey, status: str, reached: bool
):
    """So a device that turns away all that comes after it lost one under its hands does not reach it."""
    assert is_reached(place, ExecutionRemoved("dev-1", FW, removed_as), went_on(after, status)) is reached
