"""A fault of ghostjob's own that costs a part of what was asked for and not the whole, such as a page: in a few words.

The log has its traceback, at debug, for who mends it.
"""

import traceback
from pathlib import Path
from typing import Final

from agent.log import get_logger

TREE: Final = Path(__file__).resolve().parent.parent
OURS: Final = tuple(f"{TREE / name}/" for name in ("agent", "simulator"))
LONGEST: Final = 200
"""Characters of what an exception says of itself."""
TO_REPORT: Final = "please report it, with the trace; --log-level debug shows the traceback"


def in_words(error: BaseException, during: str) -> str:
    """What it was, and where in our own code: `KeyError: 'fw' (simulator/page/roster.py:120)`.

    `during` says in the log what was being done.
    """
    get_logger("ghostjob").debug("fault.contained", during=during, exc_info=error)
    says = " ".join(str(error).split())[:LONGEST]
    return f"{type(error).__name__}{': ' if says else ''}{says}{_where(error)}"


def _where(error: BaseException) -> str:
    frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename.startswith(OURS)]
    return f" ({Path(frames[-1].filename).relative_to(TREE).as_posix()}:{frames[-1].lineno})" if frames else ""
