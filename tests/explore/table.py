"""What searches found, as the pages have it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from tests.explore import caught
from tests.explore.mutations import record
from tests.explore.mutations.record import Row

NO_INVARIANTS: Final = frozenset({"gets home", "gets it done", "begins once", "reaches its places"})
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
    """How many mutations were caught, and by what; what stands behind those that were not; which made no difference."""
    rows = list(record.recorded().values())
    tables = _counted(rows), _caught(rows), _behind(rows), _right(rows), _same(rows)
    return "\n".join("".join(f"{line}\n" for line in table) for table in tables)


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
    """By what breaks, each with the one that takes the fewest choices, if any world shows it."""
    yield "| breaks | caught | such as: where | its line | what is changed | in the world | choices | states |"
    yield "| - | -: | - | - | - | - | -: | -: |"
    caught: dict[str, list[Row]] = {}
    for row in rows:
        if row.outcome == "caught":
            caught.setdefault(row.invariant, []).append(row)
    for invariant, those in sorted(caught.items(), key=lambda each: (-len(each[1]), each[0])):
        first = min(those, key=lambda row: (not row.states, row.length, row.states, row.name))
        where, line, how, _, *world = _told(first)
        yield _line((_invariant(invariant), len(those), where, line, how, *world))


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


def _same(rows: list[Row]) -> Iterator[str]:
    """Where those are that make no difference to all that is met."""
    yield "| the same: where | changes |"
    yield "| - | -: |"
    counted = Counter(row.name.partition(": ")[0] for row in rows if row.outcome == "same")
    yield from (_line((f"`{where}`", count)) for where, count in counted.items())


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
