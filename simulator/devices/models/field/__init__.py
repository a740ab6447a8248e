"""Devices as they have been seen in the field, each after the client or the thread that its docstring names."""

from typing import Final

from simulator.devices.models.model import Model

FIELD: Final[dict[str, Model]] = {}
