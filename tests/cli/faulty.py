"""`ghostjob` with a fault of its own while it draws: `python -m tests.cli.faulty FAULT VERB …`."""

import sys
from collections.abc import Mapping
from typing import Final, NoReturn

from simulator.cli import main
from simulator.page import offline
from simulator.page.roster import Roster
from simulator.page.shown import Shown

FAULTS: Final[Mapping[str, tuple[object, str]]] = {
    "fold": (Roster, "feed"),
    "drawing": (Shown, "all"),
    "file": (offline, "_data"),
}
"""What fails: what an entry does to the picture, what is drawn of it, and the file that is made of that."""


def fail(*_: object, **__: object) -> NoReturn:
    """The fault."""
    raise KeyError("fw-3")


if __name__ == "__main__":
    setattr(*FAULTS[sys.argv[1]], fail)
    main(sys.argv[2:])
