"""Cells of the schedules that somebody has in files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from agent.errors import InputError
from simulator.certify.cell import Cell


def schedule_cells(paths: Sequence[Path]) -> tuple[Cell, ...]:
    """The cell of each. Raises InputError."""
    if not paths:
        return ()
    from simulator.certify.schedules import cell_of
    from simulator.cli.schedule_files import schedule_in

    cells = tuple(cell_of(schedule_in(path)) for path in paths)
    name, times = Counter(cell.id for cell in cells).most_common(1)[0]
    if times > 1:
        raise InputError(f"--schedule: {times} files are called alike, and each is to be {name}; give them other names")
    return cells
