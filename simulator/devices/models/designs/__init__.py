"""Correct devices that share nothing with our own agent's core: other ways to be right."""

from typing import Final

from simulator.devices.models.model import Model

DESIGNS: Final[dict[str, Model]] = {}
