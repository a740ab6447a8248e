"""One device without a clock, as a value: the model's machine, what was minted around it, its timers, and its rig.

The journal is kept as its newest record alone, since older ones count for nothing once that is durable; and as many of
those before it as may become unreadable.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias
from zlib import crc32

from agent.core.events import TimerName
from agent.core.record import Record
from agent.device_events import PhaseName
from agent.errors import GhostjobError
from agent.journal import FRAME, HEADER, Journal
from simulator.devices.rig.values import Rig
from simulator.devices.storage import EMPTY, FILE_BYTES, Disk, FlashFile, recall, snapshot_of
from simulator.engines.explore.choice import Actor, Choice, Kind
from simulator.engines.explore.net import Link, Message
from simulator.engines.explore.tokens import Names
from simulator.trace import CloudEvent
from simulator.trace.flash_events import DeviceAccount

SECONDS: Final[dict[str, float]] = {
    "retry": 0.25,
    "ask-again": 1.0,
    "request": 2.0,
    "poll": 30.0,
    "leap": 60.0,
    "step": 600.0,
}
"""What agents set each timer for, or about so long."""
MOST_ATTEMPTS: Final = 2
"""How often a question has been put is counted so far: what it is told for is a matter of time."""


class Minted(NamedTuple):
    """What was minted around the machine, as far as it still counts (see `agent.correlation`).

    `life` tells this life of the agent from others, 0 with no agent. `sent` is the number of the newest attempt, 0 with
    no answer awaited; its question was put `attempt` times. `reports` are the nonces on record. See `tokens`.
    """

    life: int = 0
    sent: int = 0
    attempt: int = 0
    reports: tuple[tuple[str, str], ...] = ()

    @property
    def token(self) -> str:
        """The client token of the newest attempt; empty if no answer is awaited."""
        return str(self.sent) if self.sent else ""


class Device(NamedTuple):
    """`side` is its number. `machine` is the model's state, None while no agent runs; `phase` the one that it told
    last. `away`: its network has failed, for as long as that may last; without a `link` else, it connects in a moment.
    `older` are journals as they were before the newest record, the last one first; `unwritable`: it cannot be written.
    """

    side: int
    rig: Rig
    machine: Any = None
    minted: Minted = Minted()
    timers: tuple[TimerName, ...] = ()
    link: bool = False
    phase: PhaseName = "idle"
    crashed: bool = False
    away: bool = False
    older: tuple[Disk, ...] = ()
    unwritable: bool = False

    @property
    def is_still(self) -> bool:
        """Whether its hardware is at nothing."""
        return self.rig.run is None and not self.rig.pending

    @property
    def names(self) -> Names:
        """What it calls its own of what was minted."""
        minted = self.minted
        on_disk = (nonce for disk in (self.rig.disk, *self.older) for nonce in nonces_in_journal(disk))
        nonces = (*on_disk, *(nonce for _, nonce in minted.reports))
        return Names(minted.life, tuple(dict.fromkeys(nonces)), minted.token)

    def named(self, names: Names) -> "Device":
        """The same with its own, which it calls so, called as from now on."""
        minted, after = self.minted, names.next
        if names == after:
            return self
        reports = tuple((name, names.nonce(nonce)) for name, nonce in minted.reports)
        minted = minted._replace(life=after.life, sent=int(after.awaited or 0), reports=reports)
        disk = renamed(self.rig.disk, names)
        rig = self.rig if disk is self.rig.disk else self.rig._replace(disk=disk)
        return self._replace(rig=rig, minted=minted, older=tuple(renamed(each, names) for each in self.older))


Told: TypeAlias = DeviceAccount
"""What is told of a device, in its order."""


class DeviceMove(NamedTuple):
    """What comes of it: the device, what it sends (before it is cut off, if so), what it tells, and what the cloud."""

    choice: Choice
    cost: Kind | None
    actor: Actor
    device: Device
    out: tuple[Message, ...] = ()
    link: Link = ""
    told: tuple[Told, ...] = ()
    told_by_cloud: tuple[CloudEvent, ...] = ()
    also: Kind | None = None
    """What it costs besides."""


# ── its journal ───────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=16_384)
def written(disk: Disk, record: Record) -> Disk:
    """The disk with a record written down, as its newest. Raises JournalError."""
    file = FlashFile(disk)
    journal = Journal(file, limit_bytes=FILE_BYTES)
    journal.open()
    journal.append(snapshot_of(record))
    return newest_of(file.disk)


@lru_cache(maxsize=16_384)
def newest_of(disk: Disk) -> Disk:
    """The same with its newest record alone, durable. What has no journal is left as it is."""
    try:
        snapshot = Journal(FlashFile(disk)).open()
    except GhostjobError:
        return disk
    if snapshot is None:
        return EMPTY
    data = HEADER + FRAME.pack(len(snapshot), crc32(snapshot)) + snapshot
    return Disk((data,), (data,))


@lru_cache(maxsize=16_384)
def nonces_in_journal(disk: Disk) -> tuple[str, ...]:
    """Of its newest record: that of the last execution's report, and that of the one that is open."""
    record = _record_on(disk)
    if record is None:
        return ()
    finished = record.finished.nonce if record.finished is not None else ""
    return tuple(nonce for nonce in (finished, record.nonce) if nonce)


@lru_cache(maxsize=16_384)
def renamed(disk: Disk, names: Names) -> Disk:
    """With the nonces on it called as from now on."""
    record, nonces = _record_on(disk), nonces_in_journal(disk)
    if record is None or nonces == tuple(map(names.nonce, nonces)):
        return disk
    if record.finished is not None and record.finished.nonce:
        record = replace(record, finished=replace(record.finished, nonce=names.nonce(record.finished.nonce)))
    return written(disk, replace(record, nonce=names.nonce(record.nonce) if record.nonce else ""))


def _record_on(disk: Disk) -> Record | None:
    try:
        _, record = recall(disk)
    except GhostjobError:
        return None
    return record
