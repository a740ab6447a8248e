"""Device models, good and known-bad.

A model is a state to start from and a `step` with the signature of `agent.core.step`. Most bad ones are our own agent
with one flaw, built around its step, so that whatever else they do is right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from agent.core import Policy, start, step
from agent.core.events import Effect, Event
from agent.errors import InputError
from simulator.devices.models import deaf, hammering


@dataclass(frozen=True, slots=True)
class Model:
    """`breaks` are the invariants that it is known to break, in some shipped scenario."""

    step: Callable[[Any, Event], tuple[Any, tuple[Effect, ...]]]
    start: Callable[[Policy], Any] = start
    breaks: frozenset[str] = frozenset()


MODELS: Final[dict[str, Model]] = {
    "reference": Model(step),
    "deaf": Model(deaf.step, breaks=frozenset({"stops-in-time"})),
    "hammering": Model(hammering.step, breaks=frozenset({"no-hammering"})),
}


def model_named(name: str) -> Model:
    """The model of that name. Raises InputError."""
    if name not in MODELS:
        raise InputError(f"model {name}: there is none; there are {', '.join(MODELS)}")
    return MODELS[name]
