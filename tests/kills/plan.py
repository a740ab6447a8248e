"""Which agent dies where: a list of runs that covers every phase and every journal boundary, drawn from a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

from tests.kills.doomed import OPERATIONS

Job: TypeAlias = Literal["update", "download", "configure", "run", "steps"]
Deleted: TypeAlias = Literal["in a step", "while dead", "once back"]

PHASES = ("idle", "starting", "executing", "trial", "suspect", "recovering", "reporting", "safe")
BOUNDARIES = tuple(f"{side} {operation}" for operation in OPERATIONS for side in ("before", "after"))
TARGETS = (*(f"in {phase}" for phase in PHASES), *BOUNDARIES)
AT_LEAST = 5

JOBS: dict[str, tuple[Job, ...]] = {
    "in trial": ("update",),
    "in suspect": ("update", "download", "run"),
    "in recovering": ("update", "download", "steps"),
    "in safe": ("steps",),
}
"""What brings an agent into a phase; where nothing is said, any job does."""

STEPS: dict[Job, tuple[str, ...]] = {
    "update": ("download", "write", "switch", "self-test"),
    "download": ("download",),
    "configure": ("stage", "validate", "swap"),
    "run": ("run",),
    "steps": ("one", "two"),
}
"""The steps as whose beginning is told the job may be deleted."""

LATEST: dict[str, int] = {"idle": 3, "executing": 12, "trial": 4, "suspect": 3, "recovering": 8, "append": 8, "sync": 8}
"""How far on an instant of that name may lie; where nothing is said, it is the first one or the second."""


@dataclass(frozen=True, slots=True)
class Run:
    """One death. `at` and `nth` say where, `deleted` when the job goes, `step` which step's beginning that is."""

    number: int
    at: str
    nth: int
    job: Job
    deleted: Deleted
    step: str
    namespace_id: str | None
    transport: Literal["paho", "awsiot"]

    @property
    def thing(self) -> str:
        """Each run has a device of its own."""
        return f"doomed-{self.number:03}"

    @property
    def safe(self) -> bool:
        """Whether the device is to end SAFE, because what it would put back cannot be put back any more."""
        return self.at == "in safe"


def plan(runs: int, seed: int) -> tuple[Run, ...]:
    """So many runs, in an order of the seed's; from 110 on every target is in it `AT_LEAST` times."""
    rng = Random(seed)
    return tuple(_run(number, target, rng) for number, target in zip(range(runs), _targets(runs, rng), strict=False))


def _targets(runs: int, rng: Random) -> Iterator[str]:
    rounds = -(-runs // len(TARGETS))
    for _ in range(rounds):
        yield from rng.sample(TARGETS, len(TARGETS))


def _run(number: int, at: str, rng: Random) -> Run:
    job = rng.choice(JOBS.get(at, tuple(STEPS)))
    if at in ("in suspect", "in recovering", "in safe"):
        deleted: Deleted = "in a step"
    elif at == "in reporting":
        deleted = rng.choice(("while dead", "once back"))
    else:
        deleted = rng.choice(("in a step", "while dead", "once back"))
    step = {"in safe": "two", "in trial": "self-test"}.get(at) or rng.choice(STEPS[job])
    namespace_id = "lab" if at == "in starting" else rng.choice((None, "lab"))
    nth = rng.randint(1, LATEST.get(at.partition(" ")[2], 2)) if "new" not in at and "directory" not in at else 1
    return Run(number, at, nth, job, deleted, step, namespace_id, ("paho", "awsiot")[number % 2])
