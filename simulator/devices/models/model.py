"""What a device model is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.core import DevicePolicy, start
from agent.core.events import Effect, Event


@dataclass(frozen=True, slots=True)
class Model:
    """A state to start from (an `agent.runner.AgentState`), and a `step` with the signature of `agent.core.step`.

    The state is all there is of a device: a frozen, hashable value, from which `step` may go on at any time, twice, and
    in another process. Whatever an agent is wrapped in, or made of, keeps what it knows there and nowhere else.

    `breaks` are the invariants that it violates in the shipped scenarios, no more and no fewer; a test plays them all.
    One that is not `guarded` drives its flash directly, without the layer that spares what runs or would boot next.
    """

    step: Callable[[Any, Event], tuple[Any, tuple[Effect, ...]]]
    start: Callable[[DevicePolicy], Any] = start
    breaks: frozenset[str] = frozenset()
    guarded: bool = True
