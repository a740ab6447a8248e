"""Device models, good and known-bad: each one a `step` function with the signature of `agent.core.step`.

A bad model is our own agent with one flaw, built around its step, so that whatever else it does is right.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event
from simulator.devices.models.deaf import step as deaf
from simulator.devices.models.hammering import step as hammering
from simulator.scenario import ModelName

StepFunction: TypeAlias = Callable[[Machine, Event], tuple[Machine, tuple[Effect, ...]]]

MODELS: Final[dict[ModelName, StepFunction]] = {"reference": reference, "deaf": deaf, "hammering": hammering}
