"""A scenario as a world: what of it is there, what is said not to be, and that its places are reached."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from simulator.engines.explore.choice import Choice
from simulator.engines.explore.entries import told_on_the_way
from simulator.engines.explore.of_scenario import of_scenario
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.sometimes import PLACES, ways_to
from simulator.engines.explore.world import system_of
from simulator.scenario import Place, Scenario, load, shipped
from simulator.trace import RunStarted
from simulator.verdict import Judge


@pytest.mark.parametrize("name", shipped())
def test_every_scenario_is_a_world_in_which_its_first_group_plays(name: str):
    scenario = load(name)
    world = of_scenario(scenario)
    group = scenario.devices[0]
    setup = world.setup
    assert (setup.layout, setup.model, setup.policy, setup.reports) == (
        group.layout,
        group.model,
        group.policy,
        group.reports,
    )
    assert {place.job for place in world.places} <= {"fw", "fw-next"}
    said = " ".join(world.not_here)
    assert all(other.group in said for other in scenario.devices[1:])


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("delete-in-write", Bounds(delete=1)),
        ("delete-while-powerless", Bounds(delete=1, power_cut=1)),
        ("delete-execution", Bounds(delete_execution=1)),
        ("cancel-then-delete", Bounds(delete=1, cancel=1)),
        ("bad-hash", Bounds()),
    ],
)
def test_each_kind_of_trouble_is_one_of_its_kind(name: str, bounds: Bounds):
    assert of_scenario(load(name)).setup.bounds == bounds


def scenario(**more: object) -> Scenario:
    return Scenario.model_validate(
        {"name": "made", "devices": [{"group": "g"}], "jobs": [{"id": "a", "to": ["g"], "version": "2.0"}]} | more
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"devices": [{"group": "g"}, {"group": "h"}]}, "its group g plays alone, as one device; h would be worlds"),
        (
            {"devices": [{"group": "g", "beside": [{"group": "b", "namespace": "n"}]}]},
            "the agents beside it on its thing (b) are not here",
        ),
        ({"devices": [{"group": "g", "leap_deadline_seconds": 1}]}, "how long it asks before the point of no return"),
        (
            {"jobs": [{"id": "a", "to": ["g"], "document": {"operation": "reboot"}}]},
            "its job a is none of firmware; here it is",
        ),
        (
            {"jobs": [{"id": name, "to": ["g"], "version": "2.0"} for name in ("a", "b", "c", "d")]},
            "its jobs beyond the second, c, d, are not here",
        ),
        (
            {"faults": [{"do": "throttle", "messages": ["describe"]}]},
            "a service that refuses for the time being (faults: throttle) is not here",
        ),
        (
            {"updates": [{"job": "a", "status": "FAILED", "when": {"status": "QUEUED"}}]},
            "what another hand reports in the device's name (updates) is not here",
        ),
        (
            {"jobs": [{"id": name, "to": ["g"], "document": {"operation": "reboot"}} for name in ("a", "b")]},
            "its jobs a, b are none of firmware; here they are: ",
        ),
        (
            {
                "jobs": [
                    {"id": "a", "to": ["g"], "version": "2.0"},
                    {"id": "b", "to": ["g"], "version": "2.1", "image": {"flaw": "boot"}},
                ]
            },
            "the flaw of a later image (b) is not here",
        ),
        (
            {
                "jobs": [{"id": name, "to": ["g"], "version": "2.0"} for name in ("a", "b", "c")],
                "deletions": [{"job": name, "when": {"status": "QUEUED"}} for name in ("b", "c")],
            },
            "the deletion of b, c is not here: only the first job is taken away",
        ),
        (
            {"deletions": [{"do": "cancel-execution", "job": "a", "when": {"status": "QUEUED"}}]},
            "that one execution is cancelled, and not its job, is not here: the job is",
        ),
        (
            {
                "devices": [{"group": "g", "namespace": "elsewhere"}],
                "jobs": [{"id": "a", "to": ["g"], "namespace": "elsewhere", "version": "2.0"}],
            },
            "its namespace elsewhere is that of others here",
        ),
        (
            {"faults": [{"do": "lose", "messages": ["describe"]}] * 10},
            "of its 10 troubles of the kind lose-request, 9 are here",
        ),
        ({"cloud": {"deletions_at_once": 3}}, "its settings of the cloud deletions_at_once are not here"),
        (
            {"must_reach": [{"place": "power-lost-in", "job": "a", "step": "write", "instant": "write 3/32"}]},
            "the instants of its places (write 3/32) are not here: only the step is looked at",
        ),
        (
            {"differences": {"hardware": {"write": {"any_of": [1, 2]}}}},
            "how devices differ from one another (differences) is not here",
        ),
        ({"moments": ["m"]}, "steps and moments of devices that are not ghostjob's are not here"),
    ],
)
def test_what_this_world_cannot_have_is_said(more: dict[str, object], said: str):
    assert any(sentence.startswith(said) for sentence in of_scenario(scenario(**more)).not_here)


def test_what_it_has_of_a_plain_scenario_leaves_nothing_to_say():
    assert of_scenario(scenario()).not_here == ()


# ── places ────────────────────────────────────────────────────────────────────────────────────────────────────


def asked(place: Place) -> Setup:
    """The smallest world in which a place may be reached."""
    _, kinds = PLACES[place.place]
    bounds = dict.fromkeys(kinds, 1) | ({"delay": 2} if "delay" in kinds else {})
    return Setup(layout="ab" if place.place == "rolled-back" else "single", bounds=Bounds.model_validate(bounds))


def judged(setup: Setup, place: Place, way: Sequence[Choice]) -> int:
    """On how many devices the judge of every run sees the place reached, on that way."""
    judge = Judge()
    for entry in told_on_the_way(system_of(setup), way):
        event = entry.event
        if isinstance(event, RunStarted):
            asked = place.model_dump(exclude={"groups", "models"}, exclude_none=True) | {
                "id": "x",
                "things": ("dev-1",),
            }
            event = replace(event, must_reach=(asked,))
        judge.feed(entry._replace(event=event))
    return judge.verdict().reached[0].devices


@pytest.mark.parametrize(
    "place",
    [
        Place(place="deleted-before-start", job="fw"),
        Place(place="deleted-in-step", job="fw", step="write"),
        Place(place="deleted-before-leap", job="fw"),
        Place(place="deleted-after-leap", job="fw"),
        Place(place="deleted-after-report-left", job="fw"),
        Place(place="deleted-while-offline", job="fw"),
        Place(place="deleted-while-rebooting", job="fw"),
        Place(place="deleted-while-powerless", job="fw"),
        Place(place="power-lost-in", job="fw", step="write"),
        Place(place="recovered", job="fw"),
        Place(place="reused-id", job="fw"),
        Place(place="succeeded", job="fw"),
        Place(place="cancelled-in-step", job="fw", step="download"),
        Place(place="failed-in-step", job="fw", step="write"),
        Place(place="rolled-back", job="fw"),
        Place(place="delivered-twice", job="fw"),
        Place(place="announced-after-deletion", job="fw"),
        Place(place="heard", job="fw", hint="notify"),
        Place(place="heard-absence", job="fw", hint="notify"),
    ],
    ids=lambda place: place.place,
)
def test_the_shortest_way_to_a_place_is_one_for_the_judge_of_every_run_too(place: Place):
    setup = asked(place)
    (found,) = ways_to(setup, [place], seconds=60, mebibytes=1_000)
    assert found.way is not None, found
    assert judged(setup, place, found.way) == 1, [str(choice) for choice in found.way]


def test_a_place_that_the_bounds_do_not_allow_has_no_way():
    setup = Setup(layout="single", bounds=Bounds())
    (found,) = ways_to(setup, [Place(place="deleted-in-step", job="fw", step="write")], seconds=60, mebibytes=1_000)
    assert (found.way, found.why) == (None, "")


def test_a_place_of_which_this_world_tells_nothing_is_not_asked():
    (found,) = ways_to(Setup(), [Place(place="throttled-while-suspect", job="fw")], seconds=60, mebibytes=1_000)
    assert (found.way, found.why) == (None, "the explorer's world does not tell of this place")
