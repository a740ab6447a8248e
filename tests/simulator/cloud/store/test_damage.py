"""A damaged file: which record it is, what is lost by it, and how to go on; never a start as if nothing were."""

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import InputError
from agent.values import JobDocument
from simulator.cloud.jobs import Jobs, NewJob
from simulator.cloud.jobs.commands import CreateJob
from simulator.cloud.registry import RegistryChange, Thing
from simulator.cloud.store import Store

THINGS = ("lamp", "pump")


async def fill(store: Store) -> None:
    """Two things with a job, in four commits and more."""
    jobs = Jobs()
    for name in THINGS:
        store.keep_registry(RegistryChange("thing", name, Thing(name, f"id-{name}")))
        await store.settled()
    store.keep(jobs.do(CreateJob(NewJob("fw", THINGS, JobDocument('{"a":1}'))), 1.0).changes)
    store.keep(jobs.tick(1.0).changes)
    await store.settled()
    store.keep_registry(RegistryChange("thing", "lamp", Thing("lamp", "another")))
    await store.settled()


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A file whose cloud ended in order."""
    store = Store(tmp_path / "state.db")
    await fill(store)
    await store.close()
    return tmp_path / "state.db"


@pytest.fixture
async def killed(tmp_path: Path) -> Path:
    """A file as SIGKILL leaves it: with a log beside it."""
    (tmp_path / "before").mkdir()
    store = Store(tmp_path / "before" / "state.db")
    await fill(store)
    for file in (tmp_path / "before").iterdir():
        shutil.copy(file, tmp_path)
    await store.close()
    return tmp_path / "state.db"


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute(statement)


def refusal(path: Path) -> str:
    """What is said when a cloud begins on it."""
    with pytest.raises(InputError) as refused:
        begin(path)
    return str(refused.value)


def begin(path: Path) -> None:
    store = Store(path)
    try:
        store.remembered()
    finally:
        store._database.close()


KIND = "(SELECT id FROM kinds WHERE name = '{}')"
EXECUTION, JOB, THING, NEW_JOB = (KIND.format(kind) for kind in ("execution", "job", "thing", "new-job"))
ADVICE = (
    "; restore it from a copy, or start with --salvage, which keeps this file, says what is lost, and goes on with "
    "the rest"
)


@pytest.mark.parametrize(
    ("statement", "says", "lost"),
    [
        pytest.param(
            f"UPDATE records SET value = replace(value, 'QUEUED', 'FAILED') WHERE kind = {EXECUTION}",
            "execution lamp/fw/1, execution pump/fw/1 were changed",
            "how far the device had come with the job",
            id="records that were changed, and can be read",
        ),
        pytest.param(
            f"UPDATE records SET value = '[7' WHERE kind = {JOB}",
            "job fw was changed",
            "the job with its document, and its executions",
            id="one that cannot be read",
        ),
        pytest.param(
            f"UPDATE records SET number = number + 90 WHERE kind = {THING} AND key = 'lamp'",
            "thing lamp was changed",
            "the thing with its attributes",
            id="one that is in another place of the order",
        ),
        pytest.param(
            f"UPDATE records SET kind = {THING} WHERE kind = {JOB}",
            "thing fw was changed",
            "the thing with its attributes",
            id="one that has become another kind's",
        ),
        pytest.param(
            f"DELETE FROM records WHERE kind = {THING} AND key = 'lamp'",
            "1 record of the kind thing missing",
            "the thing with its attributes",
            id="one that is missing",
        ),
        pytest.param(
            f"DELETE FROM records WHERE kind = {NEW_JOB}",
            "1 record of the kind new-job missing",
            "the job with its document, and its executions",
            id="a job's document",
        ),
        pytest.param("DROP TABLE shapes", "no such table: shapes", "", id="a table"),
        pytest.param(
            "UPDATE shapes SET fields = '[]' WHERE record = 'Job'",
            "what it says of the shape of 'Job' was changed",
            "",
            id="what records mean",
        ),
        pytest.param(
            "UPDATE kinds SET name = 'jab' WHERE name = 'job'",
            "the name of a kind of records, 'jab', was changed",
            "",
            id="the name of a kind",
        ),
        pytest.param("PRAGMA application_id = 1", "its application id is not ghostjob's", "", id="whose file it is"),
    ],
)
def test_what_was_changed_or_is_missing_is_told_with_what_is_lost_by_it(
    path: Path, statement: str, says: str, lost: str
):
    execute(path, statement)
    said = refusal(path)
    assert said.startswith(f"--state {path}: it is damaged: {says}" + (f"; lost by it: {lost}" if lost else ""))
    assert said.endswith(ADVICE)
    assert "\n" not in said


async def test_a_record_that_is_back_as_it_was_before_is_told(path: Path, tmp_path: Path):
    older = Store(tmp_path / "older.db")
    older.keep_registry(RegistryChange("thing", "lamp", Thing("lamp", "id-lamp")))
    await older.close()
    with closing(sqlite3.connect(tmp_path / "older.db")) as file:
        row = file.execute("SELECT number, value, seal FROM records").fetchone()
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute(f"UPDATE records SET number = ?, value = ?, seal = ? WHERE kind = {THING} AND key = 'lamp'", row)
    assert "it is damaged: a record of the kind thing is not the one that was written last; lost" in refusal(path)


async def test_pages_in_each_others_place_are_told_although_every_record_is_there(path: Path):
    store = Store(path)
    store.remembered()
    for number in range(300):
        store.keep_registry(RegistryChange("thing", f"new-{number:03}", Thing(f"new-{number:03}", "id" * 9)))
    await store.close()
    exchange_two_leaves(path)
    assert "it is damaged: its records are not in their order" in refusal(path)


def exchange_two_leaves(path: Path) -> None:
    raw = path.read_bytes()
    pages = [raw[at : at + 4096] for at in range(0, len(raw), 4096)]
    one, other = [number for number, page in enumerate(pages) if page[0] == 0x0A and b"new-1" in page][:2]
    pages[one], pages[other] = pages[other], pages[one]
    path.write_bytes(b"".join(pages))


# ── files, logs and marks ─────────────────────────────────────────────────────────────────────────────────────


def cut(path: Path, length: int) -> None:
    with path.open("r+b") as file:
        file.truncate(length)


def zero_a_page(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    at = raw.index(b"lamp/fw/1") // 4096 * 4096
    raw[at : at + 4096] = bytes(4096)
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(zero_a_page, "it is damaged: ", id="a page of zeros"),
        pytest.param(lambda path: cut(path, path.stat().st_size // 2), "it is damaged: ", id="half of it"),
        pytest.param(lambda path: cut(path, 0), "it is damaged: it is empty, and [45] commits had been", id="nothing"),
        pytest.param(
            lambda path: path.write_bytes(bytes(100) + path.read_bytes()[100:]), "it is damaged: ", id="no header"
        ),
        pytest.param(lambda path: path.write_text("milk"), "it is damaged: ", id="something else in its place"),
    ],
)
def test_a_file_of_which_pages_are_lost_is_refused_in_one_line(path: Path, damage: Callable[[Path], None], says: str):
    damage(path)
    said = refusal(path)
    assert re.match(f"--state {re.escape(str(path))}: {says}", said)
    assert said.endswith(ADVICE)
    assert "\n" not in said


def spoil(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-3 * 4120 + 900] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(spoil, id="a bit of it changed"),
        pytest.param(lambda path: cut(path, path.stat().st_size - 4120), id="its end lost"),
        pytest.param(lambda path: path.unlink(), id="all of it lost"),
    ],
)
def test_a_log_that_has_lost_commits_is_told_although_sqlite_takes_it_for_whole(
    killed: Path, damage: Callable[[Path], None]
):
    damage(Path(f"{killed}-wal"))
    assert "it is damaged: " in (said := refusal(killed))
    assert "commits" in said


async def test_a_file_that_is_behind_its_mark_is_told_by_how_much(path: Path, tmp_path: Path):
    shutil.copy(path, tmp_path / "older")
    store = Store(path)
    store.remembered()
    for number in range(3):
        store.keep_registry(RegistryChange("thing", f"new-{number}", Thing("new", "id")))
        await store.settled()
    await store.close()
    shutil.copy(tmp_path / "older", path)
    assert "it is damaged: the last 3 of " in refusal(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(lambda path: Path(f"{path}-mark").unlink(), ["state.newest_unknown"], id="no mark"),
        pytest.param(lambda path: cut(Path(f"{path}-mark"), 9), ["state.newest_unknown"], id="half a mark"),
        pytest.param(lambda path: path.unlink(), ["state.another_file"], id="a mark of a file that was removed"),
        pytest.param(lambda _: None, [], id="all as it was"),
    ],
)
async def test_what_cannot_be_known_of_a_file_is_told(path: Path, change: Callable[[Path], None], told: list[str]):
    change(path)
    store = Store(path)
    store.remembered()
    await store.close()
    assert [remark.event for remark in store.remarks] == told


async def test_an_empty_file_of_which_nothing_is_known_is_begun_and_that_is_told(tmp_path: Path):
    (tmp_path / "state.db").touch(mode=0o600)
    store = Store(tmp_path / "state.db")
    await store.close()
    assert [remark.event for remark in store.remarks] == ["state.empty"]
