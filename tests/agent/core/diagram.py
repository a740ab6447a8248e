"""Which phase an event leads to from which, drawn from the table of the core.

python -m tests.agent.core.diagram            print it
python -m tests.agent.core.diagram --write    put it where the phases are described
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.core import state
from agent.core.table import ROWS, TABLE, Happening

PAGE: Final = Path(state.__file__)
BEGIN: Final = "(drawn by `python -m tests.agent.core.diagram --write`):\n\n"


def diagram() -> str:
    """A line for each event that leads out of a phase."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    happenings = list(dict.fromkeys(row.event for row in ROWS))
    for phase in state.PHASE_NAMES:
        name = phase.__name__
        for event in happenings:
            row = TABLE[phase, event]
            to = ", ".join(each.__name__ for each in row.to if each is not phase)
            if to:
                yield f"    {name:<11}{words(event) + ' ':─<23}► {to}"
                name = ""


def words(event: Happening) -> str:
    """What an event is called, as `journal failed` or `timer leap`."""
    if isinstance(event, str):
        return f"timer {event}"
    return re.sub(r"(?<!^)(?=[A-Z])", " ", event.__name__).lower()


def block(page: str) -> str:
    """What stands there now."""
    return page.partition(BEGIN)[2].partition("\n\n")[0]


if __name__ == "__main__":
    page = PAGE.read_text("utf-8")
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page.replace(BEGIN + block(page), BEGIN + diagram()), "utf-8")
    else:
        sys.stdout.write(diagram() + "\n")
