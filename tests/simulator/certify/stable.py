"""What readers of `certificate.json` go by: each member with its type, as recorded for this SCHEMA_VERSION.

`python -m tests.simulator.certify.stable` records members that have been added. It refuses if one has gone or has
another type: then SCHEMA_VERSION rises, CHANGELOG.md and simulator/docs/certify.md tell readers what to do, and this
records a file of the new version beside the old one.
"""

import json
from pathlib import Path
from typing import Any, Final

from simulator.certify.certificate import SCHEMA_VERSION, Certificate

RECORD: Final = Path(__file__).with_name(f"members-{SCHEMA_VERSION}.json")
SAYS_NOTHING: Final = frozenset({"title", "description", "default"})
"""Of the type."""


def members() -> dict[str, Any]:
    """Each member as it is now, by the model that has it."""
    schema = Certificate.model_json_schema(mode="serialization")
    models = {"Certificate": schema, **schema["$defs"]}
    return {
        f"{model}.{name}": {key: value for key, value in each.items() if key not in SAYS_NOTHING}
        for model, form in sorted(models.items())
        for name, each in sorted(form.get("properties", {}).items())
    }


def recorded() -> dict[str, Any]:
    """Each member that a reader may go by."""
    found: dict[str, Any] = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    return found


def broken(now: dict[str, Any]) -> list[str]:
    """Those that have gone, or have another type."""
    return [name for name, form in recorded().items() if now.get(name) != form]


if __name__ == "__main__":
    if gone := broken(members()):
        raise SystemExit(f"{', '.join(gone)}: readers go by it; raise SCHEMA_VERSION and tell them")
    RECORD.write_text(json.dumps(members(), indent=1) + "\n", "utf-8")
