"""Changes gather, are committed together, and are answered afterwards; who waits for which commit."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agent.errors import InputError
from agent.values import JobDocument, Status, Update
from simulator.cloud.jobs import Jobs, JobsSettings, NewJob
from simulator.cloud.jobs.commands import CancelJob, CreateJob, DeleteExecution, DeleteJob
from simulator.cloud.registry import RegistryChange, Thing
from simulator.cloud.store import Store
from simulator.cloud.store.database import Batch, Database
from simulator.cloud.store.state_file import OpenMark

DOCUMENT = JobDocument('{"operation":"update"}')


class Disk:
    """Lets commits through one at a time, and counts the executions in them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: list[int] = []
        self.may = threading.Semaphore(0)
        write = Database.write

        def slow(database: Database, batch: Batch) -> None:
            self.may.acquire()
            write(database, batch)
            self.rows.append(batch.texts.count(b"[null,"))  # how an execution's key begins

        monkeypatch.setattr(Database, "write", slow)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
async def store(path: Path, disk: Disk) -> AsyncIterator[Store]:
    store = Store(path)
    yield store
    disk.may.release(100)
    await store.close()


@pytest.fixture
def jobs() -> Jobs:
    return Jobs(JobsSettings(removal_delay_seconds=60, deletion_seconds=60))


def progress(jobs: Jobs, thing: str) -> Update:
    return Update("fw", Status.IN_PROGRESS, expected_version=jobs.execution(thing, "fw").version_number)


async def committed(store: Store, disk: Disk, ticket: int) -> None:
    """Let commits happen until that one is done."""
    done = asyncio.Event()
    before = store.committed

    def commit(number: int) -> None:
        before(number)
        if number >= ticket:
            done.set()

    store.committed = commit
    disk.may.release(ticket - store.done)
    await done.wait()


async def test_what_comes_while_a_commit_is_under_way_shares_the_next_one(store: Store, disk: Disk, jobs: Jobs):
    first = store.keep(jobs.do(CreateJob(NewJob("fw", ("a", "b"), DOCUMENT)), 1.0).changes)
    await asyncio.sleep(0)  # it is on its way now
    tickets = [store.keep(jobs.device_request(thing, progress(jobs, thing), 2.0).changes) for thing in "abab"]
    assert tickets == [first + 1] * 4
    await committed(store, disk, first + 1)
    assert disk.rows == [2, 2], "only the last record of each is written"


async def test_a_device_waits_for_its_own_last_change_and_for_nobody_elses(store: Store, disk: Disk, jobs: Jobs):
    first = store.keep(jobs.do(CreateJob(NewJob("fw", ("a", "b"), DOCUMENT)), 1.0).changes)
    assert (store.shown_to("a"), store.shown_to("b"), store.shown_to("c")) == (first, first, 0)
    await committed(store, disk, first)
    assert (store.shown_to("a"), store.shown_to("b")) == (0, 0)
    second = store.keep(jobs.device_request("a", progress(jobs, "a"), 2.0).changes)
    assert (store.shown_to("a"), store.shown_to("b")) == (second, 0)


async def test_every_device_waits_while_the_beginning_of_a_deletion_is_under_way(store: Store, disk: Disk, jobs: Jobs):
    first = store.keep(jobs.do(CreateJob(NewJob("fw", ("a", "b"), DOCUMENT)), 1.0).changes)
    await committed(store, disk, first)
    second = store.keep(jobs.do(DeleteJob("fw", force=True), 2.0).changes)
    assert store.shown_to("a") == store.shown_to("b") == second
    await committed(store, disk, second)
    assert store.shown_to("a") == 0


async def test_what_a_job_asked_for_is_written_once(store: Store, disk: Disk, jobs: Jobs, path: Path):
    first = store.keep(jobs.do(CreateJob(NewJob("fw", ("a", "b"), DOCUMENT)), 1.0).changes)
    cancel = jobs.do(CancelJob("fw", force=True, comment="no"), 2.0)
    await committed(store, disk, first)
    texts: list[bytes] = []
    write = Database.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "write", lambda database, batch: texts.append(batch.texts) or write(database, batch))
        await committed(store, disk, store.keep(cancel.changes))
    assert b"CANCELED" in texts[0]
    assert b"operation" not in texts[0]


async def test_whoever_asks_for_everything_waits_for_all_that_came_before_and_for_nothing_else(
    store: Store, disk: Disk
):
    await store.settled()  # nothing is under way
    store.keep_registry(RegistryChange("thing", "a", Thing("a", "id-a")))
    await asyncio.sleep(0)
    store.keep_registry(RegistryChange("thing", "b", Thing("b", "id-b")))
    settled = asyncio.create_task(store.settled())
    await committed(store, disk, 1)
    assert not settled.done()
    store.keep_registry(RegistryChange("thing", "c", Thing("c", "id-c")))
    await committed(store, disk, 2)
    await settled
    assert store.newest == 3


async def test_a_source_is_asked_when_its_batch_is_closed_and_may_have_nothing_to_say(
    store: Store, disk: Disk, path: Path
):
    class Once:
        def __init__(self, *changes: RegistryChange) -> None:
            self.changes = list(changes)

        def rows(self) -> list[RegistryChange]:
            changes, self.changes = self.changes, []
            return changes

    source = Once(RegistryChange("thing", "a", Thing("a", "id-a")))
    assert store.keep_later(source) == store.newest == 1
    source.changes.append(RegistryChange("thing", "b", Thing("b", "id-b")))
    await committed(store, disk, 1)
    assert store.keep_later(source) == 2
    await store.settled()  # although the disk is not let go on: there is nothing to write
    assert store.done == 2
    disk.may.release(100)
    await store.close()
    again = Store(path)
    assert [record.name for _, record in again.remembered().registry if isinstance(record, Thing)] == ["a", "b"]
    await again.close()


async def test_what_was_kept_comes_back_in_order_and_what_was_taken_away_does_not(
    store: Store, disk: Disk, jobs: Jobs, path: Path
):
    disk.may.release(100)
    for name in ("z", "a", "m"):
        store.keep_registry(RegistryChange("thing", name, Thing(name, f"id-{name}")))
    store.keep_registry(RegistryChange("thing", "z", None))
    store.keep_registry(RegistryChange("thing", "z", Thing("z", "another")))
    store.keep(jobs.do(CreateJob(NewJob("fw", ("a", "b"), DOCUMENT)), 1.0).changes)
    store.keep(jobs.do(CreateJob(NewJob("other", ("b",), DOCUMENT)), 1.0).changes)
    store.keep(jobs.do(DeleteExecution("a", "fw", number=1, force=True), 2.0).changes)
    await store.close()
    again = Store(path)
    found = again.remembered()
    await again.close()
    assert [record.name for _, record in found.registry if isinstance(record, Thing)] == ["a", "m", "z"]
    assert found.jobs == [jobs.job("fw"), jobs.job("other")]
    assert found.executions == [jobs.execution("b", "fw"), jobs.execution("b", "other")]


class Faulty:
    """A source with a fault of ours."""

    def rows(self) -> list[RegistryChange]:
        raise ZeroDivisionError("ours")


def break_a_source(store: Store, _: pytest.MonkeyPatch) -> None:
    store.keep_later(Faulty())


def break_a_record(store: Store, _: pytest.MonkeyPatch) -> None:
    store.keep_registry(RegistryChange("thing", "b", JobDocument("no thing")))  # type: ignore[arg-type]


def break_the_writing(_: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "write", lambda database, batch: 1 / 0)


@pytest.mark.parametrize("break_something", [break_a_source, break_a_record, break_the_writing])
async def test_a_fault_of_ours_in_a_batch_ends_the_store_in_words_and_nobody_waits_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch, break_something: Callable[[Store, pytest.MonkeyPatch], None]
):
    store = Store(path)
    failures: list[InputError] = []
    store.failed = failures.append
    store.keep_registry(RegistryChange("thing", "a", Thing("a", "id-a")))
    break_something(store, monkeypatch)
    for _ in range(2):  # also those who come later
        with pytest.raises(InputError, match=f"^--state {path}: a fault of ghostjob's own: "):
            await store.settled()
    assert len(failures) == 1
    assert failures[0].__cause__ is not None, "for the log"
    await store.close()


async def test_a_mark_that_cannot_be_written_ends_the_store_in_words(path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(mark: OpenMark, commits: int) -> None:
        raise OSError(28, "No space left on device")

    store = Store(path)
    monkeypatch.setattr(OpenMark, "put", full)
    store.keep_registry(RegistryChange("thing", "a", Thing("a", "id-a")))
    with pytest.raises(InputError, match=r"the mark beside it .* cannot be written: No space left on device; see to"):
        await store.settled()
    await store.close()


async def test_whoever_waits_for_a_batch_is_let_go_although_somebody_who_is_told_of_it_fails(store: Store, disk: Disk):
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    store.committed = lambda ticket: 1 / 0  # type: ignore[assignment,return-value]
    store.keep_registry(RegistryChange("thing", "a", Thing("a", "id-a")))
    disk.may.release()
    await store.settled()
    assert store.done == 1
    assert [type(context["exception"]) for context in told] == [ZeroDivisionError]


async def test_when_a_commit_fails_everybody_hears_of_it_and_nothing_is_called_done(
    store: Store, disk: Disk, monkeypatch: pytest.MonkeyPatch, path: Path
):
    def full(database: Database, batch: Batch) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    monkeypatch.setattr(Database, "write", full)
    failures: list[InputError] = []
    done: list[int] = []
    store.failed, store.committed = failures.append, done.append
    store.keep_registry(RegistryChange("thing", "a", Thing("a", "id-a")))
    for _ in range(2):  # also those who come later
        with pytest.raises(InputError, match="the disk is full; free some space and start again"):
            await store.settled()
    assert len(failures) == 1
    assert done == []
