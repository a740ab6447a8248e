"""The stories that the verdict is held to: who does what, and what is to be said of it. A file for each invariant."""

from tests.simulator.verdict.stories import (  # noqa: F401 - each adds its own to STORIES
    accounted_for,
    alive,
    asks_before_leap,
    bootable,
    cross_incarnation,
    double_apply,
    false_abort,
    ghost_update,
    ghost_work,
    hammering,
    lost_job,
    ready_in_time,
    stops_in_time,
    tests_before_commit,
)
from tests.simulator.verdict.stories.telling import STORIES, Story, with_outcome

__all__ = ["STORIES", "Story", "with_outcome"]
