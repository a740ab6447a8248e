"""What one can do about a job that is under way."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing: let the job go on to its end."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """CancelJob: what is QUEUED, and with `force` what is IN_PROGRESS."""

    force: bool


@dataclass(frozen=True, slots=True)
class Delete:
    """DeleteJob with force, at once."""


@dataclass(frozen=True, slots=True)
class Waves:
    """DeleteJobExecution with force on `things` of the fleet, a pause, the next ones; DeleteJob in the end.

    The calls of a wave come one after the other, `operations_per_second` of them.
    """

    things: int
    pause_seconds: float
    operations_per_second: float

    def due(self, number: float) -> float:
        """After how many seconds the fleet's execution of that number, from 0, is deleted."""
        wave, within = divmod(number, self.things)
        return wave * (self.things / self.operations_per_second + self.pause_seconds) + (
            within / self.operations_per_second
        )


Action: TypeAlias = Wait | Cancel | Delete | Waves


def words(action: Action) -> str:
    """What it is called."""
    match action:
        case Wait():
            return "wait"
        case Cancel(force=force):
            return "cancel --force" if force else "cancel"
        case Delete():
            return "delete --force"
        case Waves(things=things):
            return f"waves of {things:,}"
