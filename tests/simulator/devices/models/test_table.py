"""Every bad model against every shipped scenario: it breaks what it names, and nothing else."""

import pytest

from simulator.devices.models import MODELS
from simulator.devices.models.designs import DESIGNS
from simulator.verdict import INVARIANTS
from tests.docs.marks import DIRECTORY, parts
from tests.simulator.devices.models.playing import broken_by
from tests.simulator.devices.models.table import escaping, table

BAD = [name for name, model in MODELS.items() if model.breaks]


def test_a_model_that_names_nothing_is_one_that_is_held_to_that():
    assert set(MODELS) - set(BAD) == {"reference", *DESIGNS}


@pytest.mark.parametrize("model", BAD)
def test_a_bad_model_breaks_exactly_what_it_names(model: str):
    shown = broken_by(model)
    assert frozenset().union(*shown.values()) == MODELS[model].breaks, shown


@pytest.mark.parametrize("invariant", [each.id for each in INVARIANTS])
def test_without_this_invariant_a_bad_model_passes_every_scenario(invariant: str):
    assert escaping(invariant)


def test_the_table_of_models_says_what_was_played():
    page = DIRECTORY / "models.md"
    assert parts(page.read_text("utf-8"))["models"] == table(), "run python -m tests.docs models"
