"""When a deletion is due."""

from typing import Literal

import pytest

from simulator.controller.triggers import Observation, Trigger, percent
from simulator.scenario import Instant, When

FIRST, LATER = (1000, 1), (1005, 1)


def seen(thing: str = "a", status: str = "IN_PROGRESS", step: str = "", progress: str = "", which=FIRST) -> Observation:
    return Observation(thing, status, {"step": step, "progress": progress}, which)


STEP = When(step="write", progress=50)


@pytest.mark.parametrize(
    ("when", "observed", "why"),
    [
        pytest.param(STEP, [], None, id="nothing seen"),
        pytest.param(STEP, [seen("a", step="write", progress="50")], None, id="one of two"),
        pytest.param(
            STEP,
            [seen("a", step="write", progress="50"), seen("b", step="write", progress="70")],
            "all 2 devices reported write 50%",
            id="all, one beyond",
        ),
        pytest.param(
            STEP,
            [seen("a", step="write", progress="49"), seen("b", step="write", progress="50")],
            None,
            id="not far enough",
        ),
        pytest.param(
            STEP,
            [seen("a", step="switch", progress="50"), seen("b", step="write", progress="50")],
            None,
            id="another step",
        ),
        pytest.param(
            STEP.model_copy(update={"devices": "any"}),
            [seen("b", step="write", progress="50")],
            "1 of 2 devices reported write 50%",
            id="any",
        ),
        pytest.param(
            STEP,
            [seen("a", step="write", progress="50"), seen("x", step="write", progress="50")],
            None,
            id="a stranger",
        ),
        pytest.param(
            STEP,
            [
                seen("a", which=FIRST),
                seen("a", step="write", progress="50", which=LATER),
                seen("b", step="write", progress="50"),
            ],
            None,
            id="a later incarnation",
        ),
        pytest.param(
            When(status="IN_PROGRESS"),
            [seen("a"), seen("b", "SUCCEEDED")],
            "all 2 devices reached IN_PROGRESS",
            id="a status, and one beyond it",
        ),
        pytest.param(When(status="IN_PROGRESS"), [seen("a"), seen("b", "QUEUED")], None, id="a status not reached"),
        pytest.param(
            When(status="SUCCEEDED"), [seen("a", "SUCCEEDED"), seen("b", "FAILED")], None, id="ended otherwise"
        ),
    ],
)
def test_a_trigger_fires_once_enough_devices_are_there(when: When, observed: list[Observation], why: str | None):
    trigger = Trigger(when, frozenset({"a", "b"}))
    for observation in observed:
        trigger.observe(observation)
    assert trigger.due(0) == why


@pytest.mark.parametrize(
    ("told", "percent_then"),
    [
        ({"progress": "50"}, 50),
        ({"progress": "50%"}, 50),
        ({"progress": " 50.5 % "}, 50.5),
        ({"progress": "0.5"}, 0.5),
        ({"progress": "100"}, 100),
        ({}, 0),
        ({"progress": ""}, 0),
        ({"progress": "half"}, 0),
        ({"progress": "50/100"}, 0),
        ({"progress": "-5"}, 0),
        ({"progress": "²"}, 0),
        ({"progress": "٥٠"}, 0),
    ],
)
def test_every_progress_means_a_percentage(told: dict[str, str], percent_then: float):
    assert percent(told) == percent_then


@pytest.mark.parametrize("details", [{"step": "flash"}, {"step": "flash", "progress": "half"}], ids=["none", "a word"])
def test_a_step_of_any_name_counts_as_begun_without_a_progress(details: dict[str, str]):
    observed = Observation("a", "IN_PROGRESS", details, FIRST)
    for progress, why in ((0, "all 1 device reported flash"), (1, None)):
        trigger = Trigger(Instant(step="flash", progress=progress), frozenset({"a"}))
        trigger.observe(observed)
        assert trigger.due(0) == why


@pytest.mark.parametrize(
    ("devices", "observed", "why"),
    [
        pytest.param("all", [seen("a"), seen("b")], None, id="under way"),
        pytest.param("all", [seen("a", "FAILED")], "a ended FAILED and was not seen there", id="one ended before"),
        pytest.param(
            "all", [seen("b"), seen("b", which=LATER)], "b began anew and was not seen there", id="one began anew"
        ),
        pytest.param("any", [seen("a", "FAILED"), seen("b", "FAILED")], None, id="any: others may follow"),
        pytest.param(
            "all", [seen("a", step="write", progress="50"), seen("a", "SUCCEEDED")], None, id="ended after it was there"
        ),
    ],
)
def test_a_trigger_that_cannot_fire_any_more_says_who_is_to_blame(
    devices: Literal["all", "any"], observed: list[Observation], why: str | None
):
    trigger = Trigger(STEP.model_copy(update={"devices": devices}), frozenset({"a", "b"}))
    for observation in observed:
        trigger.observe(observation)
    assert trigger.missed() == why


def test_a_trigger_that_lost_an_execution_cannot_fire_any_more():
    trigger = Trigger(STEP, frozenset({"a", "b"}))
    trigger.observe(seen("b", step="write", progress="50"))
    trigger.lost("b")
    assert trigger.missed() is None
    trigger.lost("a")
    assert trigger.missed() == "a lost its execution and was not seen there"


@pytest.mark.parametrize(("now", "why"), [(9.9, None), (12.5, "2.5 s after the job was found")])
def test_a_trigger_fires_so_long_after_the_jobs_creation(now: float, why: str | None):
    trigger = Trigger(When(after_seconds=2.5), frozenset({"a"}))
    assert trigger.due(1000) is None
    trigger.created(10.0)
    assert trigger.due(now) == why


def test_a_job_without_devices_fires_nothing():
    assert Trigger(STEP, frozenset()).due(0) is None
