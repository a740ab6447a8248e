"""The SQLite file: what it looks like, who may use it, and what goes wrong with files.

One table holds every record: its kind, its key, a number that says in which order records came, and the record as
short JSON (see `encoding`). The file remembers the shapes in which its records were written; records of older shapes
are read as what they were, and written anew when the file is opened.

Written is in write-ahead mode with synchronous=FULL: each commit is on the disk before it counts. NORMAL would leave
the last commits in the system's memory: SIGKILL cannot reach them there, but a power cut can. The file is locked for
as long as it is open, so that nobody else writes into what this process holds in memory.

A batch is one JSON text that SQLite takes apart itself. That is one call, during which Python's lock is free; a call a
row would wait for it, at every row, as long as the loop is busy (5 ms each).
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent.errors import InputError
from simulator.cloud.store.encoding import Reader, Shape, Shapes, dataclasses_in, dumps, shape_of, writer

APPLICATION_ID: Final = 0x67686A62
"""Tells ghostjob's files from other SQLite files: `ghjb`."""
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "CREATE TABLE shapes (record TEXT PRIMARY KEY, fields TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE records (
            kind INTEGER NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (kind, key)
        ) WITHOUT ROWID""",
    ),
)
"""Each brings a file from the version of its index to the next; a file's version is its `user_version`."""

PUT: Final = """
    INSERT INTO records (kind, key, number, value)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]')
    FROM json_each(?) WHERE true
    ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value
"""
DROP: Final = """
    DELETE FROM records WHERE (kind, key) IN (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)
    )
"""
READ_AT_ONCE: Final = 1000

ADVICE: Final = {
    "SQLITE_BUSY": "another process uses it, such as a second ghostjob cloud; stop that one, or choose another file",
    "SQLITE_LOCKED": "another process uses it, such as a second ghostjob cloud; stop that one, or choose another file",
    "SQLITE_FULL": "the disk is full; free some space and start again",
    "SQLITE_READONLY": "it cannot be written; change its permissions and its directory's, or choose another file",
    "SQLITE_PERM": "it cannot be written; change its permissions and its directory's, or choose another file",
    "SQLITE_CANTOPEN": "it cannot be opened or made; change its permissions and its directory's, or choose another",
    "SQLITE_NOTADB": "it is no database; choose another file",
    "SQLITE_CORRUPT": "it is damaged; restore it from a copy, or choose another file",
    "SQLITE_IOERR_LOCK": "it cannot be written; change its permissions and its directory's, or choose another file",
    "SQLITE_IOERR": "the disk does not take what is written; see to it, and start again",
}
"""What to do, by the beginning of SQLite's name for what went wrong."""


class Kept(NamedTuple):
    """A record as it came out of the file."""

    kind: str
    key: str
    record: Any


class Batch(NamedTuple):
    """What one commit brings: keys that go, then records that come, each as JSON text; either may be empty."""

    drops: str
    puts: str


class Database:
    """One open file. Used by one thread at a time."""

    def __init__(self, path: Path, kinds: Mapping[str, type]) -> None:
        """Open the file, or make it; `kinds` says what a record of each kind is. Raises InputError."""
        self.path = path
        self._kinds = kinds
        try:
            is_directory, has_directory = path.is_dir(), path.absolute().parent.is_dir()
        except OSError as error:
            raise InputError(f"--state {path}: it cannot be reached: {error.strerror}; see its permissions") from None
        if is_directory:
            raise InputError(f"--state {path}: is a directory; name a file in it")
        if not has_directory:
            raise InputError(f"--state {path}: there is no directory {path.absolute().parent}; make it first")
        try:
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self.refusal(error) from None
        try:
            self._recognise()
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("BEGIN IMMEDIATE")  # nobody else can have it from here on
            self._migrate()
            self.kind_ids = self._number_kinds()
            self._shapes = self._kept_shapes()
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.close()
            raise self.refusal(error) from None
        except InputError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):  # what is committed is safe; what is not was promised to nobody
            self._connection.close()

    def refusal(self, error: sqlite3.Error) -> InputError:
        """What went wrong, where, and what to do."""
        name = getattr(error, "sqlite_errorname", "")
        advice = next((advice for prefix, advice in ADVICE.items() if name.startswith(prefix)), None)
        return InputError(f"--state {self.path}: {advice or f'{error} ({name})'}")

    # ── opening ───────────────────────────────────────────────────────────────────────────────────────────────

    def _recognise(self) -> None:
        """See whose file it is, before anything is done to it."""
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA synchronous = FULL")
        application, version = (run(f"PRAGMA {what}").fetchone()[0] for what in ("application_id", "user_version"))
        if application != APPLICATION_ID and run("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise InputError(f"--state {self.path}: is a database of some other program; choose another file")
        if version > len(MIGRATIONS):
            raise self._newer(f"version {version} of it")

    def _migrate(self) -> None:
        run = self._connection.execute
        for statements in MIGRATIONS[run("PRAGMA user_version").fetchone()[0] :]:
            for statement in statements:
                run(statement)
        run(f"PRAGMA application_id = {APPLICATION_ID}")
        run(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _number_kinds(self) -> dict[str, int]:
        run = self._connection.execute
        known = {name for (name,) in run("SELECT name FROM kinds")}
        if strange := sorted(known - set(self._kinds)):
            raise self._newer(f"records of the kind {strange[0]}")
        for name in self._kinds:
            if name not in known:
                run("INSERT INTO kinds (name) VALUES (?)", (name,))
        return {name: number for number, name in run("SELECT id, name FROM kinds")}

    def _kept_shapes(self) -> Shapes:
        """The shapes in which the file's records are written; new ones are added."""
        run = self._connection.execute
        kept: dict[str, Shape] = {
            record: tuple((name, *default) for name, *default in json.loads(text))
            for record, text in run("SELECT record, fields FROM shapes")
        }
        ours = self._our_shapes()
        for record, shape in kept.items():
            known = {name for name, *_ in ours.get(record, ())}
            if strange := next((name for name, *_ in shape if name not in known), None):
                raise self._newer(f"{record}.{strange}")
        for record, shape in ours.items():
            if record not in kept:
                run("INSERT INTO shapes (record, fields) VALUES (?, ?)", (record, dumps(shape)))
        return ours | kept

    def _our_shapes(self) -> dict[str, Shape]:
        found: dict[str, type] = {}
        for record in self._kinds.values():
            for name, each in dataclasses_in(record).items():
                assert found.setdefault(name, each) is each, f"two dataclasses in records are called {name}"
        return {name: shape_of(each) for name, each in found.items()}

    def _newer(self, what: str) -> InputError:
        return InputError(
            f"--state {self.path}: was written by a newer ghostjob, which knows {what}; use that one, "
            "or choose another file"
        )

    # ── reading and writing ───────────────────────────────────────────────────────────────────────────────────

    def load(self) -> Iterator[Kept]:
        """Every record, in the order in which they came. Raises InputError."""
        reader = Reader(self._shapes)
        names = {number: name for name, number in self.kind_ids.items()}
        reads = {number: reader.of(self._kinds[name]) for number, name in names.items()}
        try:
            cursor = self._connection.execute("SELECT kind, key, value FROM records ORDER BY number")
            while rows := cursor.fetchmany(READ_AT_ONCE):
                values = json.loads(f"[{','.join(value for *_, value in rows)}]")
                for (number, key, _), value in zip(rows, values, strict=True):
                    yield Kept(names[number], key, reads[number](value))
        except sqlite3.Error as error:
            raise self.refusal(error) from None
        except (ValueError, TypeError, LookupError) as error:
            raise InputError(f"--state {self.path}: a record in it cannot be read ({error}); restore a copy") from None

    def is_outdated(self) -> bool:
        """Whether records of another shape than ours are in the file."""
        return self._shapes != self._our_shapes()

    def rewrite(self) -> None:
        """Write every record in our shapes, all or none."""
        reader, ours, run = Reader(self._shapes), self._our_shapes(), self._connection.execute
        run("BEGIN")
        for name, number in self.kind_ids.items():
            read, write = reader.of(self._kinds[name]), writer(self._kinds[name])
            rows = run("SELECT key, number, value FROM records WHERE kind = ?", (number,)).fetchall()
            run(PUT, (dumps([(number, key, at, write(read(json.loads(value)))) for key, at, value in rows]),))
        run("DELETE FROM shapes")
        self._connection.executemany(
            "INSERT INTO shapes (record, fields) VALUES (?, ?)", [(name, dumps(shape)) for name, shape in ours.items()]
        )
        run("COMMIT")
        self._shapes = ours

    def last_number(self) -> int:
        """The highest number that a record has; 0 if there is none."""
        found: int | None = self._connection.execute("SELECT max(number) FROM records").fetchone()[0]
        return found or 0

    def write(self, batch: Batch) -> None:
        """Commit a batch: it is on the disk when this returns, or nothing of it. Raises sqlite3.Error."""
        run = self._connection.execute
        if not batch.drops:
            run(PUT, (batch.puts,))
            return
        run("BEGIN")
        run(DROP, (batch.drops,))
        if batch.puts:
            run(PUT, (batch.puts,))
        run("COMMIT")
