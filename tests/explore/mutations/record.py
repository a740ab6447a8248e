"""What came of each mutation, written down: one line of JSON each, in the order in which they are generated."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from tests.explore.mutations.switched import Mutation
    from tests.explore.mutations.trying import Tried

FILE: Final = Path(__file__).with_name("found.jsonl")
Outcome: TypeAlias = Literal["caught", "same", "escaped"]


class Row(NamedTuple):
    """`outcome`: `caught` by `invariant` in `world`, after `length` choices at least; the `same` as our agent in all
    that this meets; or `escaped`, though it makes a difference in `worlds`.
    """

    name: str
    file: str
    line: str
    outcome: Outcome
    invariant: str = ""
    why: str = ""
    world: str = ""
    length: int = 0
    states: int = 0
    worlds: tuple[str, ...] = ()
    stopped: str = ""


def row_of(mutation: "Mutation", tried: "Tried") -> Row:
    """What to write down."""
    here = Row(mutation.name, mutation.file, mutation.line, "same")
    if tried.caught is not None:
        invariant, why, world, path, states = tried.caught
        return here._replace(
            outcome="caught", invariant=invariant, why=why, world=world, length=len(path), states=states
        )
    if tried.worlds:
        return here._replace(outcome="escaped", worlds=tried.worlds, stopped=tried.stopped)
    return here


def after(earlier: Row, row: Row) -> Row:
    """What it comes to in more worlds: what escaped in the earlier ones may be caught in these, but is not the same."""
    if row.outcome == "caught":
        return row
    worlds = (*earlier.worlds, *row.worlds)
    return row._replace(outcome="escaped" if worlds else "same", worlds=worlds, stopped=earlier.stopped or row.stopped)


def recorded() -> dict[str, Row]:
    """By the mutation's name."""
    if not FILE.exists():
        return {}
    rows = (json.loads(line) for line in FILE.read_text("utf-8").splitlines())
    return {row["name"]: Row(**(row | {"worlds": tuple(row.get("worlds", ()))})) for row in rows}


def write(rows: Mapping[str, Row], names: Iterable[str]) -> None:
    """Those of the mutations that there are."""
    FILE.write_text("".join(_line(rows[name]) for name in names if name in rows), "utf-8")


def _line(row: Row) -> str:
    told = {key: value for key, value in row._asdict().items() if value not in ("", 0, ())}
    return json.dumps(told, ensure_ascii=False) + "\n"
