"""State files that a cloud might have left, with everything that was in them after each commit."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

from simulator.cloud.jobs import JobsSettings
from simulator.cloud.mqtt.records import KeptMessage, KeptSession, RecordChange
from simulator.cloud.registry import Certificate, Link, Policy, PolicyVersion, RegistryChange, Tags, Thing, ThingGroup
from simulator.cloud.store import OWN, Store
from tests.simulator.cloud.jobs.account import Account
from tests.simulator.cloud.jobs.test_restoring import act

SETTINGS = JobsSettings(removal_delays=(("*2", 40.0),), deletion_seconds=5, schedule_lead_seconds=60)
ELSEWHERE = "000000000000/eu-west-1"
ENDINGS = ("", "-wal", "-mark")
TABLES = ("kinds", "shapes", "records")
COMMITS = 25
"""In each third of a file's life."""

State = dict[tuple[str, str], tuple[int, str]]
"""By kind and key, a record's number and text."""


@dataclass(frozen=True, slots=True)
class StateFile:
    """A file as it lies there when its cloud is gone; `history` is what was in it, by the number of commits."""

    name: str
    path: Path
    history: dict[int, State]
    is_sealed: bool = True

    @property
    def commits(self) -> int:
        return max(self.history)

    @property
    def newest(self) -> State:
        return self.history[self.commits]

    def copy(self, directory: Path) -> Path:
        """Another one, to be damaged."""
        path = directory / "state.db"
        for ending in ENDINGS:
            if Path(f"{self.path}{ending}").exists():
                shutil.copy(f"{self.path}{ending}", f"{path}{ending}")
        return path


def state_of(connection: sqlite3.Connection) -> State:
    """Everything that is in a file."""
    rows = connection.execute("SELECT name, key, number, value FROM records JOIN kinds ON kinds.id = kind")
    return {(kind, key): (number, text) for kind, key, number, text in rows}


async def make(seed: int, directory: Path) -> list[StateFile]:
    """Files at three ages of one life: all in the log, ended in order, and with a log upon what had been ended."""
    life = _Life(seed, directory / "state.db")
    files: list[StateFile] = []

    def keep(name: str) -> None:
        kept = directory / name
        kept.mkdir()
        files.append(StateFile(name, StateFile(name, life.path, {}).copy(kept), dict(life.history)))

    await life.go_on()
    keep("all in the log")
    await life.end()
    keep("ended in order")
    await life.go_on()
    keep("begun again")
    life.checkpoint()
    keep("log copied, and not begun anew")
    await life.end()
    files.append(_as_of_an_earlier_ghostjob(files[1], directory / "earlier"))
    return files


def _as_of_an_earlier_ghostjob(file: StateFile, directory: Path) -> StateFile:
    """The same without seals, as version 1 had it."""
    directory.mkdir()
    path = file.copy(directory)
    Path(f"{path}-mark").unlink()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table, column in (("kinds", "count"), ("kinds", "total"), *((each, "seal") for each in TABLES)):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("DELETE FROM kinds WHERE name = 'the file'")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("VACUUM")
    return StateFile("of an earlier ghostjob", path, {file.commits: file.newest}, is_sealed=False)


class _Life:
    def __init__(self, seed: int, path: Path) -> None:
        self.path = path
        self.history: dict[int, State] = {}
        self._rng = Random(seed)
        self._accounts = {OWN: Account(SETTINGS), ELSEWHERE: Account(SETTINGS)}
        self._store = Store(path)
        self._store.secret("presigned-urls")
        self._links = 0
        self._pending: list[RecordChange] = []
        self._mail: list[str] = []

    async def go_on(self) -> None:
        """So many commits more."""
        self._store = self._store if not self.history else self._opened()
        for change in _registry():
            self._store.keep_registry(change)
        await self._commit()
        for _ in range(COMMITS):
            for _ in range(self._rng.randint(1, 4)):
                self._do_something()
            await self._commit()

    def _opened(self) -> Store:
        store = Store(self.path)
        for owner in store.owners():
            store.remembered(owner)
        return store

    async def end(self) -> None:
        await self._store.close()

    def checkpoint(self) -> None:
        self._store._database._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    async def _commit(self) -> None:
        await self._store.settled()
        database = self._store._database
        self.history[database._commits] = state_of(database._connection)

    def _do_something(self) -> None:
        rng, store = self._rng, self._store
        whose = ELSEWHERE if rng.random() < 0.2 else OWN
        match rng.randrange(4):
            case 0 | 1:
                account = self._accounts[whose]
                act(account, rng)
                for outcome in account.outcomes:
                    store.keep(outcome.changes, whose)
                account.outcomes.clear()
            case 2:
                thing = f"lamp-{rng.randrange(40)}"
                record = None if rng.random() < 0.3 else Thing(thing, rng.randbytes(9).hex(), attributes=(("a", "b"),))
                store.keep_registry(RegistryChange("thing", thing, record), whose)
            case _:
                self._post()

    def _post(self) -> None:
        rng, number = self._rng, self._links
        self._links += 1
        if self._mail and rng.random() < 0.4:
            self._pending.append(("message", self._mail.pop(rng.randrange(len(self._mail))), None))
        elif rng.random() < 0.5:
            key, topic = f"reader/{number}", "mail/é\n"
            self._pending.append(("session", "reader", KeptSession("reader", 5, 3600, None, (("mail/#", 1, 0),))))
            self._pending.append(
                ("message", key, KeptMessage("reader", topic, rng.randbytes(rng.choice((9, 6000))), 1.0))
            )
            self._mail.append(key)
        else:
            topic = f"retained/{rng.randrange(5)}"
            self._pending.append(("retained", topic, KeptMessage(None, topic, rng.randbytes(40), 2.0)))
        self._store.keep_later(self)

    def rows(self) -> list[RecordChange]:
        """What a batch takes of sessions."""
        rows, self._pending = self._pending, []
        return rows


def _registry() -> Iterator[RegistryChange]:
    for number in range(4):
        certificate, group = f"{number:064x}", f"group-{number}"
        thing, policy, target = f"pump-{number}", f"policy-{number}", f"cert/{certificate}"
        yield RegistryChange("thing", thing, Thing(thing, f"id-{number}"))
        yield RegistryChange(
            "thing-group", group, ThingGroup(group, f"id-{number}", 1.0, "group-0" if number else None)
        )
        yield RegistryChange("group-member", f"{thing}/{group}", Link(thing, group))
        yield RegistryChange("certificate", certificate, Certificate(certificate, "pem", "ACTIVE", 1.0, 1.0, 1.0, 2.0))
        yield RegistryChange("policy", policy, Policy(policy, (PolicyVersion(1, "{}", 1.0),), 1, 1.0, 1.0))
        yield RegistryChange("policy-target", f"{policy}/{target}", Link(policy, target))
        yield RegistryChange("thing-principal", f"{thing}/{target}", Link(thing, target, "NON_EXCLUSIVE_THING"))
        yield RegistryChange("tags", f"thinggroup/{group}", Tags(f"thinggroup/{group}", (("a", "b"),)))
