"""What hardware does, remembered: what one device of a fleet did, the next one that is alike does for a look-up.

A rig is a value, and what is told of it has no name in it. Only devices that are alike for good have equal rigs: where
each takes times of its own, nothing would be found again.
"""

from collections.abc import Callable
from typing import Any

from simulator.devices.rig.values import Rig, RigOutcome
from simulator.devices.storage import LARGEST_REMEMBERED
from simulator.engines.memoised_steps import memoised


def carried_out(operation: Callable[..., RigOutcome], rig: Rig, *args: Any) -> RigOutcome:
    """See `simulator.devices.device.CarryOut`. With a large record in its journal a rig is its device's own."""
    written = rig.disk.written
    if written and len(written[-1]) > LARGEST_REMEMBERED:
        return operation(rig, *args)
    after, outcome = _remembered(rig, (operation, args))
    found: RigOutcome = outcome
    return found if found.rig is after else found._replace(rig=after)


def _step(rig: Rig, what: tuple[Callable[..., RigOutcome], tuple[Any, ...]]) -> tuple[Rig, RigOutcome]:
    operation, args = what
    outcome = operation(rig, *args)
    return outcome.rig, outcome


_remembered = memoised(_step)
