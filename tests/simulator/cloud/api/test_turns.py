"""Operations that take long pause, and get their turns one at a time."""

import asyncio
from typing import Any

import pytest

from simulator.cloud.api import ApiError
from simulator.cloud.api import turns as turns_module
from simulator.cloud.api.backing import Paused
from simulator.cloud.api.turns import MOST, Turns
from simulator.cloud.api.wire import Refusal
from simulator.cloud.notices.telling import Notices
from simulator.cloud.registry.things import LOOKS

from .conftest import Plane

ROUNDS = 10
NONE_OF_THEM = {"attributeName": "fw", "attributeValue": "x"}


@pytest.fixture
def crowd(plane: Plane) -> Plane:
    """An account with an index of so many things that a list has to pause."""
    plane.call("UpdateIndexingConfiguration", thingIndexingConfiguration={"thingIndexingMode": "REGISTRY"})
    plane.things(*(f"t{number:03}" for number in range(ROUNDS * LOOKS)))
    return plane


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step is a turn."""
    monkeypatch.setattr(turns_module, "TURN_SECONDS", 0.0)


def finished(steps: Paused) -> tuple[int, dict[str, Any]]:
    """How often it paused, and its output."""
    pauses = 0
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return pauses, done.value
        pauses += 1


@pytest.mark.parametrize(
    ("operation", "given", "member"),
    [
        ("SearchIndex", {"queryString": "nobody"}, "things"),
        ("ListThings", NONE_OF_THEM, "things"),
        ("ListThings", {"thingTypeName": "pump"}, "things"),
        ("ListJobExecutionsForJob", {"jobId": "fw", "status": "FAILED"}, "executionSummaries"),
    ],
)
def test_who_looks_at_everything_and_finds_nothing_pauses(
    crowd: Plane, operation: str, given: dict[str, Any], member: str
):
    arn = crowd.call("CreateThingGroup", thingGroupName="all")["thingGroupArn"]
    for number in range(ROUNDS * LOOKS):
        crowd.call("AddThingToThingGroup", thingGroupName="all", thingName=f"t{number:03}")
    crowd.call("CreateJob", jobId="fw", targets=[arn], document="{}")
    crowd.jobs.tick(crowd.now)
    pauses, output = finished(crowd.plane.steps(operation, given))
    assert pauses >= ROUNDS // 4
    assert output[member] == []


def test_what_comes_and_goes_in_a_pause_is_told_once_or_never(crowd: Plane):
    steps = crowd.plane.steps("SearchIndex", {"queryString": "thingName:t*", "maxResults": 250})
    next(steps)
    crowd.call("CreateThing", thingName="t000-new")  # it is past its place
    crowd.call("CreateThing", thingName="t150-new")
    crowd.call("DeleteThing", thingName="t000")
    crowd.call("DeleteThing", thingName="t151")
    _, output = finished(steps)
    found = [each["thingName"] for each in output["things"]]
    assert found == sorted({*(f"t{number:03}" for number in range(ROUNDS * LOOKS)), "t150-new"} - {"t151"})


async def test_operations_that_take_long_take_turns_and_others_have_theirs_in_between(short: None):
    turns, told = Turns(), list[str]()

    def long(name: str) -> Paused:
        for number in range(3):
            told.append(f"{name}{number}")
            yield
        return {"name": name}

    def quick() -> Paused:
        told.append("quick")
        return {}
        yield

    both = [asyncio.create_task(turns.carry_out("SearchIndex", long(name))) for name in "ab"]
    await asyncio.sleep(0)
    assert told == ["a0", "a1", "b0"], "the first steps are nobody's turn"
    await turns.carry_out("DescribeThing", quick())
    assert await asyncio.gather(*both) == [{"name": "a"}, {"name": "b"}]
    assert told == ["a0", "a1", "b0", "quick", "b1", "a2", "b2"]


async def test_more_than_so_many_are_refused_and_told_of_once(short: None):
    turns, ends, told = Turns(), False, list[tuple[str, str]]()
    notices = Notices(None, float, lambda _event, said: told.append((said["code"], said["resource"])))

    def endless() -> Paused:
        while not ends:
            yield
        return {}

    under_way = [asyncio.create_task(turns.carry_out("SearchIndex", endless())) for _ in range(MOST)]
    await asyncio.sleep(0)
    for _ in range(2):
        with pytest.raises(ApiError) as caught:
            await turns.carry_out("SearchIndex", endless())
        refused = caught.value
        assert refused.name == "ThrottlingException"
        notices.tell(Refusal.of(400, refused).notice)
    assert told == [("quota", "SearchIndex")]
    ends = True
    await asyncio.gather(*under_way)
    assert await turns.carry_out("SearchIndex", endless()) == {}


async def test_a_refusal_in_a_later_step_makes_room_again(short: None):
    turns = Turns()

    def refused() -> Paused:
        yield
        raise ApiError("InvalidRequestException", "no")

    for _ in range(MOST + 1):
        with pytest.raises(ApiError, match="no"):
            await turns.carry_out("CreateJob", refused())
