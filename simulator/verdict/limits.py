"""The numbers that one device is judged by, in microseconds."""

from typing import NamedTuple

from simulator.trace import RunStarted
from simulator.verdict.bounds import Bounds
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.seen import micros


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
            versions=Map((job, tuple(versions)) for job, versions in started.versions.items()),
        )
