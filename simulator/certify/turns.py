"""A schedule of the explorer's, turn by turn: which packet each is about, and what the rest is cued by."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from simulator.cloud.settings.service import MessageKind
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.setup import Setup

HELD: Final = "held-to-the-end"
"""The moment at which the schedule is over, and the device was held to all of it."""
OVER: Final = "schedule-over"
"""The moment from which nothing is held any more."""


class Turn(NamedTuple):
    """A choice of a schedule, and of a packet what it is: its `kind`, whether it goes up, and the status it reports.

    `asks_for_work`: it is a question for any job, not about one.
    """

    number: int
    choice: Choice
    kind: MessageKind | None = None
    goes_up: bool = False
    status: str | None = None
    asks_for_work: bool = False

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

    @property
    def power_cuts(self) -> tuple[Turn, ...]:
        """Those with which the power goes."""
        return tuple(turn for turn in self.all if turn.cuts_power)
