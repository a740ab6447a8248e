"""What came of each mutation, written down: one line of JSON each, in the order in which they are generated."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from tests.explore.mutations.words import Difference

if TYPE_CHECKING:
    from tests.explore.mutations.plays import TriedInTime
    from tests.explore.mutations.switched import Mutation
    from tests.explore.mutations.trying import Caught, Tried

FILE: Final = Path(__file__).with_name("found.jsonl")
Outcome: TypeAlias = Literal["caught", "same", "words", "waits", "behind", "right", "missed", "escaped"]


OUTCOMES: Final[dict[Difference, Outcome]] = {"": "same", "words": "words", "waits": "waits", "deeds": "escaped"}
"""Of what nothing catches, by the most that it changes."""


class Row(NamedTuple):
    """`outcome`: `caught` by `invariant` in `world`, after `length` choices at least; the `same` as our agent in all
    that this meets, or but for `words` or `waits`; `behind` an `other` one: nothing catches either alone in that
    world, and both together are caught so; `right`: `why` whoever does so is right as well; `missed`: `why` nothing
    looks for it yet; or `escaped`, though it makes a difference in `worlds`.
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
    other: str = ""


def row_of(mutation: "Mutation", tried: "Tried") -> Row:
    """What to write down."""
    here = Row(mutation.name, mutation.file, mutation.line, OUTCOMES[tried.differs])
    if tried.caught is not None:
        return _as_caught(here._replace(outcome="caught"), tried.caught)
    return here._replace(worlds=tried.worlds, stopped=tried.stopped)


def after(row: Row, tried: "TriedInTime") -> Row:
    """Of what no world catches: what it comes to in the scenarios, too."""
    if tried.caught is not None:
        return _as_caught(row._replace(outcome="caught", worlds=(), stopped=""), tried.caught)
    return row._replace(outcome=max(row.outcome, OUTCOMES[tried.differs], key=list(OUTCOMES.values()).index))


def as_behind(row: Row, other: str, caught: "Caught | None") -> Row:
    """Of what escaped: how it and the other are caught together, if they are."""
    return row if caught is None else _as_caught(row._replace(outcome="behind", other=other, worlds=()), caught)


def _as_caught(row: Row, caught: "Caught") -> Row:
    invariant, why, world, path, states = caught
    return row._replace(invariant=invariant, why=why, world=world, length=len(path), states=states)


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
