"""What searches found, as the pages have it."""

from collections import Counter
from collections.abc import Iterator

from tests.explore import caught
from tests.explore.mutations import record
from tests.explore.mutations.record import Row

HOME = "gets home"


def mutations() -> str:
    """Which mutations were caught, and how many were not."""
    rows = list(record.recorded().values())
    return "".join(f"{line}\n" for line in (*_counted(rows), "", *_caught(rows)))


def _counted(rows: list[Row]) -> Iterator[str]:
    yield "| file | tried | caught | the same | escaped |"
    yield "| - | -: | -: | -: | -: |"
    for file in dict.fromkeys(row.file for row in rows):
        yield _count(f"`{file}`", [row for row in rows if row.file == file])
    yield _count("all", rows)


def _count(name: str, rows: list[Row]) -> str:
    found = Counter(row.outcome for row in rows)
    return f"| {name} | {len(rows)} | {found['caught']} | {found['same']} | {found['escaped']} |"


def _caught(rows: list[Row]) -> Iterator[str]:
    yield "| where | its line | what is changed | breaks | in the world | choices | states |"
    yield "| - | - | - | - | - | -: | -: |"
    for row in rows:
        if row.outcome == "caught":
            where, _, how = row.name.partition(": ")
            told = (f"`{where}`", _code(row.line), how, _invariant(row.invariant), row.world, row.length, row.states)
            yield _line(told)


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
    """Of what is judged on the graph there is no invariant."""
    return name if name == HOME else f"`{name}`"
