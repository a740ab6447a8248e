"""How much of each kind is left."""

from typing import TypeAlias

from simulator.engines.explore.choice import KINDS, Kind

Budgets: TypeAlias = tuple[int, ...]
"""What is left, in the order of KINDS."""
Costs: TypeAlias = tuple[Kind, ...]
"""What one transition takes: nothing, one of a kind, or of two kinds."""
PLACES = {kind: place for place, kind in enumerate(KINDS)}


def paid(budgets: Budgets, costs: Costs) -> Budgets | None:
    """What is left after that; None if there is too little."""
    if not costs:
        return budgets
    left = list(budgets)
    for kind in costs:
        left[PLACES[kind]] -= 1
        if left[PLACES[kind]] < 0:
            return None
    return tuple(left)
