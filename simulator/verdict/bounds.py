"""The numbers of a scenario that the verdict judges by."""

from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

LONGEST_SECONDS: Final = 86_400
"""A day: nobody waits longer for a device."""
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=LONGEST_SECONDS)]


class Bounds(BaseModel):
    """The numbers that the verdict judges by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detection_seconds: Seconds = 2
    """How long after its record was removed a connected device may still begin a step (stops-in-time)."""
    ready_seconds: Seconds = 10
    """How long until it is IN_PROGRESS on the next job, from when it could be (ready-in-time)."""
    lost_job_seconds: Seconds = 10
    """How long an execution may stay pending while the device is connected and free (no-lost-job)."""
    uninterruptible_seconds: Seconds = 0
    """The longest step that cannot be stopped; added to ready_seconds."""
    retry_gap_seconds: Seconds = 0.2
    """No request that was refused for a passing reason, or got no answer, may be repeated sooner."""
    retry_growth: Annotated[float, Field(ge=1, le=10)] = 1.2
    """By what factor a third and later attempt must wait longer than the one before, up to retry_gap_ceiling."""
    retry_gap_ceiling_seconds: Seconds = 10
    """No gap need be longer."""
    silence_seconds: Seconds = 60
    """A connected device that sends nothing for longer is not alive (keep-alives are seen as lost connections)."""
    restarts: Annotated[int, Field(ge=1)] = 10
    """Nor is one that restarts itself more often without taking an execution or being done with one in between.

    A trial that falls back takes three restarts, with a watchdog five.
    """
