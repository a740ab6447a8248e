"""Every shipped scenario, played in virtual time, is a path of its world; or it is said why not, and that is checked.

A scenario's first group plays alone, with its jobs called as the world calls them. What the world cannot have of it is
a change: without the change it is no path, and with it, it is. So nothing else of the scenario is hidden from a search.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest

from agent.device_events import PhaseChanged, PowerLost, RequestSent
from simulator.engines.explore.of_scenario import MOST, of_scenario
from simulator.engines.explore.setup import AGAIN, FW, NEXT_JOB, VERSIONS
from simulator.engines.explore.system import System
from simulator.engines.virtual import judged
from simulator.scenario import JobSpec, Scenario, load, shipped
from simulator.trace import Entry
from tests.simulator.engines.explore.test_virtual_runs import Run, path_in

Data = dict[str, Any]
NAMED: Final = frozenset({"id", "job", "deletion_of", "taken"})
OF_GROUPS: Final = ("outages", "power_cuts", "faults", "updates")


def _half(data: Data) -> None:
    """It is deleted at half of a step: where it holds at another share, a device tells of that as well."""
    for each in data["deletions"]:
        if each["when"].get("progress") not in (None, 0, 100):
            each["when"]["progress"] = 50


def _usual_cloud(data: Data) -> None:
    """The service takes no longer over a deletion than a moment, and its reads never lag."""
    data.pop("cloud")


def _never_refuses(data: Data) -> None:
    """The service has time for everybody."""
    data["faults"] = [each for each in data["faults"] if each["do"] not in ("throttle", "fail")]


def _no_more_than_bounds_allow(data: Data) -> None:
    """Its messages have trouble once each, and not all of the time: a bound is nine at most."""
    data["faults"] = [
        {"do": fault["do"], "messages": [message], "first": 1}
        | ({"seconds": fault["seconds"]} if "seconds" in fault else {})
        for fault in data["faults"]
        for message in fault["messages"]
        if message in ("notify", "update", "start-next-answer")
    ]


CHANGED: Final[dict[str, Callable[[Data], None]]] = {
    "delete-in-the-middle-of-the-only-slot": _half,
    "delete-in-write": _half,
    "power-lost-while-undoing": _half,
    "delete-over-the-reconnection": _usual_cloud,
    "recreated-at-once": _usual_cloud,
    "stale-next": _usual_cloud,
    "stale-reads": _usual_cloud,
    "throttled-while-suspect": _never_refuses,
    "messages-duplicated": _no_more_than_bounds_allow,
    "messages-reordered": _no_more_than_bounds_allow,
}

OVERTAKEN: Final = ("announced-after-deletion", "messages-reordered", "stale-update-after-recreation")
"""Where a message is late by so much that several overtake it: a search counts each of them against its bound."""

UNSENT: Final = "power-lost-before-the-report"
"""The power goes between a record and its request: a search has that one sent, and lost."""

OTHERWISE: Final[dict[str, Callable[[Scenario], bool]]] = {
    "asks for something else than firmware": lambda scenario: any(job.document for job in _jobs(scenario)),
    "is not alone on its thing": lambda scenario: bool(scenario.devices[0].beside),
    "has more than two jobs": lambda scenario: len({job.id for job in _jobs(scenario)}) > 2,
}
"""What no world of this sort has: of these a schedule's `world` has the first, with `asks`."""


def _jobs(scenario: Scenario) -> list[JobSpec]:
    return [job for job in scenario.jobs if scenario.devices[0].group in job.to and not job.provokes]


def why_otherwise(scenario: Scenario) -> str:
    """Why it is in no such world; empty if it may be."""
    return next((why for why, applies in OTHERWISE.items() if applies(scenario)), "")


def as_the_world_has_it(scenario: Scenario) -> Data:
    """Its first group alone, and its jobs called and versioned as in the world."""
    data: Data = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    group, first = scenario.devices[0].group, _jobs(scenario)[0]
    names = dict(zip(dict.fromkeys(job.id for job in _jobs(scenario)), (FW, NEXT_JOB), strict=False))
    data["devices"] = data["devices"][:1]
    data["jobs"] = [job | {"to": [group]} for job in data["jobs"] if group in job["to"]]
    there = {job["id"] for job in data["jobs"]}
    data["deletions"] = [each for each in data.get("deletions", []) if each["job"] in there]
    for kind in OF_GROUPS:
        mine = (each for each in data.get(kind, []) if group in each.get("groups", [group]))
        data[kind] = [each | ({"groups": [group]} if "groups" in each else {}) for each in mine]
    for unwanted in ("must_reach", "expect"):
        data.pop(unwanted, None)
    data = _renamed(data, names)
    for number, job in enumerate(data["jobs"]):
        is_again = job["id"] == FW and number > 0 and job.get("version") != first.version
        if job["id"] in names.values():
            job["version"] = VERSIONS[AGAIN if is_again else job["id"]]
    return data


def _renamed(data: Any, names: dict[str, str]) -> Any:
    match data:
        case dict():
            return {
                key: names.get(value, value) if key in NAMED else _renamed(value, names) for key, value in data.items()
            }
        case list():
            return [_renamed(each, names) for each in data]
        case _:
            return data


def played(data: Data) -> Run:
    """In virtual time."""
    entries = list[Entry]()
    judged(Scenario.model_validate(data), 1, 0, sink=entries.append)
    return Run(entries)


def path_of(data: Data, run: Run) -> list[str]:
    """Raises AssertionError if there is none."""
    setup = of_scenario(Scenario.model_validate(data)).setup
    bounds = setup.bounds.model_copy(update={"delay": MOST} if data["name"] in OVERTAKEN else {})
    setup = setup.model_copy(update={"sectors": 16, "records_go": "at once", "bounds": bounds})
    return path_in(System(setup), run)


PATHS: Final = [name for name in shipped() if name not in {*CHANGED, UNSENT} and not why_otherwise(load(name))]


@pytest.mark.parametrize("name", PATHS)
def test_a_shipped_scenario_is_a_path_of_its_world(name: str):
    data = as_the_world_has_it(load(name))
    assert len(path_of(data, played(data))) > 50


@pytest.mark.parametrize("name", CHANGED)
def test_what_a_world_cannot_have_of_a_scenario_is_this_change_and_nothing_else(name: str):
    data = as_the_world_has_it(load(name))
    with pytest.raises(AssertionError):
        path_of(data, played(data))
    CHANGED[name](data)
    assert len(path_of(data, played(data))) > 50


def test_a_request_that_the_power_cut_forestalled_is_one_that_was_lost():
    data = as_the_world_has_it(load(UNSENT))
    run = played(data)
    with pytest.raises(AssertionError):
        path_of(data, run)
    powered = played(data | {"power_cuts": []}).device
    at = next(number for number, event in enumerate(run.device) if isinstance(event, PowerLost))
    assert powered[:at] == run.device[:at]
    assert [type(event) for event in powered[at : at + 2]] == [RequestSent, PhaseChanged]
    run.device[at:at] = powered[at : at + 2]
    assert len(path_of(data, run)) > 50


def test_of_every_shipped_scenario_it_is_known_how_it_stands():
    named = {*CHANGED, *OVERTAKEN, UNSENT}
    assert named <= set(shipped())
    assert not any(why_otherwise(load(name)) for name in named)
    assert len(PATHS) >= 37
