"""A look at all of a file that SQLite, or its seals, say is damaged: what can be read, and what is missing.

There may be two ways to look at it: with the log beside it and without, as the log of a file may be damaged when all
that it held is in the file by now; and pages may be as long as the file says, or as they usually are. That way counts
which leads to the newest commit, and then to most of what was in it.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from simulator.cloud.store import pages, seals, state_file
from simulator.cloud.store.damage import Raw, is_sealed
from simulator.cloud.store.encoding import Reader, Shape, Shapes, is_readable
from simulator.cloud.store.layout import FILE

At = tuple[str, str]
"""Where a record stands: its kind, and its key."""
VERSION_AT: Final = slice(60, 64)
"""Where SQLite has `user_version`."""


class Read(NamedTuple):
    """A record that is as it was written, and the number that it came under."""

    number: int
    record: Any


@dataclass(slots=True)
class Survey:
    """What was found. `told` is what the file says of itself: by kind how many there are, and their total.

    `commits` is None where the page that says so is lost, or no file of an earlier ghostjob ever knew.
    """

    records: dict[At, Read] = field(default_factory=dict)
    changed: list[At] = field(default_factory=list)
    doubles: list[At] = field(default_factory=list)
    told: dict[str, tuple[int, int]] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)
    commits: int | None = None
    is_sealed: bool = True

    @property
    def counts(self) -> Counter[str]:
        """How many records of each kind can be read."""
        return Counter(kind for kind, _ in self.records)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, and nothing is there that should not be."""
        counts = self.counts
        sums = {kind: (counts[kind], self.totals[kind] & seals.BITS) for kind in self.told}
        return not self.changed and not self.doubles and bool(self.told) and sums == self.told

    @property
    def _worth(self) -> tuple[int, bool, int]:
        return -1 if self.commits is None else self.commits, self.is_whole, len(self.records)


def survey(path: Path, kinds: Mapping[str, type]) -> Survey:
    """Look at all that is there; an empty survey where nothing of ours is. Raises OSError."""
    with path.open("rb") as file:
        begins = file.read(100)
    if int.from_bytes(begins[VERSION_AT], "big") == 1:
        found = _through_sqlite(path, kinds)
        if found.records:
            return found
    ways = [(size, with_log) for size in pages.sizes_of(begins) for with_log in (True, False)]
    return max(
        (_look(pages.rows(path, size, with_log=with_log), kinds) for size, with_log in ways),
        key=lambda each: each._worth,
    )


def _look(rows: Iterable[pages.Found], kinds: Mapping[str, type]) -> Survey:
    names, shapes, candidates, found = dict[int, str](), dict[str, Shape](), list[Raw](), Survey()
    for row in rows:
        match row:
            case (int(number), None, str(name), int(count), int(total), int(seal)) if seal == seals.of_name(name):
                if name == FILE:
                    found.commits = count
                elif name in kinds:
                    names[number], found.told[name] = name, (count, total)
            case (str(record), str(text), int(seal)) if seal == seals.of_name(record, text):
                with suppress(ValueError, TypeError):
                    shapes[record] = tuple((name, *default) for name, *default in json.loads(text))
            case (int(), str(), int(), str(), int()):
                candidates.append(row)
            case _:
                pass
    _sort(found, candidates, _Readers(kinds, names, shapes))
    return found


def _sort(found: Survey, candidates: Iterable[Raw], readers: "_Readers") -> None:
    changed = dict[At, None]()
    for row in candidates:
        number, key, text = row[2], row[1], row[3]
        kind, read = readers.of(row)
        if read is None:
            changed[kind, key] = None
            continue
        try:
            record = read(json.loads(text))
        except (ValueError, TypeError, LookupError):
            changed[kind, key] = None
            continue
        at = (kind, key)
        if at in found.records:
            found.doubles.append(at)
            continue
        found.records[at] = Read(number, record)
        found.totals[kind] += row[4]
    found.changed = [at for at in changed if at not in found.records]


class _Readers:
    """Says of what kind a row is, and how it is read: in the shapes of its file, or in ours where those are lost."""

    def __init__(self, kinds: Mapping[str, type], names: Mapping[int, str], shapes: Shapes) -> None:
        self._kinds = kinds
        self._names = names
        self._ways = [(seals.seeds_of(kinds, each), Reader(each)) for each in ((shapes, {}) if shapes else ({},))]

    def of(self, row: Raw) -> tuple[str, Any]:
        """The kind, and the reader; None instead of one if the row is not as it was written."""
        told = self._names.get(row[0])
        likely = () if told is None else (told,)
        for kind in (*likely, *self._kinds):
            for seeds, reader in self._ways:
                if is_sealed(seeds[kind], row):
                    return kind, reader.of(self._kinds[kind])
        return told or "unknown", None


# ── files without seals ───────────────────────────────────────────────────────────────────────────────────────


def _through_sqlite(path: Path, kinds: Mapping[str, type]) -> Survey:
    """What SQLite can read of a file that has no seals: only its way through the pages leads past deleted rows."""
    found = Survey(is_sealed=False)
    with (
        suppress(sqlite3.Error, ValueError, TypeError),
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        names = {number: name for number, name in connection.execute("SELECT id, name FROM kinds") if name in kinds}
        shapes: dict[str, Shape] = {
            record: tuple((name, *default) for name, *default in json.loads(text))
            for record, text in connection.execute("SELECT record, fields FROM shapes")
        }
        reader = Reader(shapes)
        for number, name in names.items():
            read = reader.of(kinds[name])
            for key, at, text in _from_both_ends(connection, number):
                if is_readable(reader, kinds[name], text):
                    found.records[name, key] = Read(int(at), read(json.loads(text)))
                else:
                    found.changed.append((name, str(key)))
    return found


def _from_both_ends(connection: sqlite3.Connection, kind: int) -> Iterator[tuple[str, int, str]]:
    seen = set[str]()
    for order in ("ASC", "DESC"):
        rows = f"SELECT key, number, value FROM records WHERE kind = ? ORDER BY key {order}"  # noqa: S608 - ours
        with suppress(sqlite3.Error):
            for key, number, text in connection.execute(rows, (kind,)):
                if key in seen:
                    break
                seen.add(key)
                yield key, number, text


def newest_commit(path: Path) -> int | None:
    """How many commits the mark beside a file counts."""
    marked = state_file.read_mark(path)
    return None if marked is None else marked.commits
