"""What the local cloud must not forget, on the loop's side: changes gather, are committed together, and are answered.

While one batch is on its way to the disk the next one gathers, so that a commit is shared by all who came meanwhile.
Commits are numbered. Whoever changed something is told the number of the commit that will hold it, and says nothing to
anybody before that is done; nor does anybody who would show what is not on the disk yet: a device that asks about its
own executions while their last change is under way waits for that, one whose executions are safe does not. The answers
of the control plane, which may tell of anything, wait for all that was under way.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from agent.errors import InputError
from simulator.cloud.jobs import Change, JobChanged, JobStatus, NewsChanged
from simulator.cloud.mqtt.records import Source
from simulator.cloud.registry import RegistryChange
from simulator.cloud.store.damage import Damaged
from simulator.cloud.store.database import Batch, Database, Put
from simulator.cloud.store.encoding import writer
from simulator.cloud.store.kinds import (
    KINDS,
    OWN,
    Remembered,
    Secret,
    key_of,
    lacking_in,
    nothing,
    remember_all,
    written_for,
)
from simulator.cloud.store.salvage import plan_for
from simulator.cloud.store.state_file import Remark
from simulator.cloud.store.writing import Writer

At = tuple[int, str]
"""Where a record stands: its kind's number, and its key."""
WRITES: Final = {kind: writer(record) for kind, record in KINDS.items()}


class Store:
    """One file of records. `committed` is called on the loop after each commit, and `failed` once, if one fails."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises InputError."""
        try:
            self._database = Database(path, KINDS, lacking_in)
        except Damaged as error:
            raise _told(path, error) from None
        self._kind_ids = self._database.kind_ids
        self._writes = {number: WRITES[kind] for kind, number in self._kind_ids.items()}
        self._number = self._database.last_number()
        self._puts: dict[At, object] = {}
        self._drops: dict[At, None] = {}
        self._sources: dict[Source, str] = {}
        self._found: dict[str, Remembered] | None = None
        self._secrets: dict[str, Secret] = {}
        self._is_called = False
        self._writer: Writer | None = None
        self._is_writing = False
        self._gathering = 1
        self._shown: dict[str, int] = {}
        self._shown_to_all = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._failure: InputError | None = None
        self.committed: Callable[[int], None] = lambda ticket: None
        self.failed: Callable[[InputError], None] = lambda error: None
        self.done = 0

    def remembered(self, whose: str = OWN) -> Remembered:
        """Everything of one owner's that was committed; it is handed over once. Raises InputError."""
        return self._everything().pop(whose, None) or nothing()

    def owners(self) -> tuple[str, ...]:
        """Whose records are there that nobody has asked for yet. Raises InputError."""
        return tuple(self._everything())

    def _everything(self) -> dict[str, Remembered]:
        if self._found is None:
            self._found = self._load()
        return self._found

    def _load(self) -> dict[str, Remembered]:
        try:
            found = remember_all(self._database.load())
            if self._database.is_outdated():
                self._database.rewrite()
        except Damaged as error:
            self._database.close()
            raise _told(self._database.path, error) from None
        except BaseException:
            self._database.close()
            raise
        self._secrets = found[OWN].secrets if OWN in found else {}
        return found

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What is to be told of the file: events with their fields."""
        return self._database.remarks

    # ── keeping ───────────────────────────────────────────────────────────────────────────────────────────────

    def shelf(self, whose: str) -> "Shelf":
        """The part of it that is somebody's own."""
        return Shelf(self, whose)

    def keep(self, changes: tuple[Change, ...], whose: str = OWN) -> int:
        """Write down what changed in the jobs core: the commit that will hold it."""
        ticket = self._gathering
        for kind, key, record in [each for change in changes for each in written_for(change)]:  # all of them, or none
            self._put(kind, key, record, whose)
        for change in changes:
            if isinstance(change, JobChanged):
                if _shows(change):
                    self._shown_to_all = ticket
            elif not isinstance(change, NewsChanged):
                self._shown[key_of(whose, change.execution.thing)] = ticket
        return ticket

    def keep_registry(self, change: RegistryChange, whose: str = OWN) -> None:
        """Write down what changed in the registry."""
        self._put(*change, whose)

    def secret(self, name: str) -> bytes:
        """32 random bytes of that name: the same ones as long as the file is there."""
        kept = self._secrets.get(name)
        if kept is None:
            kept = self._secrets[name] = Secret(secrets.token_bytes(32))
            self._put("secret", name, kept, OWN)
        return kept.value

    def keep_later(self, source: Source, whose: str = OWN) -> int:
        """Ask a source what changed when this batch is closed: the commit that will hold it."""
        self._sources[source] = whose
        self._call()
        return self._gathering

    def _call(self) -> None:
        """Have the batch closed at the end of this turn of the loop, or when the one before it is on the disk."""
        if not self._is_called and not self._is_writing:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _put(self, kind: str, key: str, record: object | None, whose: str) -> None:
        self._call()
        at = (self._kind_ids[kind], key_of(whose, key))
        if record is None:
            self._puts.pop(at, None)
            self._drops[at] = None
        else:
            self._puts[at] = record

    # ── waiting ───────────────────────────────────────────────────────────────────────────────────────────────

    def shown_to(self, thing: str, whose: str = OWN) -> int:
        """The commit under way that holds the last change of what a device of this thing may see; 0 if all is done."""
        ticket = max(self._shown.get(key_of(whose, thing), 0), self._shown_to_all)
        return ticket if ticket > self.done else 0

    @property
    def newest(self) -> int:
        """The last commit that holds anything; it may be done."""
        return self._gathering if self._is_gathering else self._gathering - 1

    @property
    def _is_gathering(self) -> bool:
        return bool(self._puts or self._drops or self._sources)

    async def settled(self) -> None:
        """Wait until everything that was changed until now is committed. Raises InputError if it cannot be."""
        if self._failure is not None:
            raise self._failure
        ticket = self.newest
        if ticket > self.done:
            waits = asyncio.get_running_loop().create_future()
            self._waiting.append((ticket, waits))
            await waits

    # ── committing ────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        """Hand over what has gathered. It is encoded here: the thread would have to wait for Python's lock."""
        self._is_called = False
        if self._failure is not None or not self._is_gathering:
            return
        if self._writer is None:
            self._writer = Writer(self._database, self._written)
        self._is_writing = True
        try:
            ticket, batch = self._closed()
        except Exception as error:  # whatever it is: everybody waits for this batch, and would wait for ever
            self._fail(self._database.fault(error))
            return
        if batch is None:  # what changed has changed back
            asyncio.get_running_loop().call_soon(self._written, ticket, None)
            return
        self._writer.commit(ticket, batch)

    def _closed(self) -> tuple[int, Batch | None]:
        """The batch that has gathered, with its number; None if there is nothing in it."""
        sources, self._sources = self._sources, {}
        for source, whose in sources.items():
            for row in source.rows():
                self._put(*row, whose)
        puts, drops, writes = self._puts, self._drops, self._writes
        self._puts, self._drops = {}, {}
        rows = [
            Put(kind, key, number, writes[kind](record))
            for number, ((kind, key), record) in enumerate(puts.items(), self._number + 1)
        ]
        self._number += len(rows)
        ticket, self._gathering = self._gathering, self._gathering + 1
        return ticket, self._database.batch(drops, rows) if rows or drops else None

    def _written(self, ticket: int, failure: InputError | None) -> None:
        """A batch is on the disk; the next one goes there while what waited for this one leaves."""
        if failure is not None:
            self._fail(failure)
            return
        self.done = ticket
        self._is_writing = False
        self._begin()
        if self._shown:
            self._shown = {thing: number for thing, number in self._shown.items() if number > ticket}
        try:
            self.committed(ticket)
        finally:
            self._let_go(ticket)

    def _let_go(self, ticket: int) -> None:
        """Whoever waited for this batch waits no more."""
        waiting, self._waiting = self._waiting, []
        for number, waits in waiting:
            if number > ticket:
                self._waiting.append((number, waits))
            elif not waits.done():
                waits.set_result(None)

    def _fail(self, failure: InputError) -> None:
        """Nothing can be promised any more: whoever waits is told so, and nothing else leaves."""
        self._failure = failure
        waiting, self._waiting = self._waiting, []
        for _, waits in waiting:
            if not waits.done():
                waits.set_exception(failure)
        self.failed(failure)

    async def rest(self) -> None:
        """Wait until nothing is left to be committed, or nothing can be any more."""
        with suppress(InputError):  # whoever listens to `failed` knows
            await self.settled()

    async def close(self) -> None:
        """Commit what is left, and let go of the file."""
        await self.rest()
        if self._writer is not None:
            self._writer.stop()
        self._database.close()


class Shelf:
    """What a store keeps for one owner; what another keeps under the same names is another's."""

    def __init__(self, store: Store, whose: str) -> None:
        self._store = store
        self._whose = whose

    def remembered(self) -> Remembered:
        """Everything of it that was committed; it is handed over once."""
        return self._store.remembered(self._whose)

    def keep(self, changes: tuple[Change, ...]) -> int:
        """Write down what changed in the jobs core: the commit that will hold it."""
        return self._store.keep(changes, self._whose)

    def keep_registry(self, change: RegistryChange) -> None:
        """Write down what changed in the registry."""
        self._store.keep_registry(change, self._whose)

    def keep_later(self, source: Source) -> int:
        """Ask a source what changed when this batch is closed: the commit that will hold it."""
        return self._store.keep_later(source, self._whose)

    def shown_to(self, thing: str) -> int:
        """The commit under way that holds the last change of what a device of this thing may see; 0 if all is done."""
        return self._store.shown_to(thing, self._whose)

    @property
    def newest(self) -> int:
        """The last commit that holds anything; it may be done."""
        return self._store.newest


def _told(path: Path, error: Damaged) -> Damaged:
    """The same, with what a look at all of the file shows."""
    try:
        return Damaged(path, error.damage, plan_for(path).summary(with_lost=not error.damage.lost))
    except OSError:
        return error


def _shows(change: JobChanged) -> bool:
    """Whether devices can see that a job changed, although their executions did not."""
    before, job = change
    if before is None or job is None:
        return False
    is_hidden = job.status is JobStatus.DELETION_IN_PROGRESS and before.status is not job.status
    return is_hidden or before.new is not job.new
