"""What the SQLite file looks like, and the SQL that writes it.

`kinds` has, beside the name of each kind, how many records of it there are and the total of their seals, and one row
more, FILE, whose count is the number of commits and whose total is the number that this file was given by chance. They
change with every commit, so they share a page.
"""

from typing import Final

from simulator.cloud.store.seals import BITS, FACTOR, PRIME, WITH_NUMBER

APPLICATION_ID: Final = 0x67686A62
"""Tells ghostjob's files from other SQLite files: `ghjb`."""
FILE: Final = "the file"
"""The name of the row for the file itself."""
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "CREATE TABLE shapes (record TEXT PRIMARY KEY, fields TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE records (
            kind INTEGER NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (kind, key)
        ) WITHOUT ROWID""",
    ),
    (
        "ALTER TABLE kinds ADD COLUMN count INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE kinds ADD COLUMN total INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE kinds ADD COLUMN seal INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE shapes ADD COLUMN seal INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE records ADD COLUMN seal INTEGER NOT NULL DEFAULT 0",
        "UPDATE kinds SET seal = seal_of_name(name)",
        "UPDATE shapes SET seal = seal_of_name(record, fields)",
    ),
)
"""Each brings a file from the version of its index to the next; a file's version is its `user_version`."""
SEALED: Final = 2
"""The first version whose records are sealed."""

SETTINGS: Final = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA synchronous = FULL",
    # What is deleted is overwritten, so that whoever reads the pages of a damaged file finds nothing that had gone.
    "PRAGMA secure_delete = ON",
)
COUNT_AGAIN: Final = f"""
    UPDATE kinds SET count = (SELECT count(*) FROM records WHERE kind = kinds.id),
                     total = (SELECT coalesce(sum(seal), 0) FROM records WHERE kind = kinds.id) & {BITS}
"""  # noqa: S608 - a number of ours
COUNTING: Final = tuple(
    f"""CREATE TEMP TRIGGER {name} AFTER {event} ON records BEGIN
        UPDATE kinds SET count = count + {count}, total = (total + {total}) & {BITS} WHERE id = {row}.kind;
    END"""  # noqa: S608 - words of ours
    for name, event, count, total, row in (
        ("come", "INSERT", 1, "NEW.seal", "NEW"),
        ("changed", "UPDATE", 0, "NEW.seal - OLD.seal", "NEW"),
        ("gone", "DELETE", -1, "-OLD.seal", "OLD"),
    )
)
"""Keep the totals."""
OTHER_NUMBER: Final = (
    WITH_NUMBER.replace("number", "records.number") % f"excluded.seal - (excluded.number % {PRIME}) * {FACTOR}"
)
"""The seal of a record that is replaced: it keeps its number."""
BATCH: Final = (
    "CREATE TEMP VIEW dropping AS SELECT 0 AS kind, '' AS key",
    # One by one: with `(kind, key) IN (SELECT …)` SQLite looks at every record of the kind.
    """CREATE TEMP TRIGGER dropped INSTEAD OF INSERT ON dropping BEGIN
        DELETE FROM records WHERE kind = NEW.kind AND key = NEW.key;
    END""",
    "CREATE TEMP VIEW batch AS SELECT '' AS drops, '' AS puts, x'' AS texts",
    f"""CREATE TEMP TRIGGER committed INSTEAD OF INSERT ON batch BEGIN
        INSERT INTO dropping SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(NEW.drops);
        INSERT INTO records (kind, key, number, seal, value)
        SELECT kind, key, number, {WITH_NUMBER % "seal"}, value FROM (
            SELECT json_extract(value, '$[0]') AS kind, json_extract(value, '$[1]') AS key,
                   json_extract(value, '$[2]') AS number, json_extract(value, '$[3]') AS seal,
                   CAST(substr(NEW.texts, json_extract(value, '$[4]'), json_extract(value, '$[5]')) AS TEXT) AS value
            FROM json_each(NEW.puts)
        ) WHERE true
        ON CONFLICT (kind, key) DO UPDATE
        SET value = excluded.value, seal = {OTHER_NUMBER};
        UPDATE kinds SET count = count + 1 WHERE name = '{FILE}';
    END""",  # noqa: S608 - words of ours
)
PUT: Final = "INSERT INTO batch (drops, puts, texts) VALUES (?, ?, ?)"
