"""Try the mutations that are not on record, or all (`--anew`), or those of some names; how far it is, on stderr."""

import argparse
import gc
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from agent.log import configure
from simulator.engines.explore.setup import Setup
from tests.explore.mutations.record import Row, after, recorded, row_of, write
from tests.explore.mutations.switched import Mutation, mutations
from tests.explore.mutations.trying import Known, known, tried
from tests.explore.mutations.worlds import LARGE, SMALL, called

KEPT_EVERY = 20
_WORLDS: list[Known] = []
"""What the processes are forked with."""


def main() -> None:
    """Try them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="those whose names have one of these")
    parser.add_argument("--anew", action="store_true", help="those on record too")
    parser.add_argument("--large", action="store_true", help="in larger worlds, those that were not caught")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--part", default="1/1", help="K/N: every Nth, from the Kth on")
    arguments = parser.parse_args()
    configure("text", "critical")
    everything = mutations()
    rows = recorded()
    done = {name: row for name, row in rows.items() if not (arguments.large and row.outcome != "caught")}
    wanted = _wanted(everything, arguments.words, arguments.part, {} if arguments.anew else done)
    if arguments.large:
        wanted = [each for each in wanted if each.name in rows]
    names = [each.name for each in everything]
    for number, row in enumerate(_each(wanted, arguments.jobs, LARGE if arguments.large else SMALL), 1):
        rows[row.name] = after(rows[row.name], row) if arguments.large else row
        _tell(f"{number:4}/{len(wanted)} {_told(row)}")
        if number % KEPT_EVERY == 0:
            write(rows, names)
    write(rows, names)
    counted = Counter(rows[name].outcome for name in names if name in rows)
    _tell(", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items())))


def _wanted(everything: Sequence[Mutation], words: Sequence[str], part: str, done: dict[str, Row]) -> list[Mutation]:
    first, step = map(int, part.split("/"))
    some = everything[first - 1 :: step]
    return [each for each in some if each.name not in done and (not words or any(word in each.name for word in words))]


def _each(wanted: Sequence[Mutation], jobs: int, setups: Sequence[Setup]) -> Iterator[Row]:
    """By several processes that know the worlds."""
    began = time.monotonic()
    for world in known(setups):
        _WORLDS.append(world)
        _tell(f"{time.monotonic() - began:6.1f} s  {called(world.setup)}: {world.states} states")
    gc.freeze()
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=20) as pool:
        yield from pool.imap_unordered(_row, [each.name for each in wanted])


def _row(name: str) -> Row:
    mutation = next(each for each in mutations() if each.name == name)
    return row_of(mutation, tried(mutation, _WORLDS))


def _told(row: Row) -> str:
    match row.outcome:
        case "caught":
            return f"{row.invariant} after {row.length} of {row.states} states, {row.world}: {row.name}"
        case _:
            return f"{row.outcome} {row.stopped}: {row.name}"


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
