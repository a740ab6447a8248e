"""Jobs by what ListJobs may ask for: their status, how they select targets, their namespace, their thing groups.

There may be ten thousand jobs, and two that a filter is for: so those that have a trait are found by it. Of several
traits the one that the fewest jobs have is looked through.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from simulator.cloud.jobs.records import Job, JobAge

Trait: TypeAlias = tuple[Literal["status", "selection", "namespace", "group"], str]
NOBODY: Final[tuple[JobAge, ...]] = ()
GROUP: Final = ":thinggroup/"
"""What the ARN of a thing group has in it, and that of a thing has not."""


def traits_of(job: Job | None) -> frozenset[Trait]:
    """What it is found by."""
    if job is None:
        return frozenset()
    found: set[Trait] = {("status", job.status), ("selection", job.new.target_selection)}
    if job.namespace_id is not None:
        found.add(("namespace", job.namespace_id))
    found.update(("group", target) for target in job.targets if GROUP in target)
    return frozenset(found)


class ByTrait:
    """The ages of those that have a trait, the oldest first; counted when they are first asked for."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.ages: dict[Trait, list[JobAge]] = {}
        for job in sorted(jobs, key=lambda job: job.age):
            for trait in traits_of(job):
                self.ages.setdefault(trait, []).append(job.age)

    def rarest(self, traits: Iterable[Trait]) -> Sequence[JobAge]:
        """Of those that have one of these traits, the fewest; there is one at least."""
        return min((self.ages.get(trait, NOBODY) for trait in traits), key=len)
