"""What an attack comes to."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far an attack goes: `count` inputs or `seconds`, whichever ends first; `seed` chooses the inputs."""

    seed: int
    count: int
    seconds: float


@dataclass(slots=True)
class Report:
    """How many inputs were tried, what was found, each in a line, and what was measured meanwhile, by name."""

    tried: int = 0
    findings: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
