"""Copies of a file that is in use: what was in it at some commit, with that said, or refused; never a mixture."""

import asyncio
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from agent.errors import InputError
from simulator.cloud.registry import RegistryChange, Thing
from simulator.cloud.store import Store
from simulator.cloud.store.database import Database
from simulator.cloud.store.kinds import KINDS
from simulator.cloud.store.state_file import beside

THINGS, COPIES = 40, 12


def copy(path: Path, to: Path, endings: tuple[str, ...]) -> None:
    """In small pieces, as others copy: what is written meanwhile may be in it or not."""
    for ending in endings:
        if beside(path, ending).exists():
            with beside(path, ending).open("rb") as source, beside(to, ending).open("wb") as target:
                while piece := source.read(2048):
                    target.write(piece)


def what_is_in(path: Path) -> tuple[int, dict[str, int], set[str]] | None:
    """The number of commits, the things with the commit that each is of, and what is told; None if it is refused."""
    try:
        with closing(Database(path, KINDS)) as database:
            things = {kept.key: int(kept.record.thing_id) for kept in database.load()}
            return database._commits, things, {remark.event for remark in database.remarks}
    except InputError:
        return None


def wanted(commits: int) -> dict[str, int]:
    """What was in the file then: with each commit comes one thing, in the place of an older one."""
    return {f"thing-{number % THINGS}": number for number in range(max(1, commits - THINGS + 1), commits + 1)}


@pytest.mark.parametrize(
    ("endings", "told"),
    [
        pytest.param(("", "-wal", "-mark"), set(), id="all three"),
        pytest.param(("-mark", "-wal", ""), set(), id="all three, the mark first"),
        pytest.param(("", "-mark"), set(), id="without the log"),
        pytest.param(("", "-wal"), {"state.newest_unknown"}, id="without the mark"),
        pytest.param(("",), {"state.newest_unknown"}, id="the file alone"),
    ],
)
async def test_a_copy_made_under_way_is_what_was_there_at_some_commit_or_is_refused(
    tmp_path: Path, endings: tuple[str, ...], told: set[str]
):
    store = Store(tmp_path / "state.db")
    store._database._connection.execute("PRAGMA wal_autocheckpoint = 7")  # pages: copies meet its work
    is_over = asyncio.Event()

    async def work() -> None:
        for number in count(1):
            name = f"thing-{number % THINGS}"
            store.keep_registry(RegistryChange("thing", name, Thing(name, str(number), attributes=(("a", "b" * 99),))))
            await store.settled()
            if is_over.is_set():
                break

    working = asyncio.create_task(work())
    for number in range(COPIES):
        await asyncio.sleep(0.002 * number)
        await asyncio.to_thread(copy, store._database.path, tmp_path / f"copy-{number}", endings)
    is_over.set()
    await working
    await store.close()
    for number in range(COPIES):
        found = what_is_in(tmp_path / f"copy-{number}")
        if found is not None:
            commits, things, remarks = found
            assert things == wanted(commits)
            assert not commits or remarks - {"state.narrowed"} == told


async def test_the_files_of_a_cloud_that_ended_can_be_copied_and_go_on(tmp_path: Path):
    store = Store(tmp_path / "state.db")
    store.keep_registry(RegistryChange("thing", "thing-1", Thing("thing-1", "1")))
    await store.close()
    copy(tmp_path / "state.db", tmp_path / "copy", ("", "-wal", "-mark"))
    assert what_is_in(tmp_path / "copy") == (1, {"thing-1": 1}, {"state.narrowed"})
