"""What /proc tells of processes: which of them came of a program of ours, and how to hit these and nobody else.

What belongs to a program is whatever carries its marker, and whatever is in its session, provided that this session is
ours: its leader still is the process that was started, or somebody in it carries the marker. Signals go through a pidfd
that was opened before the process was looked at, so a process id that was given to a stranger meanwhile is never hit.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

MARKER: Final = "GHOSTJOB_STEP"
"""What names a program's token in the environment of all that comes of it."""
KEEPER: Final = "GHOSTJOB_KEEPER"
"""What stands there for the directory of the agent's records, should these be lost."""
LEADER: Final = "GHOSTJOB_LEADER"
"""What names there the process that was started; to whatever else carries it, it is the one that it came of."""
PROC: Final = Path("/proc")
SYSTEMD: Final = "name=systemd"
"""What the control groups of systemd are called where there are several hierarchies."""


def boot_id() -> str:
    """Which boot of the machine this is; empty where that cannot be known."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def own_service() -> str:
    """The systemd unit that this process runs as; empty if it is none, or where that cannot be known.

    The innermost control group says so (systemd.exec(5)): one that is no service is a session's or a shell's.
    """
    try:
        lines = (PROC / "self/cgroup").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    found = [line.split(":", 2) for line in lines]
    groups = [path.rpartition("/")[2] for _, hierarchy, path in found if hierarchy in ("", SYSTEMD)]
    return next((group for group in groups if group.endswith(".service")), "")


@dataclass(frozen=True, slots=True)
class StartedProgram:
    """What was started: a session's leader, when it was started, and the marker of all that comes of it."""

    token: str
    pid: int
    started: int
    boot: str


class Process(NamedTuple):
    """A process; its id alone may have been another one's before."""

    pid: int
    started: int
    session: int
    lives: bool


def members(group: StartedProgram, *, daemons: bool) -> Iterator[Process]:
    """The living processes of `group`; with `daemons`, also those that have left its session."""
    everybody = [seen for entry in PROC.iterdir() if entry.name.isdecimal() and (seen := _look(int(entry.name)))]
    marked = {each.pid for each in everybody if _is_marked(each.pid, group.token)}
    session = [each for each in everybody if each.session == group.pid]
    ours = any(each.pid in marked or (each.pid, each.started) == (group.pid, group.started) for each in session)
    for each in everybody:
        in_session = ours and each.session == group.pid
        if each.lives and (in_session or (daemons and each.pid in marked)):
            yield each


def _look(pid: int) -> Process | None:
    try:
        stat = (PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything, spaces and brackets too
    return Process(pid, int(fields[19]), int(fields[3]), fields[0] not in "ZX")


def started_at(pid: int) -> int:
    """When a process began, in ticks since the boot; 0 if there is none."""
    seen = _look(pid)
    return seen.started if seen is not None else 0


def unrecorded(keeper: str) -> Iterator[StartedProgram]:
    """What was started on behalf of `keeper`, and runs, whether or not there is a record of it.

    Only a program that has not ended is: what it left behind on purpose may stay.
    """
    for entry in PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        known = dict(word.partition(b"=")[::2] for word in _environment(int(entry.name)))
        is_leader = known.get(LEADER.encode()) == entry.name.encode()
        if is_leader and known.get(KEEPER.encode()) == keeper.encode():
            token = known.get(MARKER.encode(), b"").decode("ascii", "replace")
            yield StartedProgram(token, int(entry.name), started_at(int(entry.name)), boot_id())


def _is_marked(pid: int, token: str) -> bool:
    return f"{MARKER}={token}".encode() in _environment(pid)


def _environment(pid: int) -> list[bytes]:
    """What a process began with; nothing if it is another user's."""
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal to this very process, or to nobody."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    except (OSError, AttributeError):  # a kernel before 5.3: a moment remains between looking and sending
        if started_at(process.pid) == process.started:
            with contextlib.suppress(OSError):
                os.kill(process.pid, number)
        return
    try:
        if started_at(process.pid) == process.started:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(descriptor, number)
    finally:
        os.close(descriptor)
