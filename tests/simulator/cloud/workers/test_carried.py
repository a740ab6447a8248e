"""A connection that a worker holds is a transport as asyncio's own are: what its protocol is told, and when."""

import asyncio

import pytest

from simulator.cloud.workers.carried import GRAIN, HIGH, Carried, Opening
from simulator.cloud.workers.link import BYTES, CLOSE, CUT, READ, WAIT


class Said:
    """A link that remembers what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[int, int, int]] = []

    def say(self, kind: int, connection: int, body: bytes = b"") -> None:
        self.said.append((kind, connection, len(body)))


class Told(asyncio.Protocol):
    """A protocol that remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(f"lost: {exc}")


@pytest.fixture
def link() -> Said:
    return Said()


@pytest.fixture
def protocol() -> Told:
    return Told()


@pytest.fixture
def carried(link: Said, protocol: Told) -> Carried:
    made = Carried(link, 7, Opening(0, ("10.0.0.1", 5)), protocol)  # type: ignore[arg-type]  # all that is asked of it
    made.begin()
    return made


def test_who_writes_more_than_leaves_is_asked_to_wait_until_it_has_left(carried: Carried, protocol: Told):
    carried.write(bytes(HIGH + GRAIN))
    assert protocol.told == ["made"]
    carried.write(b"1")
    assert protocol.told == ["made", "pause"]
    carried.left(HIGH)
    assert protocol.told == ["made", "pause", "resume"]
    assert carried.get_write_buffer_size() == 1


def test_less_than_is_told_of_counts_as_gone(carried: Carried):
    carried.write(bytes(GRAIN))
    assert carried.get_write_buffer_size() == 0


async def test_what_comes_while_nobody_reads_waits_and_comes_first(carried: Carried, protocol: Told, link: Said):
    carried.pause_reading()
    carried.came(b"a")
    carried.came(b"b")
    assert protocol.told == ["made"]
    carried.resume_reading()
    carried.came(b"c")
    await asyncio.sleep(0)
    carried.came(b"d")
    assert protocol.told == ["made", b"abc", b"d"]
    assert link.said == [(WAIT, 7, 0), (READ, 7, 0)]


def test_what_waited_is_read_before_the_end(carried: Carried, protocol: Told):
    carried.pause_reading()
    carried.came(b"a")
    carried.gone(ConnectionResetError("gone"))
    carried.gone()
    assert protocol.told == ["made", b"a", "lost: gone"]


async def test_who_is_closed_hears_nothing_more_and_is_gone_once_the_worker_says_so(
    carried: Carried, protocol: Told, link: Said
):
    carried.write(b"bye")
    carried.close()
    carried.write(b"never")
    carried.came(b"a")
    assert link.said == [(BYTES, 7, 3), (CLOSE, 7, 0)]
    assert protocol.told == ["made"]
    carried.gone()
    assert protocol.told == ["made", "lost: None"]


async def test_who_is_cut_off_is_gone_in_the_next_turn(carried: Carried, protocol: Told, link: Said):
    carried.abort()
    assert protocol.told == ["made"]
    await asyncio.sleep(0)
    carried.gone()
    assert protocol.told == ["made", "lost: None"]
    assert link.said == [(CUT, 7, 0)]
