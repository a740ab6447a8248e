"""When a deletion is due."""

import pytest

from simulator.controller.triggers import Observation, Trigger
from simulator.scenario import When

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
            STEP,
            [seen("a", step="write", progress="half"), seen("b", step="write", progress="50")],
            None,
            id="no number",
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


@pytest.mark.parametrize(("now", "why"), [(9.9, None), (12.5, "2.5 s after the job was created")])
def test_a_trigger_fires_so_long_after_the_jobs_creation(now: float, why: str | None):
    trigger = Trigger(When(after_seconds=2.5), frozenset({"a"}))
    assert trigger.due(1000) is None
    trigger.created(10.0)
    assert trigger.due(now) == why


def test_a_job_without_devices_fires_nothing():
    assert Trigger(STEP, frozenset()).due(0) is None
