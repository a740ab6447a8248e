"""Writes the JSON Schemas that ship anew, from the models: `python -m tests.schemas`."""

from pathlib import Path

import simulator.schemas
from simulator.schemas import NAMES, generated

if __name__ == "__main__":
    for name in NAMES:
        (Path(simulator.schemas.__file__).parent / f"{name}.schema.json").write_text(generated(name), "utf-8")
