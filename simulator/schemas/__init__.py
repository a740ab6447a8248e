"""The JSON Schemas that ship: of a scenario, for editors, and of `verdict.json`, for whoever reads it.

They are files, so that nobody needs ghostjob to use them; `generated` says what must stand in them, from the models.
"""

import json
from importlib.resources import files
from typing import Any, Final

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NAMES: Final = ("scenario", "verdict")
NOT_ALWAYS: Final = frozenset({"explored"})
"""What a verdict has only if it says something."""


def shipped(name: str) -> str:
    """The text of the schema of that name, one of NAMES."""
    return (files("simulator.schemas") / f"{name}.schema.json").read_text("utf-8")


def generated(name: str) -> str:
    """The same from the models as they are now."""
    schema = _verdict() if name == "verdict" else _scenario()
    return json.dumps({"$schema": DIALECT, **schema}, indent=2) + "\n"


def _scenario() -> dict[str, Any]:
    from simulator.scenario import Scenario

    return Scenario.model_json_schema()


def _verdict() -> dict[str, Any]:
    """Of what is written: what the models need not be given stands there all the same."""
    from simulator.verdict import Verdict

    schema = Verdict.model_json_schema()
    for each in (schema, *schema["$defs"].values()):
        each["required"] = [name for name in each["properties"] if name not in NOT_ALWAYS]
    return schema
