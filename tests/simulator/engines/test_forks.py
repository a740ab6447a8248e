"""What is done in several processes is what one would have done, in the same order; or it is said that it is not."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.context import ForkProcess

import pytest

from agent.errors import InputError
from simulator.engines.forks import ForkDiedError, each_of
from tests import no_room

NUMBERS = range(7)


def in_pieces(number: int) -> tuple[int, bytes]:
    """The first is the longest; no pipe holds one whole."""
    return number, bytes((1 << 17) * (7 - number))


@pytest.mark.parametrize("processes", [1, 2, 3, 9])
def test_all_parts_come_in_order_however_many_processes_make_them(processes: int):
    assert list(each_of(in_pieces, NUMBERS, processes)) == list(map(in_pieces, NUMBERS))


def test_one_process_does_it_itself_and_several_do_not():
    def who(_: int) -> int:
        return os.getpid()

    assert set(each_of(who, NUMBERS, 1)) == {os.getpid()}
    others = list(each_of(who, NUMBERS, 2))
    assert os.getpid() not in others
    assert len(set(others)) == len(NUMBERS)


@pytest.mark.parametrize("processes", [1, 2, 9])
def test_what_is_raised_is_what_the_first_thing_raises(processes: int):
    def work(number: int) -> int:
        if number in (2, 5):
            raise InputError(f"{number} is wrong")
        return number

    told = list[int]()
    with pytest.raises(InputError, match="2 is wrong"):
        told.extend(each_of(work, NUMBERS, processes))
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("end", "how"),
    [
        (lambda: os._exit(3), "exit code 3"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by signal 9"),
    ],
)
def test_a_process_that_dies_is_told(end: Callable[[], None], how: str):
    def work(number: int) -> int:
        if number == 1:
            end()
        return number

    with pytest.raises(ForkDiedError, match=how):
        list(each_of(work, NUMBERS, 2))
    assert multiprocessing.active_children() == []


def test_a_system_without_room_for_another_process_is_told_and_none_is_left(monkeypatch: pytest.MonkeyPatch):
    no_room.for_more_processes_than(1, monkeypatch)
    with pytest.raises(InputError, match=r"--processes: the system lets no more processes begin .*temporarily"):
        list(each_of(lambda _: signal.pause(), NUMBERS, 2))
    assert multiprocessing.active_children() == []


def test_who_ends_all_processes_of_a_group_means_the_first():
    def work(number: int) -> int:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), each)
        return number

    assert list(each_of(work, NUMBERS, 2)) == list(NUMBERS)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()), "who forked them hears as before"


def test_who_waits_no_longer_leaves_no_process_behind():
    def work(number: int) -> int:
        if number:
            signal.pause()
        return number

    parts = each_of(work, NUMBERS, 3)
    assert next(parts) == 0
    assert multiprocessing.active_children()
    parts.close()
    assert multiprocessing.active_children() == []


def test_who_is_interrupted_as_a_process_begins_leaves_none_behind(monkeypatch: pytest.MonkeyPatch):
    begin = ForkProcess.start

    def begin_and_interrupt(process: ForkProcess) -> None:
        begin(process)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ForkProcess, "start", begin_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        list(each_of(lambda _: signal.pause(), NUMBERS, 2))
    left = multiprocessing.active_children()
    for process in left:
        process.kill()
    assert left == []
