"""A schedule: one order in which things happen, as a small file that people keep, read and play again.

    format: 1
    about: what it shows, in a sentence, and where it comes from
    world: {layout: single, bounds: {delete: 1, power-cut: 1}}
    expects: {violated: [bootable]}
    choices:
    - create fw
    - deliver notify
    - delete fw

`world` is a `Setup`, of which only what differs from its defaults need stand there. Each of `choices` is spelled as the
world spells it. Nothing else is in it that matters: whoever plays it comes to the same world, step by step.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

import yaml
from pydantic import Field

from agent.errors import InputError
from agent.wording import did_you_mean, no_choice
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.setup import Setup
from simulator.scenario.parts import Name, Part
from simulator.scenario.reading import as_model, lines_of
from simulator.verdict.invariants import INVARIANTS

LONGEST: Final = 10_000
"""Choices of a schedule."""
WORDS: Final = 200
"""Characters of a choice."""
STEERS: Final = r"\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069"
ONE_LINE: Final = f"^[^{STEERS}]*$"
"""What is shown on a terminal must not steer it, nor turn around what stands beside it."""
SHOWN: Final = 12
"""Choices that there are, where one that there is not was asked for."""
SHAPE: Final = "a schedule is a YAML mapping with format, world and choices; `ghostjob explain explore` shows one"
DOES: Final = (
    "arrive",
    "arrive twice",
    "cancel",
    "connect",
    "create",
    "create again",
    "delay",
    "delete",
    "delete execution",
    "deliver",
    "deliver twice",
    "disconnect",
    "fail",
    "job gone",
    "journal fails",
    "journal goes back",
    "journal lost",
    "journal works",
    "lose",
    "power on",
    "power-cut",
    "reboot",
    "records go",
    "timer",
    "undo reboot",
    "work",
)
"""What a choice may begin with."""


IDS: Final = tuple(each.id for each in INVARIANTS)


class Expected(Part):
    """What comes of it."""

    violated: tuple[Name, ...] = ()
    """The invariants that are violated in the end; none: all hold."""
    undecided: tuple[Name, ...] = ()
    """Those of which nothing can be said in the end."""


NOTHING: Final = Expected()


class Schedule(Part):
    """One order, in one world."""

    format: Literal[1] = 1
    """Of the file; there is one so far."""
    about: Annotated[str, Field(max_length=1_000, pattern=ONE_LINE)] = ""
    """What it shows, in a sentence, and where it comes from."""
    world: Setup = Setup()
    """Who plays, and what for; its bounds are what the choices may spend."""
    expects: Expected = NOTHING
    """What the verdict on it is to be."""
    choices: Annotated[tuple[Annotated[str, Field(max_length=WORDS, pattern=ONE_LINE)], ...], Field(max_length=LONGEST)]
    """What happens, one after the other."""

    @classmethod
    def of(cls, setup: Setup, path: Iterable[Choice | str], about: str, expects: Expected = NOTHING) -> Self:
        """A path of a world."""
        about = re.sub(rf"\s+|[{STEERS}]", " ", about)
        return cls(about=about, world=setup, expects=expects, choices=tuple(map(str, path)))

    @property
    def path(self) -> tuple[str, ...]:
        """The choices, as the world spells them."""
        return self.choices

    def yaml(self) -> str:
        """The file's text: the same for equal schedules."""
        data: dict[str, Any] = {"format": self.format}
        if self.about:
            data["about"] = self.about
        data["world"] = self.world.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if "bounds" in data["world"]:
            data["world"]["bounds"] = self.world.bounds.model_dump(by_alias=True, exclude_defaults=True)
        data["expects"] = {"violated": list(self.expects.violated)}
        if self.expects.undecided:
            data["expects"]["undecided"] = list(self.expects.undecided)
        head = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False)
        listed = yaml.safe_dump({"choices": list(self.choices)}, allow_unicode=True, width=1_000)
        return head + listed


class ReadSchedule(NamedTuple):
    """A schedule out of a file, and on which line each of its choices stands."""

    schedule: Schedule
    where: str
    lines: tuple[int, ...]

    def place(self, number: int) -> str:
        """Where its choice `number` stands, from 0."""
        return f"{self.where}:{self.lines[number]}"


def parse(text: str, where: str) -> ReadSchedule:
    """The schedule in YAML `text`. Raises InputError with `where`, the line, and what was perhaps meant."""
    schedule = as_model(text, where, Schedule, SHAPE)
    read = ReadSchedule(schedule, where, lines_of(text, "choices"))
    for number, choice in enumerate(schedule.choices):
        if not any(choice == do or choice.startswith(f"{do} ") for do in DOES):
            first = repr(choice.partition(" ")[0])
            raise InputError(
                f"{read.place(number)}: choices.{number}: a choice begins otherwise: {no_choice(first, DOES)}"
            )
    for outcome, named in (("violated", schedule.expects.violated), ("undecided", schedule.expects.undecided)):
        for name in named:
            if name not in IDS:
                meant = f"{did_you_mean(name, IDS)} (see `ghostjob explain invariants`)"
                raise InputError(f"{where}: expects.{outcome}: no invariant is called {name!r}{meant}")
    return read


class Unplayable(Exception):  # noqa: N818 - what happened, in the words of the docs
    """Here a schedule asks for what cannot happen: its choice `number`, from 1 `of` so many, and what there was."""

    def __init__(self, number: int, of: int, wanted: str, there: Iterable[str]) -> None:
        self.number, self.of, self.wanted, self.there = number, of, wanted, tuple(there)
        super().__init__(str(self))

    def __str__(self) -> str:
        some = ", ".join(self.there[:SHOWN])
        more = f", and {len(self.there) - SHOWN} more" if len(self.there) > SHOWN else ""
        meant = did_you_mean(self.wanted, self.there)
        there = f"there are: {some}{more}" if some else "nothing can happen any more"
        return f"choice {self.number} of {self.of}, '{self.wanted}', cannot be played here{meant}; {there}"
