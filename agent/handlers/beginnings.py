"""How often a step has begun without coming to an end: what kills the agent is not begun for ever.

A step that takes all memory, or crashes the interpreter, takes the agent with it; the next agent finds it on record
as interrupted, and would begin it again. So a note is written, durably, before a step begins or is taken back, and
goes when that ends in any way, be it that the agent is told to stop. A note that is still there as the same is to
begin again says that the agent died meanwhile.

A death has one of two kinds, and the step cannot be asked which. If the machine has not been booted since, the agent
was killed, and after `MOST_KILLS` of these it is not begun again. If it has, that may have been a power cut, which is
nobody's fault, or the step took the machine down, by a watchdog for instance: so these are counted apart, and
`MOST_CUTS` are as many as nobody loses power in one and the same step by chance. Where boots have no names, every
death counts as the first kind. The counts begin anew with every step, and when a step has got further than any of its
attempts before: what gets on comes to an end.

Somebody who kills the agent by hand, in the same step twice, has its job fail; SIGTERM is no death. But what restarts
the machine ends the agent in just that way, and has come to its end only where a next one need not begin it again.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.causes import Cause
from agent.handlers.files import read_json, write_json
from agent.handlers.handler import StepError
from agent.handlers.process_table import boot_id

NOTE: Final = "begun.json"
MOST_KILLS: Final = 2
MOST_CUTS: Final = 5


@dataclass(slots=True)
class Beginning:
    """One attempt at `what`, with its note in the directory `aside`; `ends_us`: it restarts the machine."""

    aside: Path
    what: str
    ends_us: bool = False
    kills: int = 0
    cuts: int = 0
    percent: int = 0

    def put_on_record(self) -> None:
        """Count the deaths of earlier attempts, and note that this one begins. Raises StepError, OSError."""
        known = read_json(self._note) or {}
        if known.get("what") == self.what:
            self.kills, self.cuts, self.percent = (_count(known.get(name)) for name in ("kills", "cuts", "percent"))
            if known.get("boot") == boot_id():
                self.kills += 1
            else:
                self.cuts += 1
        if self.kills >= MOST_KILLS:
            raise StepError(f"the agent died {self.kills} times while it did this: not begun again", Cause.KILLED)
        if self.cuts >= MOST_CUTS:
            raise StepError(f"the machine went down {self.cuts} times in this: not begun again", Cause.KILLED)
        self._write()

    def got_to(self, percent: int) -> None:
        """It is so far; if none was before, earlier deaths do not count any more."""
        if percent > self.percent and (self.kills or self.cuts):
            self.kills, self.cuts, self.percent = 0, 0, percent
            self._write()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """While it is done."""
        is_over = not self.ends_us
        try:
            yield
        except Exception:
            is_over = True
            raise
        finally:
            if is_over:
                self.ended()

    def ended(self) -> None:
        """In whatever way. That this is lost with the power does no harm: the next step is another one."""
        with suppress(OSError):
            self._note.unlink()

    @property
    def _note(self) -> Path:
        return self.aside / NOTE

    def _write(self) -> None:
        known = {"what": self.what, "boot": boot_id(), "kills": self.kills, "cuts": self.cuts, "percent": self.percent}
        write_json(self._note, known)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
