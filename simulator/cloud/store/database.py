"""The SQLite file: who may use it, what is read from it and written to it, and what goes wrong with files.

One table holds every record: its kind, its key, a number that says in which order records came, the record as short
JSON (see `encoding`), and its seal (see `seals`). The file remembers the shapes in which its records were written;
records of older shapes are read as what they were, and written anew when the file is opened.

Written is in write-ahead mode with synchronous=FULL: each commit is on the disk before it counts. NORMAL would leave
the last commits in the system's memory: SIGKILL cannot reach them there, but a power cut can. The file is locked for
as long as it is open, so that nobody else writes into what this process holds in memory.

A batch is one statement, which SQLite carries out with Python's lock free; a call a row would wait for that lock, at
every row, as long as the loop is busy (5 ms each).
"""

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from agent.errors import InputError
from simulator.cloud.store import seals, state_file
from simulator.cloud.store.damage import Counted, Damage, Damaged, Raw, of_changed
from simulator.cloud.store.encoding import (
    Plain,
    Reader,
    Shape,
    Shapes,
    dataclasses_in,
    dumps,
    is_readable,
    shape_of,
    writer,
)
from simulator.cloud.store.layout import (
    APPLICATION_ID,
    BATCH,
    COUNT_AGAIN,
    COUNTING,
    FILE,
    MIGRATIONS,
    PUT,
    SEALED,
    SETTINGS,
)
from simulator.cloud.store.recognising import compared, doubts, recognise, see_log
from simulator.cloud.store.refusing import newer, refusal

READ_AT_ONCE: Final = 1000


class Kept(NamedTuple):
    """A record as it came out of the file."""

    kind: str
    key: str
    record: Any


Lacking: TypeAlias = Callable[[Sequence[Kept]], Damage | None]


class Put(NamedTuple):
    """A record on its way into the file: its kind's number, its key, its own number, and its plain values."""

    kind: int
    key: str
    number: int
    values: Plain


class Batch(NamedTuple):
    """What one commit brings: keys that go, then records that come, as JSON text; records' texts stand in `texts`."""

    drops: str
    puts: str
    texts: bytes


class Database:
    """One open file. Used by one thread at a time."""

    def __init__(self, path: Path, kinds: Mapping[str, type], lacking: Lacking = lambda kept: None) -> None:
        """Open the file, or make it; `kinds` says what a record of each kind is. Raises InputError.

        `lacking` says of all records whether one is missing; files without seals cannot say that themselves.
        """
        self.path = path
        self._lacking = lacking
        self._kinds = kinds
        self._mark: state_file.OpenMark | None = None
        is_new = not state_file.exists(path)
        see_log(path)
        self.remarks = state_file.prepare(path)
        """What is to be told of the file."""
        self._marked = state_file.read_mark(path)
        try:
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self.refusal(error) from None
        try:
            self._open(is_new=is_new)
        except sqlite3.Error as error:
            self.close()
            raise self.refusal(error) from None
        except OSError as error:
            self.close()
            raise self.unmarked(error) from None
        except (ValueError, TypeError, LookupError) as error:
            self.close()
            raise Damaged(path, Damage(f"what it says of itself cannot be read ({error})")) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):  # what is committed is safe; what is not was promised to nobody
            self._connection.close()
        if self._mark is not None:
            self._mark.close()
            self._mark = None

    def refusal(self, error: sqlite3.Error) -> InputError:
        """What went wrong, where, and what to do."""
        return refusal(self.path, error)

    def unmarked(self, error: OSError) -> InputError:
        """The mark beside the file does not take what is written."""
        where = f"--state {self.path}: the mark beside it ({self.path.name}{state_file.MARK})"
        return InputError(f"{where} cannot be written: {error.strerror}; see to that, and start again")

    def fault(self, error: Exception) -> InputError:
        """What is our fault, and not that of the file; `error` is its cause."""
        failure = InputError(f"--state {self.path}: a fault of ghostjob's own: {type(error).__name__}: {error}")
        failure.__cause__ = error
        return failure

    # ── opening ───────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self, *, is_new: bool) -> None:
        run = self._connection.execute
        self._connection.create_function("seal_of_name", -1, seals.of_name, deterministic=True)
        for setting in SETTINGS:
            run(setting)
        if not recognise(self.path, self._connection, self._marked) and not is_new:
            self.remarks += doubts(self.path, self._marked)
        run("PRAGMA journal_mode = WAL")
        run("BEGIN IMMEDIATE")  # nobody else can have it from here on
        was_sealed = self._migrate()
        self.kind_ids = self._number_kinds()
        self._shapes = self._kept_shapes()
        self._seeds = self._number_seeds(self._shapes)
        if not was_sealed:
            self._seal()
        commits, file_id = self._the_file()
        self.remarks += compared(self.path, self._marked, commits, file_id)
        for statement in (*COUNTING, *BATCH):
            run(statement)
        run("COMMIT")
        self._commits = commits
        self._mark = state_file.OpenMark(self.path, file_id)
        self._mark.put(commits)

    def _migrate(self) -> bool:
        """Bring the file to this version; whether its records are sealed already, or there are none."""
        run = self._connection.execute
        version = run("PRAGMA user_version").fetchone()[0]
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                run(statement)
        if version < len(MIGRATIONS):
            run(f"PRAGMA application_id = {APPLICATION_ID}")
            run(f"PRAGMA user_version = {len(MIGRATIONS)}")
        return bool(version == 0 or version >= SEALED)

    def _number_kinds(self) -> dict[str, int]:
        run = self._connection.execute
        known = dict[str, int]()
        for number, name, seal in run("SELECT id, name, seal FROM kinds").fetchall():
            if seal != seals.of_name(name):
                raise Damaged(self.path, Damage(f"the name of a kind of records, {name!r}, was changed"))
            known[name] = number
        if strange := sorted(known.keys() - self._kinds.keys() - {FILE}):
            raise newer(self.path, f"records of the kind {strange[0]}")
        for name in self._kinds.keys() - known.keys():
            run("INSERT INTO kinds (name, seal) VALUES (?, ?)", (name, seals.of_name(name)))
        return {name: number for number, name in run("SELECT id, name FROM kinds WHERE name != ?", (FILE,))}

    def _kept_shapes(self) -> Shapes:
        """The shapes in which the file's records are written; new ones are added."""
        run = self._connection.execute
        kept: dict[str, Shape] = {}
        for record, text, seal in run("SELECT record, fields, seal FROM shapes").fetchall():
            if seal != seals.of_name(record, text):
                raise Damaged(self.path, Damage(f"what it says of the shape of {record!r} was changed"))
            kept[record] = tuple((name, *default) for name, *default in json.loads(text))
        ours = self._our_shapes()
        for record, shape in kept.items():
            known = {name for name, *_ in ours.get(record, ())}
            if strange := next((name for name, *_ in shape if name not in known), None):
                raise newer(self.path, f"{record}.{strange}")
        self._add_shapes({record: shape for record, shape in ours.items() if record not in kept})
        return ours | kept

    def _add_shapes(self, shapes: Shapes) -> None:
        for record, shape in shapes.items():
            text = dumps(shape)
            self._connection.execute(
                "INSERT INTO shapes (record, fields, seal) VALUES (?, ?, ?)",
                (record, text, seals.of_name(record, text)),
            )

    def _our_shapes(self) -> dict[str, Shape]:
        found: dict[str, type] = {}
        for record in self._kinds.values():
            for name, each in dataclasses_in(record).items():
                assert found.setdefault(name, each) is each, f"two dataclasses in records are called {name}"
        return {name: shape_of(each) for name, each in found.items()}

    def _number_seeds(self, shapes: Shapes) -> dict[int, int]:
        return {self.kind_ids[kind]: seed for kind, seed in seals.seeds_of(self._kinds, shapes).items()}

    def _seal(self) -> None:
        """Seal the records of a file that knew no seals: as they are now they are to stay. Raises Damaged."""
        seeds, run = self._seeds, self._connection.execute
        if (damage := self._unsealed_damage()) is not None:
            raise Damaged(self.path, damage)

        def seal(kind: int, key: str, number: int, text: str) -> int:
            return seals.of_row(seeds.get(kind, 0), key, number, text)

        self._connection.create_function("seal_of_row", 4, seal, deterministic=True)
        run("UPDATE records SET seal = seal_of_row(kind, key, number, value)")
        run(COUNT_AGAIN)

    def _unsealed_damage(self) -> Damage | None:
        reader, run, kept, wrong = Reader(self._shapes), self._connection.execute, list[Kept](), list[tuple[str, str]]()
        for kind, number in self.kind_ids.items():
            record = self._kinds[kind]
            for key, text in run("SELECT key, value FROM records WHERE kind = ?", (number,)).fetchall():
                if is_readable(reader, record, text):
                    kept.append(Kept(kind, key, reader.of(record)(json.loads(text))))
                else:
                    wrong.append((kind, key))
        return of_changed(wrong) if wrong else self._lacking(kept)

    def _the_file(self) -> tuple[int, int]:
        """How many commits there were, and the number that the file has by chance."""
        run = self._connection.execute
        found: tuple[int, int] | None = run("SELECT count, total FROM kinds WHERE name = ?", (FILE,)).fetchone()
        if found is None:
            found = (0, secrets.randbits(62))
            run(
                "INSERT INTO kinds (name, count, total, seal) VALUES (?, ?, ?, ?)",
                (FILE, *found, seals.of_name(FILE)),
            )
        return found

    # ── reading and writing ───────────────────────────────────────────────────────────────────────────────────

    def load(self) -> Iterator[Kept]:
        """Every record, in the order in which they came. Raises InputError, at the end too: only then all is seen."""
        reader = Reader(self._shapes)
        names = {number: name for name, number in self.kind_ids.items()}
        reads = {number: reader.of(self._kinds[name]) for number, name in names.items()}
        counted = Counted()
        try:
            for rows in self._rows():
                sound = counted.sound(rows, names, self._seeds)
                values = json.loads(f"[{','.join(text for _, _, _, text, _ in sound)}]")
                for (number, key, *_), value in zip(sound, values, strict=True):
                    yield Kept(names[number], key, reads[number](value))
            told = self._connection.execute("SELECT name, count, total FROM kinds WHERE name != ?", (FILE,)).fetchall()
        except sqlite3.Error as error:
            raise self.refusal(error) from None
        except (ValueError, TypeError, LookupError) as error:
            raise Damaged(self.path, Damage(f"a record in it cannot be read ({error})")) from None
        if damage := counted.damage({name: (count, total) for name, count, total in told}):
            raise Damaged(self.path, damage)

    def _rows(self) -> Iterator[list[Raw]]:
        query = "SELECT kind, key, number, value, seal FROM records ORDER BY number"
        with closing(self._connection.execute(query)) as cursor:  # an open one would keep the file locked
            while rows := cursor.fetchmany(READ_AT_ONCE):
                yield rows

    def is_outdated(self) -> bool:
        """Whether records of another shape than ours are in the file."""
        return self._shapes != self._our_shapes()

    def rewrite(self) -> None:
        """Write every record in our shapes, all or none."""
        reader, ours, run = Reader(self._shapes), self._our_shapes(), self._connection.execute
        self._seeds = self._number_seeds(ours)
        run("BEGIN")
        for name, number in self.kind_ids.items():
            read, write = reader.of(self._kinds[name]), writer(self._kinds[name])
            rows = run("SELECT key, number, value FROM records WHERE kind = ?", (number,)).fetchall()
            run(PUT, self.batch((), [Put(number, key, at, write(read(json.loads(text)))) for key, at, text in rows]))
            self._commits += 1
        run("DELETE FROM shapes")
        self._add_shapes(ours)
        run("COMMIT")
        self._shapes = ours
        self._told()

    def last_number(self) -> int:
        """The highest number that a record has; 0 if there is none."""
        found: int | None = self._connection.execute("SELECT max(number) FROM records").fetchone()[0]
        return found or 0

    def batch(self, drops: Iterable[tuple[int, str]], rows: Iterable[Put]) -> Batch:
        """What `write` takes: keys that go, by their kinds' numbers, then records that come. For the loop to make."""
        puts, texts, at = list[str](), list[str](), 1
        for kind, key, number, values in rows:
            text = dumps(values)
            seal = seals.of_text(self._seeds[kind], key, text)
            puts.append(f"[{kind},{dumps(key)},{number},{seal},{at},{len(text)}]")
            texts.append(text)
            at += len(text)
        return Batch(dumps(list(drops)), f"[{','.join(puts)}]", "".join(texts).encode("ascii"))

    def write(self, batch: Batch) -> None:
        """Commit a batch: it is on the disk when this returns, or nothing of it. Raises sqlite3.Error, OSError."""
        self._connection.execute(PUT, batch)
        self._commits += 1
        self._told()

    def _told(self) -> None:
        assert self._mark is not None, "it is open"
        self._mark.put(self._commits)
