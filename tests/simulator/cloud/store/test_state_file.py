"""Who may read a state file and what lies beside it, and what is said of a place that is not its owner's alone."""

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import InputError
from simulator.cloud.registry import RegistryChange, Thing
from simulator.cloud.store import Store, salvage
from simulator.cloud.store.database import Database
from simulator.cloud.store.kinds import KINDS
from simulator.cloud.store.state_file import Marked, OpenMark, Remark, read_mark


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=lambda umask: f"umask {umask:03o}")
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


async def keep_something(store: Store) -> None:
    store.keep_registry(RegistryChange("thing", "pump", Thing("pump", "id")))
    await store.settled()


@pytest.fixture
async def sound(path: Path) -> Path:
    """A file whose cloud ended in order."""
    store = Store(path)
    await keep_something(store)
    await store.close()
    return path


def remarks(path: Path) -> tuple[Remark, ...]:
    """What is told of a file when it is opened."""
    with closing(Database(path, KINDS)) as database:
        return database.remarks


def rights(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


@pytest.mark.usefixtures("any_umask")
async def test_the_file_and_what_lies_beside_it_are_its_owners_alone(path: Path):
    store = Store(path)
    await keep_something(store)
    assert rights(path.parent) == dict.fromkeys(("state.db", "state.db-wal", "state.db-mark"), 0o600)
    await store.close()
    assert store.remarks == ()


@pytest.mark.usefixtures("any_umask")
def test_what_is_salvaged_and_what_it_was_salvaged_from_are_their_owners_alone(sound: Path):
    path = sound
    path.write_bytes(path.read_bytes()[:-4096])
    path.chmod(0o644)
    kept_as = salvage(path).kept_as
    assert kept_as is not None
    assert set(rights(path.parent)) == {"state.db", "state.db-mark", kept_as.name, f"{kept_as.name}-mark"}
    assert set(rights(path.parent).values()) == {0o600}


def test_a_file_that_others_could_read_is_narrowed_and_that_is_told(sound: Path):
    path = sound
    for ending in ("", "-mark"):
        Path(f"{path}{ending}").chmod(0o644)
    told = remarks(path)
    assert set(rights(path.parent).values()) == {0o600}
    assert [(remark.event, remark.fields["path"], remark.fields["before"]) for remark in told] == [
        ("state.narrowed", str(path), "0644"),
        ("state.narrowed", f"{path}-mark", "0644"),
    ]


@pytest.mark.parametrize(
    ("mode", "is_told"),
    [
        pytest.param(0o755, False, id="others may look"),
        pytest.param(0o777, True, id="others may write"),
        pytest.param(0o1777, True, id="others may write, and not remove"),
    ],
)
def test_a_directory_that_others_may_write_to_is_told(tmp_path: Path, mode: int, is_told: bool):
    tmp_path.chmod(mode)
    told = remarks(tmp_path / "state.db")
    assert [remark.event for remark in told] == ["state.directory_open"] * is_told


def test_a_pipe_is_no_place_for_a_state(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"is no ordinary file; choose another$"):
        Database(tmp_path / "pipe", {})


# ── the mark ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mark_says_what_was_put_last(path: Path):
    with closing(OpenMark(path, 77)) as mark:
        mark.put(1)
        mark.put(1 << 40)
        assert read_mark(path) == Marked(77, 1 << 40)


@pytest.mark.parametrize("at", range(57))
def test_a_mark_of_which_any_byte_was_changed_says_nothing(path: Path, at: int):
    with closing(OpenMark(path, 77)) as mark:
        mark.put(5)
    file = Path(f"{path}-mark")
    raw = bytearray(file.read_bytes())
    raw[at] ^= 1
    file.write_bytes(raw)
    assert read_mark(path) in (None, Marked(77, 5)), "or it is of no matter, as the line's end"
