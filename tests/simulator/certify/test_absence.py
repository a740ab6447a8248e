"""When it is told that the device is gone."""

from collections.abc import Callable

import pytest

from simulator.certify.absence import LASTS_SECONDS, Absence
from simulator.trace import CLOUD, ClientConnected, ClientDisconnected, Entry

GOES, COMES = ClientDisconnected("pump-7", "CONNECTION_LOST"), ClientConnected("pump-7")
OTHER = ClientDisconnected("pump-7-logs", "CONNECTION_LOST")
GONE = "has been gone for 8 s, and is waited for: the connection breaks without a DISCONNECT"
BACK = "is connected again"


class Clock:
    """What is due is called when time is let pass."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, call: Callable[[], None]) -> "Cancelled":
        self.due.append((seconds, call))
        return Cancelled(self, (seconds, call))

    def passes(self) -> None:
        due, self.due = self.due, []
        for seconds, call in due:
            assert seconds == LASTS_SECONDS
            call()


class Cancelled:
    def __init__(self, clock: Clock, item: tuple[float, Callable[[], None]]) -> None:
        self.clock, self.item = clock, item

    def cancel(self) -> None:
        if self.item in self.clock.due:
            self.clock.due.remove(self.item)


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        ([GOES, "wait"], [GONE]),
        ([GOES, COMES, "wait"], []),
        ([GOES, "wait", COMES], [GONE, BACK]),
        ([GOES, "wait", COMES, COMES], [GONE, BACK]),
        ([GOES, GOES, "wait"], [GONE]),
        ([OTHER, "wait"], []),
        ([GOES, "close", "wait"], []),
        ([COMES, "wait"], []),
    ],
)
def test_only_what_lasts_is_told_and_that_it_is_over(
    happens: list[ClientConnected | ClientDisconnected | str], told: list[str]
):
    clock, said = Clock(), []
    absence = Absence("pump-7", said.append, clock.later)
    for number, each in enumerate(happens, 1):
        match each:
            case "wait":
                clock.passes()
            case "close":
                absence.close()
            case ClientConnected() | ClientDisconnected():
                absence.feed(Entry(CLOUD, number, 1.0, each))
            case _:
                raise AssertionError(each)
    assert [line.split(":")[0] for line in said] == [line.split(":")[0] for line in told]
    assert all(line.startswith(each) for line, each in zip(said, told, strict=True))
