"""How ghostjob starts another process of its own, and how one ended."""

import sys
from pathlib import Path

from agent.errors import GhostjobError


class ProcessLostError(GhostjobError):
    """A process that takes part in a run ended before its time; the message says which and how, in one line."""


def command(*arguments: str) -> tuple[str, ...]:
    """`ghostjob` with these arguments, of this very ghostjob: neither PYTHONPATH nor where one works changes that."""
    return (sys.executable, "-P", str(Path(__file__).parent / "cli" / "__main__.py"), *arguments)


def how_it_ended(exit_code: int | None) -> str:
    """In words; negative is the signal that killed it, as Python has it, and None: it goes on."""
    return f"killed by signal {-exit_code}" if exit_code is not None and exit_code < 0 else f"exit code {exit_code}"
