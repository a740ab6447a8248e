"""Ways in which a state file can be damaged; each says what it did, or nothing if there was nothing to do it to."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from tests.hostile.state_files import StateFile

PAGE: Final = 4096
FRAME: Final = PAGE + 24


class Victim(NamedTuple):
    """A copy of a file, and where it comes from."""

    path: Path
    source: StateFile
    rng: Random

    def beside(self, ending: str) -> Path:
        return Path(f"{self.path}{ending}")


Damage = Callable[[Victim], str | None]


# ── bytes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def zero_pages(victim: Victim) -> str | None:
    pages = victim.path.stat().st_size // PAGE
    first = victim.rng.randrange(pages)
    number = min(pages - first, victim.rng.choice((1, 1, 1, 2, 5)))
    _write(victim.path, first * PAGE, bytes(PAGE * number))
    return f"{number} pages zeroed from {first + 1}"


def flip_bits(victim: Victim) -> str | None:
    places = _flip(victim.path, 0, victim.path.stat().st_size, victim.rng, victim.rng.choice((1, 1, 2, 8)))
    return f"bits flipped at {places}"


def flip_in_header(victim: Victim) -> str | None:
    return f"bits flipped in the header at {_flip(victim.path, 0, 100, victim.rng, victim.rng.choice((1, 1, 3)))}"


def overwrite(victim: Victim) -> str | None:
    at, length = victim.rng.randrange(victim.path.stat().st_size), victim.rng.choice((1, 16, 512, 9000))
    length = min(length, victim.path.stat().st_size - at)
    _write(victim.path, at, victim.rng.choice((b"\xff" * length, victim.rng.randbytes(length))))
    return f"{length} bytes overwritten at {at}"


def truncate(victim: Victim) -> str | None:
    length = victim.rng.randrange(victim.path.stat().st_size)
    length = length // PAGE * PAGE if victim.rng.random() < 0.5 else length
    _cut(victim.path, length)
    return f"truncated to {length}"


def empty(victim: Victim) -> str | None:
    _cut(victim.path, 0)
    return "emptied"


def swap_pages(victim: Victim) -> str | None:
    pages = victim.path.stat().st_size // PAGE
    if pages < 3:
        return None
    raw = victim.path.read_bytes()
    one, other = victim.rng.sample(range(1, pages), 2)
    _write(victim.path, one * PAGE, raw[other * PAGE : (other + 1) * PAGE])
    _write(victim.path, other * PAGE, raw[one * PAGE : (one + 1) * PAGE])
    return f"pages {one + 1} and {other + 1} exchanged"


# ── the log and the mark ──────────────────────────────────────────────────────────────────────────────────────


def flip_in_log(victim: Victim) -> str | None:
    wal = victim.beside("-wal")
    if not wal.exists():
        return None
    return f"bits flipped in the log at {_flip(wal, 0, wal.stat().st_size, victim.rng, victim.rng.choice((1, 1, 5)))}"


def truncate_log(victim: Victim) -> str | None:
    wal = victim.beside("-wal")
    if not wal.exists():
        return None
    length = victim.rng.randrange(wal.stat().st_size)
    length = length if victim.rng.random() < 0.5 else 32 + (length // FRAME) * FRAME
    _cut(wal, length)
    return f"log truncated to {length}"


def zero_in_log(victim: Victim) -> str | None:
    wal = victim.beside("-wal")
    if not wal.exists():
        return None
    at = victim.rng.randrange(wal.stat().st_size)
    _write(wal, at, bytes(min(PAGE, wal.stat().st_size - at)))
    return f"log zeroed from {at}"


def remove_log(victim: Victim) -> str | None:
    if not victim.beside("-wal").exists():
        return None
    victim.beside("-wal").unlink()
    return "log removed"


def remove_log_and_mark(victim: Victim) -> str | None:
    victim.beside("-mark").unlink(missing_ok=True)
    return "mark removed" if remove_log(victim) is None else "log and mark removed"


def damage_mark(victim: Victim) -> str | None:
    mark = victim.beside("-mark")
    if not mark.exists():
        return None
    return f"bits flipped in the mark at {_flip(mark, 0, mark.stat().st_size, victim.rng, 1)}"


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────


def change_record(victim: Victim) -> str | None:
    kind, key, number, text = _some_record(victim)
    at = victim.rng.randrange(len(text))
    other = text[:at] + victim.rng.choice("0123456789x") + text[at + 1 :]
    what, values = victim.rng.choice(
        (
            ("value", (other, number, key)),
            ("value", ("[]", number, key)),
            ("value", ("no json", number, key)),
            ("number", (text, number + victim.rng.choice((-1, 1, 1000)), key)),
            ("key", (text, number, key + "x")),
        )
    )
    if values == (text, number, key):
        return None
    _run(victim, "UPDATE records SET value = ?, number = ?, key = ? WHERE kind = ? AND key = ?", *values, kind, key)
    return f"{what} of record {kind} {key!r} changed"


def drop_records(victim: Victim) -> str | None:
    number = victim.rng.choice((1, 1, 1, 3, 20))
    for _ in range(number):
        kind, key, _, _ = _some_record(victim)
        _run(victim, "DELETE FROM records WHERE kind = ? AND key = ?", kind, key)
    return f"{number} records dropped"


def drop_a_kind(victim: Victim) -> str | None:
    kind, *_ = _some_record(victim)
    _run(victim, "DELETE FROM records WHERE kind = ?", kind)
    return f"all records of kind {kind} dropped"


def put_back(victim: Victim) -> str | None:
    """A record as it was earlier, with the seal that was right then."""
    now, history = victim.source.newest, victim.source.history
    if not victim.source.is_sealed:
        return None
    older = [(at, found) for state in history.values() for at, found in state.items() if now.get(at) != found]
    if not older:
        return None
    (kind, key), (number, text) = victim.rng.choice(older)
    _run(
        victim,
        "INSERT OR REPLACE INTO records (kind, key, number, value, seal) "
        "SELECT id, ?, ?, ?, ? FROM kinds WHERE name = ?",
        *(key, number, text, _seal(kind, key, number, text), kind),
    )
    return f"{kind} {key!r} put back to what it was"


def exchange_values(victim: Victim) -> str | None:
    (kind, key, _, text), (other, its, _, words) = _some_record(victim), _some_record(victim)
    if text == words:
        return None
    _run(victim, "UPDATE records SET value = ? WHERE kind = ? AND key = ?", words, kind, key)
    _run(victim, "UPDATE records SET value = ? WHERE kind = ? AND key = ?", text, other, its)
    return f"values of {key!r} and {its!r} exchanged"


def change_bookkeeping(victim: Victim) -> str | None:
    rng = victim.rng
    statement = rng.choice(
        (
            "UPDATE kinds SET count = count + 1 WHERE id = (SELECT kind FROM records LIMIT 1)",
            "UPDATE kinds SET total = total + 1 WHERE id = (SELECT kind FROM records LIMIT 1)",
            "UPDATE kinds SET count = count - 1 WHERE name = 'the file'",
            "UPDATE kinds SET total = total - 1 WHERE name = 'the file'",
            "UPDATE kinds SET name = name || 'x' WHERE name = 'execution'",
            "UPDATE kinds SET id = 77 WHERE name = 'job'",
            "DELETE FROM kinds WHERE name = 'job'",
            "DELETE FROM kinds WHERE name = 'the file'",
            "DELETE FROM kinds",
            "UPDATE shapes SET fields = '[]' WHERE record = 'Job'",
            "UPDATE shapes SET fields = replace(fields, '1', '2')",
            "UPDATE shapes SET record = 'Jab' WHERE record = 'Job'",
            "DELETE FROM shapes WHERE record = 'JobExecution'",
            "DELETE FROM shapes",
            "UPDATE records SET seal = seal + 1 WHERE key = (SELECT key FROM records LIMIT 1)",
            "UPDATE records SET seal = 'x' WHERE key = (SELECT key FROM records LIMIT 1)",
            "UPDATE OR REPLACE records SET kind = 99 WHERE key = (SELECT key FROM records LIMIT 1)",
            "DROP TABLE records",
            "DROP TABLE shapes",
            "ALTER TABLE records RENAME TO other",
            "ALTER TABLE records DROP COLUMN seal",
            "CREATE TABLE other (x)",
            "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END",
            f"PRAGMA user_version = {rng.choice((0, 1, 3, 99))}",
            f"PRAGMA application_id = {rng.choice((0, 1, 77))}",
        )
    )
    if not victim.source.is_sealed and any(word in statement for word in ("seal", "count", "total")):
        return None
    _run(victim, statement)
    return statement


def _some_record(victim: Victim) -> tuple[int, str, int, str]:
    with closing(sqlite3.connect(victim.path)) as file:
        rows = file.execute("SELECT kind, key, number, value FROM records ORDER BY kind, key").fetchall()
    return tuple(victim.rng.choice(rows))


def _seal(kind: str, key: str, number: int, text: str) -> int:
    from simulator.cloud.store import seals
    from simulator.cloud.store.kinds import KINDS

    return seals.of_row(seals.seed_of(kind, KINDS[kind], {}), key, number, text)


def _run(victim: Victim, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(victim.path, isolation_level=None)) as file:
        file.execute(statement, values)


def _flip(path: Path, first: int, last: int, rng: Random, times: int) -> list[int]:
    raw = bytearray(path.read_bytes())
    places = [rng.randrange(first, min(last, len(raw))) for _ in range(times)]
    for at in places:
        raw[at] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)
    return places


def _write(path: Path, at: int, raw: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(raw)


def _cut(path: Path, length: int) -> None:
    with path.open("r+b") as file:
        file.truncate(length)


DAMAGES: Final[tuple[Damage, ...]] = (
    zero_pages,
    flip_bits,
    flip_in_header,
    overwrite,
    truncate,
    empty,
    swap_pages,
    flip_in_log,
    truncate_log,
    zero_in_log,
    remove_log,
    remove_log_and_mark,
    damage_mark,
    change_record,
    drop_records,
    drop_a_kind,
    put_back,
    exchange_values,
    change_bookkeeping,
)
