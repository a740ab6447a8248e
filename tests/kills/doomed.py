"""`ghostjob agent`, killed by SIGKILL at one chosen instant: run as a script, with the agent's own arguments.

An instant is a phase in which the agent tells something, or the moment before or after one operation on the journal's
file. GHOSTJOB_DOOM says which (`at`), the how manieth of its name (`nth`), and where to note all instants as they pass
(`note`): an agent that replaces itself, as a reboot does, goes on counting there.
"""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.device_events import DeviceEvent, PhaseChanged
from agent.journal import FileStorage
from agent.runner import Runner

OPERATIONS = ("read", "append", "sync", "write_new", "sync_new", "rename_new", "sync_directory")


class Doom:
    """Counts instants, and ends this process at the chosen one."""

    def __init__(self, at: str, nth: int, note: Path) -> None:
        self._at = at
        self._nth = nth
        self._note = note
        self._counts = Counter(note.read_text().splitlines() if note.exists() else ())

    def instant(self, name: str) -> None:
        """One more; perhaps the last."""
        self._counts[name] += 1
        with self._note.open("a") as note:
            note.write(f"{name}\n")
        if name == self._at and self._counts[name] == self._nth:
            os.kill(os.getpid(), signal.SIGKILL)


def watch_journal(doom: Doom) -> None:
    """Make every operation on the journal's file two instants."""
    for operation in OPERATIONS:
        setattr(FileStorage, operation, _watched(getattr(FileStorage, operation), operation, doom))


def _watched(operate: Callable[..., Any], name: str, doom: Doom) -> Callable[..., Any]:
    def watched(self: FileStorage, *arguments: Any) -> Any:
        doom.instant(f"before {name}")
        result = operate(self, *arguments)
        doom.instant(f"after {name}")
        return result

    return watched


def watch_phases(doom: Doom) -> None:
    """Make everything that the agent tells an instant of the phase that it is in."""
    tell, phase = Runner.tell, "idle"

    def watched(self: Runner[Any], event: DeviceEvent) -> None:
        nonlocal phase
        tell(self, event)
        if isinstance(event, PhaseChanged):
            phase = event.phase
        doom.instant(f"in {phase}")

    Runner.tell = watched  # type: ignore[method-assign]  # only in this process, which lives to die


if __name__ == "__main__":
    from simulator.cli import main

    chosen = json.loads(os.environ["GHOSTJOB_DOOM"])
    doom = Doom(chosen["at"], chosen["nth"], Path(chosen["note"]))
    watch_journal(doom)
    watch_phases(doom)
    main(sys.argv[1:])
