"""Where in the order of a job's rollout a thing stands, and whose turns are skipped.

Who leaves a job's groups before its turn has none; many may leave a job of many things, one after the other. So what is
kept of each is one bit, in the order of the turns: to set it copies little, and a job stays a frozen value.
"""

from typing import Final

from simulator.cloud.jobs.records import Job

KEPT: Final = 32
"""Jobs whose things are kept by name at once: each costs a millisecond to count and a megabyte for 10,000 things."""


class RolloutOrder:
    """Counted when they are asked for; kept for a few jobs."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, dict[str, int]]] = {}
        """By job id: how many of its things were counted, and their places."""

    def of(self, job: Job, thing: str) -> int | None:
        """How many have their turn before that thing; None if it has none."""
        if job.job_id not in self._kept and thing not in job.new.things and thing not in job.more_things:
            return None  # to look once is quicker than to count, and a deleted thing asks every job
        counted, places = self._kept.pop(job.job_id, (0, {}))
        if counted < job.things_in_all:
            for place, each in enumerate((job.new.things + job.more_things)[counted:], counted):
                places.setdefault(each, place)
        if len(self._kept) >= KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[job.job_id] = (job.things_in_all, places)
        return places.get(thing)

    def forget(self, job_id: str) -> None:
        """The job is gone, or everybody had a turn."""
        self._kept.pop(job_id, None)


def is_set(bits: bytes, place: int) -> bool:
    """Whether that turn is skipped."""
    return place >> 3 < len(bits) and bool(bits[place >> 3] >> (place & 7) & 1)


def with_skip(bits: bytes, place: int, *, to: bool) -> bytes:
    """The same, but for that turn, which is skipped or not."""
    at, bit = place >> 3, 1 << (place & 7)
    longer = bits.ljust(at + 1, b"\0")
    changed = longer[:at] + bytes((longer[at] | bit if to else longer[at] & ~bit,)) + longer[at + 1 :]
    return changed.rstrip(b"\0")  # as it was before the first was skipped, once none is
