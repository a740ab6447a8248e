"""What searches found, as the pages have it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from tests.explore import caught
from tests.explore.mutations import record
from tests.explore.mutations.record import Row

NO_INVARIANTS: Final = frozenset({"gets home", "gets it done", "reaches its places"})
"""What is judged on the graph, or of a scenario as a whole: there is no invariant of that."""
COLUMNS: Final[Mapping[str, str]] = {
    "caught": "caught",
    "behind": "behind another",
    "right": "right as well",
    "words": "words",
    "waits": "waits",
    "same": "the same",
    "missed": "missed",
    "escaped": "escaped",
}
"""By outcome, what the column of its number is called."""


def mutations() -> str:
    """Which mutations were caught, what stands behind those that were not, and how many are no rule."""
    rows = list(record.recorded().values())
    return "".join(f"{line}\n" for line in (*_counted(rows), "", *_caught(rows), "", *_behind(rows), "", *_right(rows)))


def _counted(rows: list[Row]) -> Iterator[str]:
    yield _line(("file", "tried", *COLUMNS.values()))
    yield _line(("-", *("-:" for _ in range(len(COLUMNS) + 1))))
    for file in dict.fromkeys(row.file for row in rows):
        yield _count(f"`{file}`", [row for row in rows if row.file == file])
    yield _count("all", rows)


def _count(name: str, rows: list[Row]) -> str:
    found = Counter(row.outcome for row in rows)
    return _line((name, len(rows), *(found[outcome] for outcome in COLUMNS)))


def _caught(rows: list[Row]) -> Iterator[str]:
    yield "| where | its line | what is changed | breaks | in the world | choices | states |"
    yield "| - | - | - | - | - | -: | -: |"
    yield from (_line(_told(row)) for row in rows if row.outcome == "caught")


def _behind(rows: list[Row]) -> Iterator[str]:
    yield "| where | its line | what is changed | and with it | breaks | in the world | choices |"
    yield "| - | - | - | - | - | - | -: |"
    for row in rows:
        if row.outcome == "behind":
            where, line, how, *breaks, _ = _told(row)
            yield _line((where, line, how, row.other, *breaks))


def _right(rows: list[Row]) -> Iterator[str]:
    yield "| where | its line | what is changed | why that is right as well, or missed |"
    yield "| - | - | - | - |"
    for row in rows:
        if row.outcome in ("right", "missed"):
            where, line, how, *_ = _told(row)
            yield _line((where, line, how, ("MISSED: " if row.outcome == "missed" else "") + row.why))


def _told(row: Row) -> tuple[object, ...]:
    """Where, in which line, what; what breaks, in which world, after how many choices and states, if these count."""
    where, _, how = row.name.partition(": ")
    counts = (row.length, row.states) if row.states else ("", "")
    return f"`{where}`", _code(row.line), how, _invariant(row.invariant), row.world, *counts


def bad_models() -> str:
    """How each bad model is caught."""
    return "".join(f"{line}\n" for line in _models(list(caught.recorded().values())))


def _models(rows: list[caught.Row]) -> Iterator[str]:
    yield "| model | breaks | in the world | choices | states | or in the scenario |"
    yield "| - | - | - | -: | -: | - |"
    for row in rows:
        scenario = f"`{row.scenario}`" if row.scenario else ""
        counts = (row.length, row.states) if row.world else ("", "")
        yield _line((f"`{row.model}`", _invariant(row.invariant), row.world, *counts, scenario))


def _line(cells: tuple[object, ...]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _code(text: str) -> str:
    return f"`{text}`"


def _invariant(name: str) -> str:
    return name if name in NO_INVARIANTS else f"`{name}`"
