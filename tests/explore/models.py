"""Each bad device, and how it is caught: by all that can happen in a small world, else by a scenario.

    python -m tests.explore.models [MODEL …]     try those that are not on record, or these; `--anew`: all

What is a flaw of time or number (too many requests, too late, silence) no world without time shows: the virtual engine
plays the shipped scenarios, the first of which that shows it is told.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from agent.log import configure
from simulator.engines.explore.exploration import Progress
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.system import System
from tests.explore.caught import BAD, Row, recorded, write
from tests.explore.mutations.worlds import called
from tests.simulator.devices.models.table import named_for

MOST_STATES: Final = 60_000
WORLDS: Final = tuple(
    Setup.model_validate(settings | {"bounds": Bounds.model_validate(bounds)})
    for bounds, settings in (
        ({"delete": 1}, {"reports": "end"}),
        ({"delete": 1}, {}),
        ({"power-cut": 1}, {}),
        ({"power-cut": 1}, {"flaw": "self-test"}),
        ({"disconnect": 1}, {}),
        ({"delete": 1}, {"layout": "single"}),
        ({"delete": 1}, {"namespace": "lab"}),
        ({"cancel": 1, "lose-answer": 1}, {}),
        ({"early": 1}, {}),
        ({"delete": 1, "create-again": 1}, {"reports": "end"}),
        ({"delete": 1}, {"while_deleting": "reads-answer"}),
        ({"delete": 1, "delay": 1}, {}),
        ({"delete": 1, "lose-answer": 1}, {}),
        ({"other-namespace": 1}, {"namespace": "lab", "hears": "everything"}),
        ({"delete": 1}, {"next": True, "reports": "end"}),
        ({"delete": 1, "power-cut": 1}, {"layout": "single"}),
        ({"delete": 1, "power-cut": 1}, {}),
        ({"delete": 1, "create-again": 1, "duplicate": 1}, {"reports": "end"}),
    )
)
"""The smallest first. Our own agent holds in all of them."""


class TooManyStatesError(Exception):
    """So many that it is not worth the time."""


def look(progress: Progress) -> None:
    """Raise TooManyStatesError where nothing has been found for long."""
    if progress.states > MOST_STATES and not progress.violations:
        raise TooManyStatesError


def found(model: str, setups: Sequence[Setup]) -> Row | None:
    """In the first of these worlds in which anything of it shows."""
    for each in setups:
        setup = each.model_copy(update={"model": model})
        try:
            answer = explore(System(setup), on_level=look, stop_at_first=True)
        except TooManyStatesError:
            continue
        if answer.broken:
            first = answer.broken[0]
            return Row(model, first.invariant, called(each), len(first.path), answer.states)
        if answer.stuck:
            return Row(model, "gets home", called(each), len(answer.stuck[0]), answer.states)
        if answer.cycles:
            cycle = answer.cycles[0]
            return Row(model, "gets home", called(each), len(cycle.path) + len(cycle.loop), answer.states)
    return None


def played(model: str) -> Row:
    """By the first scenario that the page of the models names: what it shows there, the suite plays."""
    invariant, scenario = next(iter(named_for(model).items()))
    return Row(model, invariant, scenario=scenario)


def main() -> None:
    """Try them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--anew", action="store_true")
    arguments = parser.parse_args()
    configure("text", "critical")
    rows = recorded()
    for model in arguments.models or [name for name in BAD if arguments.anew or name not in rows]:
        rows[model] = found(model, WORLDS) or played(model)
        sys.stderr.write(f"{rows[model]}\n")
        sys.stderr.flush()
        write(rows)


if __name__ == "__main__":
    main()
