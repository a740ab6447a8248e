"""How each bad model is caught, written down: one line of JSON each, in the order of the models."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from simulator.devices.models import MODELS

FILE: Final = Path(__file__).with_name("models.jsonl")
BAD: Final = tuple(name for name, model in MODELS.items() if model.breaks)


class Row(NamedTuple):
    """`world` and `length`: where a search found that `invariant` is broken, and after how many choices at least; or
    `scenario`: which of the shipped ones shows it.
    """

    model: str
    invariant: str
    world: str = ""
    length: int = 0
    states: int = 0
    scenario: str = ""


def recorded() -> dict[str, Row]:
    """By the model's name."""
    lines = FILE.read_text("utf-8").splitlines() if FILE.exists() else []
    return {row.model: row for row in (Row(**json.loads(line)) for line in lines)}


def write(rows: Mapping[str, Row]) -> None:
    """Those of the models that there are."""
    kept = [{key: value for key, value in rows[name]._asdict().items() if value} for name in BAD if name in rows]
    FILE.write_text("".join(json.dumps(row) + "\n" for row in kept), "utf-8")
