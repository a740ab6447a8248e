"""The dangerous places that a run says it reaches, and whether one device got there."""

from typing import assert_never

from agent.account import StepFinished, StepStarted
from simulator.verdict.history import Life, Seen
from simulator.verdict.model import PlaceToReach
from simulator.verdict.story import Story


def reached(place: PlaceToReach, story: Story) -> bool:
    """Whether the device certainly was there; where clocks leave it open, it was not.

    The places are those of `simulator.scenario.Place`.
    """
    lives = [life for life in story.lives if life.key.job_id == place.job]
    match place.place:
        case "deleted-in-step":
            return any(_deleted_in_step(story, life, place.step) for life in lives)
        case "deleted-after-leap":
            return any(_deleted_after_leap(story, life) for life in lives)
        case "reused-id":
            return any(life.began is not None for life in _later_uses(lives))
        case "recovered":
            return any(_recovered(story, life) for life in lives)
        case _:
            assert_never(place.place)


def _deleted_in_step(story: Story, life: Life, name: str | None) -> bool:
    """Whether the removal lies after a step's start and before its end, at whatever instants those can mean."""
    if life.removed is None:
        return False
    for step in story.device.of(StepStarted):
        if step.event.execution == life.key and name in (None, step.event.step):
            end = _end_of(story, step)
            begun = story.offset.latest(step.at) <= life.removed.at
            if begun and (end is None or life.removed.at <= story.offset.earliest(end.at)):
                return True
    return False


def _end_of(story: Story, step: Seen[StepStarted]) -> Seen[StepFinished] | None:
    for end in story.device.of(StepFinished):
        if end.n > step.n and (end.event.execution, end.event.step) == (step.event.execution, step.event.step):
            return end
    return None


def _deleted_after_leap(story: Story, life: Life) -> bool:
    """Whether an irreversible step had certainly begun, while the record, IN_PROGRESS to the last, had no report."""
    if life.removed is None or not life.lost_in_progress:
        return False
    return any(
        story.offset.latest(step.at) <= life.removed.at
        for step in story.device.of(StepStarted)
        if step.event.execution == life.key and not step.event.reversible
    )


def _later_uses(lives: list[Life]) -> list[Life]:
    """All but the first incarnation in each namespace."""
    seen: set[str | None] = set()
    later: list[Life] = []
    for life in lives:
        if life.key.namespace_id in seen:
            later.append(life)
        seen.add(life.key.namespace_id)
    return later


def _recovered(story: Story, life: Life) -> bool:
    removed = life.removed
    if removed is None:
        return False
    return any(other.began is not None and other.began.n > removed.n for other in story.lives if other is not life)
