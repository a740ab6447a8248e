"""Device models, good and known-bad.

reference   our own agent
designs     correct devices of other designs
field       devices as they have been seen in the field
mutants     our own agent with one flaw each
"""

from typing import Final

from agent.core import step
from agent.errors import InputError
from agent.names import no_such_name
from simulator.devices.models.designs import DESIGNS
from simulator.devices.models.field import FIELD
from simulator.devices.models.model import Model
from simulator.devices.models.mutants import MUTANTS

MODELS: Final[dict[str, Model]] = {"reference": Model(step)} | DESIGNS | FIELD | MUTANTS


def model_named(name: str) -> Model:
    """The model of that name. Raises InputError."""
    if name not in MODELS:
        raise InputError(f"model {name}: there is none; {no_such_name(name, MODELS, '`ghostjob run --models`')}")
    return MODELS[name]
