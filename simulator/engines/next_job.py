"""The next update, for all devices of a play: what it is called, and what it brings."""

import re
from collections.abc import Iterable

from simulator.scenario import Group, JobSpec

LONGEST: int = 64
"""Characters of a job's id."""


def next_jobs(made: Iterable[JobSpec], groups: Iterable[Group], name: str = "") -> tuple[JobSpec, ...]:
    """A job for each namespace in which devices listen, of a version that none of those made brought.

    `name` is the id of the one in the default namespace, by itself `fw-2` and so on; the others' end in theirs.
    """
    made, groups = tuple(made), tuple(groups)
    majors = [int(found[0]) for job in made if (found := re.match(r"\d{1,9}", job.version or "")) is not None]
    numbers = [int(found[1]) for job in made if (found := re.fullmatch(r"fw-(\d{1,9})(-.*)?", job.id)) is not None]
    name, version = name or f"fw-{max(numbers, default=1) + 1}", f"{max(majors, default=1) + 1}.0"
    return tuple(
        JobSpec(
            id=name if namespace is None else f"{name[: LONGEST - 1 - len(namespace)]}-{namespace}"[:LONGEST],
            to=tuple(dict.fromkeys(group.group for group in groups if group.namespace == namespace)),
            namespace=namespace,
            version=version,
            by="greengrass" if (namespace or "").startswith("aws-") else "customer",
        )
        for namespace in dict.fromkeys(group.namespace for group in groups)
    )
