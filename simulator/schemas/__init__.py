"""The JSON Schemas that ship: of a scenario and of a cloud's settings, for editors, and of `verdict.json`, for readers.

They are files, so that nobody needs ghostjob to use them; `generated` says what must stand in them, from the models.
"""

import json
from importlib.resources import files
from typing import Any, Final

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NAMES: Final = ("scenario", "settings", "verdict")
NOT_ALWAYS: Final = frozenset({"explored"})
"""What a verdict has only if it says something."""


def shipped(name: str) -> str:
    """The text of the schema of that name, one of NAMES."""
    return (files("simulator.schemas") / f"{name}.schema.json").read_text("utf-8")


def generated(name: str) -> str:
    """The same from the models as they are now."""
    schema = {"scenario": _scenario, "settings": _settings, "verdict": _verdict}[name]()
    return json.dumps({"$schema": DIALECT, **schema}, indent=2) + "\n"


def _scenario() -> dict[str, Any]:
    from simulator.scenario import Scenario

    return Scenario.model_json_schema()


def _settings() -> dict[str, Any]:
    from simulator.cloud.settings.cloud import CloudSettings

    return CloudSettings.model_json_schema()


def _verdict() -> dict[str, Any]:
    """Of what is written: what the models need not be given stands there all the same."""
    from simulator.verdict import Verdict

    schema = Verdict.model_json_schema()
    for each in (schema, *schema["$defs"].values()):
        each["required"] = [name for name in each["properties"] if name not in NOT_ALWAYS]
    return schema
