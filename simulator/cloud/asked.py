"""What whoever started the cloud asks of it while it runs, in lines of JSON on its standard input."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from simulator.cloud.settings.service import Name

LONGEST_LINE: Final = 4096
"""Bytes; of what is longer, nothing is done."""


class CutOff(BaseModel):
    """Cut the network of a thing for so many seconds; `name` is what the trace calls that fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cut_off: str = Field(min_length=1, max_length=128)
    seconds: float = Field(gt=0, le=86_400)
    name: Name


class Lines:
    """Makes lines of what a pipe brings."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, raw: bytes) -> list[bytes]:
        """Those that have come to their end; of one that is too long, its end alone."""
        *whole, rest = (self._begun + raw).split(b"\n")
        self._begun = rest[-LONGEST_LINE:]
        return whole
