"""What of a model is state: a value to be kept, compared and carried elsewhere, and gone on from at will."""

import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from agent.core.events import Booted, Disconnected, Effect, Event, TimerFired
from agent.correlation import correlated
from simulator.devices.models import MODELS
from simulator.engines.virtual import judged
from simulator.scenario import load
from tests.simulator.devices.models.playing import with_fewer

Step = Callable[[Any, Event], tuple[Any, tuple[Effect, ...]]]


class Moment(NamedTuple):
    """One event of a life: from which state, and what came of it."""

    state: Any
    event: Event
    after: Any
    effects: tuple[Effect, ...]


def lives(model: str, monkeypatch: pytest.MonkeyPatch) -> list[list[Moment]]:
    """What one device went through in a shipped scenario, in which its power goes too, from each boot to the next."""
    found: list[list[Moment]] = []

    def noting(step: Step) -> Step:
        if step is MODELS[model].step:
            return step  # of which the step around it tells

        def noted(state: Any, event: Event) -> tuple[Any, tuple[Effect, ...]]:
            if isinstance(event, Booted):
                found.append([])
            after, effects = step(state, event)
            found[-1].append(Moment(state, event, after, effects))
            return after, effects

        return noted

    monkeypatch.setattr("simulator.engines.fleet.memoised", noting)
    scenario = load("power-lost-while-undoing").cast(model)
    judged(with_fewer(scenario, 1), 1, 1)
    return found


def go_on(step: Step, state: Any, life: list[Moment]) -> list[tuple[Any, tuple[Effect, ...]]]:
    """What those events come to, from that state on."""
    came = []
    for moment in life:
        state, effects = step(state, moment.event)
        came.append((state, effects))
    return came


@pytest.mark.parametrize("model", MODELS)
def test_from_any_state_that_was_kept_a_model_goes_on_as_it_did(model: str, monkeypatch: pytest.MonkeyPatch):
    step = correlated(MODELS[model].step)
    played = lives(model, monkeypatch)
    assert len(played) > 1, "it boots more than once"
    for life in played:
        for at in range(0, len(life), 3):
            kept, number = life[at].state, hash(life[at].state)
            went = [(moment.after, moment.effects) for moment in life[at:]]
            assert go_on(step, kept, life[at:]) == went
            for astray in (Disconnected(), TimerFired("request"), TimerFired("step")):
                step(kept, astray)
            assert go_on(step, kept, life[at:]) == went, "again, after something else"
            assert (hash(kept), pickle.loads(pickle.dumps(kept))) == (number, kept)
