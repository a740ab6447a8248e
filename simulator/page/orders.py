"""What may be pressed on the live page, and what a press asks for."""

from typing import Final, Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

LONGEST_NAME: Final = 128
"""Characters of a job's id or a thing's name."""

Deed: TypeAlias = Literal[
    "force-delete",
    "cancel",
    "cancel-force",
    "create-again",
    "create-job",
    "cut-power",
    "restore-power",
    "cut-network",
    "add-device",
    "pause",
    "go",
    "slow",
    "end",
]
"""What a button does."""


class Order(BaseModel):
    """One press of a button. `number` is how slow, or for how many seconds; only deeds that need one have it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    do: Deed
    job: str = Field("", max_length=LONGEST_NAME)
    thing: str = Field("", max_length=LONGEST_NAME)
    number: float | None = Field(None, allow_inf_nan=False)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class JobOffered(_Model):
    """What may be done to a job now."""

    job: str
    namespace: str | None
    may: tuple[Deed, ...]


class ThingOffered(_Model):
    """What may be done to a device now."""

    thing: str
    may: tuple[Deed, ...]


class Offered(_Model):
    """What may be pressed now. `also` concerns neither a job nor a device.

    `paused_at` is the dangerous place in words, such as "thing-3 is erasing slot B"; empty: it goes on. `slow` says how
    many times slower than usual it goes. `asks` has for what asks once the sentence to confirm.
    """

    jobs: tuple[JobOffered, ...] = ()
    things: tuple[ThingOffered, ...] = ()
    also: tuple[Deed, ...] = ()
    paused_at: str = ""
    slow: float = 1.0
    asks: dict[Deed, str] = Field(default_factory=dict)


class Refused(Exception):  # noqa: N818 - an answer, no fault
    """An order that is not carried out; the message is a sentence that says why."""


class Controls(Protocol):
    """Who carries orders out."""

    def offered(self) -> Offered:
        """What may be pressed now."""

    async def carry_out(self, order: Order) -> str:
        """Do it; one sentence that says what was done. Raises Refused."""
