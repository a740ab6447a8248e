"""`python -m tests.simulator.devices.models`: every bad model in every shipped scenario, before a release.

Says who breaks something else than it names, and whether the table on the page of models is that of today.
"""

import sys

from agent.log import configure
from simulator.devices.models import MODELS
from simulator.scenario import shipped
from tests.simulator.devices.models.playing import broken_by
from tests.simulator.devices.models.table import BAD, printed, table


def main() -> int:
    """Play all, print what is wrong, and exit with 1 if anything is."""
    configure("text", "critical")
    wrong = 0
    for model in BAD:
        print(f"{model} plays {len(shipped())} scenarios", file=sys.stderr, flush=True)
        breaks = frozenset[str]().union(*broken_by(model, shipped()).values())
        if breaks != MODELS[model].breaks:
            wrong += 1
            print(f"{model} breaks {sorted(breaks)}, and names {sorted(MODELS[model].breaks)}", flush=True)
    if printed() != table():
        wrong += 1
        print("the table of models is another one now: run python -m tests.docs models", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
