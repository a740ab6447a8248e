"""One number of a benchmark, with its aim and its peer: what every part of `python -m tests.bench --all` prints.

A part is a module that, with `--rows`, prints a row as one line of JSON as soon as it has it:

    {"what": "round trips/s, 100 connections", "measured": 31404, "unit": "/s",
     "aim": 51874, "more_is_better": true, "peer": "mosquitto's echo", "peers": 51874, "note": ""}

`aim`: what it is to be at least, or at most; None: nothing in particular. Where the peer is the aim, it is what the
peer reached in the same run. `peer`: who does the same; None: nobody. `peers`: its number; None if it could not be
measured, and `note` says why.
"""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One number."""

    what: str
    measured: float | None
    unit: str = ""
    aim: float | None = None
    more_is_better: bool = False
    peer: str | None = None
    peers: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The number in the peer's."""
        return self.measured / self.peers if self.measured is not None and self.peers else None

    @property
    def is_met(self) -> bool | None:
        """Whether it is as aimed at; None if nobody can say."""
        if self.aim is None or self.measured is None:
            return None
        return self.measured >= self.aim if self.more_is_better else self.measured <= self.aim

    def line(self) -> str:
        """As a part prints it."""
        return json.dumps(asdict(self))


def read(line: str) -> Row | None:
    """A line that a part printed; None if it is no row."""
    try:
        return Row(**json.loads(line))
    except (ValueError, TypeError):
        return None


def tell(*rows: Row) -> None:
    """Print them now."""
    for row in rows:
        print(row.line(), flush=True)


def number(value: float | None) -> str:
    """In so many digits as can be meant."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
