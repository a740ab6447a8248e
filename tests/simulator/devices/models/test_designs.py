"""Correct devices of every design, in hostile worlds that nobody has thought of."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.abilities import Abilities
from agent.core import DevicePolicy
from agent.core.events import Booted, CancelTimer, Effect, Remember, Tell, TimerFired, UndoStep, Verify
from agent.core.record import Record, Work
from agent.documents import plan_of
from agent.plan import Plan
from agent.values import ErrorCode, Rejected, StartNext
from simulator.devices.models.asker import Asker, Asking, Question
from simulator.devices.models.designs import DESIGNS
from simulator.engines.virtual import judged
from simulator.scenario import Scenario
from tests.agent.core.driver import UPDATE, key
from tests.simulator.devices.models.playing import violated

MESSAGES = (
    "notify",
    "notify-next",
    "start-next",
    "describe",
    "update",
    "start-next-answer",
    "describe-answer",
    "update-answer",
)
STEPS = ("download", "write", "switch", "reboot", "self-test", "commit")
TIMELY = {"stops-in-time", "ready-in-time", "no-lost-job", "alive"}
"""What no device can promise where messages come late or not at all."""

BOOTS_NEVER = ("signature", "boot")
"""Flaws of an image that leave a device with one slot nothing but its recovery image."""

faults = st.fixed_dictionaries(
    {
        "do": st.sampled_from(("lose", "duplicate", "delay")),
        "messages": st.sets(st.sampled_from(MESSAGES), min_size=1, max_size=3).map(sorted),
        "rate": st.sampled_from((0.1, 0.2)),
        "seconds": st.sampled_from((0.02, 0.3, 3.0)),
    }
) | st.fixed_dictionaries(
    {
        "do": st.sampled_from(("throttle", "fail")),
        "messages": st.sets(st.sampled_from(("start-next", "describe", "update")), min_size=1).map(sorted),
        "rate": st.just(0.2),
    }
)
cuts = st.fixed_dictionaries({"nth": st.integers(1, 150)}) | st.fixed_dictionaries(
    {"step": st.sampled_from(STEPS), "progress": st.sampled_from((0, 50, 100))}
)
outages = st.fixed_dictionaries(
    {"step": st.sampled_from(STEPS), "progress": st.sampled_from((0, 50)), "seconds": st.sampled_from((0.05, 0.5, 5.0))}
)
instants = st.integers(0, 160).map(lambda hundredths: {"after_seconds": hundredths / 100})
ways = st.sampled_from(("delete-job", "delete-execution", "cancel-execution"))


@st.composite
def hostile_scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """An update that is taken away at any instant, and another one, perhaps of the same name; all may go wrong."""
    do = draw(ways)
    again = "fw" if do == "delete-job" and draw(st.booleans()) else "fw-next"
    policy = draw(st.sampled_from(("revert-until-commit", "finish-after-switch")))
    after = {"deletion_of": "fw", "until": "gone" if again == "fw" else "accepted"}
    flaw = draw(st.sampled_from((None, None, None, "hash", "signature", "boot", "self-test")))
    to = ["two-slots", "swapping", *(["one-slot"] if flaw not in BOOTS_NEVER else [])]
    return {
        "name": "hostile",
        "devices": [
            {"group": "two-slots", "policy": policy, "reports": draw(st.sampled_from(("progress", "steps", "end")))},
            {"group": "swapping", "layout": "swap", "policy": policy},
            {"group": "one-slot", "layout": "single"},
        ],
        "jobs": [
            {"id": "fw", "to": to, "version": "2.0", "image": {"flaw": flaw}},
            {"id": again, "to": to, "version": "2.1", "after": after},
        ],
        "deletions": [{"job": "fw", "do": do, "when": draw(instants)}],
        "faults": draw(st.lists(faults, max_size=3)),
        "power_cuts": draw(st.lists(cuts, max_size=3)),
        "outages": draw(st.lists(outages, max_size=2)),
        "cloud": {"stale_reads_seconds": draw(st.sampled_from((0, 0, 0.3, 2)))},
        "time_limit_seconds": 3600,
    }


@pytest.mark.parametrize("design", ["reference", *DESIGNS])
@given(scenario=hostile_scenarios(), seed=st.integers(0, 9))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_in_a_hostile_world_it_never_crashes_or_does_harm_and_comes_to_rest(
    design: str, scenario: dict[str, Any], seed: int
):
    verdict = judged(Scenario.model_validate(scenario).cast(design), 3, seed)
    crashed = any("crashed" in each.message for one in verdict.invariants for each in one.violations)
    assert not crashed, verdict.model_dump_json(indent=1)
    assert verdict.passed or violated(verdict) <= TIMELY, verdict.model_dump_json(indent=1)


def test_what_it_is_told_it_says_before_that_is_on_record():
    asker = Asker(Asking(DevicePolicy(), connected=True, asked=Question(StartNext(), None, sent=True)))
    asker.receive(Rejected(0, ErrorCode.RESOURCE_NOT_FOUND))
    asker.no_timer("request")
    asker.do(Verify())
    _, effects = asker.result(Record(safe="broken"), Record())
    assert [type(each) for each in effects] == [Tell, CancelTimer, Remember, Verify]
    _, unchanged = asker.result(Record(), Record())
    assert [type(each) for each in unchanged] == [Tell, CancelTimer, Verify]


@pytest.mark.parametrize("design", DESIGNS)
def test_a_write_of_the_only_slot_that_is_only_on_record_is_no_leap(design: str):
    plan = plan_of(UPDATE, Abilities("single"))
    assert isinstance(plan, Plan)
    at = plan.index_of("write")
    model = DESIGNS[design]
    state = model.start(DevicePolicy(abilities=Abilities("single")))
    effects = list[Effect]()
    for event in (Booted(Record(Work(key(), plan, UPDATE.digest, 0, at, at + 1)), "1.0"), TimerFired("leap")):
        state, more = model.step(state, event)
        effects += more
    assert [effect.step.name for effect in effects if isinstance(effect, UndoStep)] == ["download"]
