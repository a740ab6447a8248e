"""Our own agent with one flaw each, built around its step, so that whatever else they do is right."""

from typing import Final

from simulator.devices.models.model import Model
from simulator.devices.models.mutants import deaf, hammering

MUTANTS: Final[dict[str, Model]] = {
    "deaf": Model(deaf.step, breaks=frozenset({"stops-in-time"})),
    "hammering": Model(hammering.step, breaks=frozenset({"no-hammering"})),
}
