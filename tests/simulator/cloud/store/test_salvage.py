"""What is left of a damaged file goes on: nothing is invented, and what is not there is told."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import InputError
from simulator.cloud.local import LocalCloud
from simulator.cloud.registry import RegistryChange, Thing
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.store import Store, salvage
from simulator.cloud.store.damage import LOST
from simulator.cloud.store.database import Database
from simulator.cloud.store.kinds import KINDS
from tests.simulator.cloud.store.test_damage import (
    EXECUTION,
    JOB,
    NEW_JOB,
    THING,
    cut,
    execute,
    fill,
    killed,
    path,
    spoil,
    zero_a_page,
)
from tests.simulator.cloud.store.test_older_files import DUMP

__all__ = ["killed", "path"]
LOST_JOB = "the job with its document, and its executions"
LOST_EXECUTION = "how far the device had come with the job"


def names(file: Path) -> set[str]:
    """The records of a sound file, by kind and key."""
    with closing(Database(file, KINDS)) as database:
        return {f"{kind} {key}" for kind, key, _ in database.load()}


@pytest.fixture
def everything(path: Path) -> set[str]:
    return names(path)


@pytest.mark.parametrize(
    ("statement", "lost", "lines"),
    [
        pytest.param(
            f"UPDATE records SET value = replace(value, 'QUEUED', 'FAILED') WHERE kind = {EXECUTION} AND key > 'm'",
            {"execution pump/fw/1"},
            [f"execution pump/fw/1 (it was changed): {LOST_EXECUTION}"],
            id="an execution",
        ),
        pytest.param(
            f"UPDATE records SET value = '[7' WHERE kind = {NEW_JOB}",
            {"new-job fw", "job fw", "execution lamp/fw/1", "execution pump/fw/1"},
            [
                f"new-job fw (it was changed): {LOST_JOB}",
                f"job fw (its new-job fw is lost): {LOST_JOB}",
                f"execution lamp/fw/1 (its job fw is lost): {LOST_EXECUTION}",
                f"execution pump/fw/1 (its job fw is lost): {LOST_EXECUTION}",
            ],
            id="a job's document, and all that depends on it",
        ),
        pytest.param(
            f"DELETE FROM records WHERE kind = {JOB}",
            {"new-job fw", "job fw", "execution lamp/fw/1", "execution pump/fw/1"},
            [
                f"1 more of the kind job, whose names are lost too: {LOST_JOB}",
                f"new-job fw (its job fw is lost): {LOST_JOB}",
                f"execution lamp/fw/1 (its job fw is lost): {LOST_EXECUTION}",
                f"execution pump/fw/1 (its job fw is lost): {LOST_EXECUTION}",
            ],
            id="a job without its name",
        ),
        pytest.param(
            f"DELETE FROM records WHERE kind = {THING} AND key = 'pump'",
            {"thing pump"},
            ["1 more of the kind thing, whose names are lost too: the thing with its attributes"],
            id="a thing whose executions go on, as after DeleteThing",
        ),
        pytest.param("UPDATE kinds SET name = 'jab' WHERE name = 'job'", set(), ["nothing"], id="the name of a kind"),
        pytest.param("UPDATE shapes SET fields = '[]'", set(), ["nothing"], id="what records mean"),
        pytest.param("PRAGMA application_id = 5", set(), ["nothing"], id="whose file it is"),
        pytest.param("PRAGMA user_version = 9", set(), ["nothing"], id="its version"),
    ],
)
def test_all_that_can_be_read_goes_on_and_the_rest_is_told(
    path: Path, everything: set[str], statement: str, lost: set[str], lines: list[str]
):
    execute(path, statement)
    damaged = path.read_bytes()
    done = salvage(path)
    assert done.kept_as == path.with_name("state.db-damaged-1")
    assert done.kept_as.read_bytes() == damaged
    assert done.lines[0].endswith(f"the damaged file is kept as {done.kept_as}")
    assert sorted(done.lines[1:]) == sorted(f"lost: {line}" for line in lines)
    assert names(path) == everything - lost


def test_of_every_kind_of_record_it_is_known_what_is_lost_with_it():
    assert set(LOST) == set(KINDS)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(bytes(100) + path.read_bytes()[100:]), id="no header"),
        pytest.param(lambda path: path.write_bytes(bytes(4096) + path.read_bytes()[4096:]), id="no first page"),
    ],
)
def test_a_file_through_which_sqlite_finds_no_way_is_read_page_by_page(
    path: Path, everything: set[str], damage: Callable[[Path], None]
):
    damage(path)
    done = salvage(path)
    assert done.lines[1:] == ("lost: nothing",)
    assert names(path) == everything


def test_what_stood_on_a_lost_page_is_counted(path: Path):
    zero_a_page(path)
    done = salvage(path)
    assert names(path) == set()
    assert {line.partition(" more of")[0] for line in done.lines[1:]} == {"lost: 1", "lost: 2"}


def test_commits_that_a_log_has_lost_are_counted(killed: Path):
    spoil(Path(f"{killed}-wal"))
    done = salvage(killed)
    assert any("commits, whatever they changed" in line for line in done.lines)
    assert "thing lamp" in names(killed)
    assert Path(f"{done.kept_as}-mark").exists()


def test_an_empty_file_with_a_log_is_read_from_that(killed: Path):
    everything = {"thing lamp", "thing pump", "new-job fw", "job fw", "execution lamp/fw/1", "execution pump/fw/1"}
    cut(killed, 0)
    done = salvage(killed)
    assert done.lines[1:] == ("lost: nothing",)
    assert names(killed) >= everything


async def test_a_cloud_begins_on_what_was_salvaged_and_what_it_keeps_then_is_kept(path: Path):
    zero_a_page(path)
    salvage(path)
    for _ in range(2):
        async with LocalCloud(
            CloudSettings(api_port=None, mqtt_port=None, mqtts_port=None, data_port=None, state=path)
        ) as cloud:
            cloud.core.registry.things.create("new")
    assert names(path) == {"thing new"}


def test_a_second_time_another_name_is_taken_for_the_damaged_file(path: Path):
    for number in (1, 2):
        execute(path, "UPDATE kinds SET count = count + 1 WHERE name = 'thing'")
        assert salvage(path).kept_as == path.with_name(f"state.db-damaged-{number}")
    assert salvage(path).kept_as is None
    assert "there is nothing to be salvaged" in salvage(path).lines[0]


async def test_names_that_are_many_are_counted(tmp_path: Path):
    store = Store(tmp_path / "state.db")
    for number in range(70):
        store.keep_registry(RegistryChange("thing", f"lamp-{number:02}", Thing(f"lamp-{number:02}", "id")))
    await store.close()
    execute(tmp_path / "state.db", "UPDATE records SET value = '[]'")
    lines = salvage(tmp_path / "state.db").lines
    assert len(lines) == 1 + 50 + 1
    assert lines[-1] == "lost: 20 more in the same way: 20 thing"


# ── what is not salvaged ──────────────────────────────────────────────────────────────────────────────────────


def theirs(path: Path) -> None:
    path.unlink()
    execute(path, "CREATE TABLE theirs (x)")


@pytest.mark.parametrize(
    ("replace", "says"),
    [
        pytest.param(theirs, "is a database of some other program", id="another program's"),
        pytest.param(lambda path: path.write_text("milk\n" * 2000), "it is no database", id="no database"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), "is a directory; name a file", id="a directory"),
    ],
)
def test_what_is_not_ours_is_left_alone(path: Path, replace: Callable[[Path], None], says: str):
    Path(f"{path}-mark").unlink()
    replace(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(InputError, match=f"^--state {path}: {says}"):
        salvage(path)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_file_in_use_is_left_alone(path: Path):
    with closing(Database(path, KINDS)), pytest.raises(InputError, match="another process uses it"):
        salvage(path)


def test_a_file_that_a_newer_ghostjob_wrote_and_was_damaged_is_left_to_that_one(path: Path):
    execute(path, f"DELETE FROM records WHERE kind = {THING}")
    execute(path, "PRAGMA user_version = 9")
    with pytest.raises(InputError, match="was written by a newer ghostjob"):
        salvage(path)


# ── files of an earlier ghostjob ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def older(tmp_path: Path) -> Path:
    file = tmp_path / "older.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(DUMP.read_text("utf-8"))
        connection.execute(f"PRAGMA application_id = {0x67686A62}")
        connection.execute("PRAGMA user_version = 1")
    return file


@pytest.mark.parametrize(
    ("statement", "says", "lost"),
    [
        pytest.param(
            "DELETE FROM records WHERE kind = 1 AND key = 'fw'",
            "job fw is there without its new-job fw",
            {"new-job fw", "job fw", "execution pump/fw/1"},
            id="a document is missing",
        ),
        pytest.param(
            "UPDATE records SET value = '[7' WHERE kind = 2 AND key = 'fw'",
            "job fw was changed",
            {"new-job fw", "job fw", "execution pump/fw/1"},
            id="a job cannot be read",
        ),
    ],
)
def test_an_older_file_has_no_seals_and_what_cannot_be_is_found_all_the_same(
    older: Path, statement: str, says: str, lost: set[str]
):
    shutil.copy(older, untouched := older.with_name("untouched.db"))
    everything = names(untouched)
    execute(older, statement)
    with pytest.raises(InputError, match=f"it is damaged: .*{says}"):
        Store(older).remembered()
    salvage(older)
    assert names(older) == everything - lost


async def test_fill_is_what_these_tests_say_it_is(tmp_path: Path):
    store = Store(tmp_path / "state.db")
    await fill(store)
    await store.close()
    assert len(names(tmp_path / "state.db")) == 6


def test_a_file_that_is_not_there_is_not_salvaged(tmp_path: Path):
    with pytest.raises(InputError, match="there is no such file; name the one that is damaged, or leave out --salvage"):
        salvage(tmp_path / "clout.db")
    assert list(tmp_path.iterdir()) == [], "nothing was begun in its place"
