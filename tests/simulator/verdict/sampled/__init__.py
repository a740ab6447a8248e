"""Stories of devices that are sampled: who does what, and what is to be said of it."""

from tests.simulator.verdict.sampled import right, wrong  # noqa: F401 - each adds its own to STORIES
from tests.simulator.verdict.sampled.bench import RIGHT, STORIES, Bench, Story

__all__ = ["RIGHT", "STORIES", "Bench", "Story"]
