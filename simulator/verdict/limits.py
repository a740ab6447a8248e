"""The numbers that one device is judged by, in microseconds."""

from typing import Final, NamedTuple

from simulator.trace import RunStarted
from simulator.verdict.bounds import Bounds
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.seen import micros

CROSSING_MICROS: Final = 500_000
"""Longer than what was acknowledged takes, inside a device, to whoever decides what it does next."""
LOCKSTEP: Final = 3
"""Who goes on so often, each time with another refusal, does not listen."""


class Limits(NamedTuple):
    """The scenario's bounds, and what its owner's policy is.

    `finishes_after_switch`: its owner's policy is to go forward once the boot selector has been switched;
    `leap_unanswered`: it is to pass the point of no return if nobody has answered for so long.
    """

    bounds: Bounds
    finishes_after_switch: bool = False
    leap_unanswered: int | None = None
    jobs: frozenset[str] = frozenset()
    """Those whose executions are to be somewhere on this device: see `simulator.verdict.places`."""
    reads: frozenset[type] = frozenset()
    """The events that must be read for that."""
    ready: int = 0
    lost_job: int = 0
    silence: int = 0
    detection: int = 0
    versions: Map[str, tuple[str, ...]] = EMPTY
    """What each job brings, in the words of the device's probes."""
    is_foreign: bool = False
    """It is not ours: what it makes of what reached it, inside, nobody knows."""
    step_key: str = "step"
    """The key of statusDetails under which the device says at which step it is."""

    def is_proof(self, times: int, first: int, last: int) -> bool:
        """Whether it takes no notice, who did so often what he was told not to, from when to when.

        A client that our own agents are judged by tells when it processed an answer. Of others only the connection's
        PUBACK is seen, and that may come from another thread than the next report: one report, or a few at once, may
        cross with what that thread has to say. Whoever is told once more, and reports again, had the time to look.
        """
        return not self.is_foreign or times >= LOCKSTEP or (times > 1 and last - first > CROSSING_MICROS)

    @property
    def crossing(self) -> int:
        """For so long what a device was told may not have reached whoever decides."""
        return CROSSING_MICROS if self.is_foreign else 0

    @classmethod
    def of(cls, thing: str, started: RunStarted, bounds: Bounds) -> "Limits":
        """Those of one device in a run."""
        leap = started.leap_unanswered.get(thing)
        return cls(
            bounds,
            thing in started.finish_after_switch,
            None if leap is None else micros(leap),
            ready=micros(bounds.ready_seconds + bounds.uninterruptible_seconds),
            lost_job=micros(bounds.lost_job_seconds),
            silence=micros(bounds.silence_seconds),
            detection=micros(bounds.detection_seconds),
            is_foreign=started.are_foreign,
            step_key=started.step_key,
            versions=Map((job, tuple(versions)) for job, versions in started.versions.items()),
        )
