"""The file: who may open it, in which order records come out of it, and what is said when it cannot be used."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.errors import InputError
from simulator.cloud.store.database import Database, Put
from simulator.cloud.store.encoding import writer
from simulator.cloud.store.layout import MIGRATIONS
from simulator.cloud.store.seals import of_name

NOBODY = 65534
MOODY = '[["name"],["mood","fine"]]'


@dataclass(frozen=True, slots=True)
class Lamp:
    name: str
    watts: int = 5


def write(database: Database, *changed: Lamp | str, first: int = 1) -> None:
    """Commit lamps that come, and names of those that go."""
    kind = database.kind_ids["lamp"]
    puts = [lamp for lamp in changed if isinstance(lamp, Lamp)]
    rows = [Put(kind, lamp.name, number, writer(Lamp)(lamp)) for number, lamp in enumerate(puts, first)]
    database.write(database.batch([(kind, name) for name in changed if isinstance(name, str)], rows))


def kept(path: Path, record: type = Lamp) -> list[Any]:
    with closing(Database(path, {"lamp": record})) as database:
        return [record for _, _, record in database.load()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with closing(Database(path, {"lamp": Lamp})) as opened:
        yield opened


def test_records_come_back_in_the_order_in_which_they_first_came(path: Path, database: Database):
    write(database, Lamp("z"), Lamp("a"), Lamp("m"))
    write(database, Lamp("a", 7), Lamp("z"), first=4)
    assert database.last_number() == 3, "a record that is replaced keeps its number"
    database.close()
    assert kept(path) == [Lamp("z"), Lamp("a", 7), Lamp("m")]


def test_what_goes_and_comes_again_in_one_batch_is_a_new_one(path: Path, database: Database):
    write(database, Lamp("z"), Lamp("a"))
    write(database, "z", Lamp("z", 9), first=3)
    write(database, "a", "never there")
    database.close()
    assert kept(path) == [Lamp("z", 9)]


def test_a_file_is_on_the_disk_whole_with_every_commit(path: Path, database: Database):
    run = database._connection.execute
    assert run("PRAGMA journal_mode").fetchone() == ("wal",)
    assert run("PRAGMA synchronous").fetchone() == (2,), "FULL"


# ── as programs change ────────────────────────────────────────────────────────────────────────────────────────


def test_a_later_program_reads_older_records_and_writes_them_anew(path: Path, database: Database):
    write(database, Lamp("z"), Lamp("a", 7))
    database.close()
    newer = make_dataclass(
        "Lamp", [("watts", int, 60), ("color", str, "white"), ("name", str, "")], frozen=True, slots=True
    )
    wanted = [newer(5, "white", "z"), newer(7, "white", "a")]
    with closing(Database(path, {"lamp": newer})) as later:
        assert [record for _, _, record in later.load()] == wanted
        assert later.is_outdated()
        later.rewrite()
        assert not later.is_outdated()
        assert [record for _, _, record in later.load()] == wanted
    assert kept(path, newer) == wanted


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        pytest.param(f"PRAGMA user_version = {len(MIGRATIONS) + 1}", "version 3 of it", id="a later layout"),
        pytest.param(
            f"INSERT INTO kinds (name, seal) VALUES ('dream', {of_name('dream')})",
            "records of the kind dream",
            id="another kind",
        ),
        pytest.param(
            f"UPDATE shapes SET fields = '{MOODY}', seal = {of_name('Lamp', MOODY)}",
            r"Lamp\.mood",
            id="a record that knows more",
        ),
    ],
)
def test_what_a_newer_program_wrote_is_refused_and_left_alone(
    path: Path, database: Database, statement: str, says: str
):
    write(database, Lamp("z"))
    database.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute(statement)
        other.commit()
    before = path.read_bytes()
    with pytest.raises(
        InputError,
        match=f"^--state {path}: was written by a newer ghostjob, which knows {says}; use that one, or choose",
    ):
        Database(path, {"lamp": Lamp})
    assert path.read_bytes() == before


# ── what is wrong with files ──────────────────────────────────────────────────────────────────────────────────


def test_a_second_one_on_the_same_file_is_refused(path: Path, database: Database):
    write(database, Lamp("z"))
    with pytest.raises(InputError, match=f"^--state {path}: another process uses it, such as a second ghostjob cloud;"):
        Database(path, {"lamp": Lamp})
    write(database, Lamp("a"), first=2)
    database.close()
    assert kept(path) == [Lamp("z"), Lamp("a")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(
            b"no database at all, but rather more than a hundred bytes of text" * 9, "is no database", id="text"
        ),
        pytest.param(b"\x00" * 4096, "is no database", id="zeros"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_alone(path: Path, content: bytes, says: str):
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^--state {path}: it {says}; choose another file$"):
        Database(path, {"lamp": Lamp})
    assert path.read_bytes() == content


def test_a_database_of_some_other_program_is_refused_and_left_alone(path: Path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"is a database of some other program; choose another file$"):
        Database(path, {"lamp": Lamp})
    assert path.read_bytes() == before


def test_an_empty_file_is_as_good_as_none(path: Path):
    path.touch()
    assert kept(path) == []


@pytest.mark.parametrize(
    ("where", "says"),
    [
        pytest.param("missing/state.db", r"there is no directory .*missing; make it first$", id="no directory"),
        pytest.param(".", r"is a directory; name a file in it$", id="a directory"),
    ],
)
def test_a_path_that_cannot_be_is_refused(tmp_path: Path, where: str, says: str):
    with pytest.raises(InputError, match=says):
        Database(tmp_path / where, {"lamp": Lamp})


@pytest.fixture
def common_path() -> Iterator[Path]:
    """A directory that an ordinary user comes to: pytest's own is its owner's alone."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)
        Path(directory).chmod(0o755)


@contextmanager
def an_ordinary_user() -> Iterator[None]:
    """Permissions mean nothing to root."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("there", [True, False], ids=["a file", "a new file"])
def test_where_nothing_can_be_written_is_refused(common_path: Path, there: bool):
    path = common_path / "state.db"
    if there:
        Database(path, {"lamp": Lamp}).close()
        path.chmod(0o444)
    common_path.chmod(0o555)
    with an_ordinary_user(), pytest.raises(InputError, match=f"^--state {path}: it cannot be .*permissions"):
        Database(path, {"lamp": Lamp})


def test_a_path_that_may_not_be_looked_at_is_refused(common_path: Path):
    common_path.chmod(0o600)
    path = common_path / "state.db"
    with an_ordinary_user(), pytest.raises(InputError, match=f"^--state {path}: it cannot be reached: Permission"):
        Database(path, {"lamp": Lamp})


def test_a_damaged_file_is_refused(path: Path, database: Database):
    write(database, *(Lamp(f"lamp-{number:04}") for number in range(2000)))
    database.close()
    with path.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\xff" * 4096 * 3)
    with pytest.raises(
        InputError, match=f"^--state {path}: it is damaged: .*; restore it from a copy, or start with --salvage"
    ):
        kept(path)


def test_a_full_disk_is_told_and_what_was_committed_before_stays(path: Path, database: Database):
    write(database, Lamp("z"))
    pages = database._connection.execute("PRAGMA page_count").fetchone()[0]
    database._connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own way to be full
    with pytest.raises(sqlite3.OperationalError) as full:
        write(database, *(Lamp(f"lamp-{number:04}") for number in range(2000)), first=2)
    assert str(database.refusal(full.value)) == f"--state {path}: the disk is full; free some space and start again"
    database.close()
    assert kept(path) == [Lamp("z")]


def steps(database: Database, *changed: Lamp | str, first: int = 1) -> int:
    """How many steps SQLite takes for a commit, in hundreds."""
    taken = list[None]()
    database._connection.set_progress_handler(lambda: taken.append(None), 100)
    write(database, *changed, first=first)
    database._connection.set_progress_handler(None, 0)
    return len(taken)


def test_what_a_commit_takes_does_not_depend_on_what_else_is_kept(database: Database):
    def commit(first: int) -> int:
        write(database, *(Lamp(f"lamp-{number}") for number in range(first, first + 8)), first=first)
        goes, comes, changes = (f"lamp-{number}" for number in range(first, first + 3))
        return steps(database, goes, Lamp(changes, 1), Lamp(f"{comes}-again"), first=first + 8)

    alone = commit(1)
    write(database, *(Lamp(f"other-{number}") for number in range(5_000)), first=10_000)
    assert commit(20_000) <= 2 * alone + 1
