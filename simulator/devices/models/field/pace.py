"""How fast clients live here: a scenario takes seconds where they take minutes, so their own times are a fiftieth."""

from typing import Final

MINUTE: Final = 1.2
"""Seconds."""
