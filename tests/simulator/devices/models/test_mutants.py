"""What every mutant is, whatever it breaks: one small file that says its flaw, and a state that can be stored."""

import inspect

import pytest

from agent.core import DevicePolicy, start
from agent.core.events import Booted, Connected, Hinted, TimerFired
from agent.values import NextChanged
from simulator.devices.models.mutants import MUTANTS
from simulator.devices.models.mutants.resting import Resting
from simulator.engines.virtual import judged
from simulator.scenario import load
from simulator.verdict import INVARIANTS
from tests.agent.core.driver import NOW, execution, key
from tests.simulator.devices.models.playing import violated


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_says_its_flaw_and_what_that_breaks(name: str):
    model = MUTANTS[name]
    module = inspect.getmodule(model.step)
    assert module is not None
    assert module.__doc__ is not None
    assert model.breaks
    assert model.breaks <= {invariant.id for invariant in INVARIANTS}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_s_state_can_be_stored_in_a_set(name: str):
    model = MUTANTS[name]
    states = [model.start(DevicePolicy())]
    for event in (
        Booted(),
        Connected(),
        Hinted(NextChanged(NOW, None, execution(key()))),
        Hinted(NextChanged(NOW, None, None)),
    ):
        states.append(model.step(states[-1], event)[0])
    assert len(set(states)) > 1
    assert all(state.rests for state in states)


def test_one_that_rests_is_not_woken_by_a_timer_that_was_set_before():
    machine, model = Resting(start(DevicePolicy()), is_resting=True), MUTANTS["rests-after-a-loss"]
    assert model.step(machine, TimerFired("ask-again")) == (machine, ())
    woken, _ = model.step(machine, TimerFired("poll"))
    assert not woken.is_resting


def test_a_device_that_keeps_what_failed_its_self_test_is_not_excused_by_saying_so():
    scenario = load("failing-self-test")
    alone = scenario.model_copy(update={"jobs": scenario.jobs[:1]}).cast("commits-before-it-tests")
    assert violated(judged(alone, len(alone.devices), 1)) == {"tests-before-commit", "accounted-for"}
