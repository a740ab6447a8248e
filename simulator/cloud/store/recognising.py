"""Whose file it is, whether its pages fit together, and whether all is there that was committed: before it is used."""

import sqlite3
from contextlib import closing, suppress
from itertools import pairwise, starmap
from operator import lt
from pathlib import Path

from simulator.cloud.store import state_file
from simulator.cloud.store.damage import Damage, Damaged
from simulator.cloud.store.layout import APPLICATION_ID, MIGRATIONS
from simulator.cloud.store.refusing import NotOurs, newer
from simulator.cloud.store.state_file import Marked, Remark


def see_log(path: Path) -> None:
    """SQLite throws the log of an empty file away, and with it all that is left. Raises Damaged."""
    wal = state_file.beside(path, state_file.WAL)
    with suppress(OSError):
        if path.stat().st_size == 0 and wal.stat().st_size:
            raise Damaged(path, Damage(f"it is empty, and {wal.name} belongs to one that was not"))


def recognise(path: Path, connection: sqlite3.Connection, marked: Marked | None) -> bool:
    """Look at a file before anything is done to it; whether there is anything in it. Raises InputError."""
    run = connection.execute
    application, version = (run(f"PRAGMA {what}").fetchone()[0] for what in ("application_id", "user_version"))
    tables = {name for (name,) in run("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if application != APPLICATION_ID and tables:
        if marked is not None:
            raise Damaged(path, Damage("its application id is not ghostjob's"))
        raise NotOurs(f"--state {path}: is a database of some other program; choose another file")
    if version > len(MIGRATIONS):
        raise newer(path, f"version {version} of it")
    for kind, name in run("SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL").fetchall():
        if kind != "table":  # it would act on what is written, or on what is found
            raise Damaged(path, Damage(f"there is a {kind} in it, {name!r}, that is not ghostjob's"))
    # Only `kinds` has an index that may disagree with its table.
    for check in ("quick_check(1)", "integrity_check(kinds)") if tables else ():
        found = run(f"PRAGMA {check}").fetchall()[0][0]
        if found != "ok":
            raise Damaged(path, Damage(str(found).replace("\n", " ")))
    if "records" in tables and not _is_in_order(connection):
        raise Damaged(path, Damage("its records are not in their order, and would not be found again"))
    return bool(tables)


def _is_in_order(connection: sqlite3.Connection) -> bool:
    """SQLite's own check looks at the order of numbered rows alone; records are in that of their kinds and keys."""
    with closing(connection.execute("SELECT kind, key FROM records")) as rows:
        return all(starmap(lt, pairwise(rows)))


def doubts(path: Path, marked: Marked | None) -> tuple[Remark, ...]:
    """There is nothing in a file that was there before: what is to be told. Raises Damaged if there was something."""
    if marked is not None and marked.commits:
        raise Damaged(path, Damage(f"it is empty, and {marked.commits} commits had been written"))
    return (Remark("state.empty", {"path": str(path), "why": "there was a file, and nothing in it"}),)


def compared(path: Path, marked: Marked | None, commits: int, file_id: int) -> tuple[Remark, ...]:
    """Whether everything is there that was committed: what is to be told. Raises Damaged."""
    fields = {"path": str(path), "commits": commits}
    if marked is None:
        if not commits:
            return ()
        why = f"nothing beside it ({path.name}{state_file.MARK}) tells whether its newest commits are there"
        hint = f"a copy needs that file too, and the one that ends in {state_file.WAL}, if there is one"
        return (Remark("state.newest_unknown", fields | {"why": why, "hint": hint}),)
    if marked.file_id != file_id:
        why = f"the file that was used here last was another, and had {marked.commits} commits"
        return (Remark("state.another_file", fields | {"why": why}),)
    if marked.commits > commits:
        missing = marked.commits - commits
        raise Damaged(path, Damage(f"the last {missing} of {marked.commits} commits are missing"))
    return ()
