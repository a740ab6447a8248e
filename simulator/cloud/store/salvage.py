"""Going on without what is lost: a sound file with all that can be read of a damaged one, which stays beside it.

What depends on something lost is left out as well, such as an execution whose job is gone: it would be told to
devices, and nobody could act on it.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from agent.errors import InputError
from simulator.cloud.store import state_file
from simulator.cloud.store.damage import LOST, Damaged, named, several
from simulator.cloud.store.database import Database, Put
from simulator.cloud.store.encoding import writer
from simulator.cloud.store.kinds import KINDS, lacking_in, needs
from simulator.cloud.store.refusing import Newer, NotOurs
from simulator.cloud.store.survey import At, Read, Survey, newest_commit, survey

AT_ONCE: Final = 1000
"""Records in a commit."""
LISTED: Final = 50
"""So many records of one sort are told by name."""
SALVAGED: Final = "-salvaged"
"""What the new file is called until it is whole."""


class Left(NamedTuple):
    """A record that was left out, and why."""

    at: At
    why: str


class SalvagePlan(NamedTuple):
    """What goes on, and what is said of the rest, line by line. `readable` of `written` records (None: who knows)."""

    records: dict[At, Read]
    lines: tuple[str, ...]
    readable: int
    written: int | None
    is_whole: bool

    def summary(self, *, with_lost: bool) -> str:
        """In one line; with what is lost by name, if that is not said already."""
        of = "" if self.written is None else f" of {self.written}"
        lost = f"; lost: {several(self.lines)}" if with_lost and self.lines else ""
        return f"{len(self.records)}{of} records can be read{lost}"


class Salvaged(NamedTuple):
    """What became of a file: where the damaged one is now (None if there was nothing to be done), and what to tell."""

    kept_as: Path | None
    lines: tuple[str, ...]


def salvage(path: Path) -> Salvaged:
    """Go on with what can be read of a damaged file. Raises InputError if it is none, not ours, or in use."""
    if not any(state_file.beside(path, ending).exists() for ending in state_file.BESIDE):
        raise InputError(
            f"--state {path}: there is no such file; name the one that is damaged, or leave out --salvage to begin one"
        )
    refused: InputError
    try:
        with closing(Database(path, KINDS, lacking_in)) as database:
            for _ in database.load():
                pass
        return Salvaged(None, (f"{path} is sound: there is nothing to be salvaged",))
    except (Damaged, Newer, NotOurs) as error:
        refused = error
    try:
        plan = plan_for(path)
        if not isinstance(refused, Damaged) and not (plan.is_whole and plan.readable):
            raise refused
        _write(path, plan)
        kept_as = _exchange(path)
    except OSError as error:
        raise InputError(f"--state {path}: it cannot be salvaged: {error.strerror}") from None
    number = len(plan.records)
    done = f"{path}: salvaged {number} record{'' if number == 1 else 's'}; the damaged file is kept as {kept_as}"
    return Salvaged(kept_as, (done, *(f"lost: {line}" for line in plan.lines or ("nothing",))))


def plan_for(path: Path) -> SalvagePlan:
    """See what can be read, and what must be left out. Raises OSError."""
    found = survey(path, KINDS)
    kept, left = _independent(found.records)
    written = sum(number for number, _ in found.told.values()) if found.told else None
    lines = (*_lost(path, found), *_by_name(left))
    return SalvagePlan(kept, lines, len(found.records), written, found.is_whole)


def _lost(path: Path, found: Survey) -> Iterator[str]:
    """What cannot be read."""
    yield from _by_name([Left(at, "it was changed") for at in found.changed])
    yield from _by_name([Left(at, "there were two of it, and one was taken") for at in found.doubles])
    counts, changed = found.counts, [kind for kind, _ in found.changed]
    for kind, (number, total) in found.told.items():
        missing = number - counts[kind] - changed.count(kind)
        if missing > 0:
            yield f"{missing} more of the kind {kind}, whose names are lost too{_consequence(kind)}"
        elif missing < 0:
            yield f"{-missing} of the kind {kind} are more than were written: what was deleted may be back"
        elif kind not in changed and found.totals[kind] & 0xFFFFFFFF != total:
            yield f"a change of one of the kind {kind}: it is as it was before"
    if not found.is_sealed:
        yield "an earlier ghostjob wrote this file, without seals: whether more is missing or changed, nobody can tell"
    elif not found.told:
        yield "the page that counts records: whether more is missing, nobody can tell"
    newest = newest_commit(path)
    if newest is not None and found.commits is not None and newest > found.commits:
        yield f"the last {newest - found.commits} of {newest} commits, whatever they changed"


def _by_name(left: list[Left]) -> Iterator[str]:
    for (kind, key), why in left[:LISTED]:
        yield f"{named(kind, key)} ({why}){_consequence(kind)}"
    if len(left) > LISTED:
        more = Counter(kind for (kind, _), _ in left[LISTED:])
        yield f"{more.total()} more in the same way: {', '.join(f'{times} {kind}' for kind, times in more.items())}"


def _consequence(kind: str) -> str:
    return f": {LOST[kind]}" if kind in LOST else ""


def _independent(records: dict[At, Read]) -> tuple[dict[At, Read], list[Left]]:
    """Records without those that need one that is not there; and those."""
    kept, left, again = dict(records), list[Left](), True
    while again:
        again = False
        for (kind, key), (_, record) in tuple(kept.items()):
            lacking = next((need for need in needs(kind, key, record) if need not in kept), None)
            if lacking is not None:
                del kept[kind, key]
                left.append(Left((kind, key), f"its {named(*lacking)} is lost"))
                again = True
    return kept, left


# ── the new file ──────────────────────────────────────────────────────────────────────────────────────────────


def _write(path: Path, plan: SalvagePlan) -> None:
    """Beside the old one, under a name of its own."""
    new = state_file.beside(path, SALVAGED)
    for ending in state_file.BESIDE:
        state_file.beside(new, ending).unlink(missing_ok=True)
    rows = sorted(plan.records.items(), key=lambda item: item[1].number)
    with closing(Database(new, KINDS)) as database:
        for first in range(0, len(rows), AT_ONCE):
            database.write(
                database.batch(
                    (),
                    [
                        Put(database.kind_ids[kind], key, number, writer(KINDS[kind])(read.record))
                        for number, ((kind, key), read) in enumerate(rows[first : first + AT_ONCE], first + 1)
                    ],
                )
            )


def _exchange(path: Path) -> Path:
    """Put the new file in the place of the old one: where that is kept. At no instant is there none."""
    new = state_file.beside(path, SALVAGED)
    kept = next(free for number in count(1) if not (free := state_file.beside(path, f"-damaged-{number}")).exists())
    for ending in (state_file.WAL, state_file.MARK, ""):
        if state_file.beside(path, ending).exists():
            _same(state_file.beside(path, ending), state_file.beside(kept, ending))
    state_file.beside(path, state_file.WAL).unlink(missing_ok=True)  # first: it would be taken for the new one's
    os.replace(new, path)
    os.replace(state_file.beside(new, state_file.MARK), state_file.beside(path, state_file.MARK))
    directory = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return kept


def _same(old: Path, new: Path) -> None:
    """Give a file a second name, or, where that cannot be, a copy."""
    with suppress(OSError):
        os.link(old, new)
        return
    with old.open("rb") as source, os.fdopen(state_file.private(new), "wb") as copy:
        shutil.copyfileobj(source, copy)
