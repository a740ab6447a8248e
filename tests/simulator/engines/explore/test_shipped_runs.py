"""Every shipped scenario, played in virtual time, is a path of its world; or it is said why not, and that is checked.

A scenario's first group plays alone, with its jobs called as the world calls them. What the world cannot have of it is
a change: without the change it is no path, and with it, it is. So nothing else of the scenario is hidden from a search.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest

from simulator.engines.explore.of_scenario import of_scenario
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


CHANGED: Final[dict[str, Callable[[Data], None]]] = {
    "delete-in-the-middle-of-the-only-slot": _half,
    "delete-in-write": _half,
    "power-lost-while-undoing": _half,
    "delete-over-the-reconnection": _usual_cloud,
    "recreated-at-once": _usual_cloud,
    "stale-reads": _usual_cloud,
    "throttled-while-suspect": _never_refuses,
}

OTHERWISE: Final[dict[str, Callable[[Scenario], bool]]] = {
    "asks for something else than firmware": lambda scenario: any(job.document for job in _jobs(scenario)),
    "is not alone on its thing": lambda scenario: bool(scenario.devices[0].beside),
    "has more than two jobs": lambda scenario: len({job.id for job in _jobs(scenario)}) > 2,
}
"""What no world of this sort has: of these a schedule's `world` has the first, with `asks`."""

OPEN: Final = frozenset(
    {
        "announced-after-deletion",
        "cancel-beside-delete",
        "messages-duplicated",
        "messages-reordered",
        "policy-leap-when-unreachable",
        "power-lost-before-the-report",
        "stale-next",
        "stale-update-after-recreation",
    }
)
"""Of which it is not known yet which change makes them a path."""


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


def path_of(data: Data) -> list[str]:
    """Raises AssertionError if there is none."""
    scenario, entries = Scenario.model_validate(data), list[Entry]()
    judged(scenario, 1, 0, sink=entries.append)
    setup = of_scenario(scenario).setup.model_copy(update={"sectors": 16, "records_go": "at once"})
    return path_in(System(setup), Run(entries))


PATHS: Final = [name for name in shipped() if name not in {*CHANGED, *OPEN} and not why_otherwise(load(name))]


@pytest.mark.parametrize("name", PATHS)
def test_a_shipped_scenario_is_a_path_of_its_world(name: str):
    assert len(path_of(as_the_world_has_it(load(name)))) > 50


@pytest.mark.parametrize("name", CHANGED)
def test_what_a_world_cannot_have_of_a_scenario_is_this_change_and_nothing_else(name: str):
    data = as_the_world_has_it(load(name))
    with pytest.raises(AssertionError):
        path_of(data)
    CHANGED[name](data)
    assert len(path_of(data)) > 50


def test_of_every_shipped_scenario_it_is_known_how_it_stands():
    assert {*CHANGED, *OPEN} <= set(shipped())
    assert not any(why_otherwise(load(name)) for name in {*CHANGED, *OPEN})
    assert len(PATHS) >= 33
