"""However many processes share a search, and however they hash, it answers the same."""

import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from mmap import mmap
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest

from agent.errors import InputError
from simulator.engines.explore import limits, sharing
from simulator.engines.explore.found import found_by
from simulator.engines.explore.limits import Held, resident_bytes
from simulator.engines.explore.search import explore
from simulator.engines.explore.searchable import Dividable, TooManyPartsError
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.shard import Kept
from simulator.engines.explore.sharing import Together, WorkerDiedError, keeper, shards_of
from simulator.engines.explore.system import System
from tests import no_room
from tests.elsewhere import said_elsewhere, said_here
from tests.simulator.engines.explore.toys import Clocks, Dice, Graphic, Moved

TELL = """
from dataclasses import replace
from simulator.engines.explore.search import explore
from tests.simulator.engines.explore.toys import Dice
found = explore(Dice(12, minds=4), jobs={jobs})
print(replace(found, jobs=0, seconds=0, bytes_a_state=0, seconds_of={{}}))
"""


@pytest.fixture(autouse=True)
def cheap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that runs tests is so large that the system takes most of a search's time to tell what it holds."""
    if request.function not in (
        test_what_processes_have_in_common_is_counted_once,
        test_what_a_process_has_grown_by_is_told_at_once,
    ):
        monkeypatch.setattr(limits, "held_bytes", resident_bytes)


def answer(system: Any, jobs: int) -> Any:
    return replace(explore(system, jobs=jobs), jobs=0, seconds=0, bytes_a_state=0, seconds_of={})


@pytest.mark.parametrize(("seed", "sides"), [(12, 1), (8, 2), (20, 1)])
def test_two_or_three_processes_find_what_one_does(seed: int, sides: int):
    alone = answer(Dice(seed, sides), 1)
    assert answer(Dice(seed, sides), 2) == alone
    assert answer(Dice(seed, sides), 3) == alone


@pytest.mark.parametrize("bounds", [{"delete": 1, "create-again": 1}, {"power-cut": 1}])
def test_two_processes_find_of_a_real_device_what_one_does(bounds: dict[str, int]):
    system = System(Setup(bounds=Bounds.model_validate(bounds)))
    assert isinstance(system, Dividable)
    assert answer(system, 2) == answer(system, 1)


def test_neither_hash_seeds_nor_processes_change_a_letter_of_the_answer():
    alone, together = TELL.format(jobs=1), TELL.format(jobs=2)
    assert said_here(alone) == said_here(together) == said_elsewhere(together) != ""


def test_what_processes_have_in_common_is_counted_once():
    held = bytearray(os.urandom(64)) * (2**22)
    with shards_of(Clocks(high=6), 8) as shards:
        assert resident_bytes() > len(held)
        assert shards.standing().held_bytes < 4 * len(held)


@pytest.mark.parametrize("mebibytes", [4, 256])
def test_what_a_process_has_grown_by_is_told_at_once(mebibytes: int):
    held = Held()
    before = held.bytes
    with mmap(-1, mebibytes * 2**20) as more:  # fresh pages, and not what the process has left over
        more.write(b"more" * (len(more) // 4))
        assert held.bytes - before > 0.9 * len(more)


class Deadly(Clocks):
    """At the time of its death, whoever asks for its moves is killed."""

    def device_moves(self, device: int, waits: int) -> tuple[Moved, ...]:
        if device == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().device_moves(device, waits)


def test_a_process_that_dies_is_noticed_and_nothing_is_told_for_complete():
    with pytest.raises(WorkerDiedError, match=r"process \d of the 2 .*killed by signal 9.*--jobs 1"):
        explore(Deadly(high=6), jobs=2)


def test_a_system_without_room_for_so_many_processes_is_told_and_none_is_left(monkeypatch: pytest.MonkeyPatch):
    no_room.for_more_processes_than(1, monkeypatch)
    with pytest.raises(InputError, match=r"--jobs: the system lets no more processes begin .*temporarily"):
        explore(Clocks(high=6), jobs=3)
    assert multiprocessing.active_children() == []


def test_who_is_left_when_a_process_dies_ends_without_a_word(capfd: pytest.CaptureFixture[str]):
    with shards_of(Clocks(high=6), 2) as shards:
        assert isinstance(shards, Together)
        left, dies = shards._processes
        assert left.pid is not None
        os.kill(left.pid, signal.SIGSTOP)
        dies.kill()
        dies.join()
        threading.Thread(target=_goes_on_when_nobody_hears, args=[shards, left.pid]).start()
        with pytest.raises(WorkerDiedError):
            shards.round(0, 1)
    assert capfd.readouterr().err == ""


def _goes_on_when_nobody_hears(shards: Together, pid: int) -> None:
    """Who has been asked is let go only once nobody waits for the answer."""
    while not shards._connections[0].closed:
        os.sched_yield()
    os.kill(pid, signal.SIGCONT)


class Greedy(Clocks):
    """At some time there is no more memory for it."""

    def device_moves(self, device: int, waits: int) -> tuple[Moved, ...]:
        if device == 4:
            raise MemoryError
        return super().device_moves(device, waits)


def test_a_process_without_memory_is_told_in_words(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(WorkerDiedError, match=r"ended \(out of memory\) after .* is not complete"):
        explore(Greedy(high=6), jobs=2)
    assert "Traceback" not in capfd.readouterr().err


def test_a_process_without_memory_for_what_it_is_told_says_so(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    told, here = sharing.passed, os.getpid()

    def passed(connection: Connection) -> Any:
        message = told(connection)
        if os.getpid() != here and message[0] == "take":
            raise MemoryError
        return message

    monkeypatch.setattr(sharing, "passed", passed)
    with pytest.raises(WorkerDiedError, match=r"ended \(out of memory\) after .* is not complete"):
        explore(Clocks(high=6), jobs=2)
    assert "Traceback" not in capfd.readouterr().err


def test_who_is_told_half_of_it_and_then_nothing_ends_without_a_word(capfd: pytest.CaptureFixture[str]):
    with shards_of(Clocks(high=6), 2) as shards:
        assert isinstance(shards, Together)
        connection, process = shards._connections[0], shards._processes[0]
        os.write(connection.fileno(), b"\0\0")  # of the four bytes that tell how long a message is
        connection.close()
        process.join()
        assert process.exitcode == 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("jobs", [1, 2])
def test_more_parts_than_there_are_numbers_for_end_a_search(jobs: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.engines.explore.packing.DEVICE_BITS", 3)
    found = explore(Clocks(high=20), jobs=jobs)
    assert not found.complete
    assert found.stopped_by == "more than 8 parts of the kind 'device'"
    assert 0 < found.expanded <= found.states
    assert found.holds


def searched(system: Any, *, looks_ahead: bool) -> Kept:
    """By one process of one, told what to do until it is done or cannot go on: all that it knows then."""
    worker, labels = sharing._Worker(system, 0, 1), set[Any]()
    expanded, count = 0, 1
    with suppress(TooManyPartsError):
        while expanded < count:
            told = worker.expand(expanded, count).labels
            while looks_ahead and worker.look_ahead():
                pass
            labels.update(told)
            new = worker.take([None], sorted(labels) if told else None)
            worker.number(np.arange(count, count + len(new)))
            expanded, count = count, count + len(new)
    return worker.kept()


@pytest.mark.parametrize(("seed", "sides"), [(12, 1), (8, 2)])
def test_who_looks_ahead_finds_the_same(seed: int, sides: int):
    ahead, found = (found_by([searched(Dice(seed, sides), looks_ahead=each)], sides) for each in (True, False))
    assert ahead.labels == found.labels
    assert ahead.parent.tolist() == found.parent.tolist()
    assert ahead.label.tolist() == found.label.tolist()
    assert ahead.graph.starts.tolist() == found.graph.starts.tolist()


def test_who_cannot_look_ahead_any_further_does_not_go_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.engines.explore.packing.DEVICE_BITS", 3)
    ahead, found = (searched(Clocks(high=20), looks_ahead=each) for each in (True, False))
    assert 0 < len(ahead.states) < len(found.states)


class Kicked(Graphic):
    """From each place it may be kicked back to the first, each time by another name."""

    def __init__(self, edges: dict[int, list[tuple[str, int]]]) -> None:
        super().__init__(edges, home=set())
        self.bounds = {"kick": 1}

    def device_moves(self, device: int, waits: int) -> tuple[Moved, ...]:
        return (*super().device_moves(device, waits), Moved(("kick", str(device)), "kick", "fault", 0))


def test_a_round_that_one_process_cannot_end_counts_for_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.engines.explore.packing.DEVICE_BITS", 4)
    edges = {0: [("a", to) for to in range(1, 5)]}
    keepers = [keeper(Kicked(edges), device, 2) for device in range(1, 5)]
    assert set(keepers) == {0, 1}
    crowded = 1 + keepers.index(0)
    found = explore(Kicked(edges | {crowded: [("a", to) for to in range(10, 30)]}), jobs=2)
    assert found.stopped_by == "more than 16 parts of the kind 'device'"
    assert found.expanded == 1
    assert set(found.cells) == {("any", "kick")}
    assert found.cells["any", "kick"].times == 1
