"""Steps that are remembered: the same trace, and the core is asked once for what many devices go through."""

from dataclasses import dataclass

import pytest

from agent.core import DevicePolicy, start, step
from agent.core.events import Booted, Connected, Effect, Event, TimerFired
from simulator.engines import fleet, memoised_steps
from simulator.engines.memoised_steps import _Memoised
from simulator.engines.virtual import judged
from simulator.scenario import load
from simulator.trace import Entry


def played() -> list[Entry]:
    entries: list[Entry] = []
    judged(load("main"), 8, 3, sink=entries.append)
    return entries


def test_a_fleet_tells_the_same_whether_steps_are_remembered_or_not(monkeypatch: pytest.MonkeyPatch):
    with_memory = played()
    monkeypatch.setattr(fleet, "memoised", lambda step: step)
    assert played() == with_memory


@dataclass(frozen=True, slots=True)
class Counter:
    count: int = 0


def counting() -> tuple[_Memoised, list[Event]]:
    asked: list[Event] = []

    def step(state: Counter, event: Event) -> tuple[Counter, tuple[Effect, ...]]:
        asked.append(event)
        return Counter((state.count + 1) % 3), ()

    return _Memoised(step), asked


def test_equal_states_are_one_object_and_each_transition_is_worked_out_once():
    step, asked = counting()
    one, other = Counter(), Counter()
    for _ in range(6):
        one, _ = step(one, Connected())
        other, _ = step(other, Connected())
    assert one is other
    assert asked == [Connected()] * 3


def test_an_event_that_differs_is_another_transition():
    step, asked = counting()
    step(Counter(), TimerFired("poll"))
    step(Counter(), TimerFired("retry"))
    step(Counter(), TimerFired("poll"))
    assert asked == [TimerFired("poll"), TimerFired("retry")]


def test_memory_is_bounded_and_devices_go_on_with_the_states_that_they_have(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memoised_steps, "LIMIT", 2)
    step, asked = counting()
    state = Counter()
    for expected in (1, 2, 0, 1, 2, 0):
        state, _ = step(state, Connected())
        assert state == Counter(expected)
    assert len(asked) > 3


def test_what_a_step_raises_is_not_remembered():
    failing = _Memoised(lambda state, event: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            failing(Counter(), Connected())


def test_the_reference_core_takes_the_same_steps():
    plain, fast = start(DevicePolicy()), start(DevicePolicy())
    remembering = _Memoised(step)
    for event in (Booted(), Connected(), TimerFired("request"), TimerFired("retry")):
        plain, effects = step(plain, event)
        fast, fast_effects = remembering(fast, event)
        assert (fast, fast_effects) == (plain, effects)
