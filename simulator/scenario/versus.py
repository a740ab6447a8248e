"""A scenario with each device twice, side by side: a good one and, under the same deletion, a bad one.

devices  [plain, lab]                       ──►  [plain, plain-bad, lab, lab-bad]
jobs     to: [plain]                        ──►  to: [plain, plain-bad]
places   those of the good ones alone: who is bad need not get anywhere
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

from simulator.scenario.parts import Group, PowerCut
from simulator.scenario.whole import Scenario, agents

Part: TypeAlias = Literal["good", "bad"]
MOST: Final = 60
"""Characters of a group's name that its twin keeps."""


def side_by_side(scenario: Scenario, model: str) -> Scenario:
    """The same with a device of `model` beside each. It is to be played with twice as many devices."""
    twins = _twins(scenario.groups)
    devices = tuple(each for group in scenario.devices for each in (group, _twin(group, model, twins)))
    jobs = tuple(job.model_copy(update={"to": _both(job.to, twins)}) for job in scenario.jobs)
    first = {job.id: job for job in reversed(scenario.jobs)}
    places = tuple(
        place.model_copy(update={"groups": place.groups or first[place.job].to}) for place in scenario.must_reach
    )
    return _checked(
        scenario.model_copy(
            update={
                "devices": devices,
                "jobs": jobs,
                "must_reach": places,
                "power_cuts": tuple(_for_both(cut, twins) for cut in scenario.power_cuts),
                "outages": tuple(
                    outage.model_copy(update={"groups": _both(outage.groups, twins)}) for outage in scenario.outages
                ),
                "play_with": 2 * scenario.play_with,
            }
        )
    )


def parts(scenario: Scenario, played: Scenario, things: Sequence[str]) -> dict[str, Part]:
    """Who of those that play `played`, which came of `scenario`, is good and who is bad, by the name of each agent."""
    good = {group.group for group in scenario.groups}
    dealt = zip(things, played.deal(len(things)), strict=True)
    named = (agent for thing, group in dealt for agent in agents(thing, group))
    return {name: "good" if group.group in good else "bad" for name, group in named}


def _twins(groups: Sequence[Group]) -> dict[str, str]:
    """What the twin of each group is called."""
    taken, twins = {group.group for group in groups}, {}
    for group in groups:
        number, name = 1, f"{group.group[:MOST]}-bad"
        while name in taken:
            number, name = number + 1, f"{group.group[: MOST - 4]}-bad{number + 1}"
        taken.add(name)
        twins[group.group] = name
    return twins


def _twin(group: Group, model: str, twins: Mapping[str, str]) -> Group:
    beside = tuple(
        other.model_copy(
            update={"group": twins[other.group], **({"model": model} if other.model == "reference" else {})}
        )
        for other in group.beside
    )
    return group.model_copy(update={"group": twins[group.group], "model": model, "beside": beside})


def _both(groups: tuple[str, ...], twins: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for group in groups for name in (group, twins[group]))


def _for_both(cut: PowerCut, twins: Mapping[str, str]) -> PowerCut:
    return cut.model_copy(update={"groups": _both(cut.groups, twins)})


def _checked(scenario: Scenario) -> Scenario:
    """What was copied has not been looked at."""
    return Scenario.model_validate(scenario.model_dump())
