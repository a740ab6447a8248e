"""Every bad model breaks what it names, where the page says so, and nothing else.

The suite plays every pair of model and scenario that the page names, and a part of the rest;
`python -m tests.simulator.devices.models` plays them all.
"""

import pytest

from simulator.devices.models import MODELS
from simulator.devices.models.designs import DESIGNS
from simulator.scenario import shipped
from simulator.verdict import INVARIANTS
from tests.simulator.devices.models.playing import broken_by
from tests.simulator.devices.models.table import (
    BAD,
    alone,
    escapes,
    named_for,
    of_the_suite,
    printed_escaping,
)


def test_a_model_that_names_nothing_is_one_that_is_held_to_that():
    assert set(MODELS) - set(BAD) == {"reference", *DESIGNS}


@pytest.mark.parametrize("model", BAD)
def test_a_bad_model_breaks_exactly_what_it_names_where_the_page_says_so(model: str):
    shown = broken_by(model, of_the_suite(model))
    assert frozenset().union(*shown.values()) == MODELS[model].breaks, shown
    named = named_for(model)
    assert set(named) == MODELS[model].breaks
    assert [(broken, where) for broken, where in named.items() if broken not in shown.get(where, ())] == []


@pytest.mark.parametrize("invariant", [each.id for each in INVARIANTS])
def test_without_this_invariant_a_bad_model_passes_every_scenario(invariant: str):
    named = printed_escaping(invariant)
    assert named
    assert named <= {model for model in alone(invariant) if escapes(model, of_the_suite(model))}


def test_every_scenario_is_played_by_bad_models():
    assert {scenario for model in BAD for scenario in of_the_suite(model)} == set(shipped())
