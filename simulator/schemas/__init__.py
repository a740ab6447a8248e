"""The JSON Schemas that ship: of a scenario, of a schedule and of a cloud's settings, for editors; of `verdict.json`,
of `certificate.json`, of the page and of `forecast.json`, for readers.

They are files, so that nobody needs ghostjob to use them; a test says what must stand in them, from the models.
"""

from importlib.resources import files
from typing import Final

NAMES: Final = ("scenario", "schedule", "settings", "verdict", "certificate", "page", "forecast")


def shipped(name: str) -> str:
    """The text of the schema of that name, one of NAMES."""
    return (files("simulator.schemas") / f"{name}.schema.json").read_text("utf-8")
