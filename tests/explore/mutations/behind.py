"""Why nobody misses some rules: what stands behind them, or why either way is right."""

from typing import Final

BEHIND: Final[dict[str, str]] = {}
"""A mutation, and the one that is switched off with it: another rule that does the same, where it is needed."""

RIGHT: Final[dict[str, str]] = {}
"""A mutation, and why a device that does so is right as well."""
