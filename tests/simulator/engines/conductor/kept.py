"""The schedules that are kept: `tests/explore/schedules/*.yaml`."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from simulator.engines.explore.setup import Setup

SCHEDULES = Path(__file__).parents[3] / "explore" / "schedules"


class Kept(NamedTuple):
    """One of them."""

    setup: Setup
    choices: list[str]
    violated: frozenset[str]
    undecided: frozenset[str]


def names() -> list[str]:
    """All there are."""
    return sorted(path.stem for path in SCHEDULES.glob("*.yaml"))


def kept(name: str) -> Kept:
    """The one of that name."""
    data: dict[str, Any] = yaml.safe_load((SCHEDULES / f"{name}.yaml").read_text())
    setup, expects = Setup.model_validate(data["world"]), data["expects"]
    return Kept(setup, data["choices"], frozenset(expects["violated"]), frozenset(expects.get("undecided", ())))
