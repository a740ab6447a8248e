"""A schedule of the explorer's, turn by turn: which packet each is about, and what the rest is cued by."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from simulator.cloud.settings.service import MessageKind
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.setup import Setup

HELD: Final = "held-to-the-end"
"""The moment at which the schedule is over, and the device was held to all of it."""
OVER: Final = "schedule-over"
"""The moment from which nothing is held any more."""


Role: TypeAlias = Literal["asks for work", "question", "report"]


def role(kind: MessageKind, job_id: str | None) -> Role:
    """What a request is for; `job_id` is the job that it names."""
    if kind == "update":
        return "report"
    return "question" if kind == "describe" and job_id is not None else "asks for work"


class Turn(NamedTuple):
    """A choice of a schedule; of a packet its `kind`, whether it goes up, the `status` it reports, what it is for."""

    number: int
    choice: Choice
    kind: MessageKind | None = None
    goes_up: bool = False
    status: str | None = None
    role: Role | None = None

    @property
    def moment(self) -> str:
        """What it is called, where something is cued by it."""
        return f"choice-{self.number}"

    @property
    def cuts_power(self) -> bool:
        """Whether the power goes, in the middle of it or at once after it."""
        return self.choice.do == "power-cut" or bool(self.choice.then)


class Turns(NamedTuple):
    """A schedule, turn by turn."""

    setup: Setup
    all: tuple[Turn, ...]

    def doing(self, *deeds: str) -> Iterator[Turn]:
        """Those that do one of these."""
        return (turn for turn in self.all if turn.choice.do in deeds)

    def but(self, kind: MessageKind) -> Iterator[Turn]:
        """All but those of packets of that kind."""
        return (turn for turn in self.all if turn.kind != kind)

    @property
    def lose_something(self) -> bool:
        """Whether a device may have to wait for what will not come."""
        return any(self.doing("lose", "disconnect")) or bool(self.power_cuts)

    @property
    def power_cuts(self) -> tuple[Turn, ...]:
        """Those with which the power goes."""
        return tuple(turn for turn in self.all if turn.cuts_power)
