"""One axis for all: what a device's clock says is laid on the cloud's, by who answered whom.

What a device sends arrives later than it left, and what it reads was said before: every exchange narrows what its clock
may be off (see `simulator.verdict.clocks`). The picture takes the middle of what is left, or no difference at all if
nothing speaks against that.
"""

from math import inf
from typing import Final, NamedTuple, TypeAlias, TypeVar

from agent.device_events import AnswerReceived, RequestSent
from simulator.verdict.clocks import Offset
from simulator.verdict.exchanges import Exchange
from simulator.verdict.seen import Mark, micros

OPEN: Final = 256
"""So many exchanges of one device may be under way; then the oldest is forgotten."""
SECOND: Final = 1_000_000
V = TypeVar("V")
Told: TypeAlias = tuple[int, float, V]
"""An event of a device's with its number and its time."""


class When(NamedTuple):
    """An instant: seconds on the device's own clock, or else on the cloud's."""

    at: float
    is_own: bool = False


def shift(offset: Offset) -> float:
    """The seconds to add to a device's time to get the cloud's."""
    lowest, highest = offset.agreed
    if lowest <= 0 <= highest:
        return 0.0
    if lowest == -inf or highest == inf:
        return (highest if lowest == -inf else lowest) / SECOND
    return (lowest + highest) / 2 / SECOND


def uncertainty(offset: Offset) -> float:
    """By how many seconds that can be off, to either side; 0 if nothing speaks against one clock."""
    lowest, highest = offset.agreed
    return 0.0 if lowest <= 0 <= highest or inf in (-lowest, highest) else (highest - lowest) / 2 / SECOND


class Talk:
    """The exchanges of one device that are under way, as both sides tell of them; and what they say of its clock."""

    __slots__ = ("_arrived", "_asked", "_said", "has_begun", "offset")

    def __init__(self) -> None:
        self.offset = Offset()
        self.has_begun = False
        self._asked: dict[str, Told[RequestSent]] = {}
        self._arrived: dict[str, float] = {}
        self._said: dict[str, float] = {}

    def sent(self, number: int, at: float, event: RequestSent) -> None:
        """The device tells that a request left."""
        token = event.client_token
        _put(self._asked, token, (number, at, event))
        if (arrived := self._arrived.pop(token, None)) is not None:
            self.offset = self.offset.sent(micros(at), micros(arrived))

    def received(self, at: float, token: str | None) -> None:
        """The cloud tells that one arrived."""
        self.has_begun = True
        if token is None:
            return
        if (asked := self._asked.get(token)) is not None:
            self.offset = self.offset.sent(micros(asked[1]), micros(at))
        else:
            _put(self._arrived, token, at)

    def answered(self, at: float, token: str | None) -> None:
        """The cloud tells that it answered; the first answer counts."""
        if token is not None and token not in self._said:
            _put(self._said, token, at)

    def read(self, at: float, event: AnswerReceived) -> Told[RequestSent] | None:
        """The device tells that it read an answer: its request, if that is remembered."""
        token = event.client_token
        if (said := self._said.pop(token, None)) is not None:
            self.offset = self.offset.answered(micros(said), micros(at))
        return self._asked.pop(token, None)


def exchanged(source: str, asked: Told[RequestSent], read: Told[AnswerReceived]) -> Exchange:
    """A request of a device's, and the answer that it read."""
    sent, answer = Mark(source, asked[0], micros(asked[1])), Mark(source, read[0], micros(read[1]))
    return Exchange(sent=sent, request=asked[2], answer=answer, read=read[2])


def _put(table: dict[str, V], token: str, value: V) -> None:
    if len(table) >= OPEN:
        del table[next(iter(table))]
    table[token] = value
