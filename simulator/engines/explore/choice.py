"""What can happen next, in words that a schedule keeps, and who makes it happen."""

from typing import Literal, NamedTuple, TypeAlias, get_args

Kind: TypeAlias = Literal[
    "delete",
    "create-again",
    "power-cut",
    "disconnect",
    "lose-request",
    "lose-answer",
    "lose-hint",
    "duplicate",
    "delay",
    "early",
    "fail",
    "cancel",
    "delete-execution",
    "other-namespace",
    "journal-fails",
    "journal-back",
    "journal-lost",
]
"""What costs: what operators may do, and faults. What costs nothing happens by itself, but that nobody owes a job."""
KINDS: tuple[Kind, ...] = get_args(Kind)

Actor: TypeAlias = Literal["device", "timer", "up", "down", "service", "operator", "fault"]
"""Who is treated fairly: what one of these can do at every state of a cycle, it does in the end."""


class Choice(NamedTuple):
    """One move, unique among those of a state: `do` to `what`; `then`: the power goes in the middle of what follows.

    `at` is where, if that is not the first device.
    """

    do: str
    what: str = ""
    then: str = ""
    at: str = ""

    def __str__(self) -> str:
        return " ".join(word for word in self if word)


def place_of(side: int) -> str:
    """How a choice calls the device of a side; the first, which is mostly the only one, not at all."""
    return f"device {side + 1}" if side else ""
