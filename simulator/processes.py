"""How ghostjob starts another process of its own, and how one ended."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agent.errors import GhostjobError, InputError

ENDS: Final = frozenset(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Who ends the work means the process that he sees, which ends the others."""


class ProcessLostError(GhostjobError):
    """A process that takes part in a run ended before its time; the message says which and how, in one line."""


def command(*arguments: str) -> tuple[str, ...]:
    """`ghostjob` with these arguments, of this very ghostjob: neither PYTHONPATH nor where one works changes that."""
    return (sys.executable, "-P", str(Path(__file__).parent / "cli" / "__main__.py"), *arguments)


def how_it_ended(exit_code: int | None) -> str:
    """In words; negative is the signal that killed it, as Python has it, and None: it goes on."""
    return f"killed by signal {-exit_code}" if exit_code is not None and exit_code < 0 else f"exit code {exit_code}"


@contextmanager
def forking(option: str) -> Iterator[None]:
    """ENDS come when it is over; who is forked meanwhile never hears of them. Raises InputError, see `no_room`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        yield
    except OSError as error:
        raise no_room(option, error) from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def no_room(option: str, error: OSError) -> InputError:
    """That for want of memory, or by a limit, none more can be begun; the option says how many there are to be."""
    return InputError(f"{option}: the system lets no more processes begin ({error.strerror}); have fewer")
