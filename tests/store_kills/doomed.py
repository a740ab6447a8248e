"""`ghostjob cloud`, killed by SIGKILL at one chosen instant: run as a script, with the cloud's own arguments.

An instant is one side of something that the store does: opening its file, reading it, committing a batch, and releasing
what waited for that batch. `in commit` is a while after a commit began, in the middle of what SQLite does with it.
GHOSTJOB_DOOM says which (`at`), the how manieth of its name (`nth`), and how many milliseconds later (`delay`).
"""

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from simulator.cloud.store.database import Database
from simulator.cloud.store.store import Store


class Doom:
    """Counts instants, and ends this process at the chosen one."""

    def __init__(self, at: str, nth: int, delay: float) -> None:
        self._at = at
        self._nth = nth
        self._delay = delay
        self._counts: Counter[str] = Counter()

    def instant(self, name: str) -> None:
        """One more; perhaps the last."""
        self._counts[name] += 1
        if self._counts[name] == self._nth:
            if self._at == name:
                self._end()
            if (self._at, name) == ("in commit", "before commit"):
                threading.Thread(target=self._end_later, daemon=True).start()

    def _end_later(self) -> None:
        time.sleep(self._delay / 1000)
        self._end()

    def _end(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def watch(doom: Doom, owner: type, name: str, what: str) -> None:
    """Make calls of a method two instants."""
    act: Callable[..., Any] = getattr(owner, name)

    def watched(*arguments: Any) -> Any:
        doom.instant(f"before {what}")
        result = act(*arguments)
        doom.instant(f"after {what}")
        return result

    setattr(owner, name, watched)


if __name__ == "__main__":
    from simulator.cli import main

    doom = Doom(**json.loads(os.environ["GHOSTJOB_DOOM"]))
    watch(doom, Database, "__init__", "opening")
    watch(doom, Store, "remembered", "reading")
    watch(doom, Database, "write", "commit")
    watch(doom, Store, "_written", "release")
    main(sys.argv[1:])
