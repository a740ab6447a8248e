"""Which cells a marker means: the tests that it makes of one function."""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import pytest

from pytest_ghostjob._own import own_ghostjob

if TYPE_CHECKING:
    from ghostjob.certification import Cell

MARKER: Final = "ghostjob_cells"
ARGUMENT: Final = "ghostjob_cell"
GIVE: Final = 'give "quick", "full", ids of cells, or patterns of ids as "*/calm"; ghostjob certify --list has them'
_listed: Final = pytest.StashKey[tuple["Cell", ...]]()


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Make a test of each cell that the markers of a function mean."""
    markers = list(metafunc.definition.iter_markers(MARKER))
    if not markers:
        return
    try:
        cells = chosen(all_cells(metafunc.config), markers[0])
        if ARGUMENT not in metafunc.fixturenames:
            raise ValueError(f"a function that is marked with it takes the argument {ARGUMENT}, and plays it")
    except ValueError as error:
        text = f"{metafunc.definition.nodeid}: {MARKER}: {error}"
        raise pytest.fail.Exception(text, pytrace=False) from None
    metafunc.parametrize(ARGUMENT, cells, ids=[cell.id for cell in cells], indirect=True)


def all_cells(config: pytest.Config) -> tuple["Cell", ...]:
    """The whole matrix, in the order that finds failures early. Raises ValueError if there is none to be had."""
    if _listed not in config.stash:
        with own_ghostjob():
            from ghostjob import GhostjobError
            from ghostjob._certify import matrix
        try:
            config.stash[_listed] = matrix(cwd=config.rootpath)
        except GhostjobError as error:
            raise ValueError(str(error)) from None
    return config.stash[_listed]


def chosen(cells: Sequence["Cell"], marker: pytest.Mark) -> tuple["Cell", ...]:
    """Those that a marker means. Raises ValueError for what means none."""
    if marker.kwargs:
        raise ValueError(f"{next(iter(marker.kwargs))}=: it takes no such argument; {GIVE}")
    match marker.args:
        case ():
            return tuple(cell for cell in cells if cell.default)
        case ("quick",):
            return tuple(cell for cell in cells if cell.quick)
        case ("full",):
            return tuple(cells)
        case patterns:
            for pattern in patterns:
                _check(pattern, cells)
            return tuple(cell for cell in cells if any(fnmatchcase(cell.id, pattern) for pattern in patterns))


def _check(pattern: object, cells: Sequence["Cell"]) -> None:
    if not isinstance(pattern, str):
        raise ValueError(f"{pattern!r}: {GIVE}")
    if not any(fnmatchcase(cell.id, pattern) for cell in cells):
        close = get_close_matches(pattern, [*(cell.id for cell in cells), "quick", "full"], 1)
        raise ValueError(
            f"{pattern}: there is no such cell" + (f"; did you mean {close[0]}?" if close else f"; {GIVE}")
        )
