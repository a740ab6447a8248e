"""`--output text`: a line an object, its scalars in the order of their names, tabs between them.

What is nested follows on lines of its own, which begin with its name in capitals.
"""

from collections.abc import Iterator, Sequence
from typing import Any


def as_text(result: Any) -> str:
    """The whole output."""
    return "".join(f"{line}\n" for line in _lines(result, None, None))


def _lines(value: Any, name: str | None, columns: Sequence[str] | None) -> Iterator[str]:
    """`columns` are the scalars that the objects of one list have between them, so that their lines agree."""
    if isinstance(value, dict):
        yield from _of_object(value, name, columns)
    elif not isinstance(value, list):
        yield str(value)
    elif any(isinstance(each, dict) for each in value):
        shared = sorted({key for each in value for key in _scalars(each)})
        for each in value:
            yield from _lines(each, name, shared)
    elif value:
        yield from _of_plain([each for each in value if not isinstance(each, list)], name)
        for each in value:
            if isinstance(each, list):
                yield from _lines(each, name, None)


def _of_object(value: dict[str, Any], name: str | None, columns: Sequence[str] | None) -> Iterator[str]:
    scalars = sorted(_scalars(value)) if columns is None else columns
    if scalars:
        cells = [str(value.get(key, "")) for key in scalars]
        yield "\t".join(cells if name is None else [name.upper(), *cells])
    for key in sorted(value.keys() - set(scalars)):
        yield from _lines(value[key], key, None)


def _of_plain(values: list[Any], name: str | None) -> Iterator[str]:
    if name is not None:
        yield from (f"{name.upper()}\t{value}" for value in values)
    elif values:
        yield "\t".join(str(value) for value in values)


def _scalars(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [key for key, member in value.items() if not isinstance(member, dict | list)]
