"""Try the mutations that are not on record, or all (`--anew`), or those of some names; how far it is, on stderr."""

import argparse
import gc
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from zlib import crc32

from agent.log import configure
from tests.explore.mutations.behind import BEHIND, MISSED, RIGHT
from tests.explore.mutations.plays import Play, plays, tried_in_time
from tests.explore.mutations.record import Row, after, as_behind, recorded, row_of, write
from tests.explore.mutations.switched import Mutation, mutations
from tests.explore.mutations.trying import Known, known, tried, tried_with
from tests.explore.mutations.worlds import WORLDS, called

KEPT_EVERY = 5
_WORLDS: list[Known] = []
_PLAYS: list[Play] = []
"""What the processes are forked with."""


def main() -> None:
    """Try them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="those whose names have one of these; nothing is written")
    parser.add_argument("--keep", action="store_true", help="it is, and those on record are left alone but for --anew")
    parser.add_argument("--anew", action="store_true", help="those on record too")
    parser.add_argument("--again", metavar="OUTCOME", help="those on record with that outcome")
    parser.add_argument("--why", action="store_true", help="of those that nothing catches, what is said of them now")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--part", default="1/1", help="K/N: the Kth of N parts of them")
    arguments = parser.parse_args()
    configure("text", "critical")
    everything, rows = mutations(), recorded()
    if arguments.why:
        by_name = {each.name: each for each in everything}
        rows |= {name: _explained(row, by_name) for name, row in rows.items() if name in by_name}
    wanted = (
        []
        if arguments.why
        else [each for each in _part(everything, arguments.part) if _is_wanted(each.name, rows, arguments)]
    )
    names, is_kept = [each.name for each in everything], arguments.keep or not arguments.words
    for number, row in enumerate(_each(wanted, arguments.jobs), 1):
        rows[row.name] = row
        _tell(f"{number:4}/{len(wanted)} {_told(row)}")
        if number % KEPT_EVERY == 0 and is_kept:
            write(rows, names)
    if is_kept:
        write(rows, names)
    counted = Counter(rows[name].outcome for name in names if name in rows)
    _tell(", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items())))


def _part(everything: Sequence[Mutation], part: str) -> Sequence[Mutation]:
    """By their names, so that what is in a part stays there when others come and go."""
    which, parts = map(int, part.split("/"))
    return [each for each in everything if crc32(each.name.encode()) % parts == which - 1]


def _is_wanted(name: str, rows: Mapping[str, Row], arguments: argparse.Namespace) -> bool:
    if arguments.words and not any(word in name for word in arguments.words):
        return False
    if arguments.words and not arguments.keep:
        return True
    if arguments.again:
        return name in rows and rows[name].outcome == arguments.again
    return arguments.anew or name not in rows


def _each(wanted: Sequence[Mutation], jobs: int) -> Iterator[Row]:
    """By several processes that know the worlds."""
    if not wanted:
        return
    began = time.monotonic()
    for world in known(WORLDS):
        _WORLDS.append(world)
        _tell(f"{time.monotonic() - began:6.1f} s  {called(world.setup)}: {world.states} states")
    _PLAYS.extend(plays())
    _tell(f"{time.monotonic() - began:6.1f} s  {len(_PLAYS)} scenarios")
    gc.freeze()
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=20) as pool:
        yield from pool.imap_unordered(_row, [each.name for each in wanted])


def _row(name: str) -> Row:
    by_name = {each.name: each for each in mutations()}
    row = row_of(by_name[name], tried(by_name[name], _WORLDS))
    if row.outcome != "caught":
        row = after(row, tried_in_time(by_name[name], _PLAYS))
    return _explained(row, by_name)


def _explained(row: Row, by_name: Mapping[str, Mutation]) -> Row:
    """Of what escaped: what stands behind it, or why it is right, or missed, as has been said last."""
    is_caught_by_nothing = row.outcome in ("escaped", "right", "missed")
    if is_caught_by_nothing and row.name in RIGHT:
        return row._replace(outcome="right", why=RIGHT[row.name], worlds=(), stopped="")
    if is_caught_by_nothing and row.name in MISSED:
        return row._replace(outcome="missed", why=MISSED[row.name], worlds=(), stopped="")
    if row.outcome == "escaped" and row.name in BEHIND:
        other, setup = BEHIND[row.name]
        (world,) = known([setup])
        return as_behind(row, other, tried_with(by_name[row.name], by_name[other], world))
    return row


def _told(row: Row) -> str:
    match row.outcome:
        case "caught":
            return f"{row.invariant} after {row.length} of {row.states} states, {row.world}: {row.name}"
        case "behind":
            return f"behind {row.other}, {row.invariant} after {row.length}, {row.world}: {row.name}"
        case _:
            return f"{row.outcome} {row.stopped}: {row.name}"


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
