"""The JSON Schemas that ship, from the models as they are now; `python -m tests.schemas` writes them anew."""

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

import simulator.schemas
from simulator.certify.certificate import Certificate
from simulator.cloud.settings.cloud import CloudSettings
from simulator.engines.explore.schedule import Schedule
from simulator.forecast.model import Forecast
from simulator.page.data import PageData
from simulator.scenario import Scenario
from simulator.schemas import NAMES
from simulator.verdict import Verdict

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MODELS: Final[dict[str, type[BaseModel]]] = {
    "scenario": Scenario,
    "schedule": Schedule,
    "settings": CloudSettings,
    "verdict": Verdict,
    "certificate": Certificate,
    "page": PageData,
    "forecast": Forecast,
}
WRITTEN: Final = frozenset({"verdict", "certificate", "page", "forecast"})
"""By ghostjob, for others to read."""
NOT_ALWAYS: Final = frozenset({"explored", "stands_for"})
"""What a verdict has only if it says something."""


def generated(name: str) -> str:
    """The text of the schema of that name."""
    schema = MODELS[name].model_json_schema()
    if name in WRITTEN:
        _require(schema)
    return json.dumps({"$schema": DIALECT, **schema}, indent=2) + "\n"


def _require(schema: dict[str, Any]) -> None:
    """Of what is written: what the models need not be given stands there all the same."""
    for each in (schema, *schema["$defs"].values()):
        if "properties" in each:
            each["required"] = [name for name in each["properties"] if name not in NOT_ALWAYS]


if __name__ == "__main__":
    for name in NAMES:
        (Path(simulator.schemas.__file__).parent / f"{name}.schema.json").write_text(generated(name), "utf-8")
