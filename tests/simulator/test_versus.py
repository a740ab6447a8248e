"""A scenario with each device twice: what is doubled, who is which, and what the verdict says of both."""

import pytest

from simulator.engines.virtual import judged
from simulator.report.summary import by_part
from simulator.scenario import load, parse, shipped, thing_names
from simulator.scenario.versus import parts, side_by_side

SCENARIO = """
name: x
devices: [{group: a, layout: swap}, {group: b, namespace: lab, model: deaf}]
jobs: [{id: fw, to: [a], version: "2.0"}, {id: fw-lab, to: [b], namespace: lab, version: "2.0"}]
power_cuts: [{step: write, groups: [b]}, {step: commit}]
must_reach: [{place: recovered, job: fw}]
play_with: 3
"""


def test_each_group_has_a_twin_beside_it_that_is_like_it_but_for_the_model():
    both = side_by_side(parse(SCENARIO), "hammering")
    assert [(group.group, group.model, group.layout, group.namespace) for group in both.devices] == [
        ("a", "reference", "swap", None),
        ("a-bad", "hammering", "swap", None),
        ("b", "deaf", "ab", "lab"),
        ("b-bad", "hammering", "ab", "lab"),
    ]
    assert [job.to for job in both.jobs] == [("a", "a-bad"), ("b", "b-bad")]
    assert [cut.groups for cut in both.power_cuts] == [("b", "b-bad"), ()]
    assert both.play_with == 6


def test_places_are_those_of_the_good_ones_and_who_is_which_is_known_by_name():
    scenario = parse(SCENARIO)
    both = side_by_side(scenario, "hammering")
    assert [place.groups for place in both.must_reach] == [("a",)]
    assert parts(scenario, both, thing_names(4)) == {
        "thing-0": "good",
        "thing-1": "bad",
        "thing-2": "good",
        "thing-3": "bad",
    }


def test_a_twin_takes_nobodys_name():
    scenario = parse(SCENARIO.replace("group: b,", "group: a-bad,").replace("[b]", "[a-bad]"))
    names = [group.group for group in side_by_side(scenario, "deaf").groups]
    assert len(set(names)) == 4


@pytest.mark.parametrize("name", shipped())
def test_every_scenario_can_be_played_side_by_side(name: str):
    both = side_by_side(load(name), "deaf")
    assert len(both.groups) == 2 * len(load(name).groups)


def test_the_good_ones_are_not_at_fault_and_the_bad_ones_are():
    scenario = load("main")
    both = side_by_side(scenario, "works-on-although-told")
    verdict = judged(both, 8, 1)
    part = parts(scenario, both, thing_names(8))
    assert {part[each.thing] for invariant in verdict.invariants for each in invariant.violations} == {"bad"}
    assert [line.plain for line in by_part(verdict, part)] == [
        "good: 4 devices, none at fault",
        "bad: 4 devices, which violated no-ghost-work on 4",
    ]
